// Earns a queue number: does the work of a challenge in Web Workers, or waits as long as its ticket says.
// <form data-challenge="/api/v1/challenges" data-word-working data-word-waiting data-word-ready data-word-failed>
//   <input name="website" ...honeypot> <input type="hidden" name="work"> <input type="hidden" name="wait_ticket">
//   <button type="button" data-wait> <p role="status">
// <form data-signals> without a challenge only tells whether a program steers the browser; no fingerprint is taken there.
//   <input type="hidden" name="automation"> <input type="hidden" name="headless">
// Either holds the stamp of its page: <input type="hidden" name="page">. The libraries are loaded by such pages only.
import type { Challenge as Work } from "altcha/lib";

interface Challenge {
  work: Work;
  wait_ticket: string;
  wait_until: string;
}

const WORKERS_MAX = 4;

export function queueWork(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-challenge]")) void earn(form);
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-signals]")) void tell(form);
}

async function tell(form: HTMLFormElement): Promise<void> {
  field(form, "headless").value = headless() ? "yes" : "";
  field(form, "automation").value = (await steered().catch(() => false)) ? "yes" : "";
}

async function earn(form: HTMLFormElement): Promise<void> {
  hold(form, true);
  try {
    const challenge = await ask(form);
    const controller = new AbortController();
    form.querySelector("[data-wait]")?.addEventListener("click", (event) => {
      event.preventDefault();  // without this script the button asks the server for the wait
      controller.abort();
      wait(form, challenge);
    });
    say(form, "working");
    const work = await solve(challenge.work, controller);
    if (!work || controller.signal.aborted) return;
    field(form, "work").value = work;
    ready(form);
  } catch {
    say(form, "failed");
  }
}

async function ask(form: HTMLFormElement): Promise<Challenge> {
  const answer = await fetch(form.dataset["challenge"] ?? "", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      ...(await browserSignals()),
      website: field(form, "website").value,
      page: field(form, "page").value,
      shown_ms: Math.round(performance.now()),
    }),
  });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()) as Challenge;
}

async function solve(challenge: Work, controller: AbortController): Promise<string | null> {
  const { solveChallengeWorkers } = await import("altcha/lib");
  const { default: Argon2Worker } = await import("altcha/workers/argon2id?worker");
  const concurrency = Math.max(1, Math.min(WORKERS_MAX, (navigator.hardwareConcurrency || 2) - 1));
  const solution = await solveChallengeWorkers({ challenge, concurrency, controller, createWorker: () => new Argon2Worker() });
  return solution && btoa(JSON.stringify({ challenge, solution }));
}

/** What the browser says of itself. A library that fails leaves its signal out: that is no reason to keep a person out. */
async function browserSignals(): Promise<{ fingerprint: string; automation: boolean; headless: boolean }> {
  const [fingerprint, automation] = await Promise.all([fingerprintOf().catch(() => ""), steered().catch(() => false)]);
  return { fingerprint, automation, headless: headless() };
}

function headless(): boolean {
  return /Headless/.test(navigator.userAgent);
}

async function fingerprintOf(): Promise<string> {
  const { Thumbmark } = await import("@thumbmarkjs/thumbmarkjs");
  return (await new Thumbmark({ logging: false }).get()).thumbmark.slice(0, 128);
}

async function steered(): Promise<boolean> {
  const { load } = await import("@fingerprintjs/botd");
  return (await load({ monitoring: false })).detect().bot;
}

function wait(form: HTMLFormElement, challenge: Challenge): void {
  field(form, "work").value = "";
  field(form, "wait_ticket").value = challenge.wait_ticket;
  delete form.dataset["ready"];
  hold(form, true);
  say(form, "waiting");
  setTimeout(() => ready(form), Math.max(0, Date.parse(challenge.wait_until) - Date.now()) + 1000);
}

function ready(form: HTMLFormElement): void {
  say(form, "ready");
  form.dataset["ready"] = "yes";
  hold(form, false);
}

/** Keeps the form from being sent before its answer is there: it would only be refused. */
function hold(form: HTMLFormElement, held: boolean): void {
  const button = form.querySelector<HTMLButtonElement>("button:not([data-wait])");
  if (button) button.disabled = held;
}

function say(form: HTMLFormElement, word: string): void {
  const place = form.querySelector("[role=status]");
  if (place) place.textContent = form.dataset[`word${word[0]?.toUpperCase()}${word.slice(1)}`] ?? "";
}

function field(form: HTMLFormElement, name: string): HTMLInputElement {
  return form.elements.namedItem(name) as HTMLInputElement;
}
