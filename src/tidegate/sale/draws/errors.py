"""What prize draws refuse.

Refusal
├── DrawUnknown         404  no such draw
├── PrizeNotWon         404  this account won nothing in the draw, or there is no such prize
├── AddressNeeded       422  the prize is sent, and no address was named
├── ClaimedOtherwise    409  it was claimed before, with another address
├── ClaimOver           409  the time to claim it is over
├── PrizeEnded          409  it was given or forfeited
├── NotForfeitable      409  it was claimed, or its time is not over
├── NoteNeeded          422  what is recorded needs words
└── GivenFaulty         422  a file of given prizes that cannot be taken
"""

from tidegate.base.errors import Refusal


class DrawUnknown(Refusal):
    """There is no such draw."""

    code = "draw-unknown"
    status = 404
    title = "Draw not known"


class PrizeNotWon(Refusal):
    """The account won nothing in this draw; whether somebody else did is not told."""

    code = "prize-not-won"
    status = 404
    title = "No such prize"


class AddressNeeded(Refusal):
    """The prize is sent to an address, and none was named."""

    code = "prize-address-needed"
    status = 422
    title = "Address needed"


class ClaimedOtherwise(Refusal):
    """The prize was claimed before with another address."""

    code = "prize-claimed-already"
    status = 409
    title = "Claimed already"


class ClaimOver(Refusal):
    """The time in which the prize is claimed is over; `claim_until` says since when."""

    code = "prize-claim-over"
    status = 409
    title = "Not claimed in time"


class PrizeEnded(Refusal):
    """The prize was given or forfeited; `state` says which."""

    code = "prize-ended"
    status = 409
    title = "Given or forfeited already"


class NotForfeitable(Refusal):
    """The prize was claimed, or the time to claim it is not over; `state` says where it stands."""

    code = "prize-not-forfeitable"
    status = 409
    title = "Cannot be forfeited"


class NoteNeeded(Refusal):
    """What is recorded of a prize needs words."""

    code = "prize-note-needed"
    status = 422
    title = "A note is needed"


class GivenFaulty(Refusal):
    """A file of given prizes that cannot be taken; `faults` are the first ten `GivenFault`s, with their lines."""

    code = "prizes-given-faulty"
    status = 422
    title = "File not taken"
