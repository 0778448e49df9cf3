"""Compares the money of a log with the money in the books. Pure."""

from tidegate.watch.rehearsal.contracts import BookMoney, Difference, LogMoney


def differences(log: LogMoney, books: BookMoney) -> tuple[Difference, ...]:
    """Return every figure that the books do not confirm to the last cent."""
    sent, undone = round(log.sent * 100), round(log.undone * 100)
    pairs = (
        ("orders placed", sent, books.ordered),
        ("orders paid", sent, books.paid),
        ("payments captured, in the ledger", sent, books.captured),
        ("refunds, in the ledger", undone, books.refunded),
        ("refunds, on the orders", undone, books.given_back),
        ("net, in the ledger", sent - undone, books.captured - books.refunded),
    )
    return tuple(Difference(what=what, log=mine, books=theirs) for what, mine, theirs in pairs if mine != theirs)
