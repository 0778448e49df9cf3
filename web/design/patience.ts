// Asks with patience that ends: on a weak line, or after a phone slept, an answer may never come, and nobody says so.

const patience_ms = 15_000;

/** Fetches, and gives up after a quarter of a minute, body included. */
export function ask(address: string, request: RequestInit = {}): Promise<Response> {
  const given_up = new AbortController();
  window.setTimeout(() => given_up.abort(), patience_ms);
  return fetch(address, { ...request, signal: given_up.signal });
}
