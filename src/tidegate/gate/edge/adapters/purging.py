"""The ways to have an edge forget pages, each as its maker documents it.

- `method`: `PURGE <page>` to every cache, as Varnish, Squid and nginx with ngx_cache_purge take it.
- `cloudflare-urls`, `cloudflare-tags`: `POST .../zones/<zone>/purge_cache` with `files` or `tags`, at most 30 of them,
  which every plan allows; done where the answer's JSON says `success`.
- `fastly-keys`: `POST .../service/<service>/purge` with `surrogate_keys`; done with 2xx.

By tag, every page of everybody is forgotten in one request: pages renew themselves every two seconds anyway.
"""

import asyncio
from collections.abc import Sequence
from itertools import product
from typing import Final

import httpx
import msgspec

from tidegate.base.config import Config
from tidegate.gate.edge.adapters.addressing import Address, addresses_of
from tidegate.gate.edge.contracts import PAGES_TAG
from tidegate.gate.edge.errors import PurgeRefused
from tidegate.gate.edge.ports import Purger

_TIMEOUT_SECONDS = 10.0
_AT_ONCE: Final = 8
_CLOUDFLARE_MOST: Final = 30
_NOT_KEPT: Final = frozenset({404, 412})
"""How Varnish, Squid and ngx_cache_purge say that they did not have the page."""
_KEYS: Final = (("", "zh", "en"), ("", "gzip", "br"))
"""The languages and encodings under which deploy/nginx keeps a page; a cache with one copy forgets it at the first."""


def purger_of(config: Config) -> Purger | None:
    """Return the way to purge that the settings name; None where they name none."""
    match config.edge_purge:
        case "method":
            return MethodPurger(addresses_of(config))
        case "cloudflare-urls":
            return CloudflarePurger(config.edge_purge_url, config.edge_purge_token, config.public_url)
        case "cloudflare-tags":
            return CloudflarePurger(config.edge_purge_url, config.edge_purge_token, None)
        case "fastly-keys":
            return FastlyPurger(config.edge_purge_url, config.edge_purge_token)
        case _:
            return None


class MethodPurger:
    """Asks every cache by the method PURGE; caches take it from the addresses that their own settings allow."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        self._addresses = addresses

    async def purge(self, paths: Sequence[str]) -> None:
        """Purge each page under each of its keys, until one is not taken. Raises PurgeRefused for that one."""
        todo = iter(product(self._addresses, paths, *_KEYS))
        refused: list[PurgeRefused] = []
        async with _client() as client:

            async def work() -> None:
                for address, path, language, encoding in todo:
                    if refused:
                        return
                    headers = {"Accept-Language": language, "Accept-Encoding": encoding}
                    try:
                        answer = await address.ask(client, "PURGE", path, headers)
                    except httpx.HTTPError as fault:
                        refused.append(_away(address.url, fault))
                        return
                    if not answer.is_success and answer.status_code not in _NOT_KEPT:
                        refused.append(_refused(f"{address.url}{path}", answer))

            await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
        if refused:
            raise refused[0]


class CloudflarePurger:
    """Speaks to Cloudflare: by URLs below the shop's address, or by tag where no address is given."""

    def __init__(self, url: str, token: str, public_url: str | None) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._public_url = public_url

    async def purge(self, paths: Sequence[str]) -> None:
        """Purge these pages, or all that are tagged. Raises PurgeRefused."""
        async with _client() as client:
            if self._public_url is None:
                await self._ask(client, {"tags": [PAGES_TAG]})
                return
            files = [f"{self._public_url}{path}" for path in paths]
            for start in range(0, len(files), _CLOUDFLARE_MOST):
                await self._ask(client, {"files": files[start : start + _CLOUDFLARE_MOST]})

    async def _ask(self, client: httpx.AsyncClient, wanted: dict[str, list[str]]) -> None:
        answer = await _sent(client, client.build_request("POST", self._url, json=wanted, headers=self._headers))
        try:
            said = msgspec.json.decode(answer.content, type=_Said)
        except msgspec.DecodeError:
            said = _Said(success=False)
        if not (answer.is_success and said.success):
            raise _refused(self._url, answer, "; ".join(each.message for each in said.errors))


class _Complaint(msgspec.Struct):
    message: str = ""


class _Said(msgspec.Struct):
    """What Cloudflare answers, as far as it is read."""

    success: bool
    errors: list[_Complaint] = []


class FastlyPurger:
    """Speaks to Fastly, by surrogate key."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"Fastly-Key": token, "Accept": "application/json"}

    async def purge(self, paths: Sequence[str]) -> None:
        """Purge all pages of everybody, `paths` among them. Raises PurgeRefused."""
        del paths
        wanted = {"surrogate_keys": [PAGES_TAG]}
        async with _client() as client:
            answer = await _sent(client, client.build_request("POST", self._url, json=wanted, headers=self._headers))
        if not answer.is_success:
            raise _refused(self._url, answer)


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, follow_redirects=False)


async def _sent(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    try:
        return await client.send(request)
    except httpx.HTTPError as fault:
        raise _away(f"{request.url.scheme}://{request.url.netloc.decode()}", fault) from fault


def _away(where: str, fault: httpx.HTTPError) -> PurgeRefused:
    return PurgeRefused(f"{where} does not answer ({type(fault).__name__}).")


def _refused(where: str, answer: httpx.Response, said: str = "") -> PurgeRefused:
    detail = f"{where} answered HTTP {answer.status_code}" + (f": {said[:200]}" if said else "")
    return PurgeRefused(f"{detail}.", edge_status=answer.status_code)
