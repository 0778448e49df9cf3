"""Publishes the running festival again with one product cheaper: `python -m tests.journeys.cheaper SKU BY`."""

import asyncio
import sys

import msgspec

from tidegate.app.compose import opened
from tidegate.app.publication import PublicationDesk
from tidegate.base.config import Config
from tidegate.offer.campaign.contracts import Offer


async def publish_cheaper(sku: str, by: int) -> None:
    """Publish the current version with the price of `sku` lower by so many minor units."""
    async with opened(Config.from_env()) as app:
        definition = (await PublicationDesk(app).version(None, None)).definition
        offers = tuple(_cheaper(each, by) if each.sku == sku else each for each in definition.offers)
        await PublicationDesk(app).publish(msgspec.structs.replace(definition, offers=offers), "journey")


def _cheaper(offer: Offer, by: int) -> Offer:
    return msgspec.structs.replace(offer, price=offer.price - by)


if __name__ == "__main__":
    asyncio.run(publish_cheaper(sys.argv[1], int(sys.argv[2])))
