"""Prewarming over HTTP: asked once each, without anything personal, at a pace, and told what was kept."""

from collections.abc import Sequence
from time import monotonic

from tests.gate.edge.caches import Server, Varnish, serving
from tidegate.gate.edge.adapters.addressing import Address
from tidegate.gate.edge.adapters.warming import HttpWarmer
from tidegate.gate.edge.commands import report
from tidegate.gate.edge.contracts import Ask, Kept, Kind, Pace, Warmed, pages_in

QUICK = Pace(at_once=4, a_second=10_000)
ASKS = [Ask(Kind.FILE, "/assets/a.js"), Ask(Kind.PICTURE, "/media/k.webp"), *pages_in(["/", "/rules"], ("zh", "en"))]


async def warmed(servers: Sequence[Server], asks: Sequence[Ask] = ASKS, pace: Pace = QUICK) -> list[Warmed]:
    heard: list[Warmed] = []
    await HttpWarmer([Address(each.url, "shop.example") for each in servers]).warm(asks, pace, heard.append)
    return heard


async def test_each_edge_is_asked_once_for_each_and_then_has_it() -> None:
    with serving(Varnish) as one, serving(Varnish) as other:
        first, again = await warmed([one, other]), await warmed([one, other])
        assert len(first) == len(again) == 2 * len(ASKS)
        assert {each.kept for each in first} == {Kept.MISS}
        assert {each.kept for each in again} == {Kept.HIT}
        assert one.kept == other.kept == {(each.path, each.language, "gzip, deflate, br") for each in ASKS}
        assert {each.headers["host"] for each in one.heard} == {"shop.example"}
        assert not [each for each in one.heard if {"cookie", "authorization"} & set(each.headers)]


async def test_the_report_counts_by_kind_and_names_what_is_private_or_fails() -> None:
    with serving(Varnish) as edge:
        edge.private, edge.gone = {"/rules"}, {"/media/k.webp"}
        heard = await warmed([edge])
    files, pictures, pages = report(heard)
    assert (files.asked, files.miss, files.failed, files.bytes_read) == (1, 1, 0, 6)
    assert (pictures.asked, pictures.failed) == (1, 1)
    assert (pages.asked, pages.miss, pages.private) == (4, 2, 2)
    assert [each.fault for each in heard if each.kept is None] == ["HTTP 404"]


async def test_an_edge_that_says_it_is_too_much_is_asked_again() -> None:
    with serving(Varnish) as edge:
        edge.refusals, edge.refuses_with = 2, 429
        heard = await warmed([edge], ASKS[:1])
        assert [each.kept for each in heard] == [Kept.MISS]
        assert len(edge.heard) == 3


async def test_an_edge_that_is_away_fails_each_and_stops_nothing() -> None:
    with serving(Varnish) as gone, serving(Varnish) as there:
        gone.shutdown()
        gone.server_close()
        heard = await warmed([gone, there], ASKS[:2])
        assert sorted((each.edge == there.url, each.fault) for each in heard) == [
            (False, "no answer (ConnectError)"),
            (False, "no answer (ConnectError)"),
            (True, ""),
            (True, ""),
        ]


async def test_it_keeps_the_pace() -> None:
    with serving(Varnish) as edge:
        began = monotonic()
        await warmed([edge], [Ask(Kind.PAGE, f"/{number}") for number in range(11)], Pace(at_once=8, a_second=50))
        assert monotonic() - began >= 10 / 50
