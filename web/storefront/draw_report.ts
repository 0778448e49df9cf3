// What a check found, on the page of a draw and of a receipt: a mark on each thing that was computed, and a verdict.
// <section data-word-holds -broken -later -good -act -watch -failed -insecure> <div data-verdict> with a <span data-mood>
// for each mood, <h2 data-said>, <p data-detail>; <li data-check="..."> with <span class="tag">.
import { fill } from "../design/text.ts";

export type Found = "holds" | "broken" | "later";
type Mood = "good" | "act" | "watch" | "info";

export class Report {
  private broken: string[] = [];
  private waits = false;

  constructor(private readonly place: HTMLElement) {}

  /** Forgets what an earlier check found. */
  begin(): void {
    this.broken = [];
    this.waits = false;
    for (const item of this.place.querySelectorAll<HTMLElement>("[data-check]")) this.mark(item, "", "plain");
  }

  found(name: string, found: Found): void {
    const item = this.place.querySelector<HTMLElement>(`[data-check="${name}"]`);
    if (!item) return;
    this.mark(item, found, { holds: "good", broken: "act", later: "watch" }[found]);
    if (found === "broken") this.broken.push(item.querySelector("[data-words]")?.textContent?.trim() ?? name);
    if (found === "later") this.waits = true;
  }

  /** The verdict over all that was found. */
  end(): void {
    const mood = this.broken.length ? "act" : this.waits ? "watch" : "good";
    const what = this.broken.join(" · ");
    this.say(mood, mood, what && fill(this.word("act-more"), { what }));
  }

  say(mood: Mood, word: string, detail = "", values: Record<string, string> = {}): void {
    const verdict = this.place.querySelector<HTMLElement>("[data-verdict]");
    if (!verdict) return;
    verdict.className = `state state--${mood}`;
    verdict.dataset["verdict"] = word;
    for (const mark of verdict.querySelectorAll<HTMLElement>("[data-mood]")) mark.hidden = mark.dataset["mood"] !== mood;
    const said = verdict.querySelector("[data-said]");
    const more = verdict.querySelector("[data-detail]");
    if (said) said.textContent = fill(this.word(word), values);
    if (more) more.textContent = detail || this.word(`${word}-more`);
  }

  word(name: string): string {
    return this.place.getAttribute(`data-word-${name}`) ?? "";
  }

  private mark(item: HTMLElement, word: string, meaning: string): void {
    const tag = item.querySelector(".tag");
    if (!tag) return;
    tag.className = `tag tag--${meaning}`;
    tag.textContent = this.word(word || "open");
  }
}

/** Whether this page may compute hashes: browsers offer it on secure addresses only. */
export function canCompute(): boolean {
  return typeof crypto === "object" && crypto.subtle !== undefined;
}
