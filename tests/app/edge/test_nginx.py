"""nginx with the configuration of deploy/, in front of a whole installation: what it absorbs, limits and cuts off.

Needs the program nginx, which `make nginx` finds or unpacks on Debian, and skips where there is none.
"""

import asyncio
import importlib.util
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from scripts.nginx import find as find_nginx

from tests.app.edge.raw import Certificate, connection, drip, head, make_certificate, status_of
from tests.live import Live, installation, until
from tidegate.app.compose import compose
from tidegate.gate.edge.contracts import Kept, Kind, Pace, Warmed
from tidegate.gate.edge.rules import kept_by
from tidegate.trust.identity.api import SESSION_COOKIE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("edge")]

NGINX = find_nginx()
DEPLOY = Path(__file__).parents[3] / "deploy" / "nginx"
ORDERS_A_SECOND = 20
PERSONAL_PAGES_A_SECOND = 50
CONNECTIONS = 24
"""More than any other test here holds open of one address, and fewer than the sign-ins the application takes of it."""


class Edge(msgspec.Struct, frozen=True):
    """A running nginx, and what stands behind it."""

    live: Live
    certificate: Certificate
    port: int

    def client(self, source: str = "127.0.0.1", **more: str) -> httpx.Client:
        """A browser at one of this machine's own addresses."""
        transport = httpx.HTTPTransport(local_address=source, verify=self.certificate.context())
        return httpx.Client(base_url=f"https://localhost:{self.port}", transport=transport, headers=more, timeout=30)

    def reached(self, route: str) -> float:
        """How many requests of a class of routes the application itself has answered so far."""
        exposition = httpx.get(f"{self.live.url}/metrics").text
        marks = ("tidegate_http_seconds_count", f'route="{route}"')
        return sum(float(line.split()[-1]) for line in exposition.splitlines() if all(mark in line for mark in marks))


def configuration(certificate: Certificate, live: Live, port: int, run: Path, mime: str) -> str:
    """The configuration as an operator would make it."""
    spec = importlib.util.spec_from_file_location("render", DEPLOY / "render.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    arguments = {
        "app": urlsplit(live.url).netloc,
        "name": "localhost",
        "cert": str(certificate.cert),
        "key": str(certificate.key),
        "tls": f"127.0.0.1:{port}",
        "plain": f"127.0.0.1:{port + 1}",
        "run": str(run),
        "mime": mime,
        "orders-a-second": str(ORDERS_A_SECOND),
        "personal-pages-a-second": str(PERSONAL_PAGES_A_SECOND),
        "sign-ins-a-second": "100",
        "connections": str(CONNECTIONS),
    }
    given = [word for name, value in arguments.items() for word in (f"--{name}", value)]
    return str(module.render(module.values_of(given)))


@pytest.fixture(scope="module")
def edge() -> Iterator[Edge]:
    if NGINX is None:
        pytest.skip(
            "nginx is not installed: `make nginx` unpacks it on Debian; elsewhere install your package manager's"
        )
    with (
        tempfile.TemporaryDirectory(prefix="tidegate-edge-", ignore_cleanup_errors=True) as name,
        installation(settings={"TIDEGATE_TRUSTED_PROXIES": "127.0.0.1"}) as live,
    ):
        folder = Path(name)
        folder.chmod(0o755)  # the workers are another user's
        certificate = make_certificate(folder)
        port = (urlsplit(live.url).port or 0) + 5
        file = folder / "nginx.conf"
        file.write_text(configuration(certificate, live, port, folder, NGINX.mime), encoding="utf-8")
        nginx = subprocess.Popen([NGINX.program, "-c", str(file), "-g", "daemon off;"], stderr=subprocess.PIPE)
        try:
            _until_open(nginx, port)
            yield Edge(live=live, certificate=certificate, port=port)
        finally:
            nginx.terminate()
            nginx.communicate(timeout=30)


def _until_open(nginx: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(200):
        if nginx.poll() is not None:
            raise AssertionError(nginx.communicate()[1].decode())
        try:
            connection(port).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("nginx does not listen")


@pytest.mark.parametrize("alpn", ["http/1.1", "h2"])
def test_tls_1_3_with_http_2(edge: Edge, alpn: str) -> None:
    with connection(edge.port, tls=edge.certificate.context(alpn=alpn)) as conn:
        assert isinstance(conn, ssl.SSLSocket)
        assert (conn.version(), conn.selected_alpn_protocol()) == ("TLSv1.3", alpn)
    with pytest.raises(ssl.SSLError):
        connection(edge.port, tls=edge.certificate.context(newest=ssl.TLSVersion.TLSv1_2))


def test_plain_http_is_sent_to_https(edge: Edge) -> None:
    answer = httpx.get(f"http://127.0.0.1:{edge.port + 1}/rules?page=2", headers={"Host": "localhost"})
    assert (answer.status_code, answer.headers["Location"]) == (308, f"https://localhost:{edge.port}/rules?page=2")


def test_a_thousand_asks_for_a_page_reach_the_application_a_handful_of_times(edge: Edge) -> None:
    before, began = edge.reached("page"), time.monotonic()

    def ask(number: int) -> list[tuple[int, str]]:
        with edge.client(f"127.0.1.{number}", **{"Accept-Encoding": "gzip", "Accept-Language": "en"}) as client:
            answers = [client.get("/") for _ in range(50)]
        return [(answer.status_code, answer.headers["X-Cache"]) for answer in answers]

    with ThreadPoolExecutor(20) as pool:
        answers = [each for some in pool.map(ask, range(1, 21)) for each in some]
    assert len(answers) == 1_000
    assert {status for status, _ in answers} == {200}
    # The page states that it may be kept for two seconds; each time, one request renews it.
    seconds = time.monotonic() - began
    assert 1 <= edge.reached("page") - before <= 2 + seconds / 2


def test_snapshots_are_kept_too_and_for_who_is_signed_in_as_well(edge: Edge) -> None:
    before, began = edge.reached("stock"), time.monotonic()
    with edge.client("127.0.1.30", Authorization="Bearer nonsense") as client:
        statuses = {client.get("/api/v1/stock?skus=A").status_code for _ in range(200)}
    assert statuses == {200}
    assert edge.reached("stock") - before <= 2 + (time.monotonic() - began)


def test_languages_and_encodings_are_kept_apart(edge: Edge) -> None:
    with edge.client("127.0.1.40") as client:
        for _ in range(2):
            chinese = client.get("/rules", headers={"Accept-Language": "fr, zh-CN;q=0.9, en;q=0.5"})
            english = client.get("/rules", headers={"Accept-Language": "en-GB,en;q=0.9", "Accept-Encoding": "identity"})
            chosen = client.get("/rules", headers={"Accept-Language": "en", "Cookie": "tg_language=zh"})
    assert 'lang="zh' in chinese.text
    assert 'lang="en' in english.text
    assert 'lang="zh' in chosen.text
    assert "Content-Encoding" not in english.headers


def _shopper(live: Live) -> str:
    """The session token of a shopper with an address."""

    async def opened() -> str:
        app = compose(live.supervisor.config)
        await app.open()
        try:
            async with app.db.transaction() as tx:
                [shopper] = await app.identity.open_rehearsal_accounts(tx, 1)
        finally:
            await app.close()
        return shopper.session.token

    return asyncio.run(opened())


def test_a_signed_in_page_is_never_kept(edge: Edge) -> None:
    token = _shopper(edge.live)
    sku = httpx.get(f"{edge.live.url}/api/v1/goods?limit=1").json()["goods"][0]["sku"]
    with (
        edge.client("127.0.1.50") as stranger,
        edge.client("127.0.1.51", Cookie=f"{SESSION_COOKIE}={token}") as shopper,
    ):
        for path in (f"/goods/{sku}", "/", "/orders"):
            for _ in range(3):
                mine = shopper.get(path)
                assert mine.status_code == 200
                assert mine.headers.get("X-Cache", "BYPASS") == "BYPASS"
            if path != "/":
                assert mine.headers["Cache-Control"] == "private, no-store"
                assert stranger.get(path).text != mine.text
        # The form of a signed-in page has a key of its own each time; the shared one has none.
        assert 'name="key"' in shopper.get(f"/goods/{sku}").text
        for _ in range(3):
            shared = stranger.get(f"/goods/{sku}")
            assert shared.status_code == 200
            assert 'name="key"' not in shared.text


def test_files_are_kept_for_good(edge: Edge) -> None:
    with edge.client("127.0.1.60") as client:
        page = client.get("/").text
        path = next(part for part in page.split('"') if part.startswith("/assets/"))
        client.get(path)
        kept = client.get(path)
    assert kept.headers["X-Cache"] == "HIT"
    assert kept.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_what_was_prewarmed_is_there_for_the_first_shopper(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(edge.certificate.cert))
    settings = msgspec.structs.replace(
        edge.live.supervisor.config,
        public_url=f"https://localhost:{edge.port}",
        edge_urls=(f"https://127.0.0.1:{edge.port}",),
    )

    async def prewarm() -> list[Warmed]:
        app = compose(settings)
        await app.open()
        heard: list[Warmed] = []
        try:
            version = app.campaign.current()
            assert version is not None
            asks = app.edge.to_warm(version)
            some = [each for kind in Kind for each in [one for one in asks if one.kind is kind][-20:]]
            await app.edge.prewarm(some, Pace(a_second=100), heard.append)
        finally:
            await app.close()
        return heard

    first, again = asyncio.run(prewarm()), asyncio.run(prewarm())
    assert [each for each in (*first, *again) if each.kept in {None, Kept.PRIVATE, Kept.UNKNOWN}] == []
    assert {each.kept for each in first if each.ask.kind is not Kind.PAGE} >= {Kept.MISS}
    assert {each.kept for each in again if each.ask.kind is not Kind.PAGE} == {Kept.HIT}
    page = next(each.ask for each in again if each.ask.kind is Kind.PAGE)
    asked = {"Accept-Language": page.language, "Accept-Encoding": "gzip, deflate, br, zstd"}
    with edge.client("127.0.1.65", **asked) as client:
        assert kept_by(client.get(page.path).headers) is Kept.HIT


def test_security_headers_come_once(edge: Edge) -> None:
    with edge.client("127.0.1.70") as client:
        names = [name.lower() for name, _ in client.get("/").headers.multi_items()]
    wanted = ("content-security-policy", "x-content-type-options", "referrer-policy", "strict-transport-security")
    assert {name: names.count(name) for name in wanted} == dict.fromkeys(wanted, 1)


def test_too_many_orders_of_one_address_are_refused_and_others_are_not(edge: Edge) -> None:
    with edge.client("127.0.2.1") as greedy, edge.client("127.0.2.2") as modest:
        began = time.monotonic()
        answers = [greedy.post("/api/v1/orders", json={}) for _ in range(400)]
        seconds = time.monotonic() - began
        assert modest.post("/api/v1/orders", json={}).status_code == 401
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.status_code for answer in answers} == {401, 429}
    assert len(answers) - len(refused) <= 1 + ORDERS_A_SECOND * (2 + seconds)
    assert refused[-1].headers["Content-Type"] == "application/problem+json"
    assert refused[-1].headers["Retry-After"] == "2"
    assert refused[-1].headers["Cache-Control"] == "no-store"
    assert refused[-1].json()["type"] == "/problems/too-many-requests"


def test_a_browser_gets_a_page_that_says_so(edge: Edge) -> None:
    def flood(_: int) -> set[tuple[int, bool]]:
        with edge.client("127.0.2.10") as client:
            answers = [client.get("/") for _ in range(300)]
        return {(answer.status_code, "请两秒后重试" in answer.text) for answer in answers}

    with ThreadPoolExecutor(8) as pool:
        assert set.union(*pool.map(flood, range(8))) == {(200, False), (429, True)}


def test_personal_pages_are_limited_for_all_together_and_shared_ones_are_not(edge: Edge) -> None:
    began = time.monotonic()

    def ask(number: int, headers: dict[str, str]) -> list[int]:
        with edge.client(f"127.0.2.{number}", **headers) as client:
            return [client.get("/rules").status_code for _ in range(100)]

    with ThreadPoolExecutor(8) as pool:
        personal = pool.map(lambda number: ask(20 + number, {"Authorization": f"Bearer {number}"}), range(8))
        shared = pool.map(lambda number: ask(40 + number, {}), range(8))
        answered = [status for each in personal for status in each]
        assert {status for each in shared for status in each} == {200}
    most = PERSONAL_PAGES_A_SECOND * (1 / 5 + time.monotonic() - began)
    assert answered.count(200) + answered.count(429) == len(answered)
    assert 1 <= answered.count(200) <= 1 + most


def test_what_a_client_says_of_its_address_is_not_believed(edge: Edge) -> None:
    # A network may ask for 200 codes an hour: if the header counted, these would be 205 networks.
    with edge.client("127.0.3.1") as client:
        answers = [
            client.post(
                "/api/v1/codes",
                json={"phone": f"138{10_000_000 + number}"},
                headers={"X-Forwarded-For": f"10.{number}.0.1"},
            )
            for number in range(205)
        ]
    assert [answer.status_code for answer in answers] == [202] * 200 + [429] * 5
    assert answers[-1].json()["type"] != "/problems/too-many-requests"


def test_slow_requests_are_cut_while_others_are_served(edge: Edge) -> None:
    slow_head = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
    slow_body = head("POST /api/v1/sessions", "Content-Type: application/json", "Content-Length: 1000")

    def status(begin: bytes, piece: bytes) -> int:
        with connection(edge.port, source="127.0.4.1", tls=edge.certificate.context()) as conn:
            conn.sendall(begin)
            return status_of(drip(conn, piece))

    with ThreadPoolExecutor(60) as pool, edge.client("127.0.4.2") as client:
        heads = [pool.submit(status, slow_head, b"x") for _ in range(20)]
        idle = [pool.submit(status, b"", b"") for _ in range(20)]
        bodies = [pool.submit(status, slow_body, b"x") for _ in range(20)]
        served = 0
        while not all(each.done() for each in (*heads, *idle, *bodies)):
            assert client.get("/").status_code == 200
            served += 1
            time.sleep(0.02)
    assert served > 0
    assert {each.result() for each in (*heads, *idle)} <= {0, 408}
    assert {each.result() for each in bodies} <= {408}


@pytest.mark.parametrize(
    ("path", "content_type"),
    [("/api/v1/codes", "application/problem+json"), ("/orders", "text/html; charset=utf-8")],
)
def test_an_oversize_body_is_refused(edge: Edge, path: str, content_type: str) -> None:
    with edge.client("127.0.5.1") as client:
        answer = client.post(path, content=b" " * 100_000)
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == content_type


def test_what_is_for_machines_is_not_shown(edge: Edge) -> None:
    with edge.client("127.0.5.2") as client:
        assert [client.get(path).status_code for path in ("/metrics", "/health/ready", "/health/live")] == [404] * 3


def test_too_many_open_requests_of_one_address_are_refused_and_others_are_served(edge: Edge) -> None:
    """What one address may hold open at once, nginx counts by the request: a head that came, and no answer yet."""
    begun = head("POST /api/v1/sessions", "Content-Type: application/json", "Content-Length: 1000")

    def opened(source: str) -> socket.socket:
        conn = connection(edge.port, source=source, tls=edge.certificate.context())
        conn.sendall(begun)
        return conn

    with ExitStack() as open_ones, edge.client("127.0.6.2") as modest, edge.client("127.0.6.1") as greedy:
        for _ in range(CONNECTIONS):
            open_ones.enter_context(opened("127.0.6.1"))
        until(lambda: greedy.get("/rules").status_code == 429, seconds=5)
        refused = greedy.get("/api/v1/stock?skus=A")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2")
        assert refused.json()["type"] == "/problems/too-many-requests"
        assert modest.get("/rules").status_code == 200
        assert modest.get("/api/v1/stock?skus=A").status_code == 200
        open_ones.close()
        until(lambda: greedy.get("/rules").status_code == 200, seconds=10)
