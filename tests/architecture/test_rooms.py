"""The house: each room uses only the rooms below it, and a module is entered only through its public files."""

import grimp
import pytest

ROOMS = ("app", "watch", "care", "sale", "gate", "offer", "trust", "base")
PUBLIC = ("api", "contracts", "errors")
DOORS = ("http", "console", "commands", "jobs")
ORDER = {
    "watch": ("monitor", "rehearsal", "debrief"),
    "sale": (
        "stock",
        "points",
        "payment",
        "ordering",
        "presale",
        "groups",
        "draws",
        "protection",
        "repricing",
        "shortfall",
    ),
    "offer": ("campaign", "catalogue", "coupons", "pricing", "reach", "history", "law"),
}
EXCEPTIONS: frozenset[tuple[str, str]] = frozenset()


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("tidegate", cache_dir=None)


def _imports(graph: grimp.ImportGraph) -> list[tuple[list[str], list[str]]]:
    return [
        (importer.split("."), imported.split("."))
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
    ]


def test_each_room_uses_only_rooms_below_it(graph: grimp.ImportGraph) -> None:
    upward = {
        (".".join(importer), ".".join(imported))
        for importer, imported in _imports(graph)
        if len(importer) > 1 and len(imported) > 1 and importer[1] in ROOMS and imported[1] in ROOMS
        if ROOMS.index(imported[1]) < ROOMS.index(importer[1])
    }
    assert upward - EXCEPTIONS == set()


def test_modules_are_entered_through_their_public_files(graph: grimp.ImportGraph) -> None:
    """App, which wires and serves, may also use their doors and what is made to be wired (lane, board, ports ...)."""
    wired = {
        ("sale", "ordering", "lane"),
        ("sale", "ordering", "station"),
        ("sale", "stock", "board"),
        ("watch", "monitor", "ports"),
    }
    inside = set()
    for importer, imported in _imports(graph):
        if len(imported) < 4 or imported[1] in ("app", "base") or importer[1:3] == imported[1:3]:
            continue
        public = (*PUBLIC, *DOORS) if importer[1] == "app" else PUBLIC
        if imported[3] not in public and not (importer[1] == "app" and tuple(imported[1:4]) in wired):
            inside.add((".".join(importer), ".".join(imported)))
    assert inside - EXCEPTIONS == set()


def test_modules_of_a_room_use_each_other_in_one_direction(graph: grimp.ImportGraph) -> None:
    backward = {
        (".".join(importer), ".".join(imported))
        for importer, imported in _imports(graph)
        if len(importer) > 2 and len(imported) > 2 and importer[1] == imported[1] and importer[1] in ORDER
        if importer[2] in ORDER[importer[1]] and imported[2] in ORDER[importer[1]]
        if ORDER[importer[1]].index(imported[2]) > ORDER[importer[1]].index(importer[2])
    }
    assert backward - EXCEPTIONS == set()


def test_no_cycles_between_modules(graph: grimp.ImportGraph) -> None:
    edges = {
        (tuple(importer[:3]), tuple(imported[:3]))
        for importer, imported in _imports(graph)
        if len(importer) > 2 and len(imported) > 2 and importer[1] != "base" and importer[:3] != imported[:3]
    }
    assert _cycle(edges) is None


def _cycle(edges: set[tuple[tuple[str, ...], tuple[str, ...]]]) -> tuple[str, ...] | None:
    """Return a module that can reach itself, or None: take away what imports nothing until nothing is left."""
    left = set(edges)
    while left:
        sources = {importer for importer, _ in left}
        fewer = {(importer, imported) for importer, imported in left if imported in sources}
        if fewer == left:
            return next(iter(sources))
        left = fewer
    return None
