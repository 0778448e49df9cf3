// Numbers and money as the page's language writes them.

export const language = document.documentElement.lang || "zh-Hans-CN";

const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });

export function number(value: number): string {
  return whole.format(value);
}

/** An amount in minor units (fen, cent) of an ISO 4217 currency. */
export function money(minor: number, currency: string): string {
  const format = new Intl.NumberFormat(language, { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/** The page's own words for a script: `data-word-<name>` on `<html>`, `<body>` or any element, with %(name)s to fill. */
export function fill(words: string, values: Record<string, string>): string {
  return words.replace(/%\((\w+)\)s/g, (_, name: string) => values[name] ?? "");
}
