"""The command line explains itself, and says in one line what is wrong."""

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tidegate.app.cli import main


def _run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tidegate", *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_help_names_every_command_with_a_sentence() -> None:
    told = CliRunner().invoke(main, ["--help"])
    assert told.exit_code == 0
    lines = told.output.split("Commands:\n")[1].splitlines()
    named = {line.split()[0]: line.split(maxsplit=1)[1:] for line in lines if line.startswith("  ") and line[2] != " "}
    wanted = {"up", "demo", "web", "worker", "migrate", "campaign", "catalogue", "payment", "doctor", "rehearse"}
    assert wanted | {"sandbox-channel", "staff"} <= named.keys()
    assert [name for name, words in named.items() if not words] == []


@pytest.mark.parametrize("name", main.list_commands(click.Context(main)))
def test_every_command_explains_itself(name: str) -> None:
    told = CliRunner().invoke(main, [name, "-h"])
    assert told.exit_code == 0
    assert told.output.startswith(f"Usage: main {name}")
    assert len(told.output.splitlines()) >= 4


def test_an_unknown_command_is_refused() -> None:
    told = CliRunner().invoke(main, ["upp"])
    assert told.exit_code == 2
    assert "No such command 'upp'" in told.output


def test_the_version_is_told() -> None:
    told = CliRunner().invoke(main, ["--version"])
    assert (told.exit_code, told.output.split()[-1]) == (0, "0.1.0")


def test_a_bad_setting_is_one_line_that_names_it_and_nothing_is_started(tmp_path: Path) -> None:
    told = _run("migrate", TIDEGATE_DATA_DIR=str(tmp_path / "data"), TIDEGATE_PORT="harbour")
    assert told.returncode == 1
    assert told.stderr == "tidegate: TIDEGATE_PORT must be a whole number from 1 to 65535, not 'harbour'\n"
    assert told.stdout == ""
    assert not (tmp_path / "data").exists()


def test_a_database_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    nowhere = f"postgresql:///shop?host={tmp_path}"
    told = _run(
        "migrate", TIDEGATE_DATA_DIR=str(tmp_path), TIDEGATE_DATABASE_URL=nowhere, TIDEGATE_CACHE_URL="valkey://x"
    )
    assert told.returncode == 1
    assert told.stderr == "tidegate: The database does not answer just now. Try again in a few seconds.\n"


def test_migrate_may_be_repeated(database_url: str, tmp_path: Path) -> None:
    for _ in range(2):
        told = _run(
            "migrate",
            TIDEGATE_DATA_DIR=str(tmp_path),
            TIDEGATE_DATABASE_URL=database_url,
            TIDEGATE_CACHE_URL="valkey://x:1",
        )
        assert (told.returncode, told.stdout) == (0, "The schema is up to date.\n"), told.stderr
