// The lower half of the live page: how the machine does, and what happened.
import { second } from "./clocks.ts";
import type { Count, News, Route, Snapshot } from "./facts.ts";
import { facts, knows, millis, number, rate, say, share, written } from "./words.ts";
import { element, empty, keyed, place, tag, write } from "./parts.ts";

const slow_ms = 150;

export function well(snapshot: Snapshot): void {
  routes(snapshot.routes);
  counts(place('[data-well="refusals"]'), snapshot.refusals.slice(0, 5), "refusal", say("say", "no-refusals"));
  processes(snapshot);
  const faults = snapshot.faults.reduce((sum, fault) => sum + fault.count, 0);
  line("faults", faults > 0, faults ? say("say", "faults", { count: number(faults) }) : say("say", "no-faults"));
  const late = snapshot.outbox_behind_s >= 5;
  line("events", late, late ? say("say", "events-waiting", { count: number(snapshot.outbox_behind), seconds: number(snapshot.outbox_behind_s) }) : say("say", "events-done"));
  const jobs = snapshot.jobs_failed ? say("say", "jobs-failed", { count: number(snapshot.jobs_failed) }) : snapshot.jobs_waiting ? say("say", "jobs-waiting", { count: number(snapshot.jobs_waiting) }) : say("say", "jobs-done");
  line("jobs", snapshot.jobs_failed > 0, jobs);
  const outside = snapshot.accept_queue;
  line("door", false, outside === null ? say("say", "door-unknown") : outside ? say("say", "door-waiting", { count: number(outside) }) : say("say", "door-clear"));
  verdict(snapshot);
}

function line(name: string, bad: boolean, words: string): void {
  const here = place(`[data-well="${name}"]`);
  here.classList.toggle("is-bad", bad);
  write(here, words);
}

function verdict(snapshot: Snapshot): void {
  const here = place('[data-well="invariants"]');
  const found = snapshot.examination;
  const words = !found ? say("say", "never-examined") : found.broken.length ? say("say", "some-broken", { count: number(found.broken.length) }) : say("say", "all-hold", { count: number(found.holding) });
  here.classList.toggle("is-bad", Boolean(found?.broken.length));
  write(here, words);
}

function routes(all: Route[]): void {
  const body = place('[data-well="routes"]');
  if (!all.length) return empty(body, say("say", "no-traffic"));
  keyed(body, all.slice(0, 7), (route) => route.route, make_route, show_route);
}

function make_route(route: Route): HTMLElement {
  const row = element("tr");
  const name = element("th", "", knows("route", route.route) ? say("route", route.route) : route.route);
  name.setAttribute("scope", "row");
  row.append(name, element("td", "number"), element("td", "number"), element("td", "number"));
  return row;
}

function show_route(row: HTMLElement, route: Route): void {
  const cells = row.querySelectorAll("td");
  write(cells[0], rate(route.rate));
  write(cells[1], route.p50_ms === null ? "–" : millis(route.p50_ms));
  write(cells[2], route.p99_ms === null ? "–" : millis(route.p99_ms));
  cells[2]?.classList.toggle("is-slow", (route.p99_ms ?? 0) > slow_ms);
}

function counts(list: HTMLElement, all: Count[], group: string, nothing: string): void {
  if (!all.length) return empty(list, nothing);
  keyed(list, all, (each) => each.code, () => make_count(), (row, each) => {
    write(row.firstElementChild, knows(group, each.code) ? say(group, each.code) : each.code);
    write(row.lastElementChild, number(each.count));
  });
}

function make_count(): HTMLElement {
  const row = element("li", "count");
  row.append(element("span", "count__name"), element("span", "figures"));
  return row;
}

function processes(snapshot: Snapshot): void {
  keyed(place('[data-well="processes"]'), snapshot.processes.slice(0, 6), (each) => each.role, () => make_count(), (row, each) => {
    write(row.firstElementChild, knows("role", each.role) ? say("role", each.role) : each.role);
    write(row.lastElementChild, `${say("say", "memory", { size: number(each.memory_bytes / 1048576) })} · ${share(each.cpu_share)}`);
  });
}

export function news(snapshot: Snapshot): void {
  const list = place("[data-news]");
  if (!snapshot.announcements.length) return empty(list, say("say", "no-news"));
  keyed(list, snapshot.announcements, (each) => String(each.announcement_id), make_news, () => undefined);
}

function make_news(each: News): HTMLElement {
  const row = element("li", `new new--${each.level}`);
  const values = told(each);
  const at = element("time", "new__at tiny faint figures", second(Date.parse(each.announced_at)));
  at.setAttribute("datetime", each.announced_at);
  const mark = element("span", "tag");
  tag(mark, each.level);
  const words = element("p", "new__title strong", say("news", each.kind, values));
  row.append(at, mark, words, element("p", "new__do tiny soft", knows("news", `${each.kind}:do`) ? say("news", `${each.kind}:do`, values) : ""));
  return row;
}

/** The facts of a line as they are written: shares, amounts and times in the reader's way. */
function told(each: News): Record<string, string> {
  const values: Record<string, string> = { subject: each.subject };
  for (const [name, value] of Object.entries(each.facts)) values[name] = value === null ? "–" : typeof value === "number" ? number(value) : String(value);
  if (typeof each.facts["success"] === "number") values["success"] = share(each.facts["success"]);
  if ("name_zh" in each.facts) values["name"] = String(facts.lang === "zh" ? each.facts["name_zh"] : each.facts["name_en"]);
  if (each.kind.startsWith("invariant-")) values["subject"] = say("invariant", each.subject);
  if (each.kind.startsWith("goal-")) {
    values["figure"] = say("figure", each.subject);
    const unit = { orders: "per-second", gmv: "money", payment_success: "share", p99: "ms" }[each.subject] ?? "";
    for (const name of ["value", "goal"]) {
      const value = each.facts[name];
      values[name] = typeof value === "number" ? written(value, unit) : "–";
    }
  }
  return values;
}
