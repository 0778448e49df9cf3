"""What both embedded servers share: a start lock, a socket folder, an unprivileged account, processes by pid."""

import fcntl
import hashlib
import os
import pwd
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

_ACCOUNTS = ("postgres", "nobody")


class ServerFault(RuntimeError):
    """An embedded server could not be started; the message says why and where its log is."""


@contextmanager
def start_lock(file: Path) -> Iterator[None]:
    """Hold a lock across processes, so that two that start at once do not both start a server."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def socket_folder(data_dir: Path) -> Path:
    """Return a folder for unix sockets: short, since a socket's path may have 107 bytes, and one per data folder."""
    tag = hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"tidegate-{tag}"
    folder.mkdir(exist_ok=True)
    return folder


def unprivileged() -> pwd.struct_passwd | None:
    """Return the account for a server that must not run as root, or None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in _ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServerFault("PostgreSQL must not run as root, and there is no account postgres or nobody to run it as.")


def reachable(place: Path) -> bool:
    """Return whether any account may reach `place`: every folder above it lets others pass."""
    return all(parent.stat().st_mode & 0o001 for parent in place.resolve().parents)


def alive(pid: int) -> bool:
    """Return whether a process of this id runs, were it only one of its threads.

    A process whose first thread has ended is a zombie to look at; what it listens at is free when the others have too.
    """
    try:
        process = psutil.Process(pid)
        return bool(process.status() != psutil.STATUS_ZOMBIE or process.num_threads() > 1)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def end(pid: int, how: signal.Signals, *, seconds: float) -> None:
    """Send signal `how` to `pid` and wait; after `seconds` kill it."""
    deadline = time.monotonic() + seconds
    try:
        os.kill(pid, how)
        while alive(pid) and time.monotonic() < deadline:
            reap(pid)
            time.sleep(0.02)
        if alive(pid):
            os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def reap(pid: int, started: "subprocess.Popen[bytes] | None" = None) -> None:
    """Take leave of a dead child: until then its id is in use, and PostgreSQL believes that the server still runs."""
    if started is not None:
        started.poll()
    if pid > 0:
        with suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def tail(log: Path, lines: int = 8) -> str:
    """Return the last lines of a log, for an error message."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else "(no log)"


def memory_bytes() -> int:
    """Return this machine's memory, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
