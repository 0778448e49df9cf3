"""The environment is made with the fastest interpreter of the version that was called, and only with one that works."""

import sys
from pathlib import Path

import pytest
from scripts import setup

NAME = f"python{sys.version_info.major}.{sys.version_info.minor}"


def interpreter(folder: Path, says: str) -> str:
    """A command with the name of an interpreter that answers the measurement so."""
    folder.mkdir()
    command = folder / NAME
    command.write_text(f"#!/bin/sh\n{says}\n")
    command.chmod(0o755)
    return str(command)


def test_a_clearly_faster_interpreter_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast, faster = interpreter(tmp_path / "fast", "echo 0.0002"), interpreter(tmp_path / "faster", "echo 0.0001")
    monkeypatch.setattr(setup, "USUAL_FOLDERS", (str(Path(fast).parent), str(Path(faster).parent)))
    assert setup.fastest() == faster


def test_one_that_is_slower_or_fails_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter(tmp_path / "slow", "echo 60.0")
    interpreter(tmp_path / "without_venv", "exit 1")
    interpreter(tmp_path / "talking", "echo hello")
    monkeypatch.setenv("PATH", ":".join(str(each) for each in tmp_path.iterdir()))
    monkeypatch.setattr(setup, "USUAL_FOLDERS", ())
    assert setup.fastest() == sys.executable


def test_another_is_taken_where_the_one_called_cannot_make_an_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = interpreter(tmp_path / "works", "echo 60.0")
    monkeypatch.setattr(setup, "USUAL_FOLDERS", (str(tmp_path / "works"),))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", interpreter(tmp_path / "broken", "exit 1"))
    assert setup.fastest() == works
