// The three charts of the live page, from the points that the page holds.
import type { EChartsType } from "echarts/core";
import { now } from "../design/clock.ts";
import { type Line, type Mark, chart, draw, redrawn } from "./charts.ts";
import type { Point, Snapshot } from "./facts.ts";
import { millis, rate, say, share } from "./words.ts";
import { place } from "./parts.ts";

/** Beyond this many, neighbours are joined: a screen has no more columns to show them in. */
const marks_max = 600;

export class LiveCharts {
  private span_s = 900;
  private last: Snapshot | null = null;
  private readonly trade: EChartsType;
  private readonly success: EChartsType;
  private readonly answers: EChartsType;

  constructor(private readonly points: Point[]) {
    this.trade = chart(place('[data-chart="trade"]'));
    this.success = chart(place('[data-chart="success"]'));
    this.answers = chart(place('[data-chart="answers"]'));
    const choices = document.querySelectorAll<HTMLButtonElement>("[data-span]");
    choices.forEach((choice) =>
      choice.addEventListener("click", () => {
        this.span_s = Number(choice.dataset["span"]);
        choices.forEach((each) => each.setAttribute("aria-pressed", String(each === choice)));
        this.again();
      }),
    );
    redrawn(() => this.again());
  }

  draw(snapshot: Snapshot): void {
    this.last = snapshot;
    this.again();
  }

  private again(): void {
    const to_ms = now();
    const from_ms = to_ms - this.span_s * 1000;
    const within = joined(this.points.filter((point) => point[0] * 1000 >= from_ms));
    const goal = (key: string): { value: number; name: string } | undefined => {
      const value = this.last?.figures.find((figure) => figure.key === key)?.goal;
      return value === null || value === undefined ? undefined : { value, name: say("chart", "goal") };
    };
    const line = (name: string, colour: number, column: number, more: Partial<Line> = {}): Line => ({ name: say("chart", name), colour, marks: marks(within, column), ...more });
    draw(this.trade, [line("placed", 1, 1, { filled: true }), line("paid", 3, 2)], { write: rate, least: 0 }, from_ms, to_ms);
    const worst = Math.min(1, ...within.map((point) => point[4] ?? 1));
    const floor = worst >= 0.9 ? 0.9 : worst >= 0.5 ? 0.5 : 0;
    draw(this.success, [line("success", 3, 4)], { write: share, least: floor, most: 1, goal: goal("payment_success") }, from_ms, to_ms);
    draw(this.answers, [line("p99", 2, 6), line("p50", 1, 5)], { write: millis, least: 0, goal: goal("p99") }, from_ms, to_ms);
  }
}

/** Marks of one column; a gap of more than five seconds breaks the line instead of being drawn over. */
function marks(points: Point[], column: number): Mark[] {
  const told: Mark[] = [];
  let before = 0;
  const step = points.length > 1 ? Math.max(5, ((points[points.length - 1] as Point)[0] - (points[0] as Point)[0]) / points.length * 4) : 5;
  for (const point of points) {
    if (before && point[0] - before > step) told.push([(before + 1) * 1000, null]);
    told.push([point[0] * 1000, point[column] ?? null]);
    before = point[0];
  }
  return told;
}

/** Joins neighbours to at most `marks_max`: the mean of each column, the largest of p99, the least success. */
function joined(points: Point[]): Point[] {
  const size = Math.ceil(points.length / marks_max);
  if (size <= 1) return points;
  const told: Point[] = [];
  for (let from = 0; from < points.length; from += size) {
    const group = points.slice(from, from + size);
    const first = group[0] as Point;
    const values = first.map((_, column) => {
      const held = group.map((point) => point[column]).filter((value): value is number => value !== null && value !== undefined);
      if (!held.length) return null;
      if (column === 0) return first[0];
      if (column === 4) return Math.min(...held);
      if (column === 6) return Math.max(...held);
      return held.reduce((sum, value) => sum + value, 0) / held.length;
    });
    told.push(values as unknown as Point);
  }
  return told;
}
