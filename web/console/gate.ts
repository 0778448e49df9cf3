// The gate's page: asks once a second while it is looked at, and writes what changed.
import { live, staff_slowest_ms } from "../design/live.ts";
import { fill, language, number } from "../design/text.ts";
import { type Line, type Mark, chart, draw, redrawn } from "./charts.ts";
import { write } from "./parts.ts";

interface Figures {
  state: string;
  places: number;
  waiting: number;
  inside: number;
  cap: number;
  bought: number;
  skipped: number;
  left: number;
  called_per_minute: number;
  ended_per_minute: number;
  load_factor: number;
  come_percent: number;
  conversion_percent: number;
}

interface Loop {
  brake: string;
  asked_per_minute: number;
  allowed_per_minute: number;
  expected: number;
  sellable: number;
  held: number;
  closed: boolean;
  note: string;
}

interface Passage {
  at: number;
  called: number;
  entered: number;
  bought: number;
  gone: number;
  inside: number;
}

interface Watch {
  at: string;
  figures: Figures;
  loop: Loop;
  lanes: Record<string, number | string>[];
  span_seconds: number;
  passages: Passage[];
}

interface Words {
  state: Record<string, [string, string]>;
  brake: Record<string, string>;
  say: Record<string, string>;
}

const lost_after_ms = 3000;
const shown_least_ms = 300_000;
const shares = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });

export function start(): void {
  const data = document.getElementById("gate-words")?.textContent;
  const flow = document.querySelector<HTMLElement>('[data-chart="gate-flow"]');
  const inside = document.querySelector<HTMLElement>('[data-chart="gate-inside"]');
  if (!data || !flow || !inside) return;
  const words = JSON.parse(data) as Words;
  const flow_chart = chart(flow);
  const inside_chart = chart(inside);
  let heard_at_ms = Date.now();
  let newest: Watch | null = null;

  const show = (): void => {
    if (!newest) return;
    const whole = moved(newest);
    const to_ms = Date.parse(newest.at);
    const first = whole.find((each) => each.called || each.entered || each.inside);
    const from_ms = Math.min((first?.at ?? to_ms / 1000) * 1000, to_ms - shown_least_ms);
    const a_minute = 60 / newest.span_seconds;
    const line = (key: "called" | "entered" | "bought" | "gone", colour: number): Line => ({ name: words.say[`${key}-line`] ?? key, colour, marks: whole.map((each): Mark => [each.at * 1000, each[key] * a_minute]) });
    draw(flow_chart, [line("called", 1), line("entered", 2), line("bought", 3), line("gone", 4)], { write: number, least: 0, whole: true }, from_ms, to_ms);
    const people: Line = { name: words.say["inside-line"] ?? "", colour: 1, filled: true, marks: [...whole.map((each): Mark => [each.at * 1000, each.inside]), [to_ms, newest.figures.inside]] };
    draw(inside_chart, [people], { write: number, least: 0, most: newest.figures.cap * 1.2, goal: { value: newest.figures.cap, name: words.say["cap-line"] ?? "" } }, from_ms, to_ms);
  };

  const told = (watch: Watch): void => {
    heard_at_ms = Date.now();
    newest = watch;
    tell(watch, words);
    notice("");
    show();
  };
  live<Watch>(() => "/api/v1/queue/watch", 1000, told, { slowest_ms: staff_slowest_ms });
  redrawn(show);

  window.setInterval(() => {
    const silent_ms = Date.now() - heard_at_ms;
    if (!document.hidden && silent_ms > lost_after_ms) notice(fill(words.say["lost"] ?? "", { seconds: number(silent_ms / 1000) }));
  }, 1000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) heard_at_ms = Date.now();
  });
}

/** The spans that are over: the one under way would always seem to fall. */
function moved(watch: Watch): Passage[] {
  const now_s = Date.parse(watch.at) / 1000;
  return watch.passages.filter((each) => each.at + watch.span_seconds <= now_s);
}

function tell(watch: Watch, words: Words): void {
  const { figures, loop } = watch;
  const say = (key: string, values: Record<string, string>): string => fill(words.say[key] ?? key, values);
  const minutes = Math.ceil(figures.waiting / figures.called_per_minute);
  const [word, meaning] = words.state[figures.state] ?? [figures.state, ""];
  const state = part("state");
  if (state) state.className = meaning ? `tag tag--${meaning}` : "tag";
  const fresh: Record<string, string> = {
    state: word,
    why: fill(words.brake[loop.brake] ?? loop.brake, { share: shares.format(figures.load_factor) }),
    "note-words": loop.note,
    waiting: number(figures.waiting),
    "waiting-target": figures.called_per_minute ? say("wait", { minutes: number(minutes) }) : say("no-pace", {}),
    inside: number(figures.inside),
    called: number(figures.called_per_minute),
    "called-target": say("pace", { asked: number(loop.asked_per_minute), allowed: number(loop.allowed_per_minute) }),
    out: number(figures.ended_per_minute),
    "out-target": say("out", { bought: number(figures.bought) }),
    missed: number(figures.skipped),
    "missed-target": say("missed", { left: number(figures.left) }),
    conversion: shares.format(figures.conversion_percent / 100),
    "conversion-target": say("came", { share: shares.format(figures.come_percent / 100) }),
    sellable: number(loop.sellable),
    held: number(loop.held),
    expected: number(loop.expected),
    load: shares.format(figures.load_factor),
    places: number(figures.places),
  };
  for (const [key, text] of Object.entries(fresh)) write(part(key), text);
  seen("closed", loop.closed);
  seen("note", loop.note !== "");
  const meter = document.querySelector<HTMLProgressElement>('[data-gate="fill"]');
  if (meter) meter.value = figures.inside;
  for (const lane of watch.lanes) {
    const row = document.querySelector(`tr[data-lane="${lane["name"]}"]`);
    row?.querySelectorAll<HTMLElement>("[data-lane-figure]").forEach((cell) => write(cell, number(Number(lane[cell.dataset["laneFigure"] ?? ""]))));
  }
}

function part(key: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`[data-gate="${key}"]`);
}

function seen(key: string, yes: boolean): void {
  const here = part(key);
  if (here) here.hidden = !yes;
}

function notice(words: string): void {
  const here = part("notice");
  if (!here) return;
  here.hidden = !words;
  write(here, words);
}
