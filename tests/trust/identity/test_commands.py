"""`tidegate staff` on a real database."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from click.testing import CliRunner, Result

from tidegate.base.cache import Cache
from tidegate.base.clock import SystemClock
from tidegate.base.config import Config
from tidegate.base.db import Database
from tidegate.base.ids import Ids
from tidegate.trust.identity.api import Identity, build_identity
from tidegate.trust.identity.commands import group

PASSWORD = "three boats at the quay"


@dataclass
class Opened:
    """An installation as the commands see it."""

    db: Database
    identity: Identity


class Terminal:
    """Runs the commands as a person at a terminal would."""

    def __init__(self, config: Config) -> None:
        self._config = config

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Opened]:
        """Open the installation for one command."""
        assert self._config.database_url is not None
        assert self._config.cache_url is not None
        db, cache, clock = Database(self._config.database_url), Cache(self._config.cache_url), SystemClock()
        await db.open()
        try:
            yield Opened(db, build_identity(self._config, db=db, cache=cache, clock=clock, ids=Ids(clock)))
        finally:
            await cache.close()
            await db.close()

    def run(self, *arguments: str, typed: str = "") -> Result:
        """Run one command."""
        return CliRunner().invoke(group, list(arguments), obj=self.opened, input=typed)

    def sign_in(self, name: str, password: str) -> str:
        """Sign in and return the role."""

        async def signing_in() -> str:
            async with self.opened() as app:
                return (await app.identity.staff_sign_in(name, password, "")).staff.role.value

        return asyncio.run(signing_in())


@pytest.fixture
def terminal(config: Config) -> Terminal:
    return Terminal(config)


def test_somebody_is_added_with_a_typed_password(terminal: Terminal) -> None:
    added = terminal.run("add", "lin.wei", "--role", "payment", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert added.exit_code == 0, added.output
    assert "lin.wei may sign in to the console as payment." in added.output
    assert PASSWORD not in added.output
    assert terminal.sign_in("lin.wei", PASSWORD) == "payment"


def test_a_generated_password_is_printed_once_and_works(terminal: Terminal) -> None:
    added = terminal.run("add", "lin.wei", "--role", "director", "--generate")
    password = added.output.strip().rsplit(" ", 1)[-1]
    assert terminal.sign_in("lin.wei", password) == "director"
    renewed = terminal.run("password", "lin.wei", "--generate")
    assert terminal.sign_in("lin.wei", renewed.output.strip().rsplit(" ", 1)[-1]) == "director"


def test_refusals_say_what_happened_and_exit_with_1(terminal: Terminal) -> None:
    terminal.run("add", "lin.wei", "--role", "payment", "--generate")
    again = terminal.run("add", "lin.wei", "--role", "payment", "--generate")
    assert again.exit_code == 1
    assert "nobody was added" in again.output
    weak = terminal.run("add", "chen.yu", "--role", "payment", typed="short\nshort\n")
    assert weak.exit_code == 1
    assert "12 to 128 characters" in weak.output
    assert terminal.run("close", "nobody").exit_code == 1
    assert terminal.run("add", "chen.yu", "--role", "emperor", "--generate").exit_code == 2


def test_the_list_is_for_people_and_machines(terminal: Terminal) -> None:
    assert "Nobody yet" in terminal.run("list").output
    terminal.run("add", "lin.wei", "--role", "payment", "--generate")
    terminal.run("add", "chen.yu", "--role", "risk", "--generate")
    assert "no access any more" in terminal.run("close", "lin.wei").output
    table = terminal.run("list").output
    assert "chen.yu" in table
    assert "closed 20" in table
    listed = json.loads(terminal.run("list", "--json").output)
    assert [(each["staff"]["name"], each["closed_at"] is None) for each in listed] == [
        ("chen.yu", True),
        ("lin.wei", False),
    ]
    assert "password" not in json.dumps(listed)
