// The waiting room's page follows the public snapshot: one cached answer a second for everybody. Its own part is fetched
// anew when it is called, when the line changes its state, and twice a minute, which is the sign of life.
import { live } from "../design/live.ts";

interface Lane {
  drawn: number;
  threshold: string;
  late_called: number;
}

interface Snapshot {
  state: string;
  waiting: number;
  inside: number;
  stock: { sellable: number; held: number };
  lanes: Lane[];
}

const every_ms = 2_000;
const sign_ms = 25_000;
const ranks = 1n << 64n;

export function line(): void {
  const place = document.getElementById("line");
  const address = place?.dataset["live"];
  if (!place || !address) return;
  let asked_at_ms = Date.now();

  live<Snapshot>(
    () => address,
    every_ms,
    (now) => {
      show(place, "waiting", now.waiting);
      show(place, "inside", now.inside);
      show(place, "sellable", now.stock.sellable);
      show(place, "held", now.stock.held);
      const ahead = before(place, now);
      if (ahead !== null) show(place, "ahead", ahead);
      const changed = now.state !== place.dataset["state"] || (ahead === -1 && place.dataset["called"] !== "yes");
      const waits_for_room = place.dataset["called"] === "yes";
      if (changed || waits_for_room || Date.now() - asked_at_ms > sign_ms) {
        asked_at_ms = Date.now();
        void renew(place);
      }
      return place.dataset["live"] === "";
    },
  );
}

/** Returns about how many stand before this place, -1 when it is called, null while the draw is to come. */
function before(place: HTMLElement, now: Snapshot): number | null {
  const lane = now.lanes[Number(place.dataset["lane"])];
  if (!lane) return null;
  const threshold = BigInt("0x" + lane.threshold);
  const number = Number(place.dataset["number"]);
  if (number > 0) {
    const drawn_waiting = Number((BigInt(lane.drawn) * (ranks - threshold) + ranks - 1n) / ranks);
    return number <= lane.late_called ? -1 : Math.max(0, drawn_waiting + number - lane.late_called - 1);
  }
  const rank = place.dataset["rank"];
  if (!rank) return null;
  const distance = BigInt("0x" + rank) - threshold;
  return distance < 0n ? -1 : Number((BigInt(lane.drawn) * distance) / ranks);
}

function show(place: HTMLElement, name: string, value: number): void {
  const shown = place.querySelector(`[data-${name}]`);
  if (shown && value >= 0) shown.textContent = value.toLocaleString(document.documentElement.lang);
}

async function renew(place: HTMLElement): Promise<void> {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const middle = fresh.getElementById("line");
  if (!middle) return;
  const said = document.getElementById("said");
  if (said && middle.dataset["said"] !== place.dataset["said"]) said.textContent = middle.dataset["said"] ?? "";
  for (const [name, value] of Object.entries(middle.dataset)) place.dataset[name] = value ?? "";
  place.replaceChildren(...middle.childNodes);
}
