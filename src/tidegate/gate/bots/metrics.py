"""What bots counts about itself."""

from functools import cache

from prometheus_client import Counter

from tidegate.gate.bots.contracts import Effect

marks = Counter("tidegate_bot_marks", "Honeypots touched, by honeypot", ["honeypot"])
decisions = Counter("tidegate_bot_decisions", "Visits decided, by what followed", ["effect"])
misuse = Counter("tidegate_token_misuse", "Passes, places, answers refused, by what was wrong", ["token", "reason"])
undos = Counter("tidegate_bot_undos", "Decisions undone by staff")


@cache
def decided(effect: Effect) -> Counter:
    """Return the count of one effect; remembered, for looking it up costs more than counting."""
    return decisions.labels(effect)
