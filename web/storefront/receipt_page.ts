// The receipt of a place, checked in its owner's browser: commitment, path to the root, seed, rank.
import { type Bytes, bytesOf, commitment, drawKey, hexOf, leaf, rank, rootFromPath, sha256 } from "./draw.ts";
import { canCompute, Report } from "./draw_report.ts";

interface Facts {
  serial: number;
  lane_index: number;
  count: number | null;
  account_id: string;
  device: string;
  salt: string;
  commitment: string;
  seed_hash: string;
  root: string | null;
  path: string[];
  seed: string | null;
  public_number: { text: string | null } | null;
  rank: string | null;
  number: number;
}

export async function receiptPage(place: HTMLElement): Promise<void> {
  const report = new Report(place);
  const print = document.querySelector<HTMLButtonElement>("[data-print]");
  if (print) print.hidden = false;
  print?.addEventListener("click", () => window.print());
  if (!canCompute()) return report.say("watch", "insecure");
  const facts = JSON.parse(place.dataset["receipt"] ?? "{}") as Facts;
  const made = await commitment(facts.salt, facts.account_id, facts.device);
  report.found("commitment", hexOf(made) === facts.commitment ? "holds" : "broken");
  if (!facts.number) {
    report.found("path", facts.root === null || facts.count === null ? "later" : (await leads(facts, made, facts.root, facts.count)) ? "holds" : "broken");
    report.found("rank", facts.seed === null || facts.root === null ? "later" : (await ranked(facts, facts.seed, facts.root)) ? "holds" : "broken");
  }
  const hashed = facts.seed === null ? null : hexOf(await sha256(bytesOf(facts.seed)));
  report.found("seed", hashed === null ? "later" : hashed === facts.seed_hash ? "holds" : "broken");
  report.end();
}

async function leads(facts: Facts, made: Bytes, root: string, count: number): Promise<boolean> {
  const from = await leaf(facts.serial, facts.lane_index, made);
  const found = await rootFromPath(facts.serial, count, from, facts.path.map(bytesOf));
  return found !== null && hexOf(found) === root;
}

async function ranked(facts: Facts, seed: string, root: string): Promise<boolean> {
  const key = await drawKey(bytesOf(seed), facts.public_number?.text ?? null);
  return (await rank(key, bytesOf(root), facts.serial)) === facts.rank;
}
