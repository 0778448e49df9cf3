"""Ports for installations that tests start: each test process has a range of its own, so that two never meet."""

import fcntl
import os
import socket
import tempfile
from functools import cache
from itertools import count
from pathlib import Path

_FIRST = 18_000
_RANGE = 1_500
_RANGES = 9
"""All below the ports that the kernel gives to whoever asks for any."""
_STEP = 10
_OFFSETS = (0, 1, 2, 3, 100, 101, 102, 103)
_taken = count()


def installation_port() -> int:
    """Return a port that is free together with those of the payment channels and their desks beside it."""
    first = _first_of_range()
    for _ in range(_RANGE // _STEP):
        port = first + next(_taken) * _STEP % (_RANGE - 200)
        if all(_is_free(port + offset) for offset in _OFFSETS):
            return port
    raise AssertionError("no free ports")


@cache
def _first_of_range() -> int:
    """Return the first port of a range that no other process holds: a lock on a file keeps it until this one ends."""
    for number in range(_RANGES):
        lock = os.open(Path(tempfile.gettempdir()) / f"tidegate-test-ports-{os.getuid()}-{number}", os.O_CREAT | os.O_RDWR, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return _FIRST + number * _RANGE
    raise AssertionError("no free range of ports")


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
