"""Settings of an installation, read once from the environment.

Every setting has a default that works on one machine; `TIDEGATE_DATABASE_URL` and `TIDEGATE_CACHE_URL` point to other
servers than the embedded ones.
"""

import ipaddress
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

_SECRET_BYTES = 32
EDGE_PURGES = ("method", "cloudflare-urls", "cloudflare-tags", "fastly-keys")
"""The ways to have an edge forget pages; all but the first speak to an address, with a token."""


class ChannelSetting(msgspec.Struct, frozen=True, kw_only=True):
    """Where a payment channel is reached, and what it is trusted with."""

    name: str
    url: str
    secret: str
    weight: int = 1


def authority(host: str, port: int) -> str:
    """Host and port as they stand in a URL: an IPv6 address in brackets (RFC 3986)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """All settings. Paths are absolute; ports are TCP ports on `host`."""

    data_dir: Path
    secret: bytes
    database_url: str | None = None
    replica_url: str | None = None
    cache_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8470
    public_url: str = ""
    web_workers: int = 1
    wait_target_ms: int | None = 20
    """How long work may wait in a web process before it refuses some; None refuses nothing."""
    database_connections_max: int = 12
    channels: tuple[ChannelSetting, ...] = ()
    sms: str = "sandbox"
    sms_url: str = ""
    sms_secret: str = ""
    secure_cookies: bool = False
    hold_seconds: int | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: tuple[str, ...] = ()
    defence_hook_url: str = ""
    defence_hook_secret: str = ""
    edge_urls: tuple[str, ...] = ()
    """Where the caches before the shop are reached; none: at `public_url`."""
    edge_purge: str = ""
    """One of EDGE_PURGES, or nothing."""
    edge_purge_url: str = ""
    edge_purge_token: str = ""
    drand_url: str = "https://api.drand.sh"
    datacenter_networks: Path | None = None
    """A file of networks, one in CIDR a line; None: `datacenter-networks.txt` in `data_dir`, if there is one."""

    @property
    def authority(self) -> str:
        """Host and port as they stand in a URL."""
        return authority(self.host, self.port)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Config":
        """Read the environment. Raises ValueError that names the variable whose value cannot be used."""
        data_dir = Path(environ.get("TIDEGATE_DATA_DIR", ".tidegate")).absolute()
        host = environ.get("TIDEGATE_HOST", "127.0.0.1")
        port = _whole(environ, "TIDEGATE_PORT", 8470, most=65_535)
        tls_cert, tls_key = _tls(environ)
        scheme = "https" if tls_cert else "http"
        return cls(
            data_dir=data_dir,
            secret=_secret(environ, data_dir),
            database_url=environ.get("TIDEGATE_DATABASE_URL") or None,
            replica_url=environ.get("TIDEGATE_REPLICA_URL") or None,
            cache_url=environ.get("TIDEGATE_CACHE_URL") or None,
            host=host,
            port=port,
            public_url=environ.get("TIDEGATE_PUBLIC_URL") or f"{scheme}://{authority(host, port)}",
            web_workers=_whole(environ, "TIDEGATE_WEB_WORKERS", 1, most=256),
            wait_target_ms=_whole(environ, "TIDEGATE_WAIT_TARGET_MS", 20, least=0) or None,
            database_connections_max=_whole(environ, "TIDEGATE_DATABASE_CONNECTIONS", 12, most=1_000),
            channels=_channels(environ, port),
            sms=environ.get("TIDEGATE_SMS", "sandbox"),
            sms_url=environ.get("TIDEGATE_SMS_URL", ""),
            sms_secret=environ.get("TIDEGATE_SMS_SECRET", ""),
            secure_cookies=tls_cert is not None or environ.get("TIDEGATE_PUBLIC_URL", "").startswith("https:"),
            hold_seconds=_whole(environ, "TIDEGATE_HOLD_SECONDS", 0, least=0) or None,
            tls_cert=tls_cert,
            tls_key=tls_key,
            trusted_proxies=_proxies(environ),
            defence_hook_url=environ.get("TIDEGATE_DEFENCE_HOOK_URL", ""),
            defence_hook_secret=_hook_secret(environ),
            edge_urls=_edges(environ),
            edge_purge=_edge_purge(environ),
            edge_purge_url=environ.get("TIDEGATE_EDGE_PURGE_URL", ""),
            edge_purge_token=environ.get("TIDEGATE_EDGE_PURGE_TOKEN", ""),
            drand_url=environ.get("TIDEGATE_DRAND_URL") or "https://api.drand.sh",
            datacenter_networks=_file(environ, "TIDEGATE_DATACENTER_NETWORKS"),
        )


def _whole(environ: Mapping[str, str], name: str, default: int, *, least: int = 1, most: int = 10**6) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text[:12]) <= most:
        raise ValueError(f"{name} must be a whole number from {least} to {most}, not {text!r}")
    return int(text)


def _tls(environ: Mapping[str, str]) -> tuple[Path | None, Path | None]:
    """Return the web process's own certificate (with its chain) and key, PEM files; both or neither."""
    names = ("TIDEGATE_TLS_CERT", "TIDEGATE_TLS_KEY")
    given = [Path(text).absolute() for name in names if (text := environ.get(name, ""))]
    for path in given:
        if not path.is_file():
            raise ValueError(f"{' and '.join(names)} must name files; there is no {path}")
    if len(given) == 1:
        raise ValueError(f"{' and '.join(names)} are set together or not at all")
    return (given[0], given[1]) if given else (None, None)


def _file(environ: Mapping[str, str], name: str) -> Path | None:
    """Return the file that a variable names, or None where it names none."""
    path = Path(text).absolute() if (text := environ.get(name, "")) else None
    if path is not None and not path.is_file():
        raise ValueError(f"{name} must name a file; there is no {path}")
    return path


def _proxies(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the addresses and networks whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    texts = tuple(text for part in environ.get("TIDEGATE_TRUSTED_PROXIES", "").split(",") if (text := part.strip()))
    for text in texts:
        try:
            ipaddress.ip_network(text)
        except ValueError:
            raise ValueError(
                f"TIDEGATE_TRUSTED_PROXIES must be addresses or networks, like 127.0.0.1,10.0.0.0/8, not {text!r}"
            ) from None
    return texts


def _hook_secret(environ: Mapping[str, str]) -> str:
    secret = environ.get("TIDEGATE_DEFENCE_HOOK_SECRET", "")
    if environ.get("TIDEGATE_DEFENCE_HOOK_URL", "") and len(secret) < _SECRET_BYTES:
        raise ValueError(
            f"TIDEGATE_DEFENCE_HOOK_SECRET must be at least {_SECRET_BYTES} characters where a hook is set"
        )
    return secret


def _edges(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the addresses of the caches before the shop."""
    texts = tuple(text for part in environ.get("TIDEGATE_EDGE_URLS", "").split(",") if (text := part.strip()))
    for text in texts:
        parts = urlsplit(text)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/") or parts.query:
            raise ValueError(f"TIDEGATE_EDGE_URLS must be addresses like https://10.0.0.5, with commas, not {text!r}")
    return tuple(text.rstrip("/") for text in texts)


def _edge_purge(environ: Mapping[str, str]) -> str:
    """Return the way to purge; one that speaks to an address is named with it and with its token."""
    way = environ.get("TIDEGATE_EDGE_PURGE", "")
    if way and way not in EDGE_PURGES:
        raise ValueError(f"TIDEGATE_EDGE_PURGE must be one of {', '.join(EDGE_PURGES)}, not {way!r}")
    names = ("TIDEGATE_EDGE_PURGE_URL", "TIDEGATE_EDGE_PURGE_TOKEN")
    if way and way != EDGE_PURGES[0] and not all(environ.get(name) for name in names):
        raise ValueError(f"TIDEGATE_EDGE_PURGE={way} needs {' and '.join(names)}")
    return way


def _secret(environ: Mapping[str, str], data_dir: Path) -> bytes:
    """Return the installation's secret: from the environment, or made once and kept beside the data."""
    text = environ.get("TIDEGATE_SECRET", "")
    if text:
        if len(text) < _SECRET_BYTES:
            raise ValueError(f"TIDEGATE_SECRET must be at least {_SECRET_BYTES} characters")
        return text.encode()
    kept = data_dir / "secret"
    if not kept.exists():
        _keep_secret(kept)
    secret = kept.read_bytes()
    if len(secret) < _SECRET_BYTES:
        raise ValueError(
            f"{kept} holds fewer than {_SECRET_BYTES} characters. Put the secret back, or set TIDEGATE_SECRET."
        )
    return secret


def _keep_secret(kept: Path) -> None:
    """Write a new secret under another name and link it: whoever comes second finds the first one's, and whole."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    fresh = kept.with_name(f"secret.{secrets.token_hex(8)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(_SECRET_BYTES))
    try:
        kept.hardlink_to(fresh)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def _channels(environ: Mapping[str, str], port: int) -> tuple[ChannelSetting, ...]:
    """Return the payment channels: TIDEGATE_CHANNELS as JSON, or the two sandbox channels of the example festival."""
    text = environ.get("TIDEGATE_CHANNELS", "")
    if not text:
        return (
            ChannelSetting(name="harbour", url=f"http://127.0.0.1:{port + 1}", secret="sandbox-harbour"),  # noqa: S106  no secret: a sandbox's
            ChannelSetting(name="lantern", url=f"http://127.0.0.1:{port + 2}", secret="sandbox-lantern"),  # noqa: S106  no secret: a sandbox's
        )
    try:
        return msgspec.json.decode(text, type=tuple[ChannelSetting, ...])
    except msgspec.DecodeError as fault:
        raise ValueError(f"TIDEGATE_CHANNELS must be a JSON list of name, url, secret, weight: {fault}") from fault
