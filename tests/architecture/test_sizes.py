"""Functions and files stay small enough to read; the list of exceptions is empty and may only shrink."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 600
EXCEPTIONS: frozenset[str] = frozenset()
FILES = sorted(
    path for folder in ("src", "tests", "bench", "scripts", "examples") for path in (ROOT / folder).rglob("*.py")
)
KERNEL = sorted((ROOT / "src").rglob("*.[ch]"))


def _own_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring, which is prose."""
    length = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


def _too_long(file: Path) -> Iterator[str]:
    """What is too long in a file, each in words."""
    text = file.read_text(encoding="utf-8")
    lines = text.count("\n")
    if lines > FILE_LINES_MAX:
        yield f"{file.relative_to(ROOT)}: {lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _own_lines(node) > FUNCTION_LINES_MAX:
            yield f"{file.relative_to(ROOT)}: {node.name} has {_own_lines(node)} lines"


def test_functions_and_files_are_small() -> None:
    assert len(FILES) > 1_000
    assert [fault for file in FILES if str(file.relative_to(ROOT)) not in EXCEPTIONS for fault in _too_long(file)] == []


@pytest.mark.parametrize("file", KERNEL, ids=lambda file: file.name)
def test_files_of_the_kernel_are_small(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    ends = [number for number, line in enumerate(lines) if line.startswith("}")]
    begins = [number for number, line in enumerate(lines) if line == "{"]
    longest = max((min(end for end in ends if end > begin) - begin for begin in begins), default=0)
    assert len(lines) <= FILE_LINES_MAX
    assert longest <= FUNCTION_LINES_MAX
