"""What the price history refuses.

Refusal
├── PricesFaulty     422  a file of earlier prices has faults; each is named
└── PricesImported   409  this very file was imported before
"""

from collections.abc import Sequence
from typing import ClassVar

from tidegate.base.errors import Refusal


class PricesFaulty(Refusal):
    """A file of earlier prices cannot be taken; ``faults`` holds what is wrong, row by row."""

    code: ClassVar[str] = "prices-faulty"
    status: ClassVar[int] = 422
    title: ClassVar[str] = "The price history file has faults"

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__(
            f"The file has {count}. Nothing was imported; correct them and import again.", faults=list(faults)
        )


class PricesImported(Refusal):
    """A file with this content was imported before."""

    code: ClassVar[str] = "prices-imported"
    status: ClassVar[int] = 409
    title: ClassVar[str] = "Imported already"
