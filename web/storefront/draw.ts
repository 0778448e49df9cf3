// The definitions of a draw, as the shop has them (base/draw.py, gate/queue/draw.py, gate/queue/public_number.py):
// a tree of RFC 6962 with SHA-256 over the sealed list, and ranks by HMAC-SHA256. Computed by the browser's own WebCrypto.
export type Bytes = Uint8Array<ArrayBuffer>;

const HASH = 32;
const BATCH = 2_000;
const RANK = 8;
const text = new TextEncoder();

export function bytesOf(hex: string): Bytes {
  const bytes = new Uint8Array(hex.length / 2);
  for (let place = 0; place < bytes.length; place++) bytes[place] = parseInt(hex.slice(2 * place, 2 * place + 2), 16);
  return bytes;
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");
}

export async function sha256(...parts: Uint8Array[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
}

async function hmac(key: Bytes): Promise<(content: Bytes) => Promise<Bytes>> {
  const ready = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return async (content) => new Uint8Array(await crypto.subtle.sign("HMAC", ready, content));
}

/** The key of the ranks: the seed, or the public number as it was published under it. */
export async function drawKey(seed: Bytes, number: string | null): Promise<Bytes> {
  if (number === null) return seed;
  return (await hmac(seed))(text.encode("tidegate public number\n" + number));
}

/** What the sealed list says of a place: only who holds the salt can make it again. Ids are UUIDs in text. */
export function commitment(salt: string, account: string, device: string): Promise<Bytes> {
  return sha256(bytesOf((salt + account + device).replace(/-/g, "")));
}

/** Added to the lane, in the list, of a place that stands behind all that are drawn. */
export const BEHIND = 0x80;

export function leaf(serial: number, lane: number, committed: Bytes): Promise<Bytes> {
  return sha256(Uint8Array.of(0), bigEndian(serial), Uint8Array.of(lane), committed);
}

/** The root over leaves that stand behind one another, 32 bytes each; of none at all, the hash of nothing. */
export async function merkleRoot(leaves: Bytes, done: (hashes: number) => void = () => {}): Promise<Bytes> {
  if (!leaves.length) return sha256();
  let level = leaves;
  while (level.length > HASH) {
    const count = level.length / HASH;
    const above = new Uint8Array(Math.ceil(count / 2) * HASH);
    const below = level;
    await inBatches(Math.floor(count / 2), done, async (pair) => {
      above.set(await node(below.subarray(2 * pair * HASH, (2 * pair + 2) * HASH)), pair * HASH);
    });
    if (count % 2) above.set(level.subarray(-HASH), above.length - HASH);
    level = above;
  }
  return level;
}

/** The root that a path leads to; null for a path that does not fit a list of so many places. */
export async function rootFromPath(serial: number, count: number, from: Bytes, path: Bytes[]): Promise<Bytes | null> {
  const left = [...path];
  let found = from;
  let index = serial;
  for (let width = count; width > 1; width = Math.ceil(width / 2), index = Math.floor(index / 2)) {
    if (index % 2 === 0 && index + 1 === width) continue;
    const sibling = left.shift();
    if (!sibling) return null;
    found = await (index % 2 ? node(sibling, found) : node(found, sibling));
  }
  return left.length ? null : found;
}

/** The ranks of all places, 8 bytes each in the order of serials: the lower, the sooner. */
export async function ranks(key: Bytes, root: Bytes, count: number, done: (hashes: number) => void = () => {}): Promise<Bytes> {
  const sign = await hmac(key);
  const found = new Uint8Array(count * RANK);
  await inBatches(count, done, async (serial) => {
    found.set((await sign(joined(root, bigEndian(serial)))).subarray(0, RANK), serial * RANK);
  });
  return found;
}

export async function rank(key: Bytes, root: Bytes, serial: number): Promise<string> {
  return hexOf((await (await hmac(key))(joined(root, bigEndian(serial)))).subarray(0, RANK));
}

export function rankText(all: Bytes, serial: number): string {
  return hexOf(all.subarray(serial * RANK, (serial + 1) * RANK));
}

/** Whether one place is called before another; two places of one rank are called together. */
export function sooner(all: Bytes, one: number, other: number): boolean {
  for (let at = 0; at < RANK; at++) {
    const [mine, its] = [all[one * RANK + at]!, all[other * RANK + at]!];
    if (mine !== its) return mine < its;
  }
  return false;
}

/** Does one thing after another for so many, some thousand at a time, so that the page stays alive in between. */
export async function inBatches(count: number, done: (some: number) => void, each: (index: number) => Promise<void>): Promise<void> {
  for (let start = 0; start < count; start += BATCH) {
    const some = Math.min(BATCH, count - start);
    await Promise.all(Array.from({ length: some }, (_, index) => each(start + index)));
    done(some);
  }
}

function node(...parts: Uint8Array[]): Promise<Bytes> {
  return sha256(Uint8Array.of(1), ...parts);
}

function bigEndian(value: number): Bytes {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(value / 2 ** 32));
  view.setUint32(4, value % 2 ** 32);
  return bytes;
}

function joined(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, each) => length + each.length, 0));
  let at = 0;
  for (const each of parts) {
    whole.set(each, at);
    at += each.length;
  }
  return whole;
}
