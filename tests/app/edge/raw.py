"""Clients that do not behave: they speak bytes on a socket, slowly, too much, or not at all; and a certificate."""

import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import msgspec
import pytest

PATIENCE_SECONDS = 45.0
"""How long a test waits for a connection to be cut: far longer than any limit, for a busy machine."""


class Certificate(msgspec.Struct, frozen=True):
    """A certificate for localhost and 127.0.0.1, signed by itself."""

    cert: Path
    key: Path

    def context(self, *, alpn: str = "http/1.1", newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
        """A client that trusts this certificate."""
        context = ssl.create_default_context(cafile=self.cert)
        context.set_alpn_protocols([alpn])
        context.maximum_version = newest
        return context


def make_certificate(folder: Path) -> Certificate:
    """Make one with the `openssl` program; skips the test where there is none."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("this test needs the program openssl: install it (Debian: apt-get install openssl)")
    made = Certificate(cert=folder / "cert.pem", key=folder / "key.pem")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-keyout", made.key, "-out", made.cert, "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return made


def connection(port: int, *, source: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> socket.socket:
    """Connect from one of this machine's own addresses."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS, source_address=(source, 0))
    return tls.wrap_socket(plain, server_hostname="localhost") if tls else plain


def drip(conn: socket.socket, piece: bytes = b"", *, pause_seconds: float = 0.5) -> bytes:
    """Send `piece` again and again until the server cuts the connection; what it said. Fails if it never does."""
    said = b""
    conn.settimeout(pause_seconds)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            if piece:
                conn.sendall(piece)
            received = conn.recv(65_536)
            if not received:
                return said
            said += received
        except TimeoutError:
            continue
        except OSError:  # cut while sending
            return said
    raise AssertionError(f"the connection was still open after {PATIENCE_SECONDS} s; it had said {said[:200]!r}")


def status_of(said: bytes) -> int:
    """The status of an HTTP/1 answer; 0 where nothing was said."""
    return int(said.split(b" ", 2)[1]) if said.startswith(b"HTTP/1.1 ") else 0


def head(line: str, *headers: str) -> bytes:
    """The head of a request, whole."""
    return "\r\n".join([f"{line} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()
