"""The edge of deploy/ for a measurement: nginx with TLS in front of a shop on this machine."""

import importlib.util
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.nginx import find as find_nginx

_DEPLOY = Path(__file__).parents[1] / "deploy" / "nginx"
_NO_LIMIT = "1000000"


class NoEdge(RuntimeError):
    """nginx or openssl is not on this machine, or nginx does not start."""


@contextmanager
def edge(app: str, port: int, folder: Path, personal_pages: int) -> Iterator[ssl.SSLContext]:
    """Run nginx on `port` before the shop at `app` ("host:port"); give the context that trusts its certificate.

    So many pages of signed-in visitors a second go through; limits by address are off, as all visitors have one.
    Raises NoEdge.
    """
    nginx, openssl = find_nginx(), shutil.which("openssl")
    if nginx is None or openssl is None:
        raise NoEdge("This measurement needs nginx (`make nginx` unpacks it on Debian) and openssl.")
    folder.mkdir()
    folder.chmod(0o755)  # the workers are another user's
    cert, key, file = folder / "cert.pem", folder / "key.pem", folder / "nginx.conf"
    _certify(openssl, cert, key)
    file.write_text(_configuration(app, port, folder, personal_pages, nginx.mime), encoding="utf-8")
    running = subprocess.Popen([nginx.program, "-c", str(file), "-g", "daemon off;"], stderr=subprocess.PIPE)
    try:
        _until_open(running, port)
        yield ssl.create_default_context(cafile=str(cert))
    finally:
        running.terminate()
        running.communicate(timeout=30)


def _certify(openssl: str, cert: Path, key: Path) -> None:
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-keyout", key, "-out", cert, "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True,
        capture_output=True,
    )  # fmt: skip


def _configuration(app: str, port: int, folder: Path, personal_pages: int, mime: str) -> str:
    spec = importlib.util.spec_from_file_location("render", _DEPLOY / "render.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    arguments = {
        "app": app,
        "name": "localhost",
        "cert": str(folder / "cert.pem"),
        "key": str(folder / "key.pem"),
        "tls": f"127.0.0.1:{port}",
        "plain": f"127.0.0.1:{port + 1}",
        "run": str(folder),
        "mime": mime,
        "pages-a-second": _NO_LIMIT,
        "orders-a-second": _NO_LIMIT,
        "connections": "60000",
        "personal-pages-a-second": str(personal_pages),
    }
    given = [word for name, value in arguments.items() for word in (f"--{name}", value)]
    return str(module.render(module.values_of(given)))


def _until_open(running: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(200):
        if running.poll() is not None:
            raise NoEdge(f"nginx does not start: {running.communicate()[1].decode()}")
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise NoEdge("nginx does not listen")
