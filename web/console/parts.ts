// Small additive parts: elements made by script, and tags with their state.
import type { State } from "./facts.ts";
import { say } from "./words.ts";

export function place(selector: string): HTMLElement {
  const found = document.querySelector<HTMLElement>(selector);
  if (!found) throw new Error(`the page lacks ${selector}`);
  return found;
}

/** Writes text only where it differs: what did not change is not touched, so nothing flickers and nothing is read twice. */
export function write(target: Element | null | undefined, text: string): void {
  if (target && target.textContent !== text) target.textContent = text;
}

export function element(name: string, names = "", text = ""): HTMLElement {
  const made = document.createElement(name);
  if (names) made.className = names;
  if (text) made.textContent = text;
  return made;
}

export function tag(target: HTMLElement, state: State | "info", word?: string): void {
  const names = state === "silent" ? "tag" : `tag tag--${state}`;
  if (target.className !== names) target.className = names;
  write(target, word ?? say("state", state));
}

/** Makes a list hold one element for each key, in order; elements that stay are kept. */
export function keyed<Item>(list: HTMLElement, items: Item[], key: (item: Item) => string, make: (item: Item) => HTMLElement, show: (row: HTMLElement, item: Item) => void): void {
  const held = new Map<string, HTMLElement>();
  for (const child of [...list.children] as HTMLElement[]) {
    const name = child.dataset["key"];
    if (name === undefined) child.remove();
    else held.set(name, child);
  }
  items.forEach((item, position) => {
    const name = key(item);
    let row = held.get(name);
    if (!row) {
      row = make(item);
      row.dataset["key"] = name;
    }
    held.delete(name);
    show(row, item);
    if (list.children[position] !== row) list.insertBefore(row, list.children[position] ?? null);
  });
  for (const gone of held.values()) gone.remove();
}

export function empty(list: HTMLElement, words: string): void {
  if (list.children.length === 1 && list.firstElementChild?.textContent === words) return;
  if (list.tagName !== "TBODY") return list.replaceChildren(element("li", "nothing", words));
  const row = element("tr");
  const cell = element("td", "nothing", words) as HTMLTableCellElement;
  cell.colSpan = 9;
  row.append(cell);
  list.replaceChildren(row);
}
