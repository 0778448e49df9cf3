// What one answer of /api/v1/monitor/live holds, as the contracts of watch/monitor define it.

export type State = "good" | "watch" | "act" | "silent";

export interface Figure {
  key: string;
  value: number | null;
  unit: string;
  goal: number | null;
  at_least: boolean;
  state: State;
  action: string;
}

export interface Station {
  key: string;
  in_rate: number;
  on_rate: number;
  out_rate: number;
  here: number | null;
  carried: number | null;
  narrowest: boolean;
}

export interface Channel {
  channel: string;
  state: State;
  attempts_minute: number;
  captured_minute: number;
  success_minute: number | null;
  success_total: number | null;
  attempts_total: number;
}

export interface Goods {
  sku: string;
  name_zh: string;
  name_en: string;
  loaded: number;
  free: number;
  held: number;
  sold: number;
  rate: number;
  sold_out_in_s: number | null;
  state: State;
}

export interface Route {
  route: string;
  rate: number;
  fault_rate: number;
  p50_ms: number | null;
  p99_ms: number | null;
}

export interface Count {
  code: string;
  count: number;
}

export interface Process {
  role: string;
  memory_bytes: number;
  cpu_share: number;
}

export interface News {
  announcement_id: number;
  announced_at: string;
  level: "good" | "info" | "watch" | "act";
  kind: string;
  subject: string;
  facts: Record<string, string | number | boolean | null>;
}

export interface Trade {
  placed?: number;
  placed_value?: number;
  paid?: number;
  paid_value?: number;
}

/** at, orders, paid, value, success, p50, p99, requests, faults, awaiting: one second of the charts. */
export type Point = [number, number, number, number, number | null, number | null, number | null, number, number, number];

export interface Snapshot {
  now: string;
  taken_at: string | null;
  measured: boolean;
  cache_up: boolean;
  figures: Figure[];
  stations: Station[];
  trade: Trade;
  channels: Channel[];
  hot_goods: Goods[];
  routes: Route[];
  refusals: Count[];
  faults: Count[];
  processes: Process[];
  outbox_behind: number;
  outbox_behind_s: number;
  jobs_waiting: number;
  jobs_failed: number;
  accept_queue: number | null;
  announcements: News[];
  examination: { examined_at: string; holding: number; broken: string[] } | null;
  points?: Point[];
}
