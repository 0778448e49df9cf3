"""The web process alone, without nginx: slow, idle and oversize requests are cut off while others are served; TLS."""

import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.app.edge.raw import Certificate, connection, drip, head, make_certificate, status_of
from tests.live import Live, installation, until
from tests.ports import installation_port
from tidegate.base.embedded.process import alive

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("edge")]

JSON = "Content-Type: application/json"
FORM = ("Sec-Fetch-Site: same-origin", "Content-Type: application/x-www-form-urlencoded")
SLOW = {
    "a head byte by byte": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"x", 0),
    "nothing at all": (b"", b"", 0),
    "an idle connection after an answer": (head("GET /health/live"), b"", 200),
    "a body byte by byte": (head("POST /api/v1/sessions", JSON, "Content-Length: 1000"), b"x", 408),
    "a body in chunks of a byte": (
        head("POST /api/v1/sessions", JSON, "Transfer-Encoding: chunked"),
        b"1\r\nx\r\n",
        408,
    ),
    "a form byte by byte": (head("POST /sign-in", *FORM, "Content-Length: 1000"), b"x", 408),
    "an order's body by a stranger": (head("POST /api/v1/orders", JSON, "Content-Length: 1000"), b"x", 401),
}


@pytest.fixture(scope="module")
def plain() -> Iterator[Live]:
    with installation() as live:
        yield live


def _port(live: Live) -> int:
    return urlsplit(live.url).port or 0


def _status_of_slow(port: int, begin: bytes, piece: bytes) -> int:
    with connection(port) as conn:
        conn.sendall(begin)
        return status_of(drip(conn, piece))


def test_slow_requests_are_cut_while_others_are_served(plain: Live) -> None:
    with ThreadPoolExecutor(100) as pool:
        slow = {
            name: [pool.submit(_status_of_slow, _port(plain), begin, piece) for _ in range(10)]
            for name, (begin, piece, _) in SLOW.items()
        }
        served = refused = 0
        while not all(each.done() for all_of_it in slow.values() for each in all_of_it):
            # On a connection of its own: one that waited for a busy machine would itself be idle and cut.
            status = httpx.get(plain.url).status_code
            assert status in {200, 503}
            served += status == 200
            refused += status == 503
            time.sleep(0.05)
        # The load control may refuse a few on a machine with much else to do, never for those who drip.
        assert served > 10 * refused
        assert {name: {each.result() for each in all_of_it} for name, all_of_it in slow.items()} == {
            name: {status} for name, (_, _, status) in SLOW.items()
        }


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (head("GET /", "X-Long: " + "x" * 300_000), 431),
        (head("GET /", *(f"X-{number}: x" for number in range(2_000))), 431),
        (head("POST /api/v1/sessions", JSON, "Content-Length: 1000000000"), 413),
        (head("POST /sign-in", *FORM, "Content-Length: 1000000000"), 413),
    ],
)
def test_oversize_requests_are_refused_before_they_are_read(plain: Live, request_: bytes, status: int) -> None:
    with connection(_port(plain)) as conn:
        conn.sendall(request_)
        assert status_of(drip(conn)) == status


def test_an_oversize_order_is_refused(plain: Live) -> None:
    # A body that says no length is counted as it comes.
    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 65_536

    with httpx.Client(base_url=plain.url) as client:
        answer = client.post("/api/v1/sessions", content=endless(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


def test_several_processes_serve_come_back_and_leave_with_the_one_that_began_them(plain: Live) -> None:
    web, port = plain.supervisor.process("web").pid, installation_port()
    settings = dict(each.split("=", 1) for each in Path(f"/proc/{web}/environ").read_text().split("\0") if "=" in each)
    settings |= {"TIDEGATE_PORT": str(port), "TIDEGATE_WEB_WORKERS": "2"}
    with subprocess.Popen([sys.executable, "-m", "tidegate", "web"], env=settings) as began:
        try:
            until(lambda: _answers(port) and len(_serving(began.pid)) == 2)
            first, second = _serving(began.pid)
            os.kill(first, signal.SIGKILL)
            until(lambda: len(_serving(began.pid) - {first}) == 2)
            assert second in _serving(began.pid)
            assert _answers(port)
            children = _serving(began.pid)
        finally:
            began.kill()
    until(lambda: not any(map(alive, children)))
    assert not _answers(port)


def _serving(pid: int) -> set[int]:
    """The processes that a web process began to serve beside it; those that are just dying are left out."""
    serving = set()
    for child in psutil.Process(pid).children():
        with suppress(psutil.Error):
            if "spawn_main" in " ".join(child.cmdline()):
                serving.add(child.pid)
    return serving


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/live").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secure(certificate: Certificate) -> Iterator[Live]:
    settings = {"TIDEGATE_TLS_CERT": str(certificate.cert), "TIDEGATE_TLS_KEY": str(certificate.key)}
    with installation(settings=settings) as live:
        yield live


@pytest.mark.parametrize("alpn", ["http/1.1", "h2"])
def test_tls_1_3_with_http_2_for_who_asks(secure: Live, certificate: Certificate, alpn: str) -> None:
    tls = certificate.context(alpn=alpn)
    with connection(_port(secure), tls=tls) as conn:
        assert isinstance(conn, ssl.SSLSocket)
        assert conn.version() == "TLSv1.3"
        assert conn.selected_alpn_protocol() == alpn


def test_nothing_older_than_tls_1_3(secure: Live, certificate: Certificate) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
        connection(_port(secure), tls=certificate.context(newest=ssl.TLSVersion.TLSv1_2))


def test_cookies_are_for_https_only_and_the_browser_is_told_to_stay(secure: Live, certificate: Certificate) -> None:
    assert secure.url.startswith("https://")
    with httpx.Client(base_url=secure.url, verify=certificate.context()) as client:
        assert client.get("/").headers["Strict-Transport-Security"] == "max-age=31536000"
        chosen = client.get("/language/en")
    assert "secure" in chosen.headers["Set-Cookie"].lower()


def test_over_tls_a_handshake_and_a_head_are_cut_too(secure: Live, certificate: Certificate) -> None:
    def shake_hands_slowly() -> None:
        with connection(_port(secure)) as conn:
            conn.sendall(b"\x16\x03\x01\x02\x00\x01")
            drip(conn, b"\x00")

    def ask_slowly() -> None:
        with connection(_port(secure), tls=certificate.context()) as conn:
            conn.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            drip(conn, b"x")

    with ThreadPoolExecutor() as pool:
        for cut in [pool.submit(shake_hands_slowly), pool.submit(ask_slowly)]:
            cut.result()


def test_half_a_certificate_is_refused(certificate: Certificate, tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="set together"),
        installation(settings={"TIDEGATE_TLS_CERT": str(certificate.cert)}),
    ):
        pass
    missing = {"TIDEGATE_TLS_CERT": str(tmp_path / "none"), "TIDEGATE_TLS_KEY": str(certificate.key)}
    with pytest.raises(ValueError, match="there is no"), installation(settings=missing):
        pass
