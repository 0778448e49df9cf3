"""Where each edge is reached, and how it is asked there for the shop's own name."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx
import msgspec

from tidegate.base.config import Config


class Address(msgspec.Struct, frozen=True):
    """One edge: its own address, and the shop's name under which it is asked."""

    url: str
    host: str

    def request(self, client: httpx.AsyncClient, method: str, path: str, headers: Mapping[str, str]) -> httpx.Request:
        """Return a request for a page of the shop, sent to this edge; over TLS its certificate must be the shop's."""
        name = urlsplit(f"//{self.host}").hostname or ""
        made = client.build_request(method, f"{self.url}{path}", headers={**headers, "Host": self.host})
        made.extensions["sni_hostname"] = name
        return made


def addresses_of(config: Config) -> list[Address]:
    """Return the edges of the settings; the shop's own address where they name none."""
    host = urlsplit(config.public_url).netloc
    return [Address(url, host) for url in config.edge_urls or (config.public_url,)]
