"""Whole answers are fair: zone file, loader and answer function together, counted with a seeded source.

The seeds are fixed, as in test_picker_fairness: what is guarded is the code, not the luck.
"""

from __future__ import annotations

import json
import random
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from math import sqrt
from pathlib import Path

import pytest

from greendns.answer import answer
from greendns.loader import load_files
from greendns.odds import odds_of_first, odds_of_inclusion
from greendns.outcome import Outcome, Peer
from greendns.picker import Draw
from greendns.snapshot import Snapshot, State
from greendns.zonedb import ZoneDB
from tests.stats.chisquare import fit_p_value

ANSWERS = 20_000
LEAST_P_VALUE = 0.001
# Some 1,000 counts are compared: beyond 4.5 standard deviations lie 0.0007 % of a normal distribution.
# One more, as the count of a rare event is whole.
DEVIATIONS_MAX = 4.5

TCP = Peer(b"\x7f\x00\x00\x01", 5353, is_tcp=True)
UDP = Peer(b"\x7f\x00\x00\x01", 5353, is_tcp=False)

SMALL = {
    "equal": (10,) * 30,
    "skewed": (10_000, 1, 1, 1),
    "doubling": tuple(2**power for power in range(12)),
    "some-zero": (5, 0, 1, 0, 20, 0, 3),
    "no-weight": (0,) * 5,
    "netspeeds": tuple(random.Random(30).choice((1, 10, 100, 1000, 3000, 10_000)) for _ in range(30)),
}
LARGE = tuple(random.Random(4500).randint(1, 10_000) for _ in range(4500))
LABELS = {**SMALL, "large": LARGE}
# Numbers of records drawn that answers are made for one by one; the others are seen as beginnings of longer answers.
SAMPLED_COUNTS = (1, 2, 3, 5, 8, 13, 21, 29)


def records(weights: Sequence[int]) -> list[list[object]]:
    """A records of these weights: the number of each is its address."""
    return [[f"10.0.{number >> 8}.{number & 255}", weight] for number, weight in enumerate(weights)]


def write_zone(path: Path) -> Path:
    """Each label under `NAME`, which answers one record, under `kN.NAME` for N, and under `all.NAME`."""
    labels: dict[str, object] = {}
    for name, weights in LABELS.items():
        labels[name] = {"max_hosts": 1, "a": records(weights)}
        labels[f"four.{name}"] = {"max_hosts": 4, "a": records(weights)}
    for name, weights in SMALL.items():
        labels[f"all.{name}"] = {"max_hosts": len(weights), "a": records(weights)}
        labels.update({f"k{count}.{name}": {"max_hosts": count, "a": records(weights)} for count in SAMPLED_COUNTS})
    labels["flood"] = {"max_hosts": 5000, "a": records([1000] * 5000)}
    path.write_text(json.dumps({"data": labels}))
    return path


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """All labels, loaded from a zone file."""
    (loaded,) = load_files([write_zone(tmp_path_factory.mktemp("zones") / "example.com.json")])
    assert loaded.errors == ()
    assert loaded.zone is not None
    return Snapshot(ZoneDB([loaded.zone]))


def question(name: str, with_edns: bool = False) -> bytes:
    """A query for the A of a name of the zone."""
    labels = b"".join([bytes((len(label),)) + label.encode() for label in f"{name}.example.com".split(".")])
    opt = b"\x00\x00\x29\xff\xff" + bytes(6) if with_edns else b""
    return struct.pack("!6H", 1, 0, 1, 0, 0, with_edns) + labels + b"\x00\x00\x01\x00\x01" + opt


def ask(wire: bytes, snapshot: Snapshot, draw: Draw, peer: Peer = TCP) -> tuple[list[int], bytes, Outcome]:
    """The numbers of the records in an answer, in its order; the answer; and what became of the question."""
    answered, outcome = answer(wire, peer, 0.0, snapshot, State(), draw)
    assert answered is not None
    count = answered[6] << 8 | answered[7]
    start = wire.index(b"\x00\x00\x01\x00\x01", 12) + 5
    # A pointer, ten octets of head and four of address each; the number is in the last two.
    numbers = [answered[at] << 8 | answered[at + 1] for at in range(start + 14, start + 16 * count, 16)]
    return numbers, answered, outcome


def ask_often(name: str, snapshot: Snapshot, seed: int, times: int = ANSWERS) -> Iterator[list[int]]:
    """The records of many answers."""
    wire, draw = question(name), random.Random(seed).randrange
    return (ask(wire, snapshot, draw)[0] for _ in range(times))


def effective(weights: Sequence[int]) -> Sequence[int]:
    """Where no address has a weight each has the same (G150)."""
    return weights if any(weights) else [1] * len(weights)


@pytest.mark.parametrize("prefix", ["", "four."], ids=["one", "four"])
@pytest.mark.parametrize("name", ["equal", "skewed", "no-weight", "netspeeds", "large"])
def test_G152_first_records_of_answers_are_in_proportion_to_weight(name: str, prefix: str, snapshot: Snapshot) -> None:
    """20,000 answers fit weight / sum, whether they hold one record or four."""
    weights = effective(LABELS[name])
    firsts = Counter(numbers[0] for numbers in ask_often(prefix + name, snapshot, seed=152))
    expected = [odds * ANSWERS for odds in odds_of_first(weights)]

    assert firsts.total() == ANSWERS
    assert fit_p_value([firsts[number] for number in range(len(weights))], expected) > LEAST_P_VALUE


@pytest.mark.parametrize("name", SMALL)
def test_G151_records_are_among_the_first_as_often_as_their_odds_say(name: str, snapshot: Snapshot) -> None:
    """For every k up to all records of a label: how often each is among the first k of an answer."""
    weights = SMALL[name]
    places = Counter(place for numbers in ask_often(f"all.{name}", snapshot, seed=151) for place in enumerate(numbers))
    picked = [0] * len(weights)
    for place in range(len(weights)):
        picked = [before + places[place, number] for number, before in enumerate(picked)]
        assert_counts_fit(picked, odds_of_inclusion(effective(weights), place + 1), ANSWERS)


@pytest.mark.parametrize("count", SAMPLED_COUNTS)
@pytest.mark.parametrize("name", ["equal", "netspeeds", "doubling"])
def test_G151_records_are_in_answers_of_max_hosts_as_often_as_their_odds_say(
    name: str, count: int, snapshot: Snapshot
) -> None:
    """The same for answers that are no longer than k: as many different records as max_hosts says, or all."""
    weights = SMALL[name]
    times = 4000
    picked = Counter[int]()
    for numbers in ask_often(f"k{count}.{name}", snapshot, seed=count, times=times):
        assert len(set(numbers)) == len(numbers) == min(count, len(weights))
        picked.update(numbers)

    odds = odds_of_inclusion(weights, count)
    assert_counts_fit([picked[number] for number in range(len(weights))], odds, times)


def assert_counts_fit(picked: Sequence[int], odds: Sequence[float], times: int) -> None:
    """Compare how often each record was picked with its odds."""
    for seen, chance in zip(picked, odds, strict=True):
        assert abs(seen - times * chance) <= 1 + DEVIATIONS_MAX * sqrt(times * max(0.0, chance * (1 - chance)))


def test_G151_four_of_4500_are_picked_in_proportion_to_their_odds(snapshot: Snapshot) -> None:
    """Each of 4,500 records is in as many of 20,000 answers as its odds say; without replacement they scatter less."""
    picked = Counter(number for numbers in ask_often("four.large", snapshot, seed=4) for number in numbers)
    expected = [odds * ANSWERS for odds in odds_of_inclusion(LARGE, 4)]

    assert fit_p_value([picked[number] for number in range(len(LARGE))], expected) > LEAST_P_VALUE


# -- max_hosts of 5,000


class CountingDraw:
    """A seeded source that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self._draw = random.Random(5000).randrange

    def __call__(self, n: int) -> int:
        self.asked += 1
        return self._draw(n)


@pytest.mark.parametrize("with_edns", [False, True])
def test_5000_hosts_are_truncated_by_udp_at_once(with_edns: bool, snapshot: Snapshot) -> None:
    """TC and no record; no more is drawn than records of 12 octets, the shortest that there are, would fill."""
    draw = CountingDraw()
    numbers, answered, outcome = ask(question("flood", with_edns), snapshot, draw, UDP)

    assert numbers == []
    assert answered[2] & 0x02
    assert outcome.is_truncated
    assert draw.asked <= (1232 if with_edns else 512) // 12


@pytest.mark.parametrize("with_edns", [False, True])
def test_5000_hosts_fill_a_tcp_message(with_edns: bool, snapshot: Snapshot) -> None:
    """As many as fit into 65,535 octets, all different, without TC: a longer message there is not."""
    wire = question("flood", with_edns)
    numbers, answered, outcome = ask(wire, snapshot, CountingDraw())

    assert 65535 - 16 < len(answered) <= 65535
    assert len(set(numbers)) == len(numbers) == (65535 - len(wire)) // 16
    assert not answered[2] & 0x02
    assert not outcome.is_truncated
