// The server's time in the browser: the device's clock may be wrong, a countdown may not.

let offset_ms = 0;

/** Learns the server's clock from an answer. Half the time of the round trip is its error, plus the header's second. */
export function learn(answer: Response, asked_at_ms: number): void {
  const said = Date.parse(answer.headers.get("date") ?? "");
  if (Number.isNaN(said)) return;
  const heard_at_ms = Date.now();
  const drift = said + 500 - (asked_at_ms + heard_at_ms) / 2;
  // The header has whole seconds only: a device that agrees within them is believed, so that digits do not jump.
  if (Math.abs(drift - offset_ms) > 1500) offset_ms = drift;
}

/** The server's time now, in milliseconds since 1970. */
export function now(): number {
  return Date.now() + offset_ms;
}
