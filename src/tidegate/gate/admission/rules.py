"""The decisions of admission, pure: whether passes are given now, until when, and whether one admits an order."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from uuid import UUID

import msgspec

from tidegate.base.crypto import Signer
from tidegate.gate.admission.contracts import PassFacts, PassWindow
from tidegate.gate.admission.errors import CampaignOver, PassRefused, PhaseNotOpen

PASS_LIFE = timedelta(minutes=10)
# A client renews with two minutes in hand, which covers a slow line and a clock that is wrong by a minute.
RENEW_BEFORE = timedelta(minutes=2)

# Mark, account, device, campaign (a digest of its id), end in seconds since 1970. With the tag of 16 bytes that is a
# multiple of three, so that base64 leaves no spare bits and a pass has exactly one spelling.
_LAYOUT = Struct(">2s16s16s12sI")
_MARK = b"P1"
PASS_LENGTH = 88


class SignedPass(msgspec.Struct, frozen=True, kw_only=True):
    """What a token that we signed says; ids are numbers, which are soonest read and compared."""

    account: int
    device: int
    campaign: bytes
    expires_at: datetime


def pass_end(window: PassWindow, now: datetime) -> datetime:
    """Return until when a pass given now is good. Raises PhaseNotOpen or CampaignOver."""
    if now < window.opens_at:
        raise PhaseNotOpen(
            "The campaign is not open yet; no pass was given. Ask again when it opens.",
            opens_at=window.opens_at,
            retry_after=max(1, -int(-(window.opens_at - now).total_seconds() // 1)),
        )
    if now >= window.closes_at:
        raise CampaignOver("The campaign is over; no pass was given.", closed_at=window.closes_at)
    return min(now + PASS_LIFE, window.closes_at).replace(microsecond=0)


def sign_pass(signer: Signer, account_id: UUID, device: UUID, campaign_id: str, expires_at: datetime) -> str:
    """Return the token of a pass. The end is cut to whole seconds."""
    end_seconds = int(expires_at.timestamp())
    return signer.sign(_LAYOUT.pack(_MARK, account_id.bytes, device.bytes, campaign_digest(campaign_id), end_seconds))


def read_pass(signer: Signer, token: str) -> SignedPass | None:
    """Return what a token says, or None where we did not sign it."""
    if len(token) != PASS_LENGTH:
        return None
    payload = signer.verify(token)
    if payload is None or len(payload) != _LAYOUT.size:
        return None
    mark, account, device, campaign, end_seconds = _LAYOUT.unpack(payload)
    if mark != _MARK:
        return None
    return SignedPass(
        account=int.from_bytes(account),
        device=int.from_bytes(device),
        campaign=campaign,
        expires_at=datetime.fromtimestamp(end_seconds, UTC),
    )


def judge_pass(signed: SignedPass | None, account_id: UUID, device: UUID, campaign_id: str, now: datetime) -> PassFacts:
    """Return what the pass says if it admits this asker now. Raises PassRefused with the first reason that it does not.

    The order of the reasons tells a thief nothing: whose pass it is comes before what else is wrong with it.
    """
    if signed is None:
        raise _refused("forged", "This is not one of our passes")
    if signed.account != account_id.int:
        raise _refused("other-account", "This pass was given to another account")
    if signed.device != device.int:
        raise _refused("other-device", "This pass was given to another device")
    if signed.campaign != campaign_digest(campaign_id):
        raise _refused("other-campaign", "This pass is for another campaign")
    if signed.expires_at <= now:
        raise _refused("expired", "This pass has expired")
    return PassFacts(account_id=account_id, device=device, campaign_id=campaign_id, expires_at=signed.expires_at)


def missing_pass() -> PassRefused:
    """Return the refusal of an order that came without a pass."""
    return _refused("missing", "An order needs a pass")


def _refused(reason: str, what: str) -> PassRefused:
    return PassRefused(f"{what}; nothing was ordered. Ask for a new pass and send the order again.", reason=reason)


@lru_cache(maxsize=256)
def campaign_digest(campaign_id: str) -> bytes:
    """Return 12 bytes that stand for a campaign's id in a pass; the signature, not the digest, keeps it unaltered."""
    return blake2b(campaign_id.encode(), digest_size=12).digest()
