"""The supervisor: everything runs, what dies is started again, an orderly end leaves nothing running and all data."""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL
from pathlib import Path

import httpx
import msgspec
import psutil
import pytest

from tests.faults.flood import kill, settings
from tidegate.app.compose import opened
from tidegate.app.process import Process
from tidegate.app.supervisor import NotReady, Supervisor, festival, vacated
from tidegate.app.up import STAFF_NAME, prepare
from tidegate.base.embedded.process import alive
from tidegate.base.embedded.servers import embedded_servers
from tidegate.base.embedded.valkey import EmbeddedValkey

SLEEPER = [sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)"]


async def _until(condition, seconds: float = 20) -> None:  # type: ignore[no-untyped-def]
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.05)


async def test_a_process_that_dies_is_started_again_and_one_that_is_stopped_is_not(tmp_path: Path) -> None:
    process = Process("sleeper", SLEEPER, os.environ, tmp_path / "sleeper.log")
    process.start()
    first = process.pid
    assert first is not None
    await _until(lambda: process.log_file.read_text().count("here") == 1)
    process.revive()
    assert (process.pid, process.restarts) == (first, 0)
    os.kill(first, signal.SIGKILL)
    await _until(lambda: process.pid is None)
    process.revive()
    second = process.pid
    assert second not in {None, first}
    assert process.restarts == 1
    await _until(lambda: process.log_file.read_text().count("here") == 2)
    process.stop()
    assert process.pid is None
    assert second is not None
    assert not alive(second)


async def test_what_a_dead_process_left_behind_is_ended_too(tmp_path: Path) -> None:
    child = tmp_path / "child"
    program = (
        "import os, time, pathlib\n"
        f"pid = os.fork()\npathlib.Path({str(child)!r} + str(pid == 0)).write_text(str(os.getpid()))\ntime.sleep(600)"
    )
    process = Process("forks", [sys.executable, "-c", program], os.environ, tmp_path / "forks.log")
    process.start()
    left = Path(f"{child}True")
    await _until(lambda: left.exists() and left.read_text() != "")
    orphan, parent = int(left.read_text()), process.pid
    assert parent is not None
    os.kill(parent, signal.SIGKILL)
    await _until(lambda: process.pid is None)
    assert alive(orphan)
    process.revive()
    await _until(lambda: not alive(orphan))
    process.stop()


async def test_what_a_killed_supervisor_left_is_ended_by_the_next(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    left = Process("sleeper", command, os.environ, tmp_path / "sleeper.log")
    left.start()
    pid = left.pid
    assert pid is not None
    Process("sleeper", command, os.environ, tmp_path / "sleeper.log").end_leftover()
    assert left.pid is None, "it is gone when that returns, and so is what it listened at"
    # A number that was given to another process since is left alone.
    left.start()
    other = left.pid
    (tmp_path / "sleeper.pid").write_text(f"{other} 1.0")
    Process("sleeper", command, os.environ, tmp_path / "sleeper.log").end_leftover()
    assert left.pid == other
    left.stop()


async def test_a_process_that_is_left_is_gone_only_when_all_its_threads_are(tmp_path: Path) -> None:
    told = tmp_path / "told"
    program = (
        "import ctypes, pathlib, threading, time\n"
        f"def other():\n    while not pathlib.Path({str(told)!r}).exists():\n        time.sleep(0.02)\n"
        "threading.Thread(target=other).start()\nctypes.CDLL(None).pthread_exit(None)"
    )
    process = Process("threads", [sys.executable, "-c", program], os.environ, tmp_path / "threads.log")
    process.start()
    pid = process.pid
    assert pid is not None
    await _until(lambda: psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    assert alive(pid)
    told.touch()
    await _until(lambda: not alive(pid))
    process.stop()


@pytest.mark.slow
@pytest.mark.xdist_group("flood")
async def test_everything_runs_dies_comes_back_and_ends_in_order() -> None:
    with settings() as config:
        async with festival(config) as supervisor:
            assert [process.name for process in supervisor.processes] == ["harbour", "lantern", "worker", "web"]
            password = await prepare(supervisor)
            assert await prepare(supervisor) == password, "the same login at every start"
            assert STAFF_NAME == "manager"
            async with opened(supervisor.config) as app:
                current = app.campaign.current()
                assert current is not None
                version = (current.campaign_id, current.version)
            pids = _pids(supervisor)
            assert None not in pids.values()
            with pytest.raises(NotReady, match=r"runs already on .* Nothing was started"):
                async with festival(config):
                    raise AssertionError("never given")
            assert _pids(supervisor) == pids
            with (
                settings() as elsewhere,
                pytest.raises(NotReady, match=r"Port \d+ .* cannot be used .* Nothing was started"),
            ):
                async with festival(msgspec.structs.replace(elsewhere, port=config.port)):
                    raise AssertionError("never given")
            for victim in ("web", "worker", "lantern", "valkey", "postgres"):
                assert kill(supervisor, victim)
            await _until(lambda: all(pids[name] != pid is not None for name, pid in _living(supervisor).items()), 40)
            await _ready(config.public_url)
            last = _pids(supervisor)
        assert _pids(supervisor) == dict.fromkeys(last)
        assert not [pid for pid in last.values() if pid is not None and alive(pid)]
        async with festival(config) as again, opened(again.config) as app:
            current = app.campaign.current()
            assert current is not None
            assert (current.campaign_id, current.version) == version, "it continues with the same data"


async def test_a_folder_is_vacated_of_what_a_killed_supervisor_left() -> None:
    with settings() as config:
        logs = config.data_dir / "log"
        logs.mkdir(parents=True)
        process, server = Process("sleeper", SLEEPER, os.environ, logs / "sleeper.log"), EmbeddedValkey(config.data_dir)
        process.start()
        assert server.start()
        with vacated(config.data_dir):
            assert (process.pid, server.pid) == (None, None)
            with pytest.raises(NotReady, match="runs already"), vacated(config.data_dir):
                raise AssertionError("never given")


@pytest.mark.slow
@pytest.mark.xdist_group("flood")
async def test_after_a_kill_of_the_supervisor_itself_the_next_takes_over_and_ends_everything() -> None:
    with settings() as config:
        own = {"TIDEGATE_DATA_DIR": str(config.data_dir), "TIDEGATE_PORT": str(config.port)}
        up = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tidegate", "up", env={**os.environ, **own}, stdout=DEVNULL, stderr=DEVNULL
        )
        await _ready(config.public_url)
        up.kill()
        await up.wait()
        servers = {type(server).__name__: server.pid for server in embedded_servers(config)}
        processes = [int(file.read_text().split()[0]) for file in (config.data_dir / "log").glob("*.pid")]
        pids = [*processes, *[pid for pid in servers.values() if pid is not None]]
        assert len(pids) == 6
        assert all(alive(pid) for pid in pids), "a kill of the supervisor ends only itself"
        async with festival(config) as again:
            await _ready(config.public_url)
            assert {name: _pids(again)[name] for name in servers} == servers, "the servers were taken over"
            with pytest.raises(NotReady, match="runs already"), vacated(config.data_dir):
                raise AssertionError("never given")
        assert not [pid for pid in pids if alive(pid)]


def _pids(supervisor: Supervisor) -> dict[str, int | None]:
    named = {process.name: process.pid for process in supervisor.processes}
    return {**named, **{type(server).__name__: server.pid for server in supervisor.servers}}


def _living(supervisor: Supervisor) -> dict[str, int | None]:
    """Those that were killed."""
    return {name: pid for name, pid in _pids(supervisor).items() if name != "harbour"}


async def _ready(url: str) -> None:
    deadline = time.monotonic() + 30
    async with httpx.AsyncClient(timeout=3) as client:
        while time.monotonic() < deadline:
            try:
                if (await client.get(f"{url}/health/ready")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.2)
    raise AssertionError("not ready again")
