"""`tidegate sandbox-channel`: the channel as a process."""

from pathlib import Path

import click

ADMIN_PORT_OFFSET = 100
"""The admin port stands this far above the merchant's, unless another one is given."""


@click.command("sandbox-channel")
@click.option("--name", required=True, help="Name of the channel, for example harbour.")
@click.option("--port", required=True, type=click.IntRange(1, 65_535), help="Port of the merchant's API on 127.0.0.1.")
@click.option("--data", required=True, type=click.Path(path_type=Path, file_okay=False), help="Directory of its books.")
@click.option("--admin-port", type=click.IntRange(1, 65_535), help="Port for faults and totals; PORT + 100 by default.")
@click.option("--secret", envvar="TIDEGATE_SANDBOX_SECRET", help="Shared with the merchant; sandbox-NAME by default.")
def command(name: str, port: int, data: Path, admin_port: int | None, secret: str | None) -> None:
    """Run a payment channel of its own to practise on, with its own books and faults to order.

    Faults are ordered with PUT /faults on the admin port, lifted with DELETE /faults; GET /totals sums the books.
    """
    import uvloop  # noqa: PLC0415  what serves is loaded only by the process that does

    from tidegate.app.sandbox_channel.server import serve  # noqa: PLC0415

    key = (secret or f"sandbox-{name}").encode()
    uvloop.run(serve(name, port, admin_port or port + ADMIN_PORT_OFFSET, key, data))
