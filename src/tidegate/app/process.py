"""A child process of the supervisor: started again when it dies, ended with all its group, found again after a kill."""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

from tidegate.base.embedded.process import alive

log = logging.getLogger(__name__)

_STOP_SECONDS = 10
_LOOK_SECONDS = 0.02


class Process:
    """One child process with its own log, started again when it dies."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str], log_file: Path) -> None:
        self.name = name
        self.log_file = log_file
        self._pid_file = log_file.with_suffix(".pid")
        self.restarts = 0
        self._command = command
        self._environment = environment
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id, or None when it does not run."""
        return self._running.pid if self._running is not None and self._running.poll() is None else None

    def start(self) -> None:
        """Start it; its output goes to its log."""
        with self.log_file.open("ab") as output:
            self._running = subprocess.Popen(  # noqa: S603  our own programs and arguments
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(self._environment),
                start_new_session=True,
            )
        self._pid_file.write_text(f"{self._running.pid} {_born(self._running.pid)}")

    def end_leftover(self) -> None:
        """End what a supervisor that was killed left running under this name, with all its group."""
        end_leftover(self._pid_file)

    def revive(self) -> None:
        """Start it again if it died."""
        if self._running is not None and self._running.poll() is not None:
            log.warning("%s ended with %s and is started again", self.name, self._running.returncode)
            self.restarts += 1
            _end_group(self._running.pid)
            self.start()

    def stop(self) -> None:
        """Ask it to end, and after ten seconds make it."""
        if self._running is None:
            return
        self._running.send_signal(signal.SIGTERM)
        try:
            self._running.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
        _end_group(self._running.pid)


def end_leftover(pid_file: Path) -> None:
    """End the process that a supervisor wrote down there and left running, with all its group; return when it is gone.

    What it listened at is free then.
    """
    with suppress(OSError, ValueError):
        pid, born = pid_file.read_text().split()
        if _born(int(pid)) == float(born):  # else the number belongs to somebody else by now
            log.warning("%s was left running by a supervisor that is gone, and is ended", pid_file.stem)
            _end_group(int(pid))
            ends_at = time.monotonic() + _STOP_SECONDS
            while _group_lives(int(pid)) and time.monotonic() < ends_at:
                time.sleep(_LOOK_SECONDS)


def _group_lives(group: int) -> bool:
    for pid in psutil.pids():
        with suppress(ProcessLookupError, PermissionError):
            if os.getpgid(pid) == group and alive(pid):
                return True
    return False


def _born(pid: int) -> float | None:
    """Return when a process was started, or None when there is no such process."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def _end_group(pid: int) -> None:
    """End what a dead process left behind in its own group, such as a server's workers."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
