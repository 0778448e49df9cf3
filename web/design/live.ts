// Asks the server again and again, politely: not while the page is hidden, less often while the server is unwell, and
// at once when the page is seen again or the browser is online again.

import { learn } from "./clock.ts";
import { ask } from "./patience.ts";

const slowest_ms = 60_000;
/** Staff are few, and are to see at once that the server is back. */
export const staff_slowest_ms = 3000;

export interface Live {
  stop(): void;
}

/** How a page bears failures: the longest pause between two tries, and what is called with the status of a refusal. */
export interface Bearing {
  slowest_ms?: number;
  refused?: (status: number) => void;
}

/** Calls `show` with each answer of `address()`, every `every_ms`. `show` returns true when there is nothing more to wait for. */
export function live<Answer>(address: () => string, every_ms: number, show: (answer: Answer) => boolean | void, bearing: Bearing = {}): Live {
  let wait_ms = every_ms;
  let timer = 0;
  let turn = 0;
  let stopped = false;

  async function look(): Promise<void> {
    if (stopped || document.hidden) return;
    const mine = ++turn;
    const asked_at_ms = Date.now();
    try {
      const answer = await ask(address(), { headers: { Accept: "application/json" } });
      learn(answer, asked_at_ms);
      const retry_s = Number(answer.headers.get("retry-after"));
      if (!answer.ok) bearing.refused?.(answer.status);
      if (!answer.ok) throw new Error(String(retry_s > 0 ? retry_s : ""));
      const said = (await answer.json()) as Answer;
      if (mine !== turn || stopped) return;
      wait_ms = every_ms;
      if (show(said)) return stop();
    } catch (fault) {
      if (mine !== turn) return;
      const told_ms = Number((fault as Error).message) * 1000;
      wait_ms = Math.min(bearing.slowest_ms ?? slowest_ms, told_ms || wait_ms * 2);
    }
    // Whoever was woken while an answer was on its way has asked again already: one chain of questions goes on, not two.
    if (mine === turn && !stopped) timer = window.setTimeout(() => void look(), wait_ms * (0.9 + Math.random() * 0.2));
  }

  function wake(): void {
    window.clearTimeout(timer);
    if (!document.hidden) void look();
  }

  function stop(): void {
    stopped = true;
    window.clearTimeout(timer);
    document.removeEventListener("visibilitychange", wake);
    window.removeEventListener("online", wake);
  }

  document.addEventListener("visibilitychange", wake);
  window.addEventListener("online", wake);
  void look();
  return { stop };
}
