"""What a pick promises whatever the random source says: distinct, complete, in order, and refused when senseless."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greendns.image import Image
from greendns.picker import (
    CUTS_MAX,
    GUIDED_MIN,
    Draw,
    draw_by_cuts,
    draw_by_tree,
    effective_weights,
    encode_choice,
    pick_weighted,
)
from tests.choices import Choice

WEIGHTS = st.lists(st.integers(0, 5) | st.integers(0, 2**31 - 1), max_size=30)
POSITIVE_WEIGHTS = st.lists(st.integers(1, 5) | st.integers(1, 2**57), min_size=1, max_size=40)


def seeded(seed: int) -> Draw:
    """A random source that says the same again for the same seed."""
    return random.Random(seed).randrange


def scripted(*points: int) -> Draw:
    """A random source that says `points`, and refuses one that does not fit what it is asked for."""
    rest = list(points)

    def draw(n: int) -> int:
        assert 0 <= rest[0] < n
        return rest.pop(0)

    return draw


def never(n: int) -> int:
    """A random source that must not be asked."""
    raise AssertionError(f"asked for a number below {n}")


def line(weights: Sequence[int]) -> Image:
    """The image of weights laid one after the other."""
    return Choice(weights).image


def reference_pick(weights: Sequence[int], draw: Draw) -> list[int]:
    """All positions, drawn the plain way: walk what is left until the point is passed."""
    left = list(enumerate(weights))
    drawn = []
    while left:
        point = draw(sum(weight for _, weight in left))
        ends = accumulate(weight for _, weight in left)
        at = next(at for at, end in enumerate(ends) if point < end)
        drawn.append(left.pop(at)[0])
    return drawn


def test_the_example_of_the_docstring() -> None:
    """The first point of the line is record 0, then record 2; record 1 has weight 0."""
    assert pick_weighted((10, 0, 5), 2, draw=lambda n: 0) == [0, 2]


def test_equal_weights_are_drawn_equally() -> None:
    """Each of three equal records is first for exactly one of the three points."""
    assert [pick_weighted((1, 1, 1), 1, scripted(point)) for point in range(3)] == [[0], [1], [2]]


@pytest.mark.parametrize(("point", "record"), [(0, 0), (9, 0), (10, 2), (14, 2)])
def test_a_record_owns_as_many_points_as_it_weighs(point: int, record: int) -> None:
    """With weights 10, 0, 5 the points 0 to 9 are record 0, 10 to 14 record 2."""
    assert pick_weighted((10, 0, 5), 1, scripted(point)) == [record]


def test_points_after_a_cut_are_shifted() -> None:
    """Once the middle one of 3, 4, 5 is gone, points 0 to 2 are the first, 3 to 7 the last record."""
    assert [pick_weighted((3, 4, 5), 2, scripted(3, point))[1] for point in range(8)] == [0] * 3 + [2] * 5


def test_the_source_is_asked_for_what_is_left() -> None:
    """The first draw is below the sum of all weights, the next ones below the sum of what was not drawn."""
    asked: list[int] = []
    pick_weighted((3, 4, 5), 3, lambda n: asked.append(n) or 0)  # type: ignore[func-returns-value]

    assert asked == [12, 9, 5]


@settings(deadline=None)
@given(WEIGHTS, st.integers(0, 40), st.integers())
def test_G151_a_pick_is_without_replacement(weights: list[int], count: int, seed: int) -> None:
    """Indexes are distinct and of this label, and as many as asked for or as there are."""
    picks = pick_weighted(weights, count, seeded(seed))

    assert len(set(picks)) == len(picks) == min(count, len(weights))
    assert set(picks) <= set(range(len(weights)))


def test_G150_weights_that_are_all_zero_count_as_one() -> None:
    """Where all weights are zero each becomes 1; a single positive one leaves all as they are."""
    assert effective_weights([0, 0, 0]) == (1, 1, 1)
    assert effective_weights([0, 7, 0]) == (0, 7, 0)
    assert effective_weights([]) == ()


@settings(deadline=None)
@given(WEIGHTS, st.integers(0, 40), st.integers())
def test_G153_zero_weights_come_after_all_positive_ones(weights: list[int], count: int, seed: int) -> None:
    """No record of weight zero stands before a positive one, or is picked while a positive one is left."""
    picked = [weights[index] > 0 for index in pick_weighted(weights, count, seeded(seed))]

    assert sum(picked) == min(count, sum(weight > 0 for weight in weights))
    assert picked == sorted(picked, reverse=True)


def test_G153_zero_weights_are_alike_among_themselves() -> None:
    """Behind the only positive one, each of three zeros is next for one of three points."""
    assert [pick_weighted((0, 9, 0, 0), 2, scripted(point)) for point in range(3)] == [[1, 0], [1, 2], [1, 3]]


def test_G154_a_count_of_one_gives_one() -> None:
    """A CNAME is picked with a count of 1, also if all weights are zero."""
    assert len(pick_weighted((5, 5), 1, seeded(1))) == 1
    assert len(pick_weighted((0, 0), 1, seeded(1))) == 1


def test_G155_a_count_of_zero_gives_nothing() -> None:
    """max_hosts 0 picks no record, and asks for no number."""
    assert pick_weighted((1, 2, 3), 0, never) == []


@pytest.mark.parametrize("count", [3, 4, 10**9])
def test_G155_a_count_beyond_the_records_gives_all(count: int) -> None:
    """A max_hosts that is larger than the label picks every record once."""
    assert sorted(pick_weighted((7, 0, 2), count, seeded(5))) == [0, 1, 2]


def test_G155_a_negative_count_is_refused() -> None:
    """geodns panics here; a ValueError says what is wrong."""
    with pytest.raises(ValueError, match="count must not be negative"):
        pick_weighted((1, 2), -1, never)


def test_a_negative_weight_is_refused() -> None:
    """Weights are checked when the label is loaded, not when it is asked for."""
    with pytest.raises(ValueError, match="weights must not be negative"):
        Choice((1, -1))


def test_no_records_give_no_picks() -> None:
    """A label without records is not an error."""
    assert pick_weighted((), 4, never) == []


@pytest.mark.parametrize("weight", [0, 1, 10_000])
def test_a_single_record_needs_no_random_number(weight: int) -> None:
    """Where there is no choice the random source is left alone."""
    assert pick_weighted((weight,), 1, never) == [0]
    assert pick_weighted((weight,), 4, never) == [0]


def test_a_choice_is_used_again_and_again() -> None:
    """A pick leaves nothing behind: the same numbers give the same picks."""
    choice = Choice((3, 0, 4, 5))

    assert choice.pick(4, seeded(7)) == choice.pick(4, seeded(7))


def test_sums_of_63_bits_are_exact() -> None:
    """The last point of a line of 2^63 - 1 is the last record, the one before it is not."""
    assert pick_weighted((2**63 - 2, 1), 1, scripted(2**63 - 2)) == [1]
    assert pick_weighted((2**63 - 2, 1), 1, scripted(2**63 - 3)) == [0]


@pytest.mark.parametrize("weights", [(2**63 - 1, 1), (2**70,), (1, 2**64)])
def test_a_sum_beyond_63_bits_is_refused(weights: tuple[int, ...]) -> None:
    """No zone file comes near it: it takes 2^32 records of the largest weight."""
    with pytest.raises(ValueError, match="weights must not sum to more"):
        Choice(weights)


@given(WEIGHTS)
def test_a_choice_tells_its_weights(weights: list[int]) -> None:
    """As they came in, zeros in their places."""
    assert Choice(weights).weights() == tuple(weights)


@settings(deadline=None)
@given(WEIGHTS, st.integers())
def test_a_shorter_pick_is_the_beginning_of_a_longer_one(weights: list[int], seed: int) -> None:
    """From the same random numbers, max_hosts only says where to stop."""
    choice = Choice(weights)
    everything = choice.pick(len(weights), seeded(seed))

    assert [choice.pick(count, seeded(seed)) for count in range(len(weights))] == [
        everything[:count] for count in range(len(weights))
    ]


@pytest.mark.parametrize("way", [draw_by_cuts, draw_by_tree])
@settings(deadline=None)
@given(weights=POSITIVE_WEIGHTS, seed=st.integers())
def test_both_ways_draw_as_the_plain_way(
    way: Callable[[Image, int, int, Draw], list[int]], weights: list[int], seed: int
) -> None:
    """Cuts and tree find the record that a walk over what is left finds, for every draw."""
    assert way(line(weights), 0, len(weights), seeded(seed)) == reference_pick(weights, seeded(seed))


@pytest.mark.parametrize("count", [CUTS_MAX, CUTS_MAX + 1, 500])
def test_many_picks_are_those_that_few_would_lead_to(count: int) -> None:
    """The change from cuts to the tree cannot be seen in the answers."""
    weights = [1 + index % 97 for index in range(5000)]

    assert pick_weighted(weights, count, seeded(3)) == draw_by_cuts(line(weights), 0, count, seeded(3))


@settings(deadline=None)
@given(st.lists(st.sampled_from([1, 2, 7, 1000, 2**20, 2**31, 2**40]), min_size=GUIDED_MIN, max_size=4 * GUIDED_MIN))
def test_a_guide_leads_to_every_record(weights: list[int]) -> None:
    """The first and the last point of each, however unlike they are: thousands may share a cell of the guide."""
    ends = list(accumulate(weights))
    firsts = [end - weight for end, weight in zip(ends, weights, strict=True)]

    assert [pick_weighted(weights, 1, scripted(point))[0] for point in firsts] == list(range(len(weights)))
    assert [pick_weighted(weights, 1, scripted(end - 1))[0] for end in ends] == list(range(len(weights)))


def test_a_guide_is_small() -> None:
    """At most a cell for four records, and one more, whatever the weights are."""
    for weights in ([1] * 5000, [1] * 4999 + [2**31], list(range(1, 5001))):
        without = 5000 + 1 + 4
        assert len(encode_choice(weights)) - without <= 5000 // 4 + 2


def test_both_ways_draw_nothing_from_nothing() -> None:
    """A line without positions is a line."""
    assert draw_by_cuts(line(()), 0, 0, never) == draw_by_tree(line(()), 0, 0, never) == []
