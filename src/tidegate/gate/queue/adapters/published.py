"""A draw as a shop publishes it, fetched over its API by whoever wants to check it: no account, no database of ours."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import httpx
import msgspec

from tidegate.base.http import Problem
from tidegate.gate.queue.checking import call_findings, draw_findings, rank_findings
from tidegate.gate.queue.contracts import CallList, Finding, SealedList, Verification
from tidegate.gate.queue.rows import CallRow

Part = TypeVar("Part", SealedList, CallList, "_Line")

_TIMEOUT_SECONDS = 30.0
_TRIES = 5
_WAIT_SECONDS_MAX = 10.0
_BUSY = frozenset({429, 502, 503})


class CannotCheck(Exception):
    """The shop did not give what a check needs; this says nothing about the draw."""


class _Line(msgspec.Struct):
    campaign_id: str


class PublishedDraws:
    """The draws of the shop at `url`. `told` hears how many places of how many were fetched."""

    def __init__(
        self, url: str, told: Callable[[int, int], None], *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._url = url.rstrip("/")
        self._told = told
        self._transport = transport

    async def verify(self, campaign_id: str | None) -> Verification:
        """Recompute a draw from what is published of it; without an id that of the line that is open now.

        Raises CannotCheck.
        """
        async with httpx.AsyncClient(
            timeout=_TIMEOUT_SECONDS, follow_redirects=True, transport=self._transport
        ) as client:
            wanted = campaign_id or (await self._get(client, "/api/v1/queue", {}, _Line)).campaign_id
            parts = await self._sealed(client, wanted)
            calls = await self._calls(client, wanted)
        draw = next((each for each in parts if each.seed is not None), parts[0])
        listed = [
            (each.serial, each.lane, bytes.fromhex(each.commitment)) for part in parts for each in part.places
        ]  # fmt: skip
        findings = [_one_list(parts), *draw_findings(draw, listed)]
        if draw.seed is not None:
            findings += [rank_findings(draw, listed), *call_findings(calls, draw.lanes)]
        return Verification(campaign_id=wanted, findings=tuple(findings))

    async def _sealed(self, client: httpx.AsyncClient, campaign_id: str) -> list[SealedList]:
        parts: list[SealedList] = []
        start, given = 0, 0
        while True:
            asked: dict[str, str | int] = {"campaign_id": campaign_id, "start": start}
            part = await self._get(client, "/api/v1/queue/sealed", asked, SealedList)
            parts.append(part)
            given += len(part.places)
            self._told(given, part.count)
            if part.following is None or part.following <= start or given > part.count:
                return parts
            start = part.following

    async def _calls(self, client: httpx.AsyncClient, campaign_id: str) -> list[CallRow]:
        calls: list[CallRow] = []
        start: int | None = 0
        while start is not None:
            asked: dict[str, str | int] = {"campaign_id": campaign_id, "start": start}
            part = await self._get(client, "/api/v1/queue/calls", asked, CallList)
            calls += [
                CallRow(
                    lane=each.lane,
                    threshold=int(each.threshold, 16),
                    late_called=each.late_called,
                    calls=1,
                    called_at=each.called_at,
                )
                for each in part.calls
            ]
            start = part.following if part.following is not None and part.following > start else None
        return calls

    async def _get(
        self, client: httpx.AsyncClient, path: str, asked: dict[str, str | int], wanted: type[Part]
    ) -> Part:  # fmt: skip
        for attempt in range(1, _TRIES + 1):
            answer = await self._ask(client, path, asked)
            if answer.status_code not in _BUSY or attempt == _TRIES:
                break
            await asyncio.sleep(_wait_seconds(answer, attempt))
        try:
            if answer.is_success:
                return msgspec.json.decode(answer.content, type=wanted)
            problem = msgspec.json.decode(answer.content, type=Problem)
        except (msgspec.MsgspecError, UnicodeDecodeError) as fault:
            what = f"{self._url}{path} answered {answer.status_code}, and not as a shop of Tidegate does"
            raise CannotCheck(f"{what}. Is this the shop's address?") from fault
        raise CannotCheck(f"{self._url} answered: {problem.title}. {problem.detail}")

    async def _ask(self, client: httpx.AsyncClient, path: str, asked: dict[str, str | int]) -> httpx.Response:
        try:
            return await client.get(f"{self._url}{path}", params=asked)
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            raise CannotCheck(f"{self._url} cannot be reached ({fault or type(fault).__name__}).") from fault


def _wait_seconds(answer: httpx.Response, attempt: int) -> float:
    told = answer.headers.get("retry-after", "")
    return min(_WAIT_SECONDS_MAX, float(told) if told.isdigit() else attempt)


def _one_list(parts: list[SealedList]) -> Finding:
    """Hold the parts against one another: a shop that gives two lists gives none."""
    kinds = {(each.root, each.seed_hash, each.count) for each in parts}
    return Finding(name="all parts are of one list", holds=len(kinds) == 1, examined=len(parts))
