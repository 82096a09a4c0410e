"""What is down or far is left out before the pick, in this order."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greendns.codes import RRType
from greendns.filters import choose, distance_groups, healthy_indexes
from greendns.packing import Packing
from greendns.place import Place
from greendns.rrset import RRset, add_rrset, make_rrset
from greendns.snapshot import Coordinates, Snapshot, State
from greendns.targeting import Location
from greendns.zone import Match
from greendns.zonelinks import Label, Name
from greendns.zonepack import pack_names

Points = tuple[Coordinates | None, ...]

ROOM = 1000
EQUATOR: Coordinates = (0.0, 0.0)


def east(degrees: float) -> Coordinates:
    """A point on the equator; its distance from EQUATOR is just that."""
    return (0.0, degrees)


def addresses(count: int, weights: tuple[int, ...] = (), health: tuple[str | None, ...] | None = None) -> RRset:
    rdatas = tuple([bytes((192, 0, 2, number)) for number in range(count)])
    return make_rrset(RRType.A, 60, rdatas, weights or (1,) * count, health)


def match_of(rrset: RRset, max_hosts: int = 2, closest: bool = False, is_checked: bool = False) -> Match:
    """A match of a record set by itself, as if it stood at a label of these settings."""
    label = Label("www", max_hosts, closest, is_checked)
    packing = Packing()
    checks = rrset.checks()
    label.sets[rrset.rrtype] = add_rrset(packing, rrset.rrtype, rrset.ttl, rrset.rdatas, rrset.weights, checks)
    pack_names({b"": Name(label)}, packing)
    return Match(packing.settle(), b"@", label.place, label.sets[rrset.rrtype])


def client(at: Coordinates | None) -> Location:
    location = Location(bytes((192, 0, 2, 1)), False)
    location.place = Place(coordinates=at)
    return location


def chosen(
    match: Match,
    at: Coordinates | None = None,
    points: Points = (),
    health: Mapping[str, int] | None = None,
    room: int = ROOM,
    seed: int = 1,
) -> list[int]:
    """The records that are answered to a client at a point, the records being at `points`."""
    snapshot = Snapshot(coordinates={(match.image, match.rrset.at): points} if points else {})
    return choose(match, client(at), snapshot, State(health=health), random.Random(seed).randrange, room)


def counted(match: Match, at: Coordinates | None, points: Points, draws: int = 600) -> Counter[int]:
    """How often each record is among those chosen."""
    return Counter(index for seed in range(draws) for index in chosen(match, at, points, seed=seed))


# -- max_hosts


def test_G155_max_hosts_of_0_is_nothing_and_more_than_there_are_is_all() -> None:
    """Each record once."""
    assert chosen(match_of(addresses(3), max_hosts=0)) == []
    assert sorted(chosen(match_of(addresses(3), max_hosts=99))) == [0, 1, 2]


def test_G150_what_has_no_weight_is_all_answered_in_the_order_of_the_file() -> None:
    """Whatever max_hosts says."""
    texts = make_rrset(RRType.TXT, 60, (b"\x01c", b"\x01a", b"\x01b"))

    assert chosen(match_of(texts, max_hosts=0)) == [0, 1, 2]


def test_G154_of_several_cnames_one_is_chosen() -> None:
    """Whatever max_hosts says, also where the label is checked."""
    cnames = make_rrset(RRType.CNAME, 60, (b"\x01a\x00", b"\x01b\x00"), (1, 1), ("x/1", "x/2"))

    assert len(chosen(match_of(cnames, max_hosts=5))) == 1
    assert len(chosen(match_of(cnames, max_hosts=0))) == 1
    assert len(chosen(match_of(cnames, is_checked=True), health={"x/1": 2, "x/2": 2})) == 1


def test_G153_zero_weights_come_after_all_others() -> None:
    """Only if the others are too few."""
    match = match_of(addresses(3, weights=(0, 5, 0)), max_hosts=2)

    for seed in range(20):
        first, second = chosen(match, seed=seed)
        assert first == 1
        assert second in (0, 2)


def test_no_more_are_drawn_than_there_is_room_for() -> None:
    """A label with max_hosts of 5,000 doesn't stall."""
    assert len(chosen(match_of(addresses(200), max_hosts=5000), room=7)) == 7


# -- health (G170-G174)


def test_G170_nothing_is_left_out_where_the_label_is_not_checked() -> None:
    """Whatever the records say of their checks."""
    match = match_of(addresses(2, health=("x/1", "x/2")), is_checked=False)

    assert healthy_indexes(match, {"x/1": 1, "x/2": 0}) is None


@pytest.mark.parametrize(("state", "passes"), [(0, False), (1, False), (2, True), (3, False)])
def test_G171_a_record_passes_if_its_check_says_healthy(state: int, passes: bool) -> None:
    """2 is healthy, 0 unknown, 1 unhealthy."""
    match = match_of(addresses(1, health=("x/1",)), is_checked=True)

    assert healthy_indexes(match, {"x/1": state}) == ([0] if passes else [])


def test_G171_a_check_that_nobody_knows_is_not_healthy() -> None:
    """Its file is gone, or has no such key (G173)."""
    assert healthy_indexes(match_of(addresses(1, health=("x/1",)), is_checked=True), {}) == []


def test_G172_a_record_without_a_check_passes() -> None:
    """It is not looked for by its address."""
    match = match_of(addresses(3, health=("x/1", None, "x/2")), is_checked=True)

    assert healthy_indexes(match, {"x/1": 1, "x/2": 2}) == [1, 2]
    assert sorted(chosen(match, health={"x/1": 1, "x/2": 2})) == [1, 2]


def test_G174_all_types_are_checked() -> None:
    """Also those that are not picked from."""
    texts = make_rrset(RRType.TXT, 60, (b"\x01a", b"\x01b"), (), ("x/1", "x/2"))

    assert chosen(match_of(texts, is_checked=True), health={"x/2": 2}) == [1]


def test_G174_nothing_is_left_where_all_are_down() -> None:
    """The next target answers then."""
    match = match_of(addresses(2, health=("x/1", "x/2")), is_checked=True)

    assert chosen(match, health={"x/1": 1}) == []


def test_what_is_left_is_drawn_by_weight() -> None:
    """9 : 1 among the two that are up."""
    match = match_of(addresses(3, (1000, 9, 1), ("x/1", None, None)), max_hosts=1, is_checked=True)

    firsts = Counter(chosen(match, health={}, seed=seed)[0] for seed in range(1000))
    assert set(firsts) == {1, 2}
    assert 860 < firsts[1] < 940


# -- closest (G160-G167)


def test_G161_the_nearest_are_answered() -> None:
    """By degrees of the great circle."""
    match = match_of(addresses(4), max_hosts=2, closest=True)

    assert sorted(chosen(match, EQUATOR, (east(90), east(10), east(180), east(20)))) == [1, 3]
    assert chosen(match, (60.0, 179.0), ((60.0, -179.0), (0.0, 179.0), (50.0, 170.0), (-60.0, 0.0)))[0] == 0


def test_G160_distance_says_nothing_where_all_are_answered() -> None:
    """max_hosts is not less than the number of records."""
    match = match_of(addresses(2), max_hosts=2, closest=True)

    assert {tuple(chosen(match, EQUATOR, (east(1), east(99)), seed=seed)) for seed in range(40)} == {(0, 1), (1, 0)}


def test_G160_only_addresses_are_chosen_by_distance() -> None:
    """An MX has no place."""
    exchanges = make_rrset(RRType.MX, 60, (b"\x00\x00\x01a\x00", b"\x00\x00\x01b\x00"), (1, 1))
    match = match_of(exchanges, max_hosts=1, closest=True)

    assert set(counted(match, EQUATOR, (east(1), east(99)), draws=60)) == {0, 1}


def test_G163_the_nearest_is_in_every_answer() -> None:
    """One at no distance at all, two others within 5 % of each other for the second place."""
    match = match_of(addresses(3), max_hosts=2, closest=True)

    counts = counted(match, EQUATOR, (east(40), east(0), east(41)))
    assert counts[1] == 600
    assert 240 < counts[0] < 360
    assert counts[0] + counts[2] == 600


def test_G163_a_group_that_does_not_fit_is_drawn_by_weight() -> None:
    """Two of three within 5 %: 8 : 1 : 1."""
    match = match_of(addresses(3, (8, 1, 1)), max_hosts=1, closest=True)

    counts = counted(match, EQUATOR, (east(100), east(102), east(104)), draws=1000)
    assert 760 < counts[0] < 840


def test_G162_a_group_reaches_to_5_percent_beyond_its_nearest() -> None:
    """Not beyond its last."""
    rrset = addresses(4)
    snapshot = Snapshot(coordinates={(rrset.image, rrset.at): (east(10), east(10.4), east(10.8), east(11.2))})

    assert distance_groups(rrset, None, client(EQUATOR), snapshot) == [[0, 1], [2, 3]]


def test_G165_a_record_without_a_place_comes_last() -> None:
    """Only if the others are too few."""
    match = match_of(addresses(3), max_hosts=2, closest=True)

    assert chosen(match, EQUATOR, (None, east(179), None))[0] == 1
    assert sorted(chosen(match, EQUATOR, (None, east(179), east(1)))) == [1, 2]


def test_G165_a_client_without_a_place_gets_a_plain_pick() -> None:
    """By weight, as if the label had no closest."""
    match = match_of(addresses(3, (8, 1, 1)), max_hosts=1, closest=True)

    counts = counted(match, None, (east(0), None, east(90)), draws=1000)
    assert 760 < counts[0] < 840


def test_G165_zero_degrees_are_a_place_like_another() -> None:
    """And not the sign of an unknown one."""
    match = match_of(addresses(2), max_hosts=1, closest=True)

    assert chosen(match, EQUATOR, (None, EQUATOR)) == [1]


def test_what_is_down_is_not_near() -> None:
    """Health is judged first, and decides how many there are to choose from."""
    match = match_of(addresses(3, health=("x/1", None, None)), max_hosts=1, closest=True, is_checked=True)

    assert chosen(match, EQUATOR, (east(1), east(99), east(50)), health={"x/1": 1}) == [2]


@settings(deadline=None)
@given(
    st.lists(st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=1, max_size=20),
    st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
    st.integers(0, 25),
    st.integers(0, 999),
)
def test_as_many_as_asked_for_are_chosen_and_each_once(
    points: list[Coordinates | None], at: Coordinates | None, max_hosts: int, seed: int
) -> None:
    """Wherever client and records are."""
    match = match_of(addresses(len(points)), max_hosts=max_hosts, closest=True)

    indexes = chosen(match, at, tuple(points), seed=seed)

    assert len(indexes) == min(max_hosts, len(points))
    assert len(set(indexes)) == len(indexes)


@settings(deadline=None)
@given(st.lists(st.floats(0, 180), min_size=2, max_size=20, unique=True), st.integers(1, 19), st.integers(0, 99))
def test_nobody_outside_5_percent_is_nearer_than_who_was_chosen(
    degrees: list[float], max_hosts: int, seed: int
) -> None:
    """Whoever is left out is at least as far as each one chosen, up to the 5 %."""
    match = match_of(addresses(len(degrees)), max_hosts=max_hosts, closest=True)

    indexes = chosen(match, EQUATOR, tuple([east(degree) for degree in degrees]), seed=seed)

    left = set(range(len(degrees))) - set(indexes)
    farthest = max(degrees[index] for index in indexes)
    assert all(farthest <= degrees[index] * 1.05 + 1e-9 for index in left)
