// The defences' page: asks for the readings every two seconds while it is looked at, and moves the bars. Where a rule
// came on or went off, its words are fetched anew from the page itself.
import { live } from "../design/live.ts";
import { language, number } from "../design/text.ts";
import { write } from "./parts.ts";

interface Seen {
  trigger: number;
  second: number;
  trigger_under_pressure: number;
  second_under_pressure: number;
}

interface Status {
  rule: { name: string };
  on: boolean;
  quiet_until: string | null;
  seen: Seen | null;
}

const every_ms = 2000;
const one = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const shares = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });

export function start(): void {
  if (!document.querySelector("[data-defence]")) return;
  live<Status[]>(() => "/api/v1/defences", every_ms, (statuses) => {
    let changed = false;
    for (const each of statuses) {
      const card = document.querySelector<HTMLElement>(`[data-defence="${each.rule.name}"]`);
      if (!card) continue;
      gauge(card, "trigger", each.seen?.trigger, each.seen?.trigger_under_pressure);
      gauge(card, "second", each.seen?.second, each.seen?.second_under_pressure);
      const standing = card.querySelector<HTMLElement>("[data-standing]");
      changed ||= standing?.dataset["standing"] !== (each.on ? "on" : each.quiet_until ? "quiet" : "off");
    }
    if (changed) void renew();
  });
}

function gauge(card: HTMLElement, which: string, value: number | undefined, pressed: number | undefined): void {
  const here = card.querySelector<HTMLElement>(`[data-gauge="${which}"]`);
  if (!here) return;
  const begins = Number(here.dataset["start"]);
  const top = Math.max(begins * 1.5, (value ?? 0) * 1.1, (pressed ?? 0) * 1.1);
  const part = (name: string): Element | null => here.querySelector(`[data-part="${name}"]`);
  const along = (amount: number): string => ((100 * amount) / top).toFixed(2);
  write(part("value"), value === undefined ? "–" : written(here.dataset["signal"] ?? "", value));
  part("bar")?.setAttribute("width", along(value ?? 0));
  part("bar")?.classList.toggle("gauge__value--act", (value ?? 0) >= begins);
  part("pressed")?.setAttribute("width", along(pressed ?? 0));
  part("stop")?.setAttribute("x", along(Number(here.dataset["stop"])));
  part("start")?.setAttribute("x", along(begins));
}

function written(signal: string, value: number): string {
  if (signal === "failures") return shares.format(value / 10_000);
  return value >= 1000 ? number(value) : one.format(value);
}

async function renew(): Promise<void> {
  const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const card of document.querySelectorAll<HTMLElement>("[data-defence]")) {
    const now = fresh.querySelector(`[data-defence="${card.dataset["defence"]}"] [data-standing]`);
    if (now) card.querySelector("[data-standing]")?.replaceWith(now);
  }
  const record = fresh.getElementById("record")?.parentElement;
  if (record) document.getElementById("record")?.parentElement?.replaceWith(record);
}
