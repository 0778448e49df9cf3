"""Pages that are the same for everyone are made once in a while, whoever asks."""

import asyncio

import pytest
from markupsafe import Markup

from tidegate.app.pages.keeping import PARTS_MAX, PageCache, PartCache


async def test_many_who_ask_at_once_get_one_rendering() -> None:
    cache, made = PageCache[int](), []

    async def make() -> int:
        await asyncio.sleep(0)
        made.append(1)
        return len(made)

    assert await asyncio.gather(*[cache.get("a", make) for _ in range(50)]) == [1] * 50
    assert await cache.get("a", make) == 1
    assert await cache.get("b", make) == 2


async def test_a_page_is_made_anew_when_its_life_is_over() -> None:
    cache, made = PageCache[int](life_seconds=0), []

    async def make() -> int:
        made.append(1)
        return len(made)

    assert await cache.get("a", make) == 1
    assert await cache.get("a", make) == 2


async def test_a_failure_is_not_kept() -> None:
    cache = PageCache[int]()

    async def fail() -> int:
        raise ValueError("no")

    async def make() -> int:
        return 1

    with pytest.raises(ValueError, match="no"):
        await cache.get("a", fail)
    assert await cache.get("a", make) == 1


async def test_the_oldest_pages_make_room() -> None:
    cache = PageCache[int](pages_max=2)

    async def make() -> int:
        return 1

    for key in "abc":
        await cache.get(key, make)
    assert list(cache._pages) == ["b", "c"]


def test_a_part_is_written_once_for_equal_values_and_anew_for_others() -> None:
    parts, written = PartCache(), []

    def part(*values: object) -> Markup:
        def write() -> Markup:
            written.append(values)
            return Markup("<i>{}</i>").format(values)

        return parts(*values, caller=write)

    assert (
        part("card", ("KTL-1", 5))
        == part("card", ("KTL-1", 5))
        == Markup("<i>(&#39;card&#39;, (&#39;KTL-1&#39;, 5))</i>")
    )
    assert written == [("card", ("KTL-1", 5))]
    assert part("card", ("KTL-1", 4)) != part("card", ("KTL-1", 5))
    for number in range(PARTS_MAX):
        part(number)
    part("card", ("KTL-1", 5))
    assert written.count(("card", ("KTL-1", 5))) == 2, "the oldest went first"
