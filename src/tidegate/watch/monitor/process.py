"""Memory and processor time of this installation's processes, read from /proc where the system has it."""

import os
from pathlib import Path

import msgspec

from tidegate.watch.monitor.contracts import ProcessFigures

_PROC = Path("/proc")
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
    """Return this process, its parent and all that descend from it; empty where there is no /proc."""
    if not (_PROC / "self" / "stat").exists():
        return {}
    parents = {pid: parent for pid in _pids() if (parent := _parent(pid)) is not None}
    family = _family(parents, os.getppid() if os.getppid() > 1 else os.getpid())
    found = {pid: _stand(pid) for pid in sorted(family)}
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
    return [int(place.name) for place in _PROC.iterdir() if place.name.isdigit()]


def _parent(pid: int) -> int | None:
    try:
        return int((_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
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


def _stand(pid: int) -> Stand | None:
    place = _PROC / str(pid)
    try:
        command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        name = (place / "comm").read_text().strip()
        fields = (place / "stat").read_text().rpartition(")")[2].split()
        memory = _own_memory_bytes(place)
    except (OSError, ValueError, IndexError):
        return None
    role = next((role for mark, role in _ROLES if mark in command or mark in name), name)
    return Stand(role, memory, int(fields[11]) + int(fields[12]))


def _own_memory_bytes(place: Path) -> int:
    """Return resident memory that is not shared: PostgreSQL's processes would each count the common buffers."""
    resident, shared = (int(each) for each in (place / "statm").read_text().split()[1:3])
    return max(resident - shared, 0) * os.sysconf("SC_PAGE_SIZE")
