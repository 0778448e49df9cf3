"""Ports for installations that tests start: each test process has a range of its own, so that two never meet."""

import os
import socket
from itertools import count

_FIRST = 18_000
_RANGE = 1_500
_STEP = 10
_OFFSETS = (0, 1, 2, 3, 100, 101, 102, 103)
_taken = count()


def installation_port() -> int:
    """Return a port that is free together with those of the payment channels and their desks beside it."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for _ in range(_RANGE // _STEP):
        port = _FIRST + worker * _RANGE + next(_taken) * _STEP % (_RANGE - 200)
        if all(_is_free(port + offset) for offset in _OFFSETS):
            return port
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
