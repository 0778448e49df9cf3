// Time that runs on the page: what is left of a phase, the wall's clock, and moments written by the browser.
import { now } from "../design/clock.ts";
import { language } from "../design/text.ts";

const time_of_day = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false, timeZone: "Asia/Shanghai" });
const minute_of_day = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Shanghai" });
const day_of_year = new Intl.DateTimeFormat(language, { month: "numeric", day: "numeric", timeZone: "Asia/Shanghai" });

export function second(at_ms: number): string {
  return time_of_day.format(at_ms);
}

export function minute(at_ms: number): string {
  return minute_of_day.format(at_ms);
}

export function day(at_ms: number): string {
  return day_of_year.format(at_ms);
}

/** Seconds as hours, minutes and seconds; days in front where there are any. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const days = Math.floor(whole / 86400);
  const two = (value: number): string => String(value).padStart(2, "0");
  const rest = `${Math.floor((whole % 86400) / 3600)}:${two(Math.floor((whole % 3600) / 60))}:${two(whole % 60)}`;
  if (!days) return rest;
  const unit = new Intl.NumberFormat(language, { style: "unit", unit: "day", unitDisplay: "long" });
  return `${unit.format(days)} ${rest}`;
}

export function clocks(): void {
  document.querySelectorAll<HTMLElement>("time[data-unix]").forEach((place) => {
    place.textContent = minute(Number(place.dataset["unix"]) * 1000);
  });
  const left = [...document.querySelectorAll<HTMLElement>("[data-until]")];
  const wall = document.querySelector<HTMLElement>("[data-clock]");
  if (!left.length && !wall) return;
  const tick = (): void => {
    for (const place of left) place.textContent = span((Date.parse(place.dataset["until"] ?? "") - now()) / 1000);
    if (wall) wall.textContent = second(now());
  };
  tick();
  window.setInterval(tick, 1000);
}
