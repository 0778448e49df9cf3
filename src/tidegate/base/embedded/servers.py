"""Both embedded servers as one: what is needed, where it is reached, started here or found running."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from tidegate.base.config import Config
from tidegate.base.embedded.postgres import EmbeddedPostgres
from tidegate.base.embedded.valkey import EmbeddedValkey

Server = EmbeddedPostgres | EmbeddedValkey


def embedded_servers(config: Config) -> list[Server]:
    """Return the servers that the settings do not place elsewhere, without starting them."""
    servers: list[Server] = []
    if config.database_url is None:
        servers.append(EmbeddedPostgres(config.data_dir))
    if config.cache_url is None:
        servers.append(EmbeddedValkey(config.data_dir))
    return servers


def located(config: Config) -> Config:
    """Return the settings with the addresses of the embedded servers filled in."""
    return msgspec.structs.replace(
        config,
        database_url=config.database_url or EmbeddedPostgres(config.data_dir).url,
        cache_url=config.cache_url or EmbeddedValkey(config.data_dir).url,
    )


@contextmanager
def running_servers(config: Config) -> Iterator[Config]:
    """Start what does not run yet, give the settings with addresses, and stop at the end what was started here."""
    started = [server for server in embedded_servers(config) if server.start()]
    try:
        yield located(config)
    finally:
        for server in reversed(started):
            server.stop()
