// The upper half of the live page: the five figures, the way of an order, channels and goods.
import type { Channel, Figure, Goods, Point, Snapshot, Station } from "./facts.ts";
import { duration, facts, money, number, rate, say, share, written } from "./words.ts";
import { element, empty, keyed, place, tag, write } from "./parts.ts";

/** Which column of a point draws the trend of a figure. */
const trends: Record<string, number> = { orders: 1, gmv: 3, payment_success: 4, p99: 6, awaiting: 9 };
const trend_s = 300;
/** A longer figure than this is set smaller, where five cards stand beside each other on a desk. */
const long_letters = 9;

export function figures(snapshot: Snapshot, points: Point[]): void {
  for (const figure of snapshot.figures) {
    const card = document.querySelector<HTMLElement>(`[data-figure="${figure.key}"]`);
    if (!card) continue;
    const part = (name: string): HTMLElement | null => card.querySelector(`[data-part="${name}"]`);
    const [value, unit] = value_of(figure);
    write(part("value"), value);
    card.classList.toggle("vital--long", value.length > long_letters);
    write(part("unit"), unit);
    write(part("target"), target(figure, snapshot));
    const state = part("state");
    if (state) tag(state, figure.state);
    trend(card, points, trends[figure.key] ?? 1);
  }
}

function value_of(figure: Figure): [string, string] {
  if (figure.value === null) return ["–", ""];
  if (figure.unit === "per-second") return [rate(figure.value), say("say", "per-second")];
  if (figure.unit === "ms") return [written(figure.value, "ms").replace(/ ms$/, ""), say("say", "ms")];
  if (figure.unit === "orders") return [number(figure.value), ""];
  return [written(figure.value, figure.unit), ""];
}

function target(figure: Figure, snapshot: Snapshot): string {
  if (figure.action) return say("action", figure.action) + goal_behind(figure);
  if (figure.key === "gmv") return gmv_target(figure, snapshot);
  if (figure.key === "orders") {
    const total = say("say", "orders-total", { total: number(snapshot.trade.placed ?? 0) });
    return figure.goal === null ? total : `${say("say", "goal-pace", { goal: `${rate(figure.goal)}/s` })} · ${total}`;
  }
  if (figure.key === "awaiting") return money(Math.max((snapshot.trade.placed_value ?? 0) - (snapshot.trade.paid_value ?? 0), 0));
  if (figure.goal === null) return say("say", "no-goal");
  return say("say", figure.at_least ? "goal-floor" : "goal-ceiling", { goal: written(figure.goal, figure.unit) });
}

function goal_behind(figure: Figure): string {
  if (figure.goal === null) return "";
  const unit = figure.unit === "per-second" ? `${rate(figure.goal)}/s` : written(figure.goal, figure.unit);
  return ` · ${say("say", figure.at_least ? "goal-floor" : "goal-ceiling", { goal: unit })}`;
}

function gmv_target(figure: Figure, snapshot: Snapshot): string {
  const paid = say("say", "gmv-paid", { paid: money(snapshot.trade.paid_value ?? 0) });
  if (!figure.goal || figure.value === null) return paid;
  return `${say("say", "gmv-goal", { share: share(figure.value / figure.goal), goal: money(figure.goal) })} · ${paid}`;
}

/** Draws the last five minutes as a line over a tinted area, from the least value to the largest. */
function trend(card: HTMLElement, points: Point[], column: number): void {
  const line = card.querySelector(".vital__line");
  const area = card.querySelector(".vital__area");
  const to = points[points.length - 1]?.[0] ?? 0;
  const marks = points.filter((point) => point[0] > to - trend_s && point[column] !== null);
  if (!line || !area || marks.length < 2) return;
  const values = marks.map((point) => point[column] as number);
  const least = column === 4 ? Math.min(0.95, ...values) : 0;
  const most = Math.max(column === 4 ? 1 : 0.001, ...values);
  const x = (at: number): string => ((1 - (to - at) / trend_s) * 120).toFixed(1);
  const y = (value: number): string => (34 - ((value - least) / (most - least || 1)) * 32).toFixed(1);
  const path = marks.map((point) => `${x(point[0])} ${y(point[column] as number)}`).join("L");
  line.setAttribute("d", `M${path}`);
  area.setAttribute("d", `M${path}L${x((marks[marks.length - 1] as Point)[0])} 36L${x((marks[0] as Point)[0])} 36Z`);
}

export function flow(stations: Station[]): void {
  let narrowest = "";
  for (const station of stations) {
    const box = document.querySelector<HTMLElement>(`[data-station="${station.key}"]`);
    const way = document.querySelector<HTMLElement>(`[data-way="${station.key}"]`);
    if (!box) continue;
    box.classList.toggle("flow__station--narrowest", station.narrowest);
    const part = (name: string): HTMLElement | null => box.querySelector(`[data-part="${name}"]`);
    write(part("here"), station_figure(station));
    write(part("carried"), station.narrowest ? say("say", "narrowest") : station.carried === null ? "" : say("say", "carried", { share: share(station.carried) }));
    write(part("out"), station_out(station));
    if (station.narrowest) narrowest = `${say("say", "narrowest")}: ${box.querySelector(".flow__name")?.textContent ?? ""}`;
    if (!way) continue;
    write(way.querySelector('[data-part="rate"]'), say("say", "rate", { rate: rate(station.in_rate) }));
    way.classList.toggle("flow__way--still", station.in_rate === 0);
    // Broader arrows carry more: the width grows with the logarithm, so that one and a thousand both read.
    way.querySelector(".flow__line")?.setAttribute("stroke-width", (1.5 + Math.log10(1 + station.in_rate) * 2).toFixed(1));
  }
  write(document.querySelector('[data-flow="verdict"]'), narrowest || say("say", "flows"));
}

function station_figure(station: Station): string {
  if (station.key === "arriving") return say("say", "rate", { rate: rate(station.in_rate) });
  if (station.key === "ordering") return say("say", "rate", { rate: rate(station.in_rate) });
  return number(station.here ?? 0);
}

function station_out(station: Station): string {
  if (station.key === "ordering" && station.out_rate > 0.05) return say("say", "refused", { rate: rate(station.out_rate) });
  if (station.key === "paying" && station.out_rate > 0) return say("say", "lapsed", { rate: rate(station.out_rate) });
  return "";
}

export function channels(all: Channel[]): void {
  const list = place("[data-channels]");
  if (!all.length) return empty(list, say("say", "no-channels"));
  keyed(list, all, (channel) => channel.channel, make_channel, show_channel);
}

function make_channel(): HTMLElement {
  const row = element("li", "channel");
  const bar = element("progress", "meter channel__bar") as HTMLProgressElement;
  bar.max = 1;
  row.append(element("span", "channel__name strong"), element("span", "tag"), element("span", "channel__share figures"), bar, element("span", "channel__facts tiny faint figures"));
  return row;
}

function show_channel(row: HTMLElement, channel: Channel): void {
  write(row.querySelector(".channel__name"), channel.channel);
  tag(row.querySelector(".tag") as HTMLElement, channel.state);
  write(row.querySelector(".channel__share"), channel.success_minute === null ? "–" : share(channel.success_minute));
  const bar = row.querySelector("progress") as HTMLProgressElement;
  bar.value = channel.success_minute ?? 0;
  bar.className = `meter channel__bar${channel.state === "silent" ? "" : ` meter--${channel.state}`}`;
  bar.setAttribute("aria-label", `${channel.channel}: ${channel.success_minute === null ? "–" : share(channel.success_minute)}`);
  const lately = channel.attempts_minute ? say("say", "attempts", { count: number(channel.attempts_minute) }) : say("say", "no-attempts");
  const ever = channel.success_total === null ? "" : ` · ${say("say", "attempts-total", { share: share(channel.success_total), count: number(channel.attempts_total) })}`;
  write(row.querySelector(".channel__facts"), lately + ever);
}

export function goods(all: Goods[]): void {
  const list = place("[data-goods]");
  if (!all.length) return empty(list, say("say", "no-goods"));
  keyed(list, all, (each) => each.sku, make_goods, show_goods);
}

function make_goods(each: Goods): HTMLElement {
  const row = element("li", "hot");
  const name = element("a", "hot__name") as HTMLAnchorElement;
  name.href = `/console/orders?q=${encodeURIComponent(each.sku)}`;
  const bar = element("progress", "meter hot__bar") as HTMLProgressElement;
  row.append(name, element("span", "hot__left figures"), bar, element("span", "hot__gone tiny figures"));
  return row;
}

function show_goods(row: HTMLElement, each: Goods): void {
  const name = facts.lang === "zh" ? each.name_zh : each.name_en;
  write(row.querySelector(".hot__name"), name);
  write(row.querySelector(".hot__left"), `${number(each.free)} / ${number(each.loaded)}`);
  const bar = row.querySelector("progress") as HTMLProgressElement;
  bar.max = Math.max(each.loaded, 1);
  bar.value = each.free;
  bar.className = `meter hot__bar${each.state === "good" ? " meter--good" : ` meter--${each.state}`}`;
  bar.setAttribute("aria-label", `${name}: ${number(each.free)} / ${number(each.loaded)}`);
  row.title = `${name} · ${say("say", "held-left", { count: number(each.held) })}`;
  const gone = row.querySelector(".hot__gone") as HTMLElement;
  gone.classList.toggle("hot__gone--soon", each.state !== "good");
  write(gone, gone_in(each));
}

function gone_in(each: Goods): string {
  if (each.free === 0) return say("say", "sold-out");
  if (each.sold_out_in_s === null) return say("say", "not-selling");
  return duration(each.sold_out_in_s);
}
