"""How fast goods are found among 100,000: `python bench/search.py [--url http://127.0.0.1:8470]`.

Without --url the search itself is measured in this process, on an index built for the run. With --url the searches go
to a running Tidegate over HTTP; `--write goods.csv` makes the same goods for `tidegate catalogue import` first.
Searches come at an even rate whether or not earlier ones are answered, and each is timed from the moment it was due.
"""

import argparse
import asyncio
import csv
import math
import random
import re
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec

from tidegate.offer.campaign.contracts import Words
from tidegate.offer.catalogue.contracts import Goods, Revision, Sku
from tidegate.offer.catalogue.importing import read_goods
from tidegate.offer.catalogue.search import SearchReader, SearchWriter

FESTIVAL = Path(__file__).parents[1] / "examples" / "double-eleven" / "goods.csv"
SYLLABLES = re.findall("..", "babebocacodadeduelfafigagohajakakilolumamiminonaorparepiraristosasotativavo")
CHARACTERS = "山水云风月星河林雪海石竹松梅兰菊春夏秋冬青白朱玄金银玉木火土东南西北中天地人和平安康乐喜福禄寿"
BATCH = 5_000
LIMIT_MS = 50.0

Ask = Callable[[str], Awaitable[int]]

REFUSED = -1
HEAD = f"{'kind':14}{'searches':>9}{'found':>7}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'refused':>9}"


class Outcome(msgspec.Struct, frozen=True):
    """What was measured: of the searches that were answered, and how many the gate refused."""

    searches: int
    found: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    refused: int = 0

    def __str__(self) -> str:
        """The figures as a row under `HEAD`."""
        times = f"{self.p50_ms:9.2f}{self.p99_ms:9.2f}{self.max_ms:9.2f}"
        return f"{self.searches:9,}{self.found:7,}{times}{self.refused:9,}"


def made_goods(count: int, seed: int = 1) -> list[Goods]:
    """The festival's goods and as many relatives of theirs, each of a line with an invented name."""
    draw = random.Random(seed)
    festival = read_goods(FESTIVAL.read_text(encoding="utf-8"))
    made = festival[:count]
    lines = [("".join(draw.choices(SYLLABLES, k=3)), "".join(draw.choices(CHARACTERS, k=2))) for _ in range(20_000)]
    while len(made) < count:
        model, (en, zh) = draw.choice(festival), draw.choice(lines)
        name = Words(f"{model.name.zh} {zh}系列", f"{model.name.en}, {en.capitalize()} line")
        made.append(msgspec.structs.replace(model, sku=Sku(f"{model.sku}-{len(made)}"), name=name))
    return made


def made_queries(goods: list[Goods], count: int, seed: int = 2) -> list[tuple[str, str]]:
    """(kind, query): as people type - whole words, beginnings, typos, Chinese, both, a SKU, nothing that there is."""
    draw = random.Random(seed)
    kinds: list[Callable[[Goods], tuple[str, str]]] = [
        lambda each: ("english", " ".join(draw.sample(_words(each), 2))),
        lambda each: ("prefix", draw.choice(_words(each))[: draw.randint(2, 5)]),
        lambda each: ("typo", _mistyped(draw.choice(_words(each)), draw)),
        lambda each: ("chinese", draw.choice(each.name.zh.split()[:2])),
        lambda each: ("chinese typo", draw.choice(each.name.zh.split()[1:2])[:-1] + draw.choice(CHARACTERS)),
        lambda each: ("mixed", f"{each.name.zh.split()[0]} {draw.choice(_words(each))}"),
        lambda each: ("sku", each.sku),
        lambda _: ("unknown", "".join(draw.choices("qxzwvkj", k=9))),
    ]
    return [draw.choice(kinds)(draw.choice(goods)) for _ in range(count)]


def _words(goods: Goods) -> list[str]:
    return [word for word in goods.name.en.replace(",", "").split() if len(word) > 3 and word.isalpha()] or [
        "lamp",
        "line",
    ]


def _mistyped(word: str, draw: random.Random) -> str:
    at = draw.randrange(1, len(word) - 1)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def build(goods: list[Goods], folder: Path) -> SearchReader:
    """An index of these goods."""
    generation = SearchWriter(folder).begin(Revision("bench", 1, datetime.now(UTC)))
    for at in range(0, len(goods), BATCH):
        generation.add(goods[at : at + BATCH])
    generation.finish()
    reader = SearchReader(folder)
    reader.refresh()
    return reader


async def run(ask: Ask, queries: list[tuple[str, str]], rate: float) -> dict[str, Outcome]:
    """Send the queries at `rate` a second; return what was measured, by kind and for `all`."""
    times: dict[str, list[tuple[float, int]]] = defaultdict(list)
    begin = time.perf_counter() + 0.1

    async def one(number: int, kind: str, query: str) -> None:
        due = begin + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        found = await ask(query)
        for name in (kind, "all"):
            times[name].append(((time.perf_counter() - due) * 1000, found))

    await asyncio.gather(*(one(number, kind, query) for number, (kind, query) in enumerate(queries)))
    return {kind: _outcome(measured) for kind, measured in sorted(times.items())}


def _outcome(measured: list[tuple[float, int]]) -> Outcome:
    spent = sorted(each for each, found in measured if found != REFUSED) or [math.inf]
    cuts = statistics.quantiles(spent, n=100) if len(spent) > 1 else spent * 99
    found = sum(found > 0 for _, found in measured)
    return Outcome(len(measured), found, cuts[49], cuts[98], spent[-1], sum(found == REFUSED for _, found in measured))


async def over_http(url: str, queries: list[tuple[str, str]], rate: float) -> dict[str, Outcome]:
    """The same against a running Tidegate."""
    async with httpx.AsyncClient(base_url=url, timeout=10) as client:

        async def ask(query: str) -> int:
            answer = await client.get("/api/v1/search", params={"q": query, "limit": 24})
            if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                return REFUSED
            return int(answer.raise_for_status().json()["total"])

        return await run(ask, queries, rate)


async def in_process(goods: list[Goods], queries: list[tuple[str, str]], rate: float) -> dict[str, Outcome]:
    """The same on an index of this process's own."""
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        reader = build(goods, Path(folder))
        print(f"index of {reader.goods_count:,} goods built in {time.perf_counter() - begun:.1f} s")

        async def ask(query: str) -> int:
            return reader.search(query, 24, 0).total

        return await run(ask, queries, rate)


def write(goods: list[Goods], file: Path) -> None:
    """The goods as a file for `tidegate catalogue import`."""
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(
            (
                "sku",
                "name_zh",
                "name_en",
                "category",
                "brand",
                "description_zh",
                "description_en",
                "list_price",
                "picture",
            )
        )
        for each in goods:
            words = (each.name.zh, each.name.en, each.category, each.brand, each.description.zh, each.description.en)
            price = f"{each.list_price // 100}.{each.list_price % 100:02}"
            writer.writerow((each.sku, *words, price, each.picture.base))


def main() -> None:
    """Measure and print; exit 1 when 99 % of the searches took longer than 50 ms."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--goods", type=int, default=100_000)
    options.add_argument("--rate", type=float, default=100.0, help="searches a second")
    options.add_argument("--seconds", type=float, default=20.0)
    options.add_argument("--url", help="a running Tidegate to ask instead")
    options.add_argument("--write", type=Path, help="write the goods as CSV and end")
    chosen = options.parse_args()
    goods = made_goods(chosen.goods)
    if chosen.write:
        return write(goods, chosen.write)
    queries = made_queries(goods, int(chosen.rate * chosen.seconds))
    measured = over_http(chosen.url, queries, chosen.rate) if chosen.url else in_process(goods, queries, chosen.rate)
    outcomes = asyncio.run(measured)
    print(HEAD)
    for kind, each in outcomes.items():
        print(f"{kind:14}{each}")
    raise SystemExit(outcomes["all"].p99_ms > LIMIT_MS)


if __name__ == "__main__":
    main()
