// Units left, renewed in place: every [data-sku] on the page is asked for in one request.
import { live } from "../design/live.ts";
import { fill, number } from "../design/text.ts";

interface Left {
  sku: string;
  left: number;
}

const every_ms = 3000;

export function stock(): void {
  const places = [...document.querySelectorAll<HTMLElement>("[data-sku]")];
  const skus = [...new Set(places.map((place) => place.dataset["sku"] ?? ""))];
  if (!skus.length) return;
  const query = skus.map((sku) => encodeURIComponent(sku)).join(",");

  live<{ stock: Left[] }>(
    () => `/api/v1/stock?skus=${query}`,
    every_ms,
    (answer) => {
      const left = new Map(answer.stock.map((each) => [each.sku, each.left]));
      for (const place of places) show(place, left.get(place.dataset["sku"] ?? ""));
    },
  );
}

function show(place: HTMLElement, left: number | undefined): void {
  if (left === undefined) return;
  const words = place.querySelector<HTMLElement>("[data-left]");
  const meter = place.querySelector<HTMLProgressElement>("progress");
  const template = left > 0 ? document.body.dataset["wordLeft"] : document.body.dataset["wordGone"];
  const text = fill(template ?? "", { left: number(left) });
  if (words && words.textContent !== text) words.textContent = text;
  if (meter) meter.value = left;
  place.classList.toggle("goods--gone", left <= 0);
  for (const button of place.querySelectorAll<HTMLButtonElement>("[data-needs-stock]")) button.disabled = left <= 0;
}
