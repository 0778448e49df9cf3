"""The browser's definitions of a draw are the shop's: seed, tree, paths, commitments and ranks, on the same cases."""

import json
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from scripts.build_web import node_folder

from tidegate.gate.queue.draw import (
    commitment,
    leaf,
    merkle_path,
    merkle_root,
    rank,
    rank_text,
    root_from_path,
    seed_hash,
)
from tidegate.gate.queue.public_number import draw_key

WEB = Path(__file__).parents[3] / "web"
SCRIPT = """
import { rolldown } from "rolldown";
const bundle = await rolldown({ input: "storefront/draw.ts" });
const { output } = await bundle.generate({ format: "esm" });
const draw = await import("data:text/javascript," + encodeURIComponent(output[0].code));
const { bytesOf, hexOf } = draw;
const given = JSON.parse(await new Response(process.stdin).text());
const found = await Promise.all(given.map(async (each) => {
  const leaves = await Promise.all(each.places.map(([lane, made], serial) => draw.leaf(serial, lane, bytesOf(made))));
  const flat = new Uint8Array(leaves.flatMap((one) => [...one]));
  const key = await draw.drawKey(bytesOf(each.seed), each.number);
  const root = await draw.merkleRoot(flat);
  const all = await draw.ranks(key, root, leaves.length);
  const path = await Promise.all(each.paths.map(([serial, path]) =>
    draw.rootFromPath(serial, each.places.length, leaves[serial], path.map(bytesOf)).then((one) => one && hexOf(one))));
  return {
    seed_hash: hexOf(await draw.sha256(bytesOf(each.seed))),
    root: hexOf(root),
    key: hexOf(key),
    roots_of_paths: path,
    ranks: leaves.map((_, serial) => draw.rankText(all, serial)),
    one_rank: await draw.rank(key, root, each.far),
    sooner: leaves.length > 1 && draw.sooner(all, 0, 1),
    commitment: hexOf(await draw.commitment(each.salt, each.account, each.device)),
  };
}));
console.log(JSON.stringify(found));
"""

SALT, ACCOUNT, DEVICE = bytes(range(16)), UUID(int=0xA1 << 100), UUID(int=2**128 - 7)


def case(count: int, number: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the script is given, and what Python makes of it."""
    seed = sha256(b"seed %d" % count).digest()
    places = [(serial % 3, sha256(b"%d of %d" % (serial, count)).digest()) for serial in range(count)]
    leaves = [leaf(serial, lane, made) for serial, (lane, made) in enumerate(places)]
    root, key = merkle_root(leaves), draw_key(seed, number)
    paths = [(serial, merkle_path(leaves, serial)) for serial in sorted({0, count // 2, count - 1}) if count]
    wrong = [(serial, [*path, root]) for serial, path in paths]
    ranks = [rank(key, root, serial) for serial in range(count)]
    given = {
        "seed": seed.hex(),
        "number": number,
        "places": [(lane, made.hex()) for lane, made in places],
        "paths": [(serial, [each.hex() for each in path]) for serial, path in paths + wrong],
        "far": 2**32 - 1,
        "salt": SALT.hex(),
        "account": str(ACCOUNT),
        "device": str(DEVICE),
    }
    roots = [root_from_path(serial, count, leaves[serial], path) for serial, path in paths + wrong]
    wanted = {
        "seed_hash": seed_hash(seed).hex(),
        "root": root.hex(),
        "key": key.hex(),
        "roots_of_paths": [each.hex() if each else None for each in roots],
        "ranks": [rank_text(each) for each in ranks],
        "one_rank": rank_text(rank(key, root, 2**32 - 1)),
        "sooner": count > 1 and ranks[0] < ranks[1],
        "commitment": commitment(SALT, ACCOUNT, DEVICE).hex(),
    }
    return given, wanted


@pytest.mark.skipif(not (WEB / "node_modules").exists(), reason="the pages were never built here")
def test_the_browser_computes_as_the_shop_does() -> None:
    cases = [case(count, number) for count in (0, 1, 2, 3, 7, 64, 1025, 2047) for number in (None, "2026305: 3 5 7")]
    cases.append(case(5, "福彩 3D 第 305 期"))
    told = subprocess.run(
        [node_folder() / "node", "--input-type=module", "--eval", SCRIPT],
        cwd=WEB,
        input=json.dumps([given for given, _ in cases]),
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert json.loads(told.stdout) == [wanted for _, wanted in cases]
