"""What payment repeats in the worker process: find out, give back, compare the books."""

from datetime import timedelta

from tidegate.base.jobs import Jobs
from tidegate.sale.payment.api import Payment

_RESOLVE_SECONDS = 0.5
_REFUND_SECONDS = 0.5
_RECONCILE_SECONDS = 300.0
_RECONCILE_SPAN = timedelta(hours=24)


def schedule(jobs: Jobs, payment: Payment) -> None:
    """Let the worker resolve unknown outcomes, send refunds, and reconcile each channel every five minutes.

    What is due stands in the rows themselves (`check_at`, `try_at`), written in the transaction that made it due, so
    that a process that dies at any moment leaves nothing behind that is not taken up again.
    """
    jobs.every(_RESOLVE_SECONDS, "payment.resolve", payment.resolve_due)
    jobs.every(_REFUND_SECONDS, "payment.refunds", payment.send_refunds_due)
    jobs.every(_RECONCILE_SECONDS, "payment.reconcile", lambda: payment.reconcile_all(_RECONCILE_SPAN))
