"""What identity needs from the outside world: somebody who delivers an SMS."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec


class Sms(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in code to deliver. `message_id` is the same if the message is ever sent again."""

    message_id: UUID
    phone: str
    code: str
    expires_at: datetime


class SmsGateway(Protocol):
    """Delivers sign-in codes."""

    @property
    def is_sandbox(self) -> bool:
        """Whether codes are shown on a page instead of being sent: only for an example festival."""
        ...

    async def send(self, sms: Sms) -> None:
        """Deliver the code. Raises SmsNotSent where the gateway did not confirm that it took the message."""
        ...

    async def last_code(self, phone: str) -> str | None:
        """Return the last code of a phone, which only a sandbox knows; None from a real gateway."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
