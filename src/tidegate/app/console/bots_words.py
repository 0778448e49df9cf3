"""Words of the bots' pages, chosen outside of their templates because the charts need them too."""

from tidegate.app.pages.language import Messages
from tidegate.gate.bots.contracts import Effect, Evidence, Misuse, TokenKind


def bots_words(messages: Messages) -> dict[str, dict[str, str]]:
    """Return the name of each kind of visit, and of what was done about it, by group and key."""
    _ = messages.gettext
    return {
        "kind": {
            Evidence.HONEYPOT_FIELD.value: _("Filled in a field that nobody sees"),
            Evidence.HONEYPOT_LINK.value: _("Followed a link that nobody sees"),
            Evidence.HONEYPOT_GOODS.value: _("Asked for goods that nobody sees"),
            Evidence.AUTOMATION.value: _("Browser steered by a program"),
            Evidence.HEADLESS.value: _("Browser without a window"),
            Evidence.TOO_FAST.value: _("Faster than a person reads"),
            Evidence.DATACENTER.value: _("Comes from a datacenter"),
            Evidence.SHARED_DEVICE.value: _("Many accounts on browsers of the same traits"),
            Evidence.NO_FINGERPRINT.value: _("Browser tells nothing of itself"),
            Evidence.MARKED_NETWORK.value: _("Its network touched many traps"),
            "none": _("Nothing speaks for a program"),
            "undone": _("Cleared by an undo"),
        },
        "done": {
            Effect.SLOW_LANE.value: _("Slow lane"),
            Effect.MORE_WORK.value: _("More work"),
            Effect.UNDONE.value: _("Cleared by an undo"),
            Effect.NOTHING.value: _("Served as usual"),
        },
        "token": {
            TokenKind.PASS.value: _("Passes"),
            TokenKind.PLACE.value: _("Places in line"),
            TokenKind.ANSWER.value: _("Answers to the puzzle, and waits"),
        },
        "misuse": {
            Misuse.FORGED.value: _("Forged or altered"),
            Misuse.SHARED.value: _("Somebody else's"),
            Misuse.USED.value: _("Used before"),
            Misuse.EXPIRED.value: _("Expired"),
            Misuse.OTHER_CAMPAIGN.value: _("Of another campaign"),
        },
        "say": {"others": _("Other reasons")},
    }
