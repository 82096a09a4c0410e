"""The odds are those of drawing without replacement: compared with enumeration, with sums and with symmetry."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greendns import odds as odds_module
from greendns.odds import is_exact, odds_of_first, odds_of_inclusion

# What the docstring promises.
PRECISION = 1e-9

SMALL_LABELS = [
    (1, 1),
    (1, 10**9),
    (2, 1, 1),
    (100, 50, 25),
    (1, 1000, 10**6),
    (10_000, 1, 1, 1),
    (10**9, 10**9, 1, 1),
    (5, 4, 3, 2, 1),
    (10**9, 1, 1, 1, 1),
    (1, 1, 1, 1, 1, 1),
    (1, 2, 3, 5, 7, 11),
    (1, 100, 10**4, 10**6, 10**8, 10**9),
    (2**31 - 1, 2**31 - 1, 2**31 - 1, 1, 1, 1),
]


def enumerated(weights: Sequence[int], count: int) -> list[Fraction]:
    """Inclusion odds of positive weights, exactly: each draw in turn, over the sets of what was drawn before."""
    reached: dict[frozenset[int], Fraction] = {frozenset(): Fraction(1)}
    for _ in range(count):
        reached = _draw_once_more(weights, reached)
    return [sum((odds for drawn, odds in reached.items() if i in drawn), Fraction(0)) for i in range(len(weights))]


def _draw_once_more(weights: Sequence[int], reached: dict[frozenset[int], Fraction]) -> dict[frozenset[int], Fraction]:
    following: dict[frozenset[int], Fraction] = {}
    for drawn, odds in reached.items():
        rest = set(range(len(weights))) - drawn
        left = sum(weights[i] for i in rest)
        for i in rest:
            following[drawn | {i}] = following.get(drawn | {i}, Fraction(0)) + odds * Fraction(weights[i], left)
    return following


def odds_of_two_kinds(heavy: tuple[int, int], light: tuple[int, int], count: int) -> tuple[float, float]:
    """Inclusion odds of (weight, how many) heavy and light records, draw by draw over how many heavy ones went."""
    gone = {0: 1.0}
    for drawn in range(count):
        following: dict[int, float] = {}
        for heavies, odds in gone.items():
            heavy_left = heavy[0] * (heavy[1] - heavies)
            light_left = light[0] * (light[1] - drawn + heavies)
            share = heavy_left / (heavy_left + light_left)
            following[heavies + 1] = following.get(heavies + 1, 0.0) + odds * share
            following[heavies] = following.get(heavies, 0.0) + odds * (1 - share)
        gone = {heavies: odds for heavies, odds in following.items() if odds}
    mean = sum(heavies * odds for heavies, odds in gone.items())
    return mean / heavy[1], (count - mean) / light[1]


@pytest.mark.parametrize("weights", SMALL_LABELS, ids=str)
def test_small_labels_agree_with_enumeration(weights: tuple[int, ...]) -> None:
    """For every count, every record's odds are within the promised precision of the exact fraction."""
    for count in range(len(weights) + 1):
        assert odds_of_inclusion(weights, count) == pytest.approx(
            [float(odds) for odds in enumerated(weights, count)], rel=0, abs=PRECISION
        )


@settings(deadline=None)
@given(st.lists(st.integers(1, 9) | st.integers(1, 10**9), min_size=1, max_size=6), st.integers(0, 6))
def test_labels_of_up_to_six_agree_with_enumeration(weights: list[int], count: int) -> None:
    """Whatever the weights, mixed from 1 to a thousand million."""
    exact = enumerated(weights, min(count, len(weights)))

    assert odds_of_inclusion(weights, count) == pytest.approx([float(odds) for odds in exact], rel=0, abs=PRECISION)


def test_a_heavy_one_among_ones_is_nearly_sure() -> None:
    """With 10,000:1:1:1 and two picks the heavy one is left out by 3/10003 * 2/10002, worked out by hand."""
    heavy, *ones = odds_of_inclusion((10_000, 1, 1, 1), 2)

    assert 1 - heavy == pytest.approx(3 / 10_003 * 2 / 10_002, rel=0, abs=PRECISION)
    assert ones == pytest.approx([(2 - heavy) / 3] * 3, rel=0, abs=PRECISION)


@pytest.mark.parametrize("count", [2, 30, 100, 199])
def test_two_kinds_of_many_records_agree_with_a_count_of_kinds(count: int) -> None:
    """100 records of weight 10 and 100 of weight 1: the larger labels, by another way."""
    odds = odds_of_inclusion([10] * 100 + [1] * 100, count)
    heavy, light = odds_of_two_kinds((10, 100), (1, 100), count)

    assert odds == pytest.approx([heavy] * 100 + [light] * 100, rel=0, abs=PRECISION)


@pytest.mark.parametrize("count", [1, 2, 4, 16])
def test_odds_of_a_large_label_add_up_to_the_count(count: int) -> None:
    """4,500 records of netspeeds 1 to 10,000: as many are picked as were asked for."""
    source = random.Random(4500)
    odds = odds_of_inclusion([source.randint(1, 10_000) for _ in range(4500)], count)

    assert sum(odds) == pytest.approx(count, rel=0, abs=4500 * PRECISION)


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**9), max_size=25), st.integers(0, 30))
def test_odds_add_up_to_the_count(weights: list[int], count: int) -> None:
    """The sum is the number of records picked, zero weights included."""
    odds = odds_of_inclusion(weights, count)

    assert sum(odds) == pytest.approx(min(count, len(weights)), rel=0, abs=25 * PRECISION)
    assert all(0 <= chance <= 1 for chance in odds)


@settings(deadline=None)
@given(st.lists(st.integers(1, 10**9), min_size=2, max_size=12), st.integers(1, 11))
def test_more_weight_never_means_less_odds(weights: list[int], count: int) -> None:
    """Records in order of weight are in order of odds."""
    odds = odds_of_inclusion(sorted(weights), count)

    assert all(lighter <= heavier + PRECISION for lighter, heavier in pairwise(odds))


def test_a_range_of_weights_beyond_all_use_is_computed() -> None:
    """1 beside 10^100: the two heavy ones take both places."""
    assert odds_of_inclusion((10**100, 1, 10**100), 2) == pytest.approx([1, 0, 1], rel=0, abs=PRECISION)


def test_equal_weights_share_equally() -> None:
    """Five of 4,500 equal records: 5/4500 each, exactly."""
    assert odds_of_inclusion([7] * 4500, 5) == [5 / 4500] * 4500


def test_a_count_of_one_is_the_first_draw() -> None:
    """One pick is the share of the sum."""
    assert odds_of_inclusion((2, 1, 1), 1) == odds_of_first((2, 1, 1)) == [0.5, 0.25, 0.25]


def test_G153_zero_weights_share_what_positive_ones_leave() -> None:
    """Two positive and four zero weights: three picks leave one place, a quarter each."""
    assert odds_of_inclusion((5, 0, 0, 1, 0, 0), 3) == [1, 0.25, 0.25, 1, 0.25, 0.25]


def test_G153_zero_weights_have_no_chance_while_positive_ones_are_left() -> None:
    """Two picks of three positive ones: nothing for the zero."""
    assert odds_of_inclusion((5, 0, 5, 5), 2) == pytest.approx([2 / 3, 0, 2 / 3, 2 / 3])


def test_all_zero_weights_share_equally() -> None:
    """No record weighs anything: each is as likely as the others."""
    assert odds_of_inclusion((0, 0, 0, 0), 3) == [0.75] * 4
    assert odds_of_first((0, 0, 0, 0)) == [0.25] * 4


def test_G155_a_count_of_zero_has_no_odds_and_a_large_one_all() -> None:
    """Nothing is picked with max_hosts 0, everything with more than there is."""
    assert odds_of_inclusion((3, 2, 0), 0) == [0, 0, 0]
    assert odds_of_inclusion((3, 2, 0), 9) == [1, 1, 1]


def test_no_records_have_no_odds() -> None:
    """An empty label gives an empty list."""
    assert odds_of_inclusion((), 2) == odds_of_first(()) == []


@pytest.mark.parametrize(("weights", "count"), [((1, -1), 1), ((1, 1), -1)])
def test_negative_numbers_are_refused(weights: tuple[int, ...], count: int) -> None:
    """Neither a weight nor a count can be below zero."""
    with pytest.raises(ValueError, match="must not be negative"):
        odds_of_inclusion(weights, count)


def test_first_odds_refuse_negative_weights() -> None:
    """A negative share is none."""
    with pytest.raises(ValueError, match="must not be negative"):
        odds_of_first((3, -1))


# What the docstring promises where odds are approximate.
ROUGH_PRECISION = 2e-4


@pytest.mark.parametrize(("size", "count"), [(200, 16), (200, 50), (200, 75), (500, 50)])
@pytest.mark.parametrize("decades", [1, 4, 9])
def test_approximate_odds_are_near_the_exact_ones(
    monkeypatch: pytest.MonkeyPatch, size: int, count: int, decades: int
) -> None:
    """Weights over one decade and over nine."""
    source = random.Random(size)
    weights = [int(10 ** source.uniform(0, decades)) for _ in range(size)]
    exact = odds_of_inclusion(weights, count)
    assert is_exact(weights, count)

    monkeypatch.setattr(odds_module, "_EXACT_STEPS", 0)
    assert not is_exact(weights, count)
    assert odds_of_inclusion(weights, count) == pytest.approx(exact, rel=0, abs=ROUGH_PRECISION)


@pytest.mark.parametrize(("heavy", "light"), [((10**9, 49), (1, 4451)), ((100, 2000), (1, 2500))])
@pytest.mark.parametrize("count", [60, 1000, 2010, 4000])
def test_approximate_odds_of_two_kinds(heavy: tuple[int, int], light: tuple[int, int], count: int) -> None:
    """As a count of kinds has them."""
    weights = [heavy[0]] * heavy[1] + [light[0]] * light[1]
    expected = odds_of_two_kinds(heavy, light, count)
    odds = odds_of_inclusion(weights, count)

    assert not is_exact(weights, count)
    assert (odds[0], odds[-1]) == pytest.approx(expected, rel=0, abs=ROUGH_PRECISION)


@pytest.mark.parametrize("count", [26, 1000, 4000, 4499])
def test_approximate_odds_add_up_to_the_count(count: int) -> None:
    """4,500 different weights."""
    weights = range(1, 4501)
    odds = odds_of_inclusion(weights, count)

    assert not is_exact(weights, count)
    assert sum(odds) == pytest.approx(count, rel=1e-5)
    assert all(lighter <= heavier for lighter, heavier in pairwise(odds))


def test_the_usual_sizes_are_exact() -> None:
    """The NTP Pool's largest zone and 16 picks; whatever is all alike or all picked."""
    assert is_exact(range(1, 4501), 16)
    assert is_exact([7] * 4500, 1000)
    assert is_exact(range(1, 4501), 4500)
    assert not is_exact(range(1, 4501), 1000)
