"""What others may ask of admission: give a pass, check a pass. Neither does any I/O."""

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from tidegate.base.clock import Clock
from tidegate.base.config import Config
from tidegate.base.crypto import Signer, derive_key
from tidegate.gate.admission import rules
from tidegate.gate.admission.contracts import PASS_HEADER, Pass, PassFacts, PassWindow
from tidegate.gate.admission.errors import PassRefused
from tidegate.gate.admission.rules import campaign_digest
from tidegate.gate.bots.contracts import TokenKind

__all__ = ["PASS_HEADER", "Admission", "campaign_digest", "pass_of"]

_REMEMBERED_MAX = 20_000
_PASS_HEADER_ASGI = PASS_HEADER.lower().encode()


class Admission:
    """Gives and checks passes for one installation; every process with the same secret knows them all."""

    def __init__(
        self, config: Config, clock: Clock, misused: Callable[[TokenKind, str], None] = lambda *_: None
    ) -> None:
        """Take `misused`: what counts a pass that is refused, by the refusal's reason."""
        self._clock = clock
        self._misused = misused
        self._signer = Signer(derive_key(config.secret, "admission.pass"))
        # A shopper sends the same pass with each poll and order: remembering the verified ones saves the digest each
        # time. The price is about 8 MB a process when full.
        self._remembered = lru_cache(maxsize=_REMEMBERED_MAX)(self._read)

    def issue_pass(self, account_id: UUID, device: UUID, window: PassWindow) -> Pass:
        """Give a pass for ten minutes, or until the window closes if that is sooner; giving again renews it.

        `device` is the id of the asker's session. Raises PhaseNotOpen with the opening time, or CampaignOver.
        """
        expires_at = rules.pass_end(window, self._clock.now())
        token = rules.sign_pass(self._signer, account_id, device, window.campaign_id, expires_at)
        return Pass(
            token=token,
            campaign_id=window.campaign_id,
            expires_at=expires_at,
            renew_at=expires_at - rules.RENEW_BEFORE,
        )

    def check_pass(
        self, token: str | None, account_id: UUID, campaign_id: str, now: datetime, *, device: UUID
    ) -> PassFacts:
        """Return what the pass says if it admits this account and device to this campaign at `now`.

        No I/O, a few microseconds. Raises PassRefused with a `reason`.
        """
        if not token:
            raise rules.missing_pass()
        # The length is looked at first, so that nobody fills the memory with long texts.
        signed = self._remembered(token) if len(token) == rules.PASS_LENGTH else None
        try:
            return rules.judge_pass(signed, account_id, device, campaign_id, now)
        except PassRefused as refusal:
            self._misused(TokenKind.PASS, str(refusal.fields["reason"]))
            raise

    def _read(self, token: str) -> rules.SignedPass | None:
        return rules.read_pass(self._signer, token)


def pass_of(headers: list[tuple[bytes, bytes]]) -> str | None:
    """Return the pass in a request's raw ASGI headers, whose names are in lower case."""
    for name, value in headers:
        if name == _PASS_HEADER_ASGI:
            return value.strip().decode("latin-1")
    return None
