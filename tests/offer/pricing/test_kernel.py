"""The kernel gives what the engine before it gave, exactly and safely: at the limits, in threads, and without leaks.

`golden_prices.json` holds what the engine in Python, the one before the kernel (commit 627da4d), made of the sales of
`festivals_at_random`: with the sources of that commit and the tests of this one on PYTHONPATH,
`python -m tests.offer.pricing.festivals_at_random` printed it. So stored orders can be priced again to the same hash.
It changes only when `engine.TRACE_FORMAT` gets a new name.
"""

import gc
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from tests.offer.pricing.festivals_at_random import LARGE, SALES, SMALL, Sale, prices_of, sale
from tests.offer.pricing.test_choosing import assert_as_the_reference_says
from tests.offer.promotions import FACTS, amount_off, cart_of, entry, percent_off, platform, promotion, rules_of
from tidegate.offer.campaign.contracts import (
    AMOUNT_MAX,
    AmountOff,
    Bearer,
    Benefit,
    Bundle,
    Gift,
    Measure,
    NForM,
    NthPiece,
    Part,
    PointsOff,
    Promotion,
    Shipping,
    Step,
)
from tidegate.offer.pricing import kernel
from tidegate.offer.pricing.contracts import LINES_MAX, POINTS_MAX, QUANTITY_MAX, RuleSet, StepKind
from tidegate.offer.pricing.words import LIST_PRICE

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
NATIVE = Path(kernel.__file__).parent / "native"
GOLDEN = json.loads((HERE / "golden_prices.json").read_text())


@pytest.mark.parametrize("name", SALES)
def test_prices_are_those_of_the_engine_before_it(name: str) -> None:
    size, count = SALES[name]
    assert [prices_of(sale(seed, size)) for seed in range(count)] == GOLDEN[name]


# ---- nothing leaks


@pytest.fixture(scope="module")
def sales() -> list[Sale]:
    """Some of the sales whose prices are kept, with refusals, gifts, points and prices of their own."""
    return [sale(seed, SMALL) for seed in range(60)] + [sale(seed, LARGE) for seed in range(10)]


def shared_objects(rules: RuleSet) -> Iterator[object]:
    """Everything that the kernel holds no reference to and puts into orders."""
    assert rules.book is not None
    yield from rules.book.kernel.number
    for each in rules.book.kernel._objects:
        yield from each
    for offer in rules.offers.values():
        yield from (offer.label, offer.sku)
    for rule in rules.book.rules:
        yield from (rule.id, rule.label, rule.promotion.label)
    yield from (*StepKind, LIST_PRICE, rules.shipping, rules.free_shipping)


def references(sales: list[Sale]) -> list[int]:
    """How many references there are to each of these, when no order is left."""
    for each in sales:
        assert each.rules.book is not None
        each.rules.book.memory.clear()
    gc.collect()
    return [sys.getrefcount(each) for one in sales for each in shared_objects(one.rules)]


def test_every_reference_is_given_back(sales: list[Sale]) -> None:
    def price_all() -> list[int]:
        for each in sales:
            prices_of(each)
        return references(sales)

    price_all()
    before, blocks = price_all(), sys.getallocatedblocks()
    carts = 0
    while carts < 1_500:
        price_all()
        carts += sum(len(each.asked) for each in sales)
    assert price_all() == before
    # One object lost with each cart would be a thousand blocks and more.
    assert sys.getallocatedblocks() - blocks < 500


# ---- at the limits of a cart and of a definition


def everything_at_its_most(benefit: Benefit, *others: Promotion, floor: int = 0) -> RuleSet:
    """As many products as a cart has lines, each as dear as can be, with one benefit of all of them."""
    prices = {f"S{number:03}": AMOUNT_MAX - number for number in range(LINES_MAX)}
    entries = [
        entry(sku, AMOUNT_MAX, floor=floor * (number % 3 == 0), shop=f"shop-{number % 7}")
        for number, sku in enumerate(prices)
    ]
    bearers = (Bearer("house", 3_333), Bearer("brand", 6_667))
    listed = [promotion("P", benefit, bearers=bearers), *others]
    return rules_of(prices, listed, entries=entries, shipping=Shipping(fee=AMOUNT_MAX, free_from=None))


MOST = AMOUNT_MAX * QUANTITY_MAX * LINES_MAX


@pytest.mark.parametrize(
    "benefit",
    [
        percent_off(9_999),
        percent_off(3_333, cap=AMOUNT_MAX),
        amount_off(AMOUNT_MAX, AMOUNT_MAX - 1),
        AmountOff(steps=(Step(AMOUNT_MAX, AMOUNT_MAX - 1),), every=True),
        AmountOff(steps=(Step(2, 1),), every=True),
        AmountOff(steps=(Step(1, AMOUNT_MAX),), every=True, measure=Measure.PIECES),
        NForM(take=3, pay=2),
        NForM(take=100, pay=1),
        NthPiece(nth=2, off=9_999),
        Bundle(parts=(Part("S000", 100), Part("S101", 100), Part("S199", 1)), price=1),
        Gift(sku="S100", reach=1_000, quantity=100, every=True),
    ],
    ids=lambda benefit: type(benefit).__name__,
)
@pytest.mark.parametrize("floor", [0, AMOUNT_MAX - LINES_MAX])
@pytest.mark.parametrize("quantity", [1, 7, QUANTITY_MAX])
def test_the_dearest_cart_is_exact(benefit: Benefit, floor: int, quantity: int) -> None:
    later = platform("Q", percent_off(1_234))
    rules = everything_at_its_most(benefit, later, promotion("Z", PointsOff(points=1, share=9_999)), floor=floor)
    cart = cart_of(dict.fromkeys(rules.offers, quantity))
    for points in (0, 1, POINTS_MAX):
        order = assert_as_the_reference_says(rules, cart, msgspec.structs.replace(FACTS, points=points))
        assert sum(step.amount for step in order.steps) == order.total
    assert order.goods_total == quantity * sum(offer.unit_price for offer in rules.offers.values()) <= MOST


def test_a_sum_beyond_64_bits_is_split_exactly() -> None:
    """Weights of 10^15 and an amount of 10^17: each product is beyond 64 bits, and each share is as it must be."""
    rules = everything_at_its_most(percent_off(5_000))
    order = assert_as_the_reference_says(rules, cart_of(dict.fromkeys(rules.offers, QUANTITY_MAX)), FACTS)
    [reduction] = order.reductions
    whole, off = order.goods_total, reduction.amount
    assert off == -(-whole // 2)
    assert off * min(line.unit_price * line.quantity for line in order.lines) > 2**64
    for sku, part in reduction.lines:
        assert abs(part * whole - off * rules.offers[sku].unit_price * QUANTITY_MAX) < whole


@pytest.mark.parametrize("groups", ["g", "gh", "ghijk"])
def test_many_rivals_on_one_cart(groups: str) -> None:
    """More of them than one word of a mask holds, and than are searched together."""
    prices = {f"S{number:03}": 1_000 + 137 * number for number in range(LINES_MAX)}
    listed = [
        promotion(
            f"P{number:03}",
            amount_off(900 * (1 + number % 5), 90 + 31 * (number % 7)),
            skus=[f"S{(number * 5 + step * (1 + number % 3)) % LINES_MAX:03}" for step in range(40)],
            group=groups[number % len(groups)],
            priority=number % 4,
        )
        for number in range(150)
    ]
    order = assert_as_the_reference_says(rules_of(prices, listed), cart_of(dict.fromkeys(prices, 3)), FACTS)
    assert len(order.reductions) > len(groups)
    rivals = [msgspec.structs.replace(each, goods=listed[0].goods, group="g") for each in listed]
    order = assert_as_the_reference_says(rules_of(prices, rivals), cart_of(dict.fromkeys(prices, 3)), FACTS)
    assert [each.amount for each in order.reductions] == [90 + 31 * 6]


# ---- several at once


def test_threads_get_what_one_gets(sales: list[Sale], switching: None) -> None:
    def price(at: int) -> list[list[list[str | int]]]:
        """All sales, each thread from another one on; points, so that no cart is remembered."""
        return [prices_of(with_points(sales[(place + at) % len(sales)])) for place in range(len(sales))]

    alone = [price(at) for at in (0, 1, 7, 31)]
    with ThreadPoolExecutor(4) as threads:
        for _ in range(3):
            assert list(threads.map(price, (0, 1, 7, 31))) == alone


@pytest.fixture
def switching() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def with_points(of: Sale) -> Sale:
    """The same carts, each with a point to spend."""
    asked = [(cart, msgspec.structs.replace(facts, points=facts.points or 1)) for cart, facts in of.asked]
    return Sale(of.rules, asked)


# ---- under the sanitizers

SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1", "-std=c11", "-fPIC", "-shared"]
LOADED = """
import ctypes, sys
class Loaded(ctypes.PyDLL):
    def __init__(self, path):
        super().__init__(sys.argv[1] if path.endswith("kernel.so") else path)
        print("loaded", self._name, flush=True)
ctypes.PyDLL = Loaded
import pytest
sys.exit(pytest.main(sys.argv[2:]))
"""
"""Runs pytest with another library in place of the kernel."""


@pytest.fixture
def sanitized(tmp_path: Path) -> Callable[[list[str]], subprocess.CompletedProcess[str]]:
    """Runs tests with the kernel compiled with the address and undefined behaviour sanitizers."""
    cc = shutil.which("cc")
    if cc is None:
        pytest.skip("there is no C compiler on this machine")
    runtime = subprocess.run([cc, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    libasan = Path(runtime.stdout.strip())
    if not libasan.is_absolute():
        pytest.skip("the C compiler of this machine has no libasan.so to load first")
    library = tmp_path / "sanitized.so"
    subprocess.run([cc, *SANITIZE, "-o", library, *sorted(NATIVE.glob("*.c"))], check=True)
    more = {"LD_PRELOAD": str(libasan), "ASAN_OPTIONS": "detect_leaks=0", "PYTHONMALLOC": "malloc"}

    def run(tests: list[str]) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-c",
            LOADED,
            str(library),
            "-s",
            "-n",
            "0",
            "-m",
            "not slow",
            "-p",
            "no:cacheprovider",
        ]
        environment = os.environ | more
        return subprocess.run(
            [*command, *tests], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False
        )

    return run


@pytest.mark.slow
def test_sanitizers_find_nothing(sanitized: Callable[[list[str]], subprocess.CompletedProcess[str]]) -> None:
    ran = sanitized([str(Path(__file__)), str(HERE / "test_choosing.py"), str(HERE / "test_benefits.py")])
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout + ran.stderr
    assert "sanitized.so" in ran.stdout
