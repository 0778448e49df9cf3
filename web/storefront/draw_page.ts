// The whole draw, recomputed in anybody's browser: the sealed list and the calls are fetched in parts, then the tree, the
// seed, the public number and every rank are computed again, and held against what was published.
import { number, fill } from "../design/text.ts";
import { BEHIND, type Bytes, bytesOf, drawKey, hexOf, inBatches, leaf, merkleRoot, ranks, rankText, sha256, sooner } from "./draw.ts";
import { canCompute, Report } from "./draw_report.ts";

interface PublicNumber {
  announced: { source: string; drawn_at: string };
  text: string | null;
  proof: string;
}

interface Part {
  seed_hash: string;
  root: string;
  rooted_at: string | null;
  count: number;
  seed: string | null;
  number: PublicNumber | null;
  lanes: { drawn: number }[];
  places: { serial: number; lane: number; commitment: string }[];
  following: number | null;
}

interface Call {
  lane: number;
  threshold: string;
  late_called: number;
  called_at: string;
}

interface List {
  facts: Part;
  lanes: Uint8Array;
  leaves: Bytes;
  whole: boolean;
}

const TRIES = 6;
const HASH = 32;
const ALL = "10000000000000000";

export function drawPage(place: HTMLElement): void {
  const report = new Report(place);
  if (!canCompute()) return report.say("watch", "insecure");
  const start = place.querySelector<HTMLButtonElement>("[data-start]");
  start?.addEventListener("click", () => void run(place, report, start));
}

async function run(place: HTMLElement, report: Report, start: HTMLButtonElement): Promise<void> {
  start.disabled = true;
  report.begin();
  try {
    const list = await fetchList(place, report);
    const { facts } = list;
    const bar = progress(place, report, list.leaves.length / HASH + (facts.seed === null ? 0 : facts.count));
    report.found("list", list.whole ? "holds" : "broken");
    report.found("lanes", sameCounts(list) ? "holds" : "broken");
    report.found("root", hexOf(await merkleRoot(list.leaves, bar)) === facts.root ? "holds" : "broken");
    await checkNumber(report, facts);
    const calls = await fetchCalls(place);
    if (facts.seed === null) {
      for (const each of ["seed", "ranks", "calls"]) report.found(each, "later");
    } else {
      report.found("seed", hexOf(await sha256(bytesOf(facts.seed))) === facts.seed_hash ? "holds" : "broken");
      const key = await drawKey(bytesOf(facts.seed), facts.number?.text ?? null);
      const all = await ranks(key, bytesOf(facts.root), list.lanes.length, bar);
      report.found("calls", callsHold(calls) ? "holds" : "broken");
      report.found("ranks", different(all) ? "holds" : "broken");
      offer(place, list, all, calls);
    }
    report.end();
  } catch {
    report.say("watch", "failed");
  } finally {
    place.querySelector<HTMLElement>("[data-progress]")!.hidden = true;
    start.disabled = false;
  }
}

/** Fetches the sealed list part by part and hashes each of its lines. */
async function fetchList(place: HTMLElement, report: Report): Promise<List> {
  const facts = await part<Part>(place.dataset["draw"] ?? "", 0);
  const bar = progress(place, report, facts.count);
  const lanes = new Uint8Array(facts.count);
  const leaves = new Uint8Array(facts.count * HASH);
  let [given, whole] = [0, true];
  for (let now: Part | null = facts; now; ) {
    const { places, following }: Part = now;
    const inOrder = places.every((each, index) => each.serial === given + index);
    whole &&= inOrder && now.root === facts.root && now.seed_hash === facts.seed_hash && now.count === facts.count;
    if (given + places.length > facts.count) throw new Error("more places than were sealed");
    const before = given;
    await inBatches(places.length, bar, async (index) => {
      const each = places[index]!;
      lanes[before + index] = each.lane;
      leaves.set(await leaf(each.serial, each.lane, bytesOf(each.commitment)), (before + index) * HASH);
    });
    given += places.length;
    now = following === null || !places.length ? null : await part<Part>(place.dataset["draw"] ?? "", following);
  }
  whole &&= given === facts.count;
  return { facts, lanes: lanes.subarray(0, given), leaves: leaves.subarray(0, given * HASH), whole };
}

async function fetchCalls(place: HTMLElement): Promise<Call[]> {
  const calls: Call[] = [];
  for (let start: number | null = 0; start !== null; ) {
    const now: { calls: Call[]; following: number | null } = await part(place.dataset["calls"] ?? "", start);
    calls.push(...now.calls);
    start = now.following;
  }
  return calls;
}

/** Fetches one part; a shop that is too busy says when to come back. */
async function part<T>(address: string, start: number): Promise<T> {
  for (let tries = 1; ; tries++) {
    const answer = await fetch(`${address}&start=${start}`, { cache: "no-store" });
    if (answer.ok) return (await answer.json()) as T;
    if (tries === TRIES || ![429, 502, 503].includes(answer.status)) throw new Error(String(answer.status));
    await new Promise((go) => setTimeout(go, 1_000 * Math.min(10, Number(answer.headers.get("Retry-After")) || tries)));
  }
}

function sameCounts({ facts, lanes }: List): boolean {
  const counts = facts.lanes.map(() => 0);
  for (const lane of lanes) if (lane < BEHIND) counts[lane] = (counts[lane] ?? 0) + 1;
  return counts.length === facts.lanes.length && facts.lanes.every((lane, index) => lane.drawn === counts[index]);
}

/** A drand round's number is the hash of its signature; whose signature it is, `tidegate admission verify` finds out. */
async function checkNumber(report: Report, { number: view, rooted_at, seed }: Part): Promise<void> {
  if (!view) return;
  const early = rooted_at !== null && Date.parse(rooted_at) < Date.parse(view.announced.drawn_at);
  if (view.text === null) return report.found("number", early && seed === null ? "later" : "broken");
  const genuine = view.announced.source !== "drand" || hexOf(await sha256(bytesOf(view.proof))) === view.text;
  report.found("number", early && genuine ? "holds" : "broken");
}

/** Each lane is called upwards only, and its late places after all that were drawn. */
function callsHold(calls: Call[]): boolean {
  const last = new Map<number, Call>();
  return calls.every((call) => {
    const before = last.get(call.lane);
    last.set(call.lane, call);
    const rises = !before || (wide(before.threshold) <= wide(call.threshold) && before.late_called <= call.late_called);
    return rises && (!call.late_called || call.threshold === ALL);
  });
}

function wide(threshold: string): string {
  return threshold.padStart(ALL.length, "0");
}

/** No two places have one rank: who of them comes first would be nobody's draw. */
function different(all: Bytes): boolean {
  const seen = new Set<string>();
  for (let serial = 0; serial < all.length / 8; serial++) seen.add(rankText(all, serial));
  return seen.size === all.length / 8;
}

/** Lets the reader look a place up among the ranks. */
function offer(place: HTMLElement, { lanes }: List, all: Bytes, calls: Call[]): void {
  const form = document.querySelector<HTMLFormElement>("form[data-look]");
  const input = form?.querySelector("input");
  const told = form?.querySelector("[data-told]");
  if (!form || !input || !told) return;
  const labels = JSON.parse(place.dataset["lanes"] ?? "[]") as string[];
  const words = (name: string): string => form.getAttribute(`data-word-${name}`) ?? "";
  const look = (): void => {
    const serial = input.valueAsNumber;
    const lane = lanes[serial];
    if (lane === undefined) return void (told.textContent = input.value ? words("unknown") : "");
    if (lane >= BEHIND) return void (told.textContent = words("behind"));
    const mine = rankText(all, serial);
    let before = 0;
    let others = 0;
    for (let other = 0; other < lanes.length; other++) {
      if (lanes[other] !== lane) continue;
      others++;
      if (sooner(all, other, serial)) before++;
    }
    const call = calls.find((each) => each.lane === lane && wide(each.threshold) > wide(mine));
    const zone = { timeZone: place.dataset["zone"] };
    const at = call ? new Date(call.called_at).toLocaleString(document.documentElement.lang, zone) : "";
    const values = { rank: mine, lane: labels[lane] ?? "", nth: number(before + 1), of: number(others), at };
    told.textContent = fill(words("place"), values) + " " + fill(words(call ? "called" : "waiting"), values);
  };
  form.hidden = false;
  form.onsubmit = (sent) => {
    sent.preventDefault();
    look();
  };
  const wanted = /^#place-(\d+)$/.exec(location.hash);
  if (wanted && !input.value) input.value = wanted[1]!;
  look();
}

function progress(place: HTMLElement, report: Report, whole: number): (some: number) => void {
  const bar = place.querySelector<HTMLProgressElement>("[data-progress]");
  if (!bar) return () => {};
  let done = 0;
  bar.hidden = false;
  bar.max = Math.max(1, whole);
  bar.value = 0;
  report.say("info", "working", fill(report.word("so-far"), { done: number(0), whole: number(whole) }));
  return (some) => {
    done += some;
    bar.value = done;
    const detail = place.querySelector("[data-detail]");
    if (detail) detail.textContent = fill(report.word("so-far"), { done: number(done), whole: number(whole) });
  };
}
