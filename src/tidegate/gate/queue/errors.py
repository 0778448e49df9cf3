"""The refusals of the queue. None of them takes a place away.

Refusal
├── NoWaitingRoom    404  this campaign has none: passes are given for the asking
├── PlacesNotOpen    409  the pre-queue is not open yet
├── PlacesClosed     409  no more places are given
├── NetworkFull      429  too many places from one network, in a line without a slow lane
├── OnePlaceAPerson  409  another account holds a place with this device or payment instrument
├── PlaceRefused     403  no place, not ours, somebody else's, or given up
├── PlaceSpent       409  this place was used: its pass ended, or it was skipped twice
├── NothingLeft      409  nothing can be won any more
├── PassSpent        403  the pass was used up by its purchases, or was given back
├── NumberNotWanted  409  the draw announced no such number, or it is too early or too late for it
└── NotSealed        409  there is no sealed list yet
"""

from tidegate.base.errors import Refusal


class NoWaitingRoom(Refusal):
    """The current campaign has no waiting room."""

    code, status, title = "no-waiting-room", 404, "No waiting room"


class PlacesNotOpen(Refusal):
    """The pre-queue is not open yet. Fields: `opens_at`, `retry_after`."""

    code, status, title = "places-not-open", 409, "The line is not open yet"


class PlacesClosed(Refusal):
    """No more places are given: staff closed the line, or the campaign is over. Field: `reason`."""

    code, status, title = "places-closed", 409, "The line is closed"


class NetworkFull(Refusal):
    """As many places as one network may hold were taken from this one, and there is no slow lane. Field: `limit`."""

    code, status, title = "network-full", 429, "Too many places from one network"


class OnePlaceAPerson(Refusal):
    """Another account holds a place on the same browser, or paid last from the same account at a channel.

    Field: `what`, device or instrument.
    """

    code, status, title = "one-place-a-person", 409, "One place a person"


class PlaceRefused(Refusal):
    """The place cannot be used. Field: `reason`, one of missing, forged, other-account, other-device, other-campaign,
    and given-up.
    """

    code, status, title = "place-refused", 403, "Place refused"


class PlaceSpent(Refusal):
    """The place has been used. Field: `reason`, one of used, expired and skipped."""

    code, status, title = "place-spent", 409, "Place used"


class NothingLeft(Refusal):
    """Nothing is sellable and nothing is held: nothing can be won any more."""

    code, status, title = "nothing-left", 409, "Nothing is left"


class PassSpent(Refusal):
    """The pass is good for no further purchase. Field: `reason`, one of used-up, ended and never-entered."""

    code, status, title = "pass-spent", 403, "Pass used up"


class NumberNotWanted(Refusal):
    """The draw takes no public number now. Field: `reason`, one of not-announced, too-early and settled."""

    code, status, title = "number-not-wanted", 409, "No number is wanted"


class NotSealed(Refusal):
    """The list of places is not sealed yet. Field: `seals_at`."""

    code, status, title = "not-sealed", 409, "Not sealed yet"
