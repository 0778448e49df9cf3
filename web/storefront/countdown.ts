// Counts down to a moment by the server's clock: <div data-until="ISO time"> with a [data-part] for each unit.
import { now } from "../design/clock.ts";
import { reload_soon } from "../design/reload.ts";

const parts: [string, number, number][] = [
  ["days", 86_400, Infinity],
  ["hours", 3_600, 24],
  ["minutes", 60, 60],
  ["seconds", 1, 60],
];

export function countdowns(): void {
  // A page that follows what it shows may have something to count down to later.
  if (!document.querySelector("[data-until], [data-live]")) return;

  function tick(): void {
    for (const place of document.querySelectorAll<HTMLElement>("[data-until]")) show(place);
    window.setTimeout(tick, 1000 - (now() % 1000));
  }

  tick();
}

function show(place: HTMLElement): void {
  const until = Date.parse(place.dataset["until"] ?? "");
  const left_s = Math.max(0, Math.ceil((until - now()) / 1000));
  for (const [name, seconds, wrap] of parts) {
    const target = place.querySelector<HTMLElement>(`[data-part="${name}"]`);
    const whole = Math.floor(left_s / seconds);
    // Where the larger unit has no place of its own, this one goes on counting.
    const value = place.querySelector(`[data-part="${larger(name)}"]`) ? whole % wrap : whole;
    const text = String(value).padStart(2, "0");
    if (target && target.textContent !== text) target.textContent = text;
  }
  if (left_s === 0 && !place.dataset["over"]) {
    place.dataset["over"] = "yes";
    // The page says something else now. Everyone's countdown ends in the same second, so the reloads are spread.
    if (place.dataset["then"] === "reload") reload_soon(place, 1_000, 5_000);
  }
}

function larger(name: string): string {
  const place = parts.findIndex(([each]) => each === name);
  return parts[place - 1]?.[0] ?? "none";
}
