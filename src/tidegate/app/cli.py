"""The command line: `tidegate --help` explains itself.

The processes of a festival are commands, too, and start again when they are killed: they load nothing but themselves.
"""

import gc
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

from tidegate.app.sandbox_channel.commands import command as sandbox_channel
from tidegate.base.config import Config
from tidegate.base.embedded.process import ServerFault
from tidegate.base.errors import Refusal

_PROCESSES = frozenset({"web", "worker", "sandbox-channel"})


@contextmanager
def _loading() -> Iterator[None]:
    """Leave garbage alone meanwhile: modules make none, and looking for it costs a seventh of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class _Commands(click.Group):
    """All commands; those that are no processes are loaded when somebody asks for one of them, or for the list."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        self._load(ctx)
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command by its name."""
        if cmd_name not in _PROCESSES:
            self._load(ctx)
        return super().get_command(ctx, cmd_name)

    def _load(self, context: click.Context) -> None:
        with _loading():
            from tidegate.app.commands import commands, installation  # noqa: PLC0415  most of what a command needs

        context.obj = installation
        for command in commands():
            self.add_command(command)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tidegate")
def main() -> None:
    """Run a shopping festival, safely and at full speed.

    Begin with `tidegate up`: it starts everything on this machine with an example festival.
    """
    logging.basicConfig(level=logging.WARNING)


@main.command("web", short_help="Serve shop, console and API (one process of `up`).")
def web() -> None:
    """Serve shop, console and API on TIDEGATE_HOST and TIDEGATE_PORT."""
    with _loading():
        from tidegate.app.web import serve  # noqa: PLC0415  the server is loaded only by the process that serves

    serve(Config.from_env())


@main.command("worker", short_help="Carry events, expire orders, do jobs (one process of `up`).")
def worker() -> None:
    """Carry events to their subscribers, expire unpaid orders, do jobs and repeated checks."""
    with _loading():
        from tidegate.app.worker import run  # noqa: PLC0415  the same for the worker

    run()


main.add_command(sandbox_channel)


def run() -> None:
    """Entry point: refusals and faults of servers become one clear message and exit code 1."""
    try:
        with suppress(KeyboardInterrupt):
            main()
    except (Refusal, ServerFault, ValueError) as fault:
        click.echo(f"tidegate: {fault}", err=True)
        sys.exit(1)
