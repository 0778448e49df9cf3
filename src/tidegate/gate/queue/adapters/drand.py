"""drand's public randomness over its HTTP API (https://docs.drand.love/docs/dev-guide/3-4-dev-guide-http-api).

`GET <url>/<chain hash>/info` tells genesis and period, `GET <url>/<chain hash>/public/<round>` the number of a round
and the signature that it is the SHA-256 of. The relay need not be trusted: what the chain's key did not sign is not
used.
"""

import logging

import httpx
import msgspec

from tidegate.gate.queue.contracts import AnnouncedNumber
from tidegate.gate.queue.public_number import NumberNotGenuine, PublishedNumber, is_drand_number

log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 2.0
_ANSWER_BYTES_MAX = 16_384


class _Info(msgspec.Struct):
    period: int
    genesis_time: int


class _Round(msgspec.Struct):
    round: int
    randomness: str
    signature: str


class Drand:
    """Asks the relay at `url`. Where relay or network fail there is no number yet."""

    def __init__(self, url: str, *, timeout_seconds: float = _TIMEOUT_SECONDS) -> None:
        self._url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds

    async def number(self, wanted: AnnouncedNumber) -> PublishedNumber | None:
        """Return the number of the announced round; None while it cannot be had, or another round is given.

        Raises NumberNotGenuine for one that the announced key did not sign.
        """
        try:
            async with httpx.AsyncClient(timeout=self._timeout_seconds, follow_redirects=False) as client:
                info = msgspec.json.decode(await self._get(client, f"{wanted.chain}/info"), type=_Info)
                found = msgspec.json.decode(
                    await self._get(client, f"{wanted.chain}/public/{wanted.round}"), type=_Round
                )
        except (httpx.HTTPError, msgspec.MsgspecError, UnicodeDecodeError) as fault:
            log.warning("drand round %s cannot be had yet: %s", wanted.round, fault)
            return None
        number = PublishedNumber(found.randomness, found.signature)
        told = (info.genesis_time, info.period, found.round)
        if told != (wanted.genesis_at, wanted.period_seconds, wanted.round):
            log.error("drand's relay answers %s, which is not the round that was announced: %s", told, wanted)
            return None
        if not is_drand_number(wanted, number):
            log.error(
                "round %s of drand's relay %s is not signed with the key of chain %s. The number is not used and will "
                "be asked for again; name another relay in TIDEGATE_DRAND_URL if this goes on.",
                wanted.round,
                self._url,
                wanted.chain,
            )
            raise NumberNotGenuine(f"round {wanted.round} of {self._url}")
        return number

    async def _get(self, client: httpx.AsyncClient, path: str) -> bytes:
        answer = await client.get(f"{self._url}/{path}")
        answer.raise_for_status()
        return answer.content[:_ANSWER_BYTES_MAX]
