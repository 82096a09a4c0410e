"""Picks are fair: exactly, by walking all that the random source can say, and as counted with a seeded one.

The seeds are fixed, so that a test that passes goes on passing: what it guards is the code, not the luck.
"""

from __future__ import annotations

import importlib.util
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import permutations
from math import sqrt
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest

import greendns.picker
from greendns.image import Image
from greendns.odds import odds_of_first, odds_of_inclusion
from greendns.picker import Draw, draw_by_cuts, draw_by_tree, pick, pick_weighted
from tests.choices import Choice
from tests.stats.chisquare import fit_p_value, p_value

PICKS = 20_000
# One test in a thousand fails by chance, for one seed in a thousand.
LEAST_P_VALUE = 0.001
# Some 2,000 counts are compared: beyond 4.5 standard deviations lie 0.0007 % of a normal distribution.
# One more, as the count of a rare event is whole.
DEVIATIONS_MAX = 4.5

Way = Callable[[Image, int, int, Draw], list[int]]
Outcomes = dict[tuple[int, ...], Fraction]

LABELS = {
    "equal": (10,) * 30,
    "heavy one": (10_000, 1, 1, 1),
    "doubling": tuple(2**power for power in range(12)),
    "some zero": (5, 0, 1, 0, 20, 0, 3),
    "netspeeds": tuple(random.Random(30).choice((1, 10, 100, 1000, 3000, 10_000)) for _ in range(30)),
}
LARGE_LABEL = tuple(random.Random(4500).randint(1, 10_000) for _ in range(4500))


every_way = pytest.mark.parametrize("way", [draw_by_cuts, draw_by_tree, pick])


def line(weights: Sequence[int]) -> Image:
    """The image of weights laid one after the other."""
    return Choice(weights).image


class Branch(Exception):
    """The random source was asked for a number below `n`, and the script had no more."""

    def __init__(self, n: int) -> None:
        super().__init__(n)
        self.n = n


def all_outcomes(pick: Callable[[Draw], list[int]]) -> Outcomes:
    """The exact odds of all that `pick` can return: it is run for each sequence of numbers that may be drawn."""
    outcomes: Outcomes = {}
    pending: list[tuple[tuple[int, ...], Fraction]] = [((), Fraction(1))]
    while pending:
        script, odds = pending.pop()
        numbers = iter(script)
        try:
            picks = tuple(pick(partial(_next_of, numbers)))
        except Branch as branch:
            pending += [((*script, point), odds / branch.n) for point in range(branch.n)]
            continue
        outcomes[picks] = outcomes.get(picks, Fraction(0)) + odds
    return outcomes


def _next_of(numbers: Iterator[int], n: int) -> int:
    for number in numbers:
        return number
    raise Branch(n)


def fair_outcomes(weights: Sequence[int], count: int) -> Outcomes:
    """The odds of each order of `count` positive weights, each draw by its share of what is left."""
    return {order: _odds_of_order(weights, order) for order in permutations(range(len(weights)), count)}


def _odds_of_order(weights: Sequence[int], order: Sequence[int]) -> Fraction:
    left = sum(weights)
    odds = Fraction(1)
    for index in order:
        odds *= Fraction(weights[index], left)
        left -= weights[index]
    return odds


@every_way
@pytest.mark.parametrize("weights", [(2, 1, 1), (1, 1, 1), (3, 2, 1), (1, 5), (1, 2, 1, 2), (4, 1, 1, 1)], ids=str)
def test_G152_every_outcome_has_exactly_its_odds(way: Way, weights: tuple[int, ...]) -> None:
    """For every count, each order of records comes out with the product of its shares, as a fraction."""
    for count in range(len(weights) + 1):
        assert all_outcomes(partial(way, line(weights), 0, count)) == fair_outcomes(weights, count)


@pytest.mark.parametrize("weights", [(1, 1), (1, 1, 1), (100, 50, 25), (10_000, 1, 1, 1)], ids=str)
def test_G152_the_first_record_has_no_extra_chance(weights: tuple[int, ...]) -> None:
    """Each record is first by weight / sum, where geodns gives the heaviest (weight + 1) / (sum + 1)."""
    firsts = all_outcomes(partial(pick_weighted, weights, 1))

    assert firsts == {(index,): Fraction(weight, sum(weights)) for index, weight in enumerate(weights)}


def test_G153_zero_weights_follow_in_every_order_alike() -> None:
    """Behind 2 and 1, two zeros come in both orders in half of all outcomes."""
    outcomes = all_outcomes(partial(pick_weighted, (2, 0, 1, 0), 4))
    third, sixth = Fraction(1, 3), Fraction(1, 6)

    assert outcomes == {(0, 2, 1, 3): third, (0, 2, 3, 1): third, (2, 0, 1, 3): sixth, (2, 0, 3, 1): sixth}


@every_way
def test_inclusion_odds_are_those_of_all_outcomes(way: Way) -> None:
    """The integral of `odds` and the enumerated draws tell the same."""
    weights = (4, 3, 1, 1)
    outcomes = all_outcomes(partial(way, line(weights), 0, 2))
    included = [float(sum(odds for picks, odds in outcomes.items() if i in picks)) for i in range(4)]

    assert odds_of_inclusion(weights, 2) == pytest.approx(included, rel=0, abs=1e-9)


@pytest.mark.parametrize("weights", [LABELS["equal"], LABELS["heavy one"], LABELS["netspeeds"], LARGE_LABEL])
def test_G152_first_draws_are_in_proportion_to_weight(weights: tuple[int, ...]) -> None:
    """20,000 first draws fit weight / sum, alone and as the first of four."""
    choice = Choice(weights)
    for count in (1, 4):
        draw = random.Random(152).randrange
        firsts = Counter(choice.pick(count, draw)[0] for _ in range(PICKS))
        expected = [odds * PICKS for odds in odds_of_first(weights)]

        assert fit_p_value([firsts[i] for i in range(len(weights))], expected) > LEAST_P_VALUE


def test_G151_picks_of_a_large_label_are_in_proportion_to_their_odds() -> None:
    """Four of 4,500, counted 20,000 times; without replacement counts scatter a little less than the test allows."""
    choice, draw = Choice(LARGE_LABEL), random.Random(151).randrange
    picked = Counter(index for _ in range(PICKS) for index in choice.pick(4, draw))
    expected = [odds * PICKS for odds in odds_of_inclusion(LARGE_LABEL, 4)]

    assert fit_p_value([picked[i] for i in range(len(LARGE_LABEL))], expected) > LEAST_P_VALUE


@pytest.mark.parametrize("name", LABELS)
def test_G151_picks_agree_with_the_odds_for_every_count(name: str) -> None:
    """How often a record is among the first k drawn, for every k; a pick of k is the beginning of a longer one."""
    weights = LABELS[name]
    choice, draw = Choice(weights), random.Random(1511).randrange
    places = Counter(pair for _ in range(PICKS) for pair in enumerate(choice.pick(len(weights), draw)))

    assert_counts_fit(weights, places)


@pytest.mark.parametrize("name", ["equal", "heavy one", "doubling", "netspeeds"])
def test_G151_draws_by_the_tree_agree_with_the_odds_for_every_count(name: str) -> None:
    """The same for the way that is taken for many picks."""
    weights = LABELS[name]
    image, draw = line(weights), random.Random(1512).randrange
    places = Counter(pair for _ in range(PICKS) for pair in enumerate(draw_by_tree(image, 0, len(weights), draw)))

    assert_counts_fit(weights, places)


def assert_counts_fit(weights: Sequence[int], places: Counter[tuple[int, int]]) -> None:
    """Compare each record's count among the first k with its odds; `places` counts (place, record)."""
    picked = [0] * len(weights)
    for place in range(len(weights)):
        picked = [before + places[place, index] for index, before in enumerate(picked)]
        for seen, odds in zip(picked, odds_of_inclusion(weights, place + 1), strict=True):
            assert abs(seen - PICKS * odds) <= 1 + DEVIATIONS_MAX * sqrt(PICKS * max(0.0, odds * (1 - odds)))


def test_a_biased_pick_is_noticed() -> None:
    """The test itself sees one extra chance in 61, as geodns gives it to the first of three."""
    biased, draw = Choice((21, 20, 20)), random.Random(3).randrange
    firsts = Counter(biased.pick(1, draw)[0] for _ in range(5 * PICKS))

    assert fit_p_value([firsts[i] for i in range(3)], [5 * PICKS / 3] * 3) < LEAST_P_VALUE


@pytest.mark.parametrize(("statistic", "degrees"), [(3.841459, 1), (18.307038, 10), (3648.942, 3510)])
def test_p_values_are_those_of_the_tables(statistic: float, degrees: int) -> None:
    """The 5 % points of the chi-square distribution; the last by Wilson and Hilferty's formula."""
    assert p_value(statistic, degrees) == pytest.approx(0.05, abs=1e-4)


@pytest.fixture(scope="module")
def source() -> ModuleType:
    """The picker as Python source, also where the compiled one is installed: its lines can be counted."""
    path = Path(greendns.picker.__file__).with_name("picker.py")
    spec = importlib.util.spec_from_file_location("greendns.picker_source", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def count_steps(source: ModuleType, weights: Sequence[int], count: int) -> int:
    """The lines of the picker that a pick runs."""
    choice, draw = source.Image(source.encode_choice(weights)), random.Random(8).randrange
    lines = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal lines
        if frame.f_code.co_filename != source.__file__:
            return None
        lines += event == "line"
        return trace

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        source.pick(choice, 0, count, draw)
    finally:
        sys.settrace(previous)
    return lines


def test_a_pick_from_4500_takes_little_more_steps_than_from_45(source: ModuleType) -> None:
    """A hundred times the records, less than half as many steps more: the guide leaves as many to search."""
    few = count_steps(source, LARGE_LABEL[:45], 4)

    assert count_steps(source, LARGE_LABEL, 4) < 1.5 * few


def test_picking_all_takes_steps_in_proportion_to_the_records(source: ModuleType) -> None:
    """Ten times the records, all of them picked: less than 20 times the steps, where cuts take nearly 100 times."""
    few = count_steps(source, LARGE_LABEL[:400], 400)

    assert few < count_steps(source, LARGE_LABEL[:4000], 4000) < 20 * few


def test_no_number_is_drawn_in_vain() -> None:
    """Four picks ask for four numbers, also where 1,000,000,000 stands among ones."""
    choice, draw = Choice((10**9, *[1] * 50)), random.Random(9).randrange
    asked: list[int] = []

    choice.pick(4, lambda n: asked.append(n) or draw(n))  # type: ignore[func-returns-value]

    assert len(asked) == 4
