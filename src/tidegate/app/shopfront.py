"""The addresses of what is the same for everyone, as the edge asks for it and forgets it."""

from collections.abc import Sequence
from itertools import chain

from tidegate.app.pages.assets import Assets
from tidegate.app.storefront.shelf import FLASH, Listing, Shelf
from tidegate.offer.campaign.contracts import CampaignVersion

_PAGES = ("/rules", "/privacy", "/licence", "/complaint", "/api/v1/campaign", "/api/v1/campaign/rules")


class ShopAddresses:
    """Fulfils the edge's `Shopfront`."""

    def files(self) -> Sequence[str]:
        """Return the built files."""
        return Assets.load().addresses

    def pages(self, version: CampaignVersion) -> Sequence[str]:
        """Return the front page, every category page by page, and the pages in the footer; searches are endless."""
        shelf = Shelf(version)
        listings = [Listing(category) for category in ("", FLASH, *shelf.categories)]
        return [*chain.from_iterable(_leaves(shelf, each) for each in listings), *_PAGES]

    def goods_page(self, sku: str) -> str:
        """Return the page of one goods."""
        return f"/goods/{sku}"


def _leaves(shelf: Shelf, listing: Listing) -> list[str]:
    _, count = shelf.list(listing)
    return [listing.at(number).partition("#")[0] for number in range(1, count + 1)]
