// The waiting room's page follows the public snapshot: one cached answer a second for everybody. Twice a minute it gives a
// sign of life, whose answer of a few bytes says where its place stands; the page itself is fetched anew only when it no
// longer says what is true. What changes for everybody is fetched over a while, and never by all at once.
import { live } from "../design/live.ts";
import { ask } from "../design/patience.ts";

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
  draw: { root: string | null; number: { text: string | null; missed: string } | null };
  note: string;
}

interface Sign {
  state: string;
  standing: string;
  inside: boolean;
  lane_index: number;
  wait: { early_seconds: number; late_seconds: number | null } | null;
  chance_percent: number | null;
}

const every_ms = 2_000;
const sign_ms = 25_000;
const called_ms = 2_000;
const again_ms = 5_000;
/** So long for each who waits is a change spread that concerns everybody: 500 pages, and 10,000 signs, a second. */
const page_each_ms = 2;
const sign_each_ms = 0.1;
const spread_ms_max = 60_000;
const ranks = 1n << 64n;

export function line(): void {
  const place = document.getElementById("line");
  const address = place?.dataset["live"];
  if (!place || !address) return;
  const signs = new Signs(place);
  let told = "";

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
      const news = JSON.stringify([now.state, now.note, now.draw.root, now.draw.number]);
      if (news !== told && (told || now.state !== place.dataset["state"])) {
        tell(place, now.state);
        signs.changed(now.waiting);
      }
      told = news;
      if (ahead === -1 && place.dataset["standing"] !== "called") signs.soon(0);
      return place.dataset["live"] === "";
    },
  );
}

/** Gives the signs of life of one page, and has it fetched anew when an answer says what it does not. */
class Signs {
  #place: HTMLElement;
  #sign = 0;
  #sign_at_ms = Infinity;
  #page = 0;
  #fetching = false;
  #waiting = 0;

  constructor(place: HTMLElement) {
    this.#place = place;
    this.soon(sign_ms * Math.random());
    // A phone that wakes has a line a moment later: a place that was called meanwhile loses no second of its turn.
    document.addEventListener("visibilitychange", () => this.#wake());
    window.addEventListener("online", () => this.#wake());
  }

  /** Gives the next sign in that time, unless one is due sooner. */
  soon(in_ms: number): void {
    const at_ms = Date.now() + in_ms;
    if (at_ms >= this.#sign_at_ms) return;
    this.#sign_at_ms = at_ms;
    window.clearTimeout(this.#sign);
    this.#sign = window.setTimeout(() => void this.#give(), in_ms);
  }

  #wake(): void {
    if (!document.hidden) this.soon(0);
  }

  /** Takes up what changed for all who wait. */
  changed(waiting: number): void {
    this.#waiting = waiting;
    this.soon(spread(waiting, sign_each_ms));
    this.#renewInTurn();
  }

  async #give(): Promise<void> {
    this.#sign_at_ms = Infinity;
    if (this.#place.dataset["live"] === "" || document.hidden) return;
    let next_ms = again_ms;
    try {
      const headers = { Accept: "application/json" };
      const answer = await ask("/api/v1/places/current/signs", { method: "POST", headers });
      if (answer.ok) {
        const sign = (await answer.json()) as Sign;
        this.#compare(sign);
        next_ms = sign.standing === "called" ? called_ms : sign_ms;
      } else if (answer.status < 500 && answer.status !== 429) {
        await this.#renew();
        next_ms = sign_ms;
      }
    } catch {
      // The line is weak: the next sign comes sooner.
    }
    this.soon(next_ms * (0.9 + Math.random() * 0.2));
  }

  #compare(sign: Sign): void {
    const place = this.#place;
    const moved = sign.inside || sign.lane_index !== Number(place.dataset["lane"]);
    const called = sign.standing === "called" && place.dataset["standing"] !== "called";
    if (moved || called) void this.#renew();
    else if (sign.state !== place.dataset["state"] || sign.standing !== place.dataset["standing"]) {
      tell(place, sign.state);
      this.#renewInTurn();
    }
    showForecast(place, sign);
  }

  #renewInTurn(): void {
    this.#page ||= window.setTimeout(() => void this.#renew(), spread(this.#waiting, page_each_ms));
  }

  async #renew(): Promise<void> {
    if (this.#fetching) return;
    this.#fetching = true;
    window.clearTimeout(this.#page);
    const renewed = await renew(this.#place).catch(() => false);
    this.#fetching = false;
    this.#page = renewed ? 0 : window.setTimeout(() => void this.#renew(), again_ms * (1 + Math.random()));
  }
}

/** Returns a moment within the time over which something is spread that all who wait ask for. */
function spread(waiting: number, each_ms: number): number {
  return Math.min(spread_ms_max, waiting * each_ms) * Math.random();
}

/** Says at once what ends the wait for everybody; the rest of the page follows when it is this page's turn. */
function tell(place: HTMLElement, state: string): void {
  const words = place.dataset[state === "ended" ? "wordEnded" : "wordNothing"];
  const heading = place.querySelector("h1");
  if (!words || !heading || !["ended", "nothing-left"].includes(state)) return;
  heading.textContent = words;
  say(place, words);
}

function say(place: HTMLElement, words: string): void {
  const said = document.getElementById("said");
  if (said && words !== place.dataset["said"]) said.textContent = words;
  place.dataset["said"] = words;
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

function showForecast(place: HTMLElement, sign: Sign): void {
  const language = document.documentElement.lang;
  const wait = place.querySelector<HTMLElement>("[data-wait-words]");
  const late_seconds = sign.wait?.late_seconds ?? null;
  if (wait && sign.wait) {
    const early = Math.floor(sign.wait.early_seconds / 60).toLocaleString(language);
    const late = Math.ceil((late_seconds ?? 0) / 60).toLocaleString(language);
    const words = wait.dataset["waitWords"] ?? "";
    wait.textContent =
      late_seconds === null
        ? (wait.dataset["noWords"] ?? "")
        : words.replace("{early}", early).replace("{late}", late);
  }
  const chance = place.querySelector("[data-chance]");
  if (chance && sign.chance_percent !== null) chance.textContent = `${sign.chance_percent} %`;
}

function show(place: HTMLElement, name: string, value: number): void {
  const shown = place.querySelector(`[data-${name}]`);
  if (shown && value >= 0) shown.textContent = value.toLocaleString(document.documentElement.lang);
}

/** Fetches the page anew; returns whether it came. */
async function renew(place: HTMLElement): Promise<boolean> {
  const answer = await ask(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return false;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const middle = fresh.getElementById("line");
  if (!middle) return false;
  say(place, middle.dataset["said"] ?? "");
  for (const [name, value] of Object.entries(middle.dataset)) place.dataset[name] = value ?? "";
  place.replaceChildren(...middle.childNodes);
  return true;
}
