"""Who wins, without a database: the laws that hold, and that anybody computes the same."""

import hmac
from collections import Counter
from hashlib import sha256
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from tests.sale.draws.festival import DRAWN, OPENS, PRIZES, draw
from tidegate.base.draw import merkle_root
from tidegate.offer.campaign.contracts import Prize, Words
from tidegate.sale.draws import rules
from tidegate.sale.draws.rules import Entry

KEY = b"k" * 32
NAME = Words("奖", "Prize")
PRIZE_LISTS = st.lists(
    st.builds(
        Prize,
        name=st.just(NAME),
        value=st.just(100),
        count=st.integers(1, 6),
        chance=st.sampled_from([0, 0, 1, 5_000, 10_000]),
    ),
    min_size=1,
    max_size=4,
)


def listed(accounts: list[int]) -> list[Entry]:
    """Entries of these accounts, one order each."""
    return [(serial, UUID(int=1_000 + serial), UUID(int=account)) for serial, account in enumerate(accounts)]


@given(st.binary(min_size=32, max_size=32), st.lists(st.integers(1, 9), max_size=30), PRIZE_LISTS)
def test_no_more_win_than_there_are_prizes_and_no_account_wins_twice(
    seed: bytes, accounts: list[int], prizes: list[Prize]
) -> None:
    entries = listed(accounts)
    root = rules.list_root(KEY, uuid4(), entries)
    won = rules.winners(seed, root, entries, prizes)
    assert len({each.account_id for each in won}) == len(won)
    given_out = Counter(each.prize for each in won)
    assert all(given_out[place] <= prize.count for place, prize in enumerate(prizes))
    assert {(each.serial, each.order_id, each.account_id) for each in won} <= set(entries)
    plain = [place for place, prize in enumerate(prizes) if prize.chance in {0, 10_000}]
    if len(plain) == len(prizes):
        assert len(won) == min(len(set(accounts)), sum(prize.count for prize in prizes))
    assert rules.winners(seed, root, list(reversed(entries)), prizes) == won


def test_anybody_computes_the_same_from_what_is_public() -> None:
    """Written again from the words of docs, with nothing of ours but the list and the seed."""
    entries, draw_id, seed = listed([1, 2, 3, 2, 4, 5, 6, 7]), uuid4(), b"s" * 32
    salts = [rules.salt_of(KEY, draw_id, order_id) for _, order_id, _ in entries]
    lines = [sha256(salt + entry[1].bytes).digest() for salt, entry in zip(salts, entries, strict=True)]
    level = [sha256(b"\x00" + serial.to_bytes(8, "big") + line).digest() for serial, line in enumerate(lines)]
    while len(level) > 1:
        level = [sha256(b"\x01" + level[at] + level[at + 1]).digest() for at in range(0, len(level), 2)]
    root = rules.list_root(KEY, draw_id, entries)
    assert level == [root]

    def lot(key: bytes, serial: int) -> int:
        return int.from_bytes(hmac.digest(key, root + serial.to_bytes(8, "big"), "sha256")[:8], "big")

    order, won, expected = sorted(range(8), key=lambda serial: lot(seed, serial)), set(), []
    for place, prize in enumerate(PRIZES):
        key = hmac.digest(seed, b"tidegate prize lot\n" + place.to_bytes(4, "big"), "sha256")
        left = prize.count
        for serial in order:
            account = entries[serial][2]
            wins = not prize.chance or lot(key, serial) * 10_000 < prize.chance * 2**64
            if left and account not in won and wins:
                expected.append((place, serial))
                won.add(account)
                left -= 1
    assert [(each.prize, each.serial) for each in rules.winners(seed, root, entries, PRIZES)] == expected


def test_a_chance_is_kept_over_many_entries() -> None:
    """Of 20,000 entries at one in two, within five standard deviations (354)."""
    entries = [(serial, UUID(int=serial + 1), UUID(int=serial + 1)) for serial in range(20_000)]
    prize = Prize(name=NAME, value=1, count=100_000, chance=5_000)
    won = rules.winners(b"s" * 32, b"r" * 32, entries, [prize])
    assert abs(len(won) - 10_000) < 354


def test_every_entry_wins_the_first_prize_equally_often() -> None:
    """Of 6,000 seeds over six entries each wins within five standard deviations (145) of 1,000."""
    entries = listed([1, 2, 3, 4, 5, 6])
    prize = Prize(name=NAME, value=1, count=1)
    wins = Counter(
        rules.winners(sha256(number.to_bytes(4, "big")).digest(), b"r" * 32, entries, [prize])[0].serial
        for number in range(6_000)
    )
    assert all(abs(wins[serial] - 1_000) < 145 for serial in range(6))


def test_an_order_counts_within_the_time_and_from_the_threshold_on() -> None:
    terms = draw()
    assert rules.counts(terms, 8_000, OPENS)
    assert not rules.counts(terms, 7_999, OPENS)
    assert not rules.counts(terms, 8_000, None)
    assert not rules.counts(terms, 8_000, DRAWN)


def test_an_empty_list_has_no_winners() -> None:
    root = rules.list_root(KEY, uuid4(), [])
    assert root == merkle_root([]) == sha256(b"").digest()
    assert rules.winners(b"s" * 32, root, [], PRIZES) == []
