// Slots of flash prices, renewed in place: units left; when a slot begins, ends or is gone, the page says something else.
import { live } from "../design/live.ts";
import { reload_soon } from "../design/reload.ts";
import { fill, number } from "../design/text.ts";

interface Slot {
  promotion: string;
  name: string;
  left: number;
  state: string;
}

const every_ms = 5000;

export function slots(): void {
  const places = [...document.querySelectorAll<HTMLElement>("[data-slot]")];
  const skus = [...new Set(places.map((place) => place.dataset["slotOf"] ?? ""))];
  if (!skus.length) return;
  const query = skus.map((sku) => encodeURIComponent(sku)).join(",");

  const asking = live<{ slots: Slot[] }>(
    () => `/api/v1/slots?skus=${query}`,
    every_ms,
    (answer) => {
      const known = new Map(answer.slots.map((slot) => [`${slot.promotion}/${slot.name}`, slot]));
      for (const place of places) {
        const slot = known.get(place.dataset["slot"] ?? "");
        if (!slot) continue;
        // A page may be kept for two seconds: a slot that has just begun is shown at the second look.
        if (phase(slot.state) !== phase(place.dataset["slotState"])) {
          reload_soon(place, 2_000, 6_000);
          return true;
        }
        show(place, slot.left);
      }
      return false;
    },
  );
  window.addEventListener("pagehide", () => asking.stop());
}

/** A slot that is gone is still on: units may come back to it. */
function phase(state: string | undefined): string {
  return state === "gone" ? "on" : state === "later" ? "next" : (state ?? "");
}

function show(place: HTMLElement, left: number): void {
  const words = place.querySelector<HTMLElement>("[data-slot-left]");
  const text = fill(document.body.dataset["wordSlotLeft"] ?? "", { left: number(left) });
  if (words && text && words.textContent !== text) words.textContent = text;
}
