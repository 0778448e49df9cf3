// The payments page's chart: each channel's success by minute.
import { type Mark, chart, draw, redrawn } from "./charts.ts";

interface Minute {
  at: number;
  attempts: number;
  success: number | null;
}

export function start(): void {
  const place = document.querySelector<HTMLElement>('[data-chart="channels"]');
  const data = document.getElementById("minutes")?.textContent;
  if (!place || !data) return;
  const minutes = JSON.parse(data) as Record<string, Minute[]>;
  const percent = new Intl.NumberFormat(document.documentElement.lang, { style: "percent", maximumFractionDigits: 0 });
  const on = chart(place);
  const to_ms = Date.now();
  const show = (): void => {
    const lines = Object.entries(minutes).map(([name, rows], number) => ({
      name,
      colour: (number % 6) + 1,
      marks: rows.map((row): Mark => [row.at * 1000, row.success]),
    }));
    draw(on, lines, { write: (value) => percent.format(value), least: 0, most: 1, by_minute: true, dots: true }, to_ms - 3_600_000, to_ms);
  };
  show();
  redrawn(show);
}
