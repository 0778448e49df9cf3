"""Where each edge is reached, and how it is asked there for the shop's own name."""

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx
import msgspec

from tidegate.base.config import Config

_TRIES_MAX = 5
_WAIT_SECONDS, _WAIT_SECONDS_MAX = 2.0, 10.0
_TOO_MUCH = frozenset({429, 503})


class Address(msgspec.Struct, frozen=True):
    """One edge: its own address, and the shop's name under which it is asked."""

    url: str
    host: str

    async def ask(
        self, client: httpx.AsyncClient, method: str, path: str, headers: Mapping[str, str]
    ) -> httpx.Response:
        """Ask this edge for a page of the shop; over TLS its certificate must be the shop's.

        Where it says that it is too much, wait as it says and ask again, four times at most. Raises httpx.HTTPError.
        """
        for _ in range(_TRIES_MAX - 1):
            answer = await client.send(self._request(client, method, path, headers))
            if answer.status_code not in _TOO_MUCH:
                return answer
            await asyncio.sleep(_wait_seconds(answer))
        return await client.send(self._request(client, method, path, headers))

    def _request(self, client: httpx.AsyncClient, method: str, path: str, headers: Mapping[str, str]) -> httpx.Request:
        made = client.build_request(method, f"{self.url}{path}", headers={**headers, "Host": self.host})
        made.extensions["sni_hostname"] = urlsplit(f"//{self.host}").hostname or ""
        return made


def addresses_of(config: Config) -> list[Address]:
    """Return the edges of the settings; the shop's own address where they name none."""
    host = urlsplit(config.public_url).netloc
    return [Address(url, host) for url in config.edge_urls or (config.public_url,)]


def _wait_seconds(answer: httpx.Response) -> float:
    said = answer.headers.get("retry-after", "")
    return min(float(said) if said.isdigit() else _WAIT_SECONDS, _WAIT_SECONDS_MAX)
