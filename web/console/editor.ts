// The editor of a campaign: line numbers, faults at their lines, and a check of the text as one types.
// Everything works without it: the form's own buttons check, save and publish.

const PAUSE_MS = 400;

interface Fault {
  file: string;
  line: number;
  message: string;
}

interface Answer {
  faults: Fault[];
  html: string;
}

/** One text with its line numbers beside it. */
class Numbered {
  readonly file: string;
  private readonly lines: HTMLElement;
  private readonly text: HTMLTextAreaElement;
  private faults = new Map<number, string>();
  private shown = 0;

  constructor(element: HTMLElement) {
    this.file = element.dataset["editor"] ?? "";
    this.lines = element.querySelector<HTMLElement>(".editor__lines")!;
    this.text = element.querySelector("textarea")!;
    this.text.addEventListener("scroll", () => this.follow());
    this.text.addEventListener("input", () => this.number());
    element.closest("details")?.addEventListener("toggle", () => this.number());
    this.number();
  }

  mark(faults: Fault[]): void {
    this.faults = new Map();
    for (const fault of faults) {
      if (fault.file !== this.file) continue;
      const before = this.faults.get(fault.line);
      this.faults.set(fault.line, before ? `${before}\n${fault.message}` : fault.message);
    }
    this.shown = 0;
    this.number();
    if (this.faults.size > 0) this.text.setAttribute("aria-invalid", "true");
    else this.text.removeAttribute("aria-invalid");
  }

  go(line: number): void {
    this.text.closest("details")?.setAttribute("open", "");
    const rows = this.text.value.split("\n");
    const start = rows.slice(0, line - 1).reduce((length, row) => length + row.length + 1, 0);
    this.text.focus();
    this.text.setSelectionRange(start, start + (rows[line - 1]?.length ?? 0));
    const height = parseFloat(getComputedStyle(this.text).lineHeight);
    this.text.scrollTop = Math.max(0, (line - 4) * height);
    this.follow();
  }

  private number(): void {
    const count = this.text.value.split("\n").length;
    if (count !== this.shown) {
      this.shown = count;
      const numbers = document.createDocumentFragment();
      for (let line = 1; line <= count; line++) numbers.append(this.lineNumber(line));
      this.lines.replaceChildren(numbers);
    }
    this.follow();
  }

  private lineNumber(line: number): HTMLElement {
    const number = document.createElement("div");
    number.textContent = String(line);
    const fault = this.faults.get(line);
    if (fault) {
      number.className = "editor__fault";
      number.title = fault;
      number.addEventListener("click", () => this.go(line));
    }
    return number;
  }

  private follow(): void {
    this.lines.scrollTop = this.text.scrollTop;
  }
}

/** Begin: called once by the page. */
export function start(): void {
  const form = document.querySelector<HTMLFormElement>("#draft");
  const results = document.querySelector<HTMLElement>("[data-results]");
  const state = document.querySelector<HTMLElement>("[data-state]");
  if (!form || !results || !state) return;
  const texts = [...form.querySelectorAll<HTMLElement>("[data-editor]")].map((element) => new Numbered(element));
  const first = written(form);
  const show = (faults: Fault[]): void => texts.forEach((text) => text.mark(faults));
  show(listed(results));
  let waiting: number | undefined;
  let asked: AbortController | undefined;

  const check = async (): Promise<void> => {
    asked?.abort();
    const mine = (asked = new AbortController());
    say(state, "checking", false);
    try {
      const answer = await fetch(form.dataset["check"]!, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify(body(form)),
        signal: mine.signal,
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const found = (await answer.json()) as Answer;
      results.innerHTML = found.html;
      show(found.faults);
      say(state, "checked", written(form) !== first);
    } catch {
      if (!mine.signal.aborted) say(state, "lost", true);
    }
  };
  form.addEventListener("input", (event) => {
    const field = event.target as HTMLInputElement;
    if (field.name === "reason" || field.name === "waive_reason") return;
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => void check(), PAUSE_MS);
  });
  results.addEventListener("click", (event) => {
    const link = (event.target as HTMLElement).closest<HTMLElement>("[data-line]");
    const text = texts.find((each) => each.file === link?.dataset["file"]);
    if (!link || !text) return;
    event.preventDefault();
    text.go(Number(link.dataset["line"]));
  });
  let leaving = false;
  form.addEventListener("submit", () => (leaving = true));
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && written(form) !== first) event.preventDefault();
  });
}

function say(state: HTMLElement, key: "checking" | "checked" | "lost", unsaved: boolean): void {
  const words = [state.dataset[key], unsaved && key !== "lost" ? state.dataset["unsaved"] : ""];
  state.textContent = words.filter(Boolean).join(" · ");
}

function listed(results: HTMLElement): Fault[] {
  return [...results.querySelectorAll<HTMLElement>("[data-line]")].map((link) => ({
    file: link.dataset["file"] ?? "",
    line: Number(link.dataset["line"]),
    message: link.nextElementSibling?.textContent ?? "",
  }));
}

function written(form: HTMLFormElement): string {
  return ["campaign", "goods", "offers"].map((name) => value(form, name)).join("\u0000");
}

function value(form: HTMLFormElement, name: string): string {
  return form.querySelector<HTMLInputElement>(`[name="${name}"]`)?.value ?? "";
}

function body(form: HTMLFormElement): object {
  const all = (name: string): string[] =>
    [...form.querySelectorAll<HTMLInputElement>(`[name="${name}"]`)].map((field) => field.value);
  return {
    campaign: value(form, "campaign"),
    goods: value(form, "goods"),
    offers: value(form, "offers"),
    sku: all("sku"),
    quantity: all("quantity"),
    coupon: value(form, "coupon"),
    known: value(form, "known") || "guest",
    tier: value(form, "tier"),
    segments: value(form, "segments"),
    points: value(form, "points"),
    held: value(form, "held"),
    moment: value(form, "moment"),
  };
}
