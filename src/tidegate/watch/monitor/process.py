"""Memory and processor time of this installation's processes, read from /proc where the system has it."""

import os
from typing import NamedTuple

import msgspec

from tidegate.watch.monitor.contracts import ProcessFigures

_PROC = "/proc"
_READ_BYTES = 4096
"""More than the files of a process have that are read here; of a longer command its beginning will do."""
_ROLES = (
    ("tidegate web", "web"),
    ("tidegate worker", "worker"),
    ("sandbox-channel", "channel"),
    ("sandbox_channel", "channel"),
    ("granian", "web"),
    ("multiprocessing.spawn", "web"),
    ("postgres", "postgres"),
    ("valkey", "valkey"),
    ("tidegate", "supervisor"),
)


class Stand(msgspec.Struct, frozen=True):
    """One process at one moment."""

    role: str
    memory_bytes: int
    cpu_ticks: int


def stands() -> dict[int, Stand]:
    """Return this process, its parent and all that descend from it; empty where there is no /proc.

    Called each second, for a server's fifty processes: files are read without any of Python's layers.
    """
    stats = {pid: stat for pid in _pids() if (stat := _stat(pid)) is not None}
    root = os.getppid() if os.getppid() > 1 else os.getpid()
    family = _family({pid: stat.parent for pid, stat in stats.items()}, root)
    found = {pid: _stand(pid, stats[pid]) for pid in sorted(family) if pid in stats}
    return {pid: stand for pid, stand in found.items() if stand is not None}


def figures(before: dict[int, Stand], after: dict[int, Stand], seconds: float) -> tuple[ProcessFigures, ...]:
    """Return what each role took between two moments; the many processes of one role are added up."""
    ticks = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
    roles: dict[str, ProcessFigures] = {}
    for pid, stand in after.items():
        spent = max(stand.cpu_ticks - before.get(pid, stand).cpu_ticks, 0) / ticks / max(seconds, 0.001)
        known = roles.get(stand.role)
        roles[stand.role] = ProcessFigures(
            role=stand.role,
            pid=known.pid if known else pid,
            memory_bytes=stand.memory_bytes + (known.memory_bytes if known else 0),
            cpu_share=round(spent + (known.cpu_share if known else 0.0), 2),
        )
    return tuple(sorted(roles.values(), key=lambda each: -each.memory_bytes))


def _pids() -> list[int]:
    try:
        with os.scandir(_PROC) as places:
            return [int(place.name) for place in places if place.name.isdigit()]
    except OSError:
        return []


class _Stat(NamedTuple):
    name: str
    parent: int
    cpu_ticks: int


def _stat(pid: int) -> _Stat | None:
    """Read what proc_pid_stat(5) describes: the name stands in brackets and may hold any character."""
    try:
        head, _, tail = _read(f"{_PROC}/{pid}/stat").rpartition(b")")
        fields = tail.split()
        return _Stat(
            head.partition(b"(")[2].decode(errors="replace"), int(fields[1]), int(fields[11]) + int(fields[12])
        )
    except (OSError, ValueError, IndexError):
        return None


def _family(parents: dict[int, int], root: int) -> set[int]:
    """Return `root` and all that descend from it."""
    family, grown = {root}, True
    while grown:
        children = {pid for pid, parent in parents.items() if parent in family} - family
        family |= children
        grown = bool(children)
    return family


def _stand(pid: int, stat: _Stat) -> Stand | None:
    try:
        command = _read(f"{_PROC}/{pid}/cmdline").replace(b"\0", b" ").decode(errors="replace")
        memory = _own_memory_bytes(pid)
    except (OSError, ValueError):
        return None
    role = next((role for mark, role in _ROLES if mark in command or mark in stat.name), stat.name)
    return Stand(role, memory, stat.cpu_ticks)


def _own_memory_bytes(pid: int) -> int:
    """Return resident memory that is not shared: PostgreSQL's processes would each count the common buffers."""
    resident, shared = (int(each) for each in _read(f"{_PROC}/{pid}/statm").split()[1:3])
    return max(resident - shared, 0) * os.sysconf("SC_PAGE_SIZE")


def _read(path: str) -> bytes:
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, _READ_BYTES)
    finally:
        os.close(file)
