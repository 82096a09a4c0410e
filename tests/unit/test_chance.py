"""Uniform integers from random octets: every number equally often, none beyond, nothing wasted."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns.chance import FETCHED_OCTETS, Uniform

RANGE = 1 << 62


def counting(*numbers: int) -> Callable[[int], bytes]:
    """Octets in which the source reads `numbers`, over and over."""

    def octets(count: int) -> bytes:
        cells = b"".join([(number << 2).to_bytes(8, "little") for number in numbers])
        return (cells * (count // len(cells) + 1))[:count]

    return octets


def test_numbers_are_taken_modulo_n() -> None:
    """Consecutive numbers of the source give consecutive remainders."""
    draw = Uniform(counting(*range(12)))

    assert [draw(3) for _ in range(12)] == [0, 1, 2] * 4


def test_what_is_beyond_the_last_whole_multiple_is_drawn_again() -> None:
    """2^62 is 1 modulo 3: its last number would give 0 one chance more."""
    draw = Uniform(counting(RANGE - 1, 7))

    assert draw(3) == 7 % 3


@given(st.integers(1, RANGE))
def test_a_number_is_below_n(n: int) -> None:
    """For every n."""
    draw = Uniform(os.urandom)

    assert all(0 <= draw(n) < n for _ in range(5))


def test_the_largest_n_takes_every_number_as_it_is() -> None:
    """2^62 itself leaves no remainder."""
    assert Uniform(counting(RANGE - 1))(RANGE) == RANGE - 1


@pytest.mark.parametrize("n", [0, -1, RANGE + 1])
def test_other_n_are_refused(n: int) -> None:
    """There is no integer below 0, and not more than 62 bits."""
    with pytest.raises(ValueError, match="n must be from 1 to 2"):
        Uniform(os.urandom).below(n)


def test_octets_are_fetched_many_at_a_time() -> None:
    """One fetch for 512 numbers, and none before the first is asked for."""
    asked: list[int] = []

    def octets(count: int) -> bytes:
        asked.append(count)
        return os.urandom(count)

    draw = Uniform(octets)
    assert asked == []

    for _ in range(FETCHED_OCTETS // 8 + 1):
        draw(10)
    assert asked == [FETCHED_OCTETS, FETCHED_OCTETS]


def test_all_numbers_come_up() -> None:
    """Of 20,000 draws of ten numbers each comes 1,800 to 2,200 times: 2,000 plus or minus 4.7 standard deviations."""
    draw = Uniform(random.Random(62).randbytes)
    counts = Counter(draw(10) for _ in range(20_000))

    assert sorted(counts) == list(range(10))
    assert all(1800 < count < 2200 for count in counts.values())
