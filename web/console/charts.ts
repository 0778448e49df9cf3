// Charts of the console: ECharts, only the parts that are used, coloured by the design system's tokens.
import { LineChart, type LineSeriesOption } from "echarts/charts";
import { GridComponent, type GridComponentOption, LegendComponent, type LegendComponentOption, MarkLineComponent, TooltipComponent, type TooltipComponentOption } from "echarts/components";
import { type ComposeOption, type EChartsType, init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { day, minute, second } from "./clocks.ts";

use([LineChart, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, CanvasRenderer]);

type Option = ComposeOption<LineSeriesOption | GridComponentOption | LegendComponentOption | TooltipComponentOption>;

export type Mark = [number, number | null];

export interface Line {
  name: string;
  colour: number;
  marks: Mark[];
  filled?: boolean;
  dashed?: boolean;
}

export interface Looks {
  write: (value: number) => string;
  goal?: { value: number; name: string } | undefined;
  least?: number | undefined;
  most?: number | undefined;
  whole?: boolean;
  by_minute?: boolean;
  by_day?: boolean;
  dots?: boolean;
}

/** What a name in a legend takes beside its letters and the gap to the next one; gaps, also where it has many rows. */
const legend_mark_px = 23;
const legend_gap_px = 16;
const legend_gap_close_px = 8;

const pen = document.createElement("canvas").getContext("2d");
const shown: EChartsType[] = [];

function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export function chart(place: HTMLElement): EChartsType {
  const made = init(place, null, { renderer: "canvas" });
  shown.push(made);
  new ResizeObserver(() => made.resize()).observe(place);
  return made;
}

/** Calls `draw` again when the person's system turns light or dark: the colours are read anew. */
export function redrawn(draw: () => void): void {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

function series(line: Line, looks: Looks): LineSeriesOption {
  const colour = token(`--chart-${line.colour}`);
  return {
    type: "line",
    name: line.name,
    data: line.marks,
    showSymbol: looks.dots ?? false,
    symbolSize: 5,
    lineStyle: { width: 2, color: colour, type: line.dashed ? "dashed" : "solid" },
    itemStyle: { color: colour },
    ...(line.filled ? { areaStyle: { color: colour, opacity: 0.12 } } : {}),
    connectNulls: false,
    emphasis: { disabled: true },
  };
}

function goal_line(looks: Looks): LineSeriesOption[] {
  if (!looks.goal) return [];
  const colour = token("--ink-faint");
  return [
    {
      type: "line",
      data: [],
      markLine: {
        silent: true,
        symbol: "none",
        lineStyle: { color: colour, type: "dashed", width: 1 },
        label: { formatter: `${looks.goal.name} ${looks.write(looks.goal.value)}`, color: colour, position: "insideStartTop", fontSize: text_px() - 1 },
        data: [{ yAxis: looks.goal.value }],
        animation: false,
      },
    },
  ];
}

function text_px(): number {
  return document.body.classList.contains("console--wall") ? 14 : 12;
}

/** The rows that a legend breaks into, as wide as its names are. */
function legend_rows_of(names: string[], width: number): number {
  if (names.length < 2) return 0;
  if (pen) pen.font = `${text_px()}px ${token("--font-figures")}`;
  let rows = 1;
  let taken = 0;
  for (const name of names) {
    const needed = (pen?.measureText(name).width ?? 0) + legend_mark_px + legend_gap_px;
    if (taken && taken + needed > width) {
      rows += 1;
      taken = 0;
    }
    taken += needed;
  }
  return rows;
}

export function draw(on: EChartsType, lines: Line[], looks: Looks, from_ms: number, to_ms: number): void {
  const ink = token("--ink-faint");
  const text = { color: ink, fontSize: text_px(), fontFamily: token("--font-figures") };
  const clock = looks.by_day ? (at: number): string => `${day(at)} ${minute(at)}` : looks.by_minute ? minute : second;
  const legend_rows = legend_rows_of(lines.map((line) => line.name), on.getWidth() - 8);
  const gap = legend_rows > 2 ? legend_gap_close_px : legend_gap_px;
  const option: Option = {
    animation: false,
    grid: { left: 8, right: 16, top: legend_rows ? 30 + (text_px() + gap) * (legend_rows - 1) : 14, bottom: 4, containLabel: true },
    ...(lines.length > 1 ? { legend: { show: true, top: 0, left: 4, itemWidth: 18, itemHeight: 2, itemGap: gap, icon: "rect", textStyle: { ...text, color: token("--ink-soft") }, data: lines.map((line) => line.name) } } : {}),
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      confine: true,
      backgroundColor: token("--raised"),
      borderColor: token("--line-strong"),
      textStyle: { color: token("--ink"), fontSize: 12 },
      formatter: (given: unknown): string => told(given, clock, looks.write),
      axisPointer: { lineStyle: { color: token("--line-strong") } },
    },
    xAxis: {
      type: "time",
      min: from_ms,
      max: to_ms,
      axisLine: { lineStyle: { color: token("--line") } },
      axisTick: { show: false },
      axisLabel: { ...text, hideOverlap: true, formatter: (at: number): string => (looks.by_day ? day(at) : minute(at)) },
      splitNumber: 4,
    },
    yAxis: {
      type: "value",
      ...(looks.least !== undefined ? { min: looks.least } : {}),
      ...(looks.most !== undefined ? { max: looks.most } : {}),
      splitNumber: 3,
      ...(looks.whole ? { minInterval: 1 } : {}),
      ...(looks.least !== undefined && looks.most !== undefined ? { interval: (looks.most - looks.least) / 4 } : {}),
      axisLabel: { ...text, formatter: (value: number): string => looks.write(value) },
      splitLine: { lineStyle: { color: token("--chart-grid") } },
    },
    series: [...lines.map((line) => series(line, looks)), ...goal_line(looks)],
  };
  on.setOption(option, { notMerge: true, lazyUpdate: true });
  describe(on.getDom(), lines, clock, looks.write);
}

/** Says beside the chart's name what it shows last, for whoever does not see it. */
function describe(place: HTMLElement, lines: Line[], clock: (at_ms: number) => string, write: (value: number) => string): void {
  const name = (place.dataset["name"] ??= place.getAttribute("aria-label") ?? "");
  const last = lines.map((line) => line.marks.filter((mark) => mark[1] !== null).at(-1));
  const at_ms = Math.max(...last.map((mark) => mark?.[0] ?? 0));
  if (!at_ms) return;
  const said = lines.map((line, number) => `${line.name} ${write(last[number]?.[1] ?? 0)}`).filter((_, number) => last[number]);
  place.setAttribute("aria-label", [name, clock(at_ms), ...said].join(" · "));
}

interface Told {
  seriesName: string;
  value: Mark;
}

function told(given: unknown, clock: (at_ms: number) => string, write: (value: number) => string): string {
  const all = (Array.isArray(given) ? given : [given]) as Told[];
  const first = all[0];
  if (!first) return "";
  const rows = all.filter((each) => each.value[1] !== null).map((each) => `${each.seriesName}  ${write(each.value[1] as number)}`);
  return [clock(first.value[0]), ...rows].join("\n");
}
