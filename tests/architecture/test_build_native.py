"""The pricing kernel is compiled by the first C compiler that can, and replaced only by one that was compiled."""

from pathlib import Path

import pytest
from scripts import build_native

WORKS = """while [ "$1" != -o ]; do shift; done; echo compiled > "$2" """
FAILS = "echo 'kernel.c:7: no such type' >&2; exit 1"


@pytest.fixture(autouse=True)
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for compilers, the only one where commands are looked for."""
    folder = tmp_path / "commands"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CC", raising=False)
    return folder


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A folder like the kernel's, with a library that was compiled before."""
    folder = tmp_path / "native"
    folder.mkdir()
    (folder / "kernel.c").touch()
    (folder / "kernel.so").write_text("before\n")
    return folder


def compiler(folder: Path, name: str, does: str) -> None:
    """A command of this name."""
    command = folder / name
    command.write_text(f"#!/bin/sh\n{does}\n")
    command.chmod(0o755)


def test_the_first_that_works_is_taken(commands: Path, sources: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compiler(commands, "cc", FAILS)
    compiler(commands, "gcc", WORKS)
    compiler(commands, "clang", WORKS)
    build_native.main(sources)
    assert capsys.readouterr().out == "Compiling the pricing kernel with gcc ...\n"
    assert (sources / "kernel.so").read_text() == "compiled\n"
    assert sorted(path.name for path in sources.iterdir()) == ["kernel.c", "kernel.so"]


def test_the_one_that_is_named_comes_first(commands: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler(commands, "cc", WORKS)
    compiler(commands, "special", WORKS)
    monkeypatch.setenv("CC", "special -m64")
    assert build_native.installed() == ["special", "-m64"]
    monkeypatch.setenv("CC", "absent")
    assert build_native.installed() == ["cc"]


def test_without_one_that_works_none_is_taken(commands: Path) -> None:
    assert build_native.installed() is None
    compiler(commands, "cc", FAILS)
    assert build_native.installed() is None


def test_a_failure_is_told_and_the_old_library_stays(commands: Path, sources: Path) -> None:
    compiler(commands, "cc", f'case "$*" in *trial.c) {WORKS};; *) {FAILS};; esac')
    with pytest.raises(SystemExit) as left:
        build_native.main(sources)
    assert left.value.code == "cc failed:\nkernel.c:7: no such type\n"
    assert (sources / "kernel.so").read_text() == "before\n"
    assert sorted(path.name for path in sources.iterdir()) == ["kernel.c", "kernel.so"]
