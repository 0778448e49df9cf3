"""Words of the gate's page, chosen outside of its template because its script and its second step need them too."""

from tidegate.app.pages.language import Messages
from tidegate.gate.queue.contracts import Brake, GateAct, QueueState

ACTS = tuple(GateAct)


def gate_words(messages: Messages) -> dict[str, dict[str, tuple[str, ...]] | dict[str, str]]:
    """Return all words of the gate's page that depend on its state, by group and key."""
    return {
        "state": _states(messages),
        "brake": _brakes(messages),
        "act": _acts(messages),
        "say": _sayings(messages),
    }


def _states(messages: Messages) -> dict[str, tuple[str, ...]]:
    """Return for each state its word and its meaning."""
    _ = messages.gettext
    return {
        QueueState.CLOSED.value: (_("Not open yet"), "info"),
        QueueState.GATHERING.value: (_("Places are taken"), "info"),
        QueueState.SEALED.value: (_("List sealed"), "info"),
        QueueState.OPEN.value: (_("Calling"), "good"),
        QueueState.PAUSED.value: (_("Paused"), "watch"),
        QueueState.HELD.value: (_("Held by staff"), "act"),
        QueueState.NOTHING_LEFT.value: (_("Nothing left"), "watch"),
        QueueState.ENDED.value: (_("Over"), ""),
    }


def _brakes(messages: Messages) -> dict[str, str]:
    """Return for each brake what holds the gate back, and what to do about it where something can be done."""
    _ = messages.gettext
    return {
        Brake.NOT_OPEN.value: _("The sale has not opened. Nobody is called before."),
        Brake.ENDED.value: _("The sale is over. Nobody is called any more."),
        Brake.NOTHING_LEFT.value: _("Every unit is sold and paid, so nobody is called for nothing."),
        Brake.STOCK_HELD.value: _(
            "All that is left is held by orders that are not paid yet. Calls go on by themselves when units come back."
        ),
        Brake.STAFF_HOLD.value: _("Staff hold the gate: nobody is called or let in. “Open again” takes the hold back."),
        Brake.NOBODY_WAITS.value: _("Nobody waits. Who comes is called at once."),
        Brake.CAP.value: _("The room is full: as many are called as go out."),
        Brake.STOCK.value: _("Those inside are expected to buy all that is left, so no more are called for now."),
        Brake.LOAD.value: _("The shop is busy: only %(share)s of the usual flow is called until it answers faster."),
        Brake.STAFF_SLOW.value: _("Staff slowed the gate. “Open again” goes back to what the campaign file says."),
        Brake.RAMP.value: _("The sale has just opened: the flow rises step by step to what was asked."),
        Brake.NOTHING.value: _("Nothing holds the gate back: it calls as many as it was asked to."),
    }


def _acts(messages: Messages) -> dict[str, tuple[str, ...]]:
    """Return for each act its name, what it does, and how the record names it."""
    _ = messages.gettext
    return {
        GateAct.HOLD.value: (
            _("Hold"),
            _("Nobody is called and nobody is let in. Who is inside stays and goes on buying; every place is kept."),
            _("Gate held"),
        ),
        GateAct.SLOW.value: (
            _("Slow down"),
            _("So many are called a minute at most. It takes back a hold, and stays until somebody opens again."),
            _("Slowed"),
        ),
        GateAct.OPEN.value: (
            _("Open again"),
            _("Takes back hold, slow and close: the gate goes on as the campaign file says."),
            _("Opened"),
        ),
        GateAct.CLOSE.value: (
            _("Close to newcomers"),
            _("No more places are given. Who has one keeps it and is called."),
            _("Closed to newcomers"),
        ),
        GateAct.NOTE.value: (
            _("Tell the line"),
            _("Everybody who waits reads it within two seconds, as it is written."),
            _("Told the line"),
        ),
    }


def _sayings(messages: Messages) -> dict[str, str]:
    _ = messages.gettext
    return {
        "wait": _("about %(minutes)s min at this pace"),
        "no-pace": _("nobody was called in the last minute"),
        "cap": _("of %(cap)s at most"),
        "pace": _("asked: %(asked)s, allowed now: %(allowed)s"),
        "out": _("bought: %(bought)s in all"),
        "missed": _("left the line: %(left)s"),
        "came": _("expected to come: %(share)s"),
        "called-line": _("Called"),
        "entered-line": _("Let in"),
        "bought-line": _("Out, bought"),
        "gone-line": _("Out without buying"),
        "inside-line": _("Inside"),
        "cap-line": _("Cap"),
        "lost": _("No answer from the server for %(seconds)s s. The figures below are the last known ones."),
    }
