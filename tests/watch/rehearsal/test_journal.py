"""The journal check finds a lost, a changed, a doubled and an unasked order, and nothing else."""

from pathlib import Path
from uuid import UUID

import msgspec

from tidegate.watch.rehearsal.contracts import JournalEntry, KnownOrder
from tidegate.watch.rehearsal.journal import Comparison, read_journal

BUYER, OTHER = UUID(int=7), UUID(int=8)
ENTRIES = [
    JournalEntry(buyer_id=BUYER, idempotency_key="key-1", order_id=UUID(int=1), total=100),
    JournalEntry(buyer_id=BUYER, idempotency_key="key-2", order_id=UUID(int=2), total=200),
    JournalEntry(buyer_id=OTHER, idempotency_key="key-3"),
]
ONE = KnownOrder(order_id=UUID(int=1), buyer_id=BUYER, idempotency_key="key-1", total=100)
TWO = KnownOrder(order_id=UUID(int=2), buyer_id=BUYER, idempotency_key="key-2", total=200)
THREE = KnownOrder(order_id=UUID(int=3), buyer_id=OTHER, idempotency_key="key-3", total=300)


def broken(entries: list[JournalEntry], orders: list[KnownOrder]) -> dict[str, str]:
    comparison = Comparison(entries)
    comparison.tell(orders)
    return {check.name: check.detail for check in comparison.checks() if not check.holds}


def test_all_there_and_an_unanswered_one_either_way() -> None:
    assert broken(ENTRIES, [ONE, TWO]) == {}
    assert broken(ENTRIES, [TWO, THREE, ONE]) == {}
    assert Comparison(ENTRIES).acknowledged == 2
    assert Comparison(ENTRIES).buyers == [BUYER, OTHER]


def test_an_order_that_was_refused_must_not_exist() -> None:
    refused = [*ENTRIES, msgspec.structs.replace(ENTRIES[2], refused=True)]
    assert broken(refused, [ONE, TWO]) == {}
    assert broken(refused, [ONE, TWO, THREE]) == {
        "journal: every order was asked for": f"1 nobody asked for: {UUID(int=3)}"
    }


def test_the_line_before_the_answer_changes_nothing() -> None:
    before = [msgspec.structs.replace(entry, order_id=None, total=None) for entry in ENTRIES]
    assert broken([*before, *ENTRIES], [ONE, TWO]) == {}
    assert Comparison([*before, *ENTRIES]).acknowledged == 2


def test_a_lost_order_is_named() -> None:
    assert broken(ENTRIES, [ONE]) == {"journal: every acknowledged order is in the database": f"1 lost: {UUID(int=2)}"}


def test_another_total_is_named() -> None:
    assert broken(ENTRIES, [ONE, msgspec.structs.replace(TWO, total=201)]) == {
        "journal: every order has the total and key that were acknowledged": f"1 different: {UUID(int=2)}"
    }


def test_an_order_that_nobody_asked_for_is_named() -> None:
    stranger = msgspec.structs.replace(THREE, idempotency_key="key-9")
    assert broken(ENTRIES, [ONE, TWO, stranger]) == {
        "journal: every order was asked for": f"1 nobody asked for: {UUID(int=3)}"
    }


def test_two_answers_to_one_key_are_named() -> None:
    doubled = [*ENTRIES, JournalEntry(buyer_id=BUYER, idempotency_key="key-1", order_id=UUID(int=4), total=100)]
    found = broken(doubled, [ONE, TWO])
    assert found["journal: the same key was never answered with two orders"] == "1 twice: key-1"


def test_a_journal_cut_off_in_its_last_line_is_read_up_to_there(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(b"".join(msgspec.json.encode(entry) + b"\n" for entry in ENTRIES) + b'{"buyer_id":"00')
    assert list(read_journal(journal)) == ENTRIES
