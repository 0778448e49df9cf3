"""What one web process counts. On the way of a request it is an addition to a list of whole numbers, nothing more."""

from tidegate.gate.defence import rules
from tidegate.gate.defence.contracts import Counts

_STATUSES = 600
_HELD_OFF = tuple(rules.HELD_OFF)
_FAILURES = tuple(status for status in range(_STATUSES) if rules.is_failure(status))


class Tally:
    """`statuses[status] += 1` for each answer; `sign_ins` and `failed_sign_ins` by who opens sessions."""

    def __init__(self) -> None:
        self.statuses = [0] * _STATUSES
        self.new_devices = 0
        self.failed_sign_ins = 0
        self.held_off_sign_ins = 0
        self._taken = Counts()

    def signed_in(self, status: int, *, new_device: bool) -> None:
        """Count the answer to a sign-in: a session opened on a new device, and a refusal of what was given.

        What was held off counts as neither, but under pressure as both, whichever device it came from.
        """
        if status < 400:
            self.new_devices += new_device
        elif status in rules.HELD_OFF:
            self.held_off_sign_ins += 1
        elif rules.is_failure(status) and status < 500:
            self.failed_sign_ins += 1

    def take(self) -> Counts:
        """Return what came since the last time, as one report."""
        total = Counts(
            requests=sum(self.statuses),
            failures=sum(self.statuses[status] for status in _FAILURES),
            held_off=sum(self.statuses[status] for status in _HELD_OFF),
            failed_sign_ins=self.failed_sign_ins,
            held_off_sign_ins=self.held_off_sign_ins,
            new_devices=self.new_devices,
        )
        before, self._taken = self._taken, total
        return Counts(
            reports=1,
            requests=total.requests - before.requests,
            failures=total.failures - before.failures,
            held_off=total.held_off - before.held_off,
            failed_sign_ins=total.failed_sign_ins - before.failed_sign_ins,
            held_off_sign_ins=total.held_off_sign_ins - before.held_off_sign_ins,
            new_devices=total.new_devices - before.new_devices,
        )
