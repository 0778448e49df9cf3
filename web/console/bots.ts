// The bots' page: visits over time, by what spoke for a program and by what was done, anew every five seconds.
import { live } from "../design/live.ts";
import { language } from "../design/text.ts";
import { type Line, type Mark, chart, draw, redrawn } from "./charts.ts";

interface Tally {
  at: number;
  kind: string;
  lane: string;
  work_factor: number;
  visits: number;
}

interface Course {
  since: string;
  until: string;
  span_seconds: number;
  tallies: Tally[];
}

interface Words {
  kind: Record<string, string>;
  done: Record<string, string>;
  say: Record<string, string>;
}

const every_ms = 5000;
const day_ms = 86_400_000;
/** As many kinds as have a line of their own; what is rarer is told together. */
const kinds_max = 5;
const unmet = ["none", "undone"];
const effects = ["nothing", "more-work", "slow-lane", "undone"];
const rates = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });

export function start(): void {
  const data = document.getElementById("bots-words")?.textContent;
  const place = document.querySelector<HTMLElement>("[data-course]");
  const met = place?.querySelector<HTMLElement>('[data-chart="bots-met"]');
  const done = place?.querySelector<HTMLElement>('[data-chart="bots-done"]');
  if (!data || !place || !met || !done) return;
  const words = JSON.parse(data) as Words;
  const calm = place.querySelector<HTMLElement>("[data-course-calm]");
  const met_chart = chart(met);
  const done_chart = chart(done);
  let newest: Course | null = null;

  const show = (): void => {
    if (!newest) return;
    const suspected = newest.tallies.filter((each) => !unmet.includes(each.kind));
    if (calm) calm.hidden = suspected.length > 0;
    met.hidden = suspected.length === 0;
    const named = heaviest(suspected);
    const kind_of = (each: Tally): string => (named.includes(each.kind) ? each.kind : "others");
    const kinds = suspected.some((each) => kind_of(each) === "others") ? [...named, "others"] : named;
    const from_ms = Date.parse(newest.since);
    const to_ms = Date.parse(newest.until);
    const looks = { write: (value: number): string => rates.format(value), least: 0, whole: true, by_minute: true, by_day: to_ms - from_ms > day_ms };
    const met_lines = kinds.map((kind, number): Line => ({ name: words.kind[kind] ?? words.say[kind] ?? kind, colour: number + 1, marks: marks(newest as Course, suspected.filter((each) => kind_of(each) === kind)) }));
    draw(met_chart, met_lines, looks, from_ms, to_ms);
    const all = newest.tallies;
    const done_lines = effects.map((effect, number): Line => ({ name: words.done[effect] ?? effect, colour: number + 1, marks: marks(newest as Course, all.filter((each) => effect_of(each) === effect)) }));
    draw(done_chart, done_lines, looks, from_ms, to_ms);
  };

  live<Course>(() => `/api/v1/bots/course?minutes=${place.dataset["course"]}`, every_ms, (course) => {
    newest = course;
    show();
  });
  redrawn(show);
}

/** The kinds with the most visits, the heaviest first. */
function heaviest(tallies: Tally[]): string[] {
  const sums = new Map<string, number>();
  for (const each of tallies) sums.set(each.kind, (sums.get(each.kind) ?? 0) + each.visits);
  return [...sums.entries()].sort((one, other) => other[1] - one[1]).slice(0, kinds_max).map(([kind]) => kind);
}

function effect_of(each: Tally): string {
  if (each.kind === "undone") return "undone";
  if (each.lane === "slow") return "slow-lane";
  return each.work_factor > 1 ? "more-work" : "nothing";
}

/** Visits a minute in every span that is over, 0 where there were none: the span under way would always seem to fall. */
function marks(course: Course, tallies: Tally[]): Mark[] {
  const sums = new Map<number, number>();
  for (const each of tallies) sums.set(each.at, (sums.get(each.at) ?? 0) + each.visits);
  const span = course.span_seconds;
  const now = Date.parse(course.until) / 1000;
  const found: Mark[] = [];
  for (let at = Math.floor(Date.parse(course.since) / 1000 / span) * span; at + span <= now; at += span) found.push([at * 1000, ((sums.get(at) ?? 0) * 60) / span]);
  return found;
}
