"""The embedded servers: one whoever starts, durable, recovering, at home in odd folders, left alone when adopted."""

import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
import valkey

from tidegate.base.config import Config
from tidegate.base.embedded.postgres import EmbeddedPostgres
from tidegate.base.embedded.process import alive, socket_folder
from tidegate.base.embedded.servers import running_servers
from tidegate.base.embedded.valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("embedded")

_START_BOTH = """
import sys
from pathlib import Path
from tidegate.base.embedded.postgres import EmbeddedPostgres
from tidegate.base.embedded.valkey import EmbeddedValkey
place = Path(sys.argv[1])
print(*[f"{server.start()}:{server.pid}" for server in (EmbeddedPostgres(place), EmbeddedValkey(place))])
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A data folder; whatever still runs on it at the end is stopped."""
    with TemporaryDirectory(prefix="tidegate-embedded-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        for server in (EmbeddedPostgres(Path(folder)), EmbeddedValkey(Path(folder))):
            server.stop()


def _runs(server: EmbeddedPostgres | EmbeddedValkey) -> bool:
    return server.pid is not None


def _ask(postgres: EmbeddedPostgres, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def test_two_that_start_at_once_get_one_server(place: Path) -> None:
    starting = [
        subprocess.Popen([sys.executable, "-c", _START_BOTH, str(place)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=90)[0].split() for process in starting]
    assert [process.returncode for process in starting] == [0, 0]
    for first, second in zip(*told, strict=True):
        assert {first.split(":")[0], second.split(":")[0]} == {"True", "False"}
        assert first.split(":")[1] == second.split(":")[1], "both see the same server"
    postgres, cache = EmbeddedPostgres(place), EmbeddedValkey(place)
    assert postgres.start() is False
    assert cache.start() is False
    assert _ask(postgres, "select 1") == [(1,)]


def test_what_was_committed_is_there_after_kill_9_and_durability_is_on(place: Path) -> None:
    postgres = EmbeddedPostgres(place)
    assert postgres.start() is True
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert _ask(postgres, f"show {setting}") == [("on",)]
    assert _ask(postgres, "show listen_addresses") == [("",)]
    _ask(postgres, "create table kept (id int primary key)")
    for turn in range(3):
        _ask(postgres, f"insert into kept select generate_series({turn * 100}, {turn * 100 + 99})")
        with psycopg.connect(postgres.url) as unfinished:
            unfinished.execute("insert into kept values (-1)")
            pid = postgres.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            with pytest.raises(psycopg.OperationalError):
                for _ in range(100):
                    unfinished.execute("select pg_sleep(0.1)")
        assert postgres.start() is True
        assert postgres.pid not in {None, pid}
        assert _ask(postgres, "select count(*), min(id), max(id) from kept") == [((turn + 1) * 100, 0, turn * 100 + 99)]
    postgres.stop()
    assert postgres.pid is None
    assert postgres.start() is True
    assert _ask(postgres, "select count(*) from kept") == [(300,)]
    postgres.stop()


def test_it_runs_as_an_account_without_rights_and_lets_no_other_account_in(place: Path) -> None:
    postgres = EmbeddedPostgres(place)
    postgres.start()
    pid = postgres.pid
    assert pid is not None
    owner = Path(f"/proc/{pid}").stat().st_uid
    assert owner != 0
    if os.geteuid() == 0:
        assert pwd.getpwuid(owner).pw_name in {"postgres", "nobody"}
    socket = socket_folder(place) / "postgres" / ".s.PGSQL.5432"
    assert (socket.stat().st_mode & 0o777, socket.stat().st_uid) == (0o700, owner)
    postgres.stop()


def test_a_data_folder_that_only_its_owner_may_enter_works(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    data_dir = closed / "data"
    postgres, cache = EmbeddedPostgres(data_dir), EmbeddedValkey(data_dir)
    try:
        assert (postgres.start(), cache.start()) == (True, True)
        assert _ask(postgres, "select 1") == [(1,)]
        assert EmbeddedPostgres(data_dir).start() is False
        assert closed.stat().st_mode & 0o777 == 0o700, "nobody's folder was opened"
    finally:
        postgres.stop()
        cache.stop()
    assert (postgres.pid, cache.pid) == (None, None)


def test_a_path_longer_than_a_socket_may_have_works(place: Path) -> None:
    data_dir = place / ("a long name of a folder " * 5) / ("and another " * 6)
    assert len(str(data_dir)) > 107
    postgres, cache = EmbeddedPostgres(data_dir), EmbeddedValkey(data_dir)
    try:
        assert (postgres.start(), cache.start()) == (True, True)
        assert _ask(postgres, "select 1") == [(1,)]
    finally:
        postgres.stop()
        cache.stop()


def test_valkey_comes_back_after_kill_9_and_is_stopped(place: Path) -> None:
    cache = EmbeddedValkey(place)
    assert cache.start() is True
    first = cache.pid
    assert first is not None
    with valkey.Valkey.from_url(cache.url) as client:
        assert client.ping() is True
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-ttl"}
    os.kill(first, signal.SIGKILL)
    assert cache.start() is True
    assert cache.pid not in {None, first}
    with valkey.Valkey.from_url(cache.url) as client:
        assert client.ping() is True
    cache.stop()
    assert not _runs(cache)
    assert not alive(first)


def test_what_ran_before_is_used_and_left_running(place: Path) -> None:
    postgres, cache = EmbeddedPostgres(place), EmbeddedValkey(place)
    assert postgres.start() is True
    config = Config(data_dir=place, secret=b"a secret of the tests, long enough")
    with running_servers(config) as located:
        assert located.database_url == postgres.url
        assert located.cache_url == cache.url
        assert _runs(cache)
    assert _runs(postgres), "found running, so left running"
    assert not _runs(cache), "started here, so stopped here"
    elsewhere = Config(
        data_dir=place / "unused", secret=config.secret, database_url="postgresql://db", cache_url="valkey://cache"
    )
    with running_servers(elsewhere) as located:
        assert located == elsewhere
    postgres.stop()
    assert not (place / "unused").exists()
