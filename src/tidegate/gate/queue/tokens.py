"""The token of a place: signed as passes are, checked without I/O by any process with the same secret."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from struct import Struct
from uuid import UUID

import msgspec

from tidegate.base.crypto import Signer
from tidegate.gate.admission.api import campaign_digest
from tidegate.gate.queue.contracts import PlaceFacts, PlaceKind
from tidegate.gate.queue.errors import PlaceRefused

# Mark, campaign (a digest of its id), account, device, lane, kind, serial, number, joined at in ms since 1970 (two
# fields). With the tag of 16 bytes that is a multiple of three, so that a place has exactly one spelling.
_LAYOUT = Struct(">2s12s16s16sBBIIHI")
_MARK = b"W1"
PLACE_LENGTH = 104
_KINDS = (PlaceKind.DRAWN, PlaceKind.LATE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SignedPlace(msgspec.Struct, frozen=True, kw_only=True):
    """What a token that we signed says."""

    campaign: bytes
    account: bytes
    device: bytes
    lane: int
    kind: PlaceKind
    serial: int
    number: int
    joined_ms: int


def sign_place(signer: Signer, facts: PlaceFacts) -> str:
    """Return the token of a place; the moment is cut to milliseconds."""
    joined_ms = (facts.joined_at - _EPOCH) // timedelta(milliseconds=1)
    return signer.sign(
        _LAYOUT.pack(
            _MARK,
            campaign_digest(facts.campaign_id),
            facts.account_id.bytes,
            facts.device.bytes,
            facts.lane,
            _KINDS.index(facts.kind),
            facts.serial,
            facts.number,
            joined_ms >> 32,
            joined_ms & 0xFFFFFFFF,
        )
    )


def read_place(signer: Signer, token: str) -> SignedPlace | None:
    """Return what a token says, or None where we did not sign it."""
    if len(token) != PLACE_LENGTH:
        return None
    payload = signer.verify(token)
    if payload is None or len(payload) != _LAYOUT.size:
        return None
    mark, campaign, account, device, lane, kind, serial, number, high, low = _LAYOUT.unpack(payload)
    if mark != _MARK:
        return None
    return SignedPlace(
        campaign=campaign,
        account=account,
        device=device,
        lane=lane,
        kind=_KINDS[kind],
        serial=serial,
        number=number,
        joined_ms=high << 32 | low,
    )


def own_place(signed: SignedPlace | None, account_id: UUID, campaigns: Iterable[str]) -> PlaceFacts:
    """Return what a place of this account says, of whichever of these campaigns and whatever device asks: good for
    looking back, not for going in. Raises PlaceRefused with a reason.
    """
    campaign_id = next((each for each in campaigns if is_of(signed, account_id, each)), None)
    if signed is None or campaign_id is None:
        raise place_refused(
            "forged" if signed is None else "other-account" if signed.account != account_id.bytes else "other-campaign",
            "There is no such place of this account here",
        )
    return judge_place(signed, account_id, UUID(bytes=signed.device), campaign_id)


def is_of(signed: SignedPlace | None, account_id: UUID, campaign_id: str) -> bool:
    """Return whether a place is this account's in this campaign, whichever device holds it."""
    return signed is not None and signed.account == account_id.bytes and signed.campaign == campaign_digest(campaign_id)


def judge_place(signed: SignedPlace | None, account_id: UUID, device: UUID, campaign_id: str) -> PlaceFacts:
    """Return what a place says if it is this account's on this device. Raises PlaceRefused with a reason."""
    if signed is None:
        raise place_refused("forged", "This is not one of our places")
    if signed.account != account_id.bytes:
        raise place_refused("other-account", "This place was given to another account")
    if signed.device != device.bytes:
        raise place_refused("other-device", "This place was given to another device")
    if signed.campaign != campaign_digest(campaign_id):
        raise place_refused("other-campaign", "This place is for another campaign")
    return PlaceFacts(
        campaign_id=campaign_id,
        account_id=account_id,
        device=device,
        lane=signed.lane,
        kind=signed.kind,
        serial=signed.serial,
        number=signed.number,
        joined_at=_EPOCH + timedelta(milliseconds=signed.joined_ms),
    )


def place_refused(reason: str, what: str) -> PlaceRefused:
    """Return a refusal of a place, with what helps."""
    return PlaceRefused(
        f"{what}; nothing was changed. Ask for your place again: who holds one gets the same.", reason=reason
    )
