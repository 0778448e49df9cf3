"""The channel's own books in SQLite: write-ahead log, synchronous=FULL, many entries a commit.

Only one thread writes. An entry is answered after the commit that holds it.
"""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from tidegate.app.sandbox_channel.contracts import (
    Charge,
    ChargeOrder,
    ChargeState,
    Letter,
    Refund,
    RefundOrder,
    Statement,
    StatementLine,
    Totals,
)

_SCHEMA = """
create table if not exists charge (
    attempt_id text primary key,
    charge_id text not null unique,
    amount integer not null check (amount >= 0),
    currency text not null,
    subject text not null,
    callback_url text not null,
    state text not null check (state in ('pending', 'succeeded', 'refused', 'closed')),
    reason text not null,
    created_ms integer not null,
    changed_ms integer not null
) strict, without rowid;
create index if not exists charge_pending on charge (created_ms) where state = 'pending';
create table if not exists refund (
    refund_id text primary key,
    attempt_id text not null,
    amount integer not null check (amount > 0),
    currency text not null,
    state text not null check (state in ('succeeded', 'refused')),
    reason text not null,
    created_ms integer not null
) strict, without rowid;
create index if not exists refund_of on refund (attempt_id);
create table if not exists payout (refund_id text primary key) strict, without rowid;
create table if not exists booked (
    line integer primary key,
    kind text not null check (kind in ('charge', 'refund')),
    reference text not null,
    attempt_id text not null,
    subject text not null,
    amount integer not null check (amount > 0),
    currency text not null,
    booked_ms integer not null,
    unique (kind, reference)
) strict;
create index if not exists booked_at on booked (booked_ms);
create table if not exists letter (
    letter_id integer primary key,
    url text not null,
    body blob not null,
    due_ms integer not null,
    tries integer not null
) strict;
"""

_CHARGE = "attempt_id, charge_id, amount, currency, subject, state, reason, created_ms, changed_ms"
_REFUND = "refund_id, attempt_id, amount, currency, state, reason, created_ms"
_LINE = "line, kind, reference, attempt_id, subject, amount, currency, booked_ms"

Entry = Callable[["Books"], object]
"""A change of the books, run inside a transaction by the thread that writes."""


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open the books; readers see what is committed and never wait for the writer."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute(f"pragma query_only = {int(read_only)}")
    return connection


class Books:
    """All that the channel ever charged and gave back."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = connect(path)
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def enter(self, entries: Sequence[Entry]) -> list[object]:
        """Make `entries` in one durable transaction and return what each answered."""
        self._connection.execute("begin immediate")
        try:
            answers = [entry(self) for entry in entries]
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")
        return answers

    def charge(self, order: ChargeOrder, charge_id: str, state: ChargeState, reason: str, now_ms: int) -> Charge:
        """Book a new charge, or return the one that this attempt id already has, whatever it is."""
        known = find_charge(self._connection, order.attempt_id)
        if known is not None:
            return known
        self._connection.execute(
            "insert into charge (attempt_id, charge_id, amount, currency, subject, callback_url, state, reason,"
            " created_ms, changed_ms) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (order.attempt_id, charge_id, order.amount, order.currency, order.subject, order.callback_url, state,
             reason, now_ms, now_ms),
        )  # fmt: skip
        charge = Charge(
            attempt_id=order.attempt_id,
            charge_id=charge_id,
            amount=order.amount,
            currency=order.currency,
            subject=order.subject,
            state=state,
            reason=reason,
            created_ms=now_ms,
            changed_ms=now_ms,
        )
        if state == "succeeded":
            self._book_charge(charge, now_ms)
        return charge

    def close_charge(self, attempt_id: str, charge_id: str, now_ms: int) -> Charge:
        """Close a pending charge, or an attempt never seen, for good; a succeeded one is returned as it is."""
        known = find_charge(self._connection, attempt_id)
        if known is None:
            self._connection.execute(
                "insert into charge (attempt_id, charge_id, amount, currency, subject, callback_url, state, reason,"
                " created_ms, changed_ms) values (?, ?, 0, 'XXX', '', '', 'closed', 'closed-before-charge', ?, ?)",
                (attempt_id, charge_id, now_ms, now_ms),
            )
        elif known.state == "pending":
            self._change(attempt_id, "closed", "closed-by-merchant", now_ms)
        return self._charge(attempt_id)

    def confirm(self, attempt_id: str, now_ms: int, *, break_close: bool = False) -> tuple[Charge, str] | None:
        """Let a pending charge succeed; return it and where to call back, or None where there is nothing to do.

        With `break_close` a charge that the merchant closed succeeds too, as at a channel that breaks its word.
        """
        known = find_charge(self._connection, attempt_id)
        waits = known is not None and (
            known.state == "pending" or (break_close and known.state == "closed" and known.amount > 0)
        )
        if not waits:
            return None
        self._change(attempt_id, "succeeded", "", now_ms)
        charge = self._charge(attempt_id)
        self._book_charge(charge, now_ms)
        url = self._connection.execute(
            "select callback_url from charge where attempt_id = ?", (attempt_id,)
        ).fetchone()[0]
        return charge, url

    def refund(self, order: RefundOrder, now_ms: int, *, payout: bool = False) -> Refund:
        """Give money back, or refuse to; the same refund id is answered as before.

        A `payout` is the merchant's own money, paid to whoever paid the charge: beyond what was charged, and at most
        as much again.
        """
        known = find_refund(self._connection, order.refund_id)
        if known is not None:
            return known
        charge = find_charge(self._connection, order.attempt_id)
        reason = self._refund_fault(order, charge, payout=payout)
        refund = Refund(
            refund_id=order.refund_id,
            attempt_id=order.attempt_id,
            amount=order.amount,
            currency=order.currency,
            state="refused" if reason else "succeeded",
            reason=reason,
            created_ms=now_ms,
        )
        self._connection.execute(
            f"insert into refund ({_REFUND}) values (?, ?, ?, ?, ?, ?, ?)",
            (refund.refund_id, refund.attempt_id, refund.amount, refund.currency, refund.state, reason, now_ms),
        )
        if payout:
            self._connection.execute("insert into payout (refund_id) values (?)", (refund.refund_id,))
        if charge is not None and not reason:
            self._book("refund", order.refund_id, charge, order.amount, now_ms)
        return refund

    def post(self, url: str, body: bytes, due_ms: int) -> Letter:
        """Keep a callback until it is delivered."""
        cursor = self._connection.execute(
            "insert into letter (url, body, due_ms, tries) values (?, ?, ?, 0)", (url, body, due_ms)
        )
        return Letter(letter_id=cursor.lastrowid or 0, url=url, body=body, due_ms=due_ms, tries=0)

    def delivered(self, letter_id: int) -> None:
        """Forget a callback that the merchant took."""
        self._connection.execute("delete from letter where letter_id = ?", (letter_id,))

    def postpone(self, letter_id: int, due_ms: int, tries: int) -> None:
        """Try a callback again later."""
        self._connection.execute(
            "update letter set due_ms = ?, tries = ? where letter_id = ?", (due_ms, tries, letter_id)
        )

    def _charge(self, attempt_id: str) -> Charge:
        charge = find_charge(self._connection, attempt_id)
        assert charge is not None, "the row was written in this transaction"
        return charge

    def _change(self, attempt_id: str, state: ChargeState, reason: str, now_ms: int) -> None:
        self._connection.execute(
            "update charge set state = ?, reason = ?, changed_ms = ? where attempt_id = ?",
            (state, reason, now_ms, attempt_id),
        )

    def _book_charge(self, charge: Charge, now_ms: int) -> None:
        self._book("charge", charge.attempt_id, charge, charge.amount, now_ms)

    def _book(self, kind: str, reference: str, charge: Charge, amount: int, now_ms: int) -> None:
        self._connection.execute(
            "insert into booked (kind, reference, attempt_id, subject, amount, currency, booked_ms)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            (kind, reference, charge.attempt_id, charge.subject, amount, charge.currency, now_ms),
        )

    def _refund_fault(self, order: RefundOrder, charge: Charge | None, *, payout: bool) -> str:
        """Return why money is not given back, or an empty string."""
        if charge is None or charge.state != "succeeded":
            return "charge-not-succeeded"
        if order.currency != charge.currency:
            return "currency-differs"
        given = self._connection.execute(
            "select coalesce(sum(amount), 0) from refund where attempt_id = ? and state = 'succeeded'"
            " and (refund_id in (select refund_id from payout)) = ?",
            (order.attempt_id, payout),
        ).fetchone()[0]
        return "refund-exceeds-charge" if given + order.amount > charge.amount else ""


def find_charge(connection: sqlite3.Connection, attempt_id: str) -> Charge | None:
    """Return the charge of an attempt id."""
    row = connection.execute(
        f"select {_CHARGE} from charge where attempt_id = ?",
        (attempt_id,),
    ).fetchone()
    return Charge(**dict(zip(_CHARGE.split(", "), row, strict=True))) if row else None


def find_refund(connection: sqlite3.Connection, refund_id: str) -> Refund | None:
    """Return the refund of a refund id."""
    row = connection.execute(
        f"select {_REFUND} from refund where refund_id = ?",
        (refund_id,),
    ).fetchone()
    return Refund(**dict(zip(Refund.__struct_fields__, row, strict=True))) if row else None


def find_pending(connection: sqlite3.Connection) -> list[tuple[str, int]]:
    """Return attempt ids and creation times of charges that wait to be confirmed."""
    return connection.execute("select attempt_id, created_ms from charge where state = 'pending'").fetchall()


def find_letters(connection: sqlite3.Connection) -> list[Letter]:
    """Return all callbacks not delivered yet."""
    rows = connection.execute("select letter_id, url, body, due_ms, tries from letter order by letter_id")
    return [Letter(letter_id=row[0], url=row[1], body=row[2], due_ms=row[3], tries=row[4]) for row in rows]


def read_statement(
    connection: sqlite3.Connection, from_ms: int, to_ms: int, first_line: int, lines_max: int
) -> Statement:
    """Return a page of what was booked from `from_ms` until before `to_ms`, beginning at `first_line`."""
    rows = connection.execute(
        f"select {_LINE} from booked where line >= ? and booked_ms >= ? and booked_ms < ? order by line limit ?",
        (first_line, from_ms, to_ms, lines_max + 1),
    ).fetchall()
    lines = tuple(StatementLine(**dict(zip(StatementLine.__struct_fields__, row, strict=True))) for row in rows)
    return Statement(lines=lines[:lines_max], next_line=lines[lines_max].line if len(lines) > lines_max else None)


def read_totals(connection: sqlite3.Connection) -> Totals:
    """Return the sums of the books."""
    charges, charged = _sums(connection, "charge")
    refunds, refunded = _sums(connection, "refund")
    states = dict(connection.execute("select state, count(*) from charge group by state").fetchall())
    twice = connection.execute(
        "select count(*) from (select c.subject from charge c where c.state = 'succeeded' and c.subject <> ''"
        " and not exists (select 1 from refund r where r.attempt_id = c.attempt_id and r.state = 'succeeded'"
        " group by r.attempt_id having sum(r.amount) = c.amount) group by c.subject having count(*) > 1)"
    ).fetchone()[0]
    return Totals(
        charges=charges,
        charged=charged,
        refunds=refunds,
        refunded=refunded,
        pending=states.get("pending", 0),
        closed=states.get("closed", 0),
        refused=states.get("refused", 0),
        charged_twice=twice,
        letters=connection.execute("select count(*) from letter").fetchone()[0],
    )


def _sums(connection: sqlite3.Connection, kind: str) -> tuple[int, int]:
    row = connection.execute("select count(*), coalesce(sum(amount), 0) from booked where kind = ?", (kind,)).fetchone()
    return row[0], row[1]
