"""Accounts of answers: bursts, rates, the window, what shares an account and what does not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns.access import make_prefixes
from greendns.outcome import Outcome
from greendns.ratelimit import ACCOUNTS_PER_LINE, Limits, RateLimiter
from greendns.siphash import Secret
from tests.unit.test_counters import zone

NOW = 1_700_000_000.0
CLIENT = bytes((192, 0, 2, 7))
RATE = 10
WINDOW = 5
SECRET = Secret(bytes(range(16)))


def limiter(accounts: int = 1024, **changes: Any) -> RateLimiter:
    """One with rates that are easily told apart."""
    limits = Limits((RATE, 20, 30, 40, 50), WINDOW, 2, 24, 56)._replace(**changes)
    return RateLimiter(memoryview(bytearray(8 * accounts)).cast("Q"), SECRET, limits)


ZONES = {number: zone(number=number) for number in (1, 2)}


def outcome(kind: str = "answer", number: int = 1, owner: bytes | None = b"\x03www", qtype: int = 1) -> Outcome:
    made = Outcome(kind, 0, qtype)
    made.zone = ZONES[number]
    made.owner = owner
    return made


def sent(
    limiting: RateLimiter, count: int, now: float = NOW, made: Outcome | None = None, client: bytes = CLIENT
) -> int:
    """How many of so many answers at one time are within the rate."""
    return sum(not limiting.is_over(made or outcome(), client, now) for _ in range(count))


@pytest.mark.parametrize(
    ("kind", "rate"),
    [("answer", 10), ("nodata", 20), ("nxdomain", 30), ("referral", 40), ("error", 50), ("refused", 50)],
)
def test_a_burst_is_as_many_as_the_rate(kind: str, rate: int) -> None:
    """And of each kind its own; a second later as many again."""
    limiting = limiter(window=0)
    assert sent(limiting, 200, made=outcome(kind)) == rate
    assert sent(limiting, 200, NOW + 1, outcome(kind)) == rate


def test_above_the_rate_only_the_beginning_goes_out() -> None:
    """Twice the rate for a minute: what a second allows, and what comes due meanwhile; then nothing more."""
    limiting = limiter()
    over = [not sent(limiting, 1, NOW + at / (2 * RATE)) for at in range(60 * 2 * RATE)]
    assert over.index(True) in range(2 * RATE - 2, 2 * RATE + 1)
    assert all(over[2 * RATE :])


def test_at_the_rate_nothing_is_limited() -> None:
    limiting = limiter()
    assert sum(sent(limiting, 1, NOW + at / RATE) for at in range(600)) == 600


def test_who_goes_on_is_limited_for_the_window() -> None:
    """After a flood: for WINDOW seconds nothing, then what a second allows."""
    limiting = limiter()
    assert sent(limiting, 1000) == RATE
    assert sent(limiting, 1, NOW + WINDOW - 0.2) == 0
    assert sent(limiting, 100, NOW + WINDOW + 1.2) == RATE


def test_a_rate_of_nothing_is_no_limit() -> None:
    limiting = limiter(rates=(0, 0, 0, 0, 0))
    assert sent(limiting, 1000) == 1000


@pytest.mark.parametrize(
    ("made", "client"),
    [
        (outcome(), bytes((192, 0, 3, 7))),
        (outcome(owner=b"\x03ftp"), CLIENT),
        (outcome(owner=None), CLIENT),
        (outcome(qtype=28), CLIENT),
        (outcome(number=2), CLIENT),
        (outcome("nodata"), CLIENT),
        (outcome("error"), CLIENT),
    ],
)
def test_others_have_accounts_of_their_own(made: Outcome, client: bytes) -> None:
    """Another network, name, type, zone or kind of answer."""
    limiting = limiter()
    sent(limiting, 1000)
    assert sent(limiting, 5, made=made, client=client) == 5


@pytest.mark.parametrize(
    ("made", "client"),
    [
        (outcome(), bytes((192, 0, 2, 255))),
        (outcome(), bytes((192, 0, 2, 0))),
    ],
)
def test_one_network_has_one_account(made: Outcome, client: bytes) -> None:
    limiting = limiter()
    sent(limiting, 1000)
    assert sent(limiting, 5, made=made, client=client) == 0


@pytest.mark.parametrize("kind", ["nodata", "nxdomain", "referral"])
def test_what_has_no_records_is_one_account_for_a_zone(kind: str) -> None:
    """Random names must not open as many accounts."""
    limiting = limiter()
    sent(limiting, 1000, made=outcome(kind))
    assert sent(limiting, 5, made=outcome(kind, owner=b"\x03ftp", qtype=28)) == 0
    assert sent(limiting, 5, made=outcome(kind, number=2)) == 5


def test_errors_are_one_account_for_a_network() -> None:
    """Whatever they are, and whatever was asked."""
    limiting = limiter()
    sent(limiting, 1000, made=outcome("refused"))
    assert sent(limiting, 5, made=outcome("error", number=2, owner=None, qtype=28)) == 0


@given(
    bits=st.integers(1, 32),
    address=st.binary(min_size=4, max_size=4),
    flipped=st.integers(0, 31),
)
def test_a_prefix_of_any_length_tells_the_network(bits: int, address: bytes, flipped: int) -> None:
    """A bit within it makes another network, one beyond it does not."""
    limiting = limiter(ipv4_prefix=bits)
    other = (int.from_bytes(address, "big") ^ 1 << 31 - flipped).to_bytes(4, "big")
    sent(limiting, 1000, client=address)
    assert sent(limiting, 1, client=other) == (flipped < bits)


def test_ipv6_has_its_own_prefix() -> None:
    """Of 56 bits here: the last octet of them counts, the next one does not."""
    limiting = limiter()
    sent(limiting, 1000, client=bytes((0x20, 1, 0xD, 0xB8, 0, 0, 1, *[0] * 9)))
    assert sent(limiting, 1, client=bytes((0x20, 1, 0xD, 0xB8, 0, 0, 1, *[255] * 9))) == 0
    assert sent(limiting, 1, client=bytes((0x20, 1, 0xD, 0xB8, 0, 0, 2, *[0] * 9))) == 1


def test_a_clock_set_back_forgives() -> None:
    """No account may stay closed for hours."""
    limiting = limiter()
    sent(limiting, 1000)
    assert sent(limiting, 5, NOW - 3600) == 5


def test_who_owes_most_keeps_the_account() -> None:
    """A flood from one network is limited, however many others have accounts in the smallest of tables."""
    limiting = limiter(accounts=ACCOUNTS_PER_LINE)
    sent(limiting, 1000)
    others = [sent(limiting, 1, client=bytes((198, 51, number, 1))) for number in range(100)]
    assert sum(others) == 100
    assert sent(limiting, 5) == 0


def test_the_first_one_beyond_the_rate_is_told_apart() -> None:
    """Once for each time that an account comes to be limited."""
    limiting = limiter()
    begun = []
    for _ in range(100):
        limiting.is_over(outcome(), CLIENT, NOW)
        begun.append(limiting.has_begun)
    assert begun.index(True) == RATE
    assert sum(begun) == 1


def test_accounts_are_shared_by_all_who_have_the_cells() -> None:
    """Two workers together send what one would."""
    cells = memoryview(bytearray(8 * 1024)).cast("Q")
    limits = Limits((RATE, 20, 30, 40, 50), WINDOW, 2, 24, 56)
    one, two = RateLimiter(cells, SECRET, limits), RateLimiter(cells, SECRET, limits)
    assert sum(sent(each, 1) for each in [one, two] * 100) == RATE


def test_exempt_prefixes_are_never_limited() -> None:
    """Of two in one network only the one that is named."""
    exempt = make_prefixes(["192.0.2.8/30"])
    assert exempt is not None
    limiting = limiter(exempt=exempt)
    assert sent(limiting, 1000, client=bytes((192, 0, 2, 9))) == 1000
    assert sent(limiting, 5) == 0
