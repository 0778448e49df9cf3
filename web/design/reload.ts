// Loads a page anew that says something else by now: not everybody's at once, and not from under somebody's hands.

const quiet_ms = 5_000;
let touched_at_ms = -quiet_ms;

for (const name of ["click", "input", "submit"]) window.addEventListener(name, touched, { capture: true, passive: true });

function touched(event: Event): void {
  const target = event.target instanceof Element ? event.target : null;
  // A tap on nothing is no act: who taps and waits wants the new page.
  if (event.type === "click" && !target?.closest("a, button, summary, label, input, select")) return;
  touched_at_ms = performance.now();
}

/**
 * Loads the page anew between `least_ms` and `most_ms` from now, unless `place` has left it by then. Somebody who has just
 * followed a link, written or sent something is not interrupted: it is put off until nothing was done for five seconds.
 */
export function reload_soon(place: Element, least_ms: number, most_ms: number): void {
  window.setTimeout(() => {
    if (!place.isConnected) return;
    const still_ms = touched_at_ms + quiet_ms - performance.now();
    if (still_ms > 0) reload_soon(place, still_ms, still_ms + 1_000);
    else location.reload();
  }, least_ms + Math.random() * (most_ms - least_ms));
}
