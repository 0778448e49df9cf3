// The live page: asks once a second while it is looked at, and writes what changed.
import { now } from "../design/clock.ts";
import { live, staff_slowest_ms } from "../design/live.ts";
import { LiveCharts } from "./live_charts.ts";
import { channels, figures, flow, goods } from "./live_trade.ts";
import { news, well } from "./live_well.ts";
import type { Point, Snapshot } from "./facts.ts";
import { number, say } from "./words.ts";
import { place, write } from "./parts.ts";

const kept_s = 3600;
const lost_after_ms = 3000;
const not_signed_in = 401;

export function start(): void {
  const points: Point[] = [];
  const charts = new LiveCharts(points);
  let heard_at_ms = Date.now();
  let signed_out = false;

  const address = (): string => {
    const last = points[points.length - 1];
    return last ? `/api/v1/monitor/live?since=${last[0]}` : "/api/v1/monitor/live";
  };

  const show = (snapshot: Snapshot): void => {
    heard_at_ms = Date.now();
    signed_out = false;
    keep(points, snapshot.points ?? []);
    figures(snapshot, points);
    flow(snapshot.stations);
    channels(snapshot.channels);
    goods(snapshot.hot_goods);
    well(snapshot);
    news(snapshot);
    alerts(snapshot);
    notice(complaint(snapshot));
    charts.draw(snapshot);
  };
  const refused = (status: number): void => {
    signed_out = status === not_signed_in;
    if (signed_out) notice(say("say", "signed-out"));
  };
  live<Snapshot>(address, 1000, show, { slowest_ms: staff_slowest_ms, refused });

  window.setInterval(() => {
    const silent_ms = Date.now() - heard_at_ms;
    if (!document.hidden && !signed_out && silent_ms > lost_after_ms) notice(say("say", "lost", { seconds: number(silent_ms / 1000) }));
  }, 1000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) heard_at_ms = Date.now();
  });
}

function keep(points: Point[], fresh: Point[]): void {
  const last = points[points.length - 1]?.[0] ?? 0;
  points.push(...fresh.filter((point) => point[0] > last));
  const oldest = now() / 1000 - kept_s;
  let gone = 0;
  while (gone < points.length && (points[gone] as Point)[0] < oldest) gone += 1;
  points.splice(0, gone);
}

function complaint(snapshot: Snapshot): string {
  if (snapshot.taken_at === null) return say("say", "unmeasured");
  if (!snapshot.measured) {
    const age_s = (Date.parse(snapshot.now) - Date.parse(snapshot.taken_at)) / 1000;
    return say("say", "stale", { seconds: number(age_s) });
  }
  return snapshot.cache_up ? "" : say("say", "cache");
}

function notice(words: string): void {
  const here = place("[data-notice]");
  here.hidden = !words;
  write(here, words);
}

function alerts(snapshot: Snapshot): void {
  const here = document.querySelector<HTMLElement>("[data-alerts]");
  const count = snapshot.figures.filter((figure) => figure.state === "act").length + (snapshot.examination?.broken.length ?? 0);
  if (!here) return;
  here.className = `tag tag--${count ? "act" : "good"} head__alerts`;
  write(here, count ? say("say", "alerts", { count: number(count) }) : say("say", "no-alerts"));
}
