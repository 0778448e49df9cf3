// The page's words and the way its figures are written.
import { fill, language, number } from "../design/text.ts";

type Said = Record<string, Record<string, string>>;

function data<T>(id: string, otherwise: T): T {
  const place = document.getElementById(id);
  return place?.textContent ? (JSON.parse(place.textContent) as T) : otherwise;
}

const said = data<Said>("words", {});
export const facts = data<{ currency: string; lang: string }>("facts", { currency: "CNY", lang: "zh" });

/** The words of a group under a key, its places filled; the key itself where the page has no words for it. */
export function say(group: string, key: string, values: Record<string, string> = {}): string {
  return fill(said[group]?.[key] ?? key, values);
}

export function knows(group: string, key: string): boolean {
  return said[group]?.[key] !== undefined;
}

const one = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const two = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
const three = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
const shares = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
const coins = new Intl.NumberFormat(language, { style: "currency", currency: facts.currency, currencyDisplay: "narrowSymbol", maximumFractionDigits: 0 });
const exact = new Intl.NumberFormat(language, { style: "currency", currency: facts.currency, currencyDisplay: "narrowSymbol" });
const compact = new Intl.NumberFormat(language, { style: "currency", currency: facts.currency, currencyDisplay: "narrowSymbol", notation: "compact", maximumFractionDigits: 2 });
const minor = 10 ** (new Intl.NumberFormat(language, { style: "currency", currency: facts.currency }).resolvedOptions().maximumFractionDigits ?? 2);

export { number };

export function rate(value: number): string {
  return value >= 100 ? number(value) : value >= 1 ? one.format(value) : two.format(value);
}

export function share(value: number): string {
  return shares.format(value);
}

export function millis(value: number): string {
  return value >= 100 ? number(value) : three.format(value);
}

/** Money to the last coin; shortened from a million on, where single coins say nothing. */
export function money(amount: number): string {
  if (Math.abs(amount / minor) >= 1_000_000) return compact.format(amount / minor);
  return (amount % minor ? exact : coins).format(amount / minor);
}

export function duration(seconds: number): string {
  if (seconds < 120) return say("say", "in-seconds", { count: number(seconds) });
  if (seconds < 7200) return say("say", "in-minutes", { count: number(seconds / 60) });
  return say("say", "in-hours", { count: one.format(seconds / 3600) });
}

/** A figure's value in its unit. */
export function written(value: number | null, unit: string): string {
  if (value === null) return "–";
  if (unit === "money") return money(value);
  if (unit === "share") return share(value);
  if (unit === "ms") return `${millis(value)} ms`;
  return rate(value);
}
