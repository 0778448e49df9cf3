"""A module's SQL names only its own schema, and stands only in its stores and migrations."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2] / "src" / "tidegate"
ROOMS = ("trust", "offer", "gate", "sale", "care", "watch")
MODULES = {
    module.name: module
    for room in ROOMS
    for module in sorted((ROOT / room).iterdir() if (ROOT / room).is_dir() else ())
    if (module / "__init__.py").is_file()
}
SCHEMAS = [*MODULES, "base", "procrastinate"]
EXCEPTIONS: frozenset[str] = frozenset()
_NAMED = re.compile(
    r"\b(?:from|join|into|update|table|references|on|truncate|using|regclass\(')\s+(?:only\s+|if\s+(?:not\s+)?exists\s+)?"
    r"(" + "|".join(SCHEMAS) + r")\.[a-z_]+",
    re.IGNORECASE,
)
_SQL = re.compile(
    r"\b(?:select\s.+?\sfrom|insert\s+into|update\s+[a-z_.]+\s+(?:[a-z]\s+)?set|delete\s+from)\s",
    re.IGNORECASE | re.DOTALL,
)


def _sql_files(module: Path) -> list[Path]:
    return [*sorted(module.glob("**/*store*.py")), *sorted(module.glob("migrations/*.sql"))]


@pytest.mark.parametrize("name", MODULES)
def test_sql_names_only_the_modules_own_schema(name: str) -> None:
    foreign = {
        f"{file.name}: {found.group(0)}"
        for file in _sql_files(MODULES[name])
        for found in _NAMED.finditer(file.read_text(encoding="utf-8"))
        if found.group(1).lower() != name
    }
    assert foreign - EXCEPTIONS == set()


@pytest.mark.parametrize("name", MODULES)
def test_sql_stands_only_in_stores(name: str) -> None:
    stores = set(_sql_files(MODULES[name]))
    strays = {
        f"{file.name}: {found.group(0)[:60]}"
        for file in sorted(MODULES[name].glob("**/*.py"))
        if file not in stores
        for line in re.findall(r'"(?:[^"\\]|\\.)*"', file.read_text(encoding="utf-8"))
        for found in _SQL.finditer(line)
        if any(f"{schema}." in line for schema in SCHEMAS)
    }
    assert strays - EXCEPTIONS == set()


def test_every_schema_is_made_by_its_module() -> None:
    for name, module in MODULES.items():
        made = {
            schema
            for file in module.glob("migrations/*.sql")
            for schema in re.findall(r"create schema (?:if not exists )?(\w+)", file.read_text(encoding="utf-8"))
        }
        assert made <= {name}
