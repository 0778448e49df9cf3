"""What an invariant's check on the live system answers."""

import msgspec


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One invariant held against the live database.

    `examined` counts the rows or groups looked at; `detail` names what breaks it, or is empty.
    """

    name: str
    holds: bool
    examined: int
    detail: str = ""
