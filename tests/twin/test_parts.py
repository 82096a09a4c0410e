"""Both builds pick, walk and read alike: the same value, or the same exception."""

from __future__ import annotations

import random
import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mmdb_writer import Encoder

from tests.databases import WORLD, write_city
from tests.twin.pipe import Twins, was_raised

many = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])

SUM_MAX = 2**63 - 1
WEIGHTS: list[list[int]] = [
    [],
    [0],
    [1],
    [5],
    [0, 0, 0],
    [1, 0, 2],
    [1, 1],
    [10_000] + [1] * 99,
    list(range(200)),
    [2**31 - 1] * 130,
    [3] * 500,
    [2**62],
    [2**62 - 1, 1],
    [2**62, 1],
    [SUM_MAX],
    [SUM_MAX - 2, 1, 1],
    [SUM_MAX // 2, 0, SUM_MAX // 2, 1],
    [1, SUM_MAX - 70, *[1] * 69],
]
REFUSED: list[list[Any]] = [
    [SUM_MAX, 1],
    [2**63],
    [2**64],
    [2**62, 2**62],
    [-1],
    [5, -1],
    [1, -1],
    [-(2**63)],
    [-(2**63) - 1],
    ["1"],
    [1.5],
    [None, 1],
]


@pytest.mark.parametrize("weights", WEIGHTS, ids=lambda weights: f"{len(weights)} of {sum(weights)}")
def test_every_count_is_picked_alike(twins: Twins, weights: list[int]) -> None:
    """None, one, each way of drawing, all and more."""
    counts = sorted({*range(8), *range(60, 70), len(weights) - 1, len(weights), len(weights) + 1, 10**6} - {-1})
    picked = twins.ask_all([("pick", weights, count, seed) for count in counts for seed in range(3)])

    assert len(weights) == len(picked[0]["weights"])
    assert all(sorted(each["picked"]) == list(range(len(weights))) for each in picked[-3:])


@pytest.mark.parametrize("weights", REFUSED, ids=repr)
def test_weights_are_refused_alike(twins: Twins, weights: list[Any]) -> None:
    """Beyond 63 bits, negative, or no integers."""
    (answer,) = twins.ask_broken([("pick", weights, 1, 1)])

    assert was_raised(answer)


def test_a_negative_count_is_refused_alike(twins: Twins) -> None:
    """Whatever there is to pick from."""
    answers = twins.ask_broken([("pick", weights, count, 1) for weights in WEIGHTS for count in (-1, -(2**40))])

    assert set(answers) == {("raised", "ValueError")}


@many
@given(
    weights=st.lists(st.integers(0, 9) | st.integers(0, 2**55), max_size=150),
    count=st.integers(0, 160),
    seed=st.integers(0, 2**32),
)
def test_any_weights_are_picked_alike(twins: Twins, weights: list[int], count: int, seed: int) -> None:
    """And both ways of drawing draw the same positions."""
    positives = [weight for weight in weights if weight]
    few = min(count, len(positives))
    picked, cuts, tree = twins.ask_all(
        [
            ("pick", weights, count, seed),
            ("draw_by", "cuts", positives, few, seed),
            ("draw_by", "tree", positives, few, seed),
        ]
    )

    assert len(picked["picked"]) == min(count, len(weights))
    assert cuts == tree


@many
@given(numbers=st.lists(st.integers(1, 2**62), max_size=30), seed=st.integers(0, 2**32))
def test_random_numbers_are_drawn_alike(twins: Twins, numbers: list[int], seed: int) -> None:
    """From the same octets."""
    assert all(0 <= drawn < n for drawn, n in zip(twins.ask("uniform", seed, numbers), numbers, strict=True))


def test_numbers_that_cannot_be_drawn_are_refused_alike(twins: Twins) -> None:
    """Below 1 and beyond 2^62."""
    answers = twins.ask_broken([("uniform", 1, [n]) for n in (0, -1, 2**62 + 1, -(2**63), 2**63 - 1)])

    assert set(answers) == {("raised", "ValueError")}


# -- databases


@many
@given(
    content=st.binary(max_size=200),
    node_count=st.integers(-1, 40),
    record_size=st.sampled_from([24, 28, 32, 0, 25]),
    ip_version=st.sampled_from([4, 6, 5]),
)
def test_any_tree_is_walked_alike(
    twins: Twins, content: bytes, node_count: int, record_size: int, ip_version: int
) -> None:
    """Of random octets, with the separator where it belongs, and without."""
    octets = max(0, node_count) * (record_size // 4)
    behind = content[:octets] + bytes(octets - len(content[:octets]) + 16) + content[octets:]

    whole, _ = twins.ask_broken([("tree", buffer, node_count, record_size, ip_version) for buffer in (behind, content)])

    assert was_raised(whole) == (node_count < 1 or record_size not in (24, 28, 32) or ip_version == 5)


@many
@given(
    record_size=st.sampled_from([24, 28, 32]),
    node_count=st.integers(1, 12),
    ip_version=st.sampled_from([4, 6]),
    records=st.randoms(use_true_random=False),
)
def test_trees_of_near_records_are_walked_alike(
    twins: Twins, record_size: int, node_count: int, ip_version: int, records: random.Random
) -> None:
    """Paths through many nodes, loops, and pointers just inside and outside the data."""
    nodes = b"".join(
        [_node(record_size, [records.randrange(node_count + 24) for _ in "lr"]) for _ in range(node_count)]
    )

    walked = twins.ask("tree", nodes + bytes(16) + b"data", node_count, record_size, ip_version)

    assert all(-1 <= offset < 4 for offset, _ in walked["found"])


def _node(record_size: int, records: list[int]) -> bytes:
    """A node; these records need no high bits, so that the shared octet of 28 bits is zero."""
    left, right = records
    if record_size == 28:
        return left.to_bytes(3, "big") + b"\x00" + right.to_bytes(3, "big")
    return left.to_bytes(record_size // 8, "big") + right.to_bytes(record_size // 8, "big")


RECORD: dict[str, Any] = {
    **WORLD["192.0.2.0/24"],
    "subdivisions": [{"iso_code": "84", "names": {"en": "x" * 700, "de": ""}}, {"iso_code": "other"}],
    "traits": {"is_anycast": True, "list": [1, [2, {}], []], "float": 1.5, "big": 2**60, "text": "y" * 29},
    "autonomous_system_number": 4_200_000_000,
}
ENCODED = Encoder(cache=False).encode(RECORD)


def test_a_record_is_read_alike(twins: Twins) -> None:
    """What is wanted of it, and nothing else."""
    assert twins.ask("record", b"before" + ENCODED, 2, 4) == {
        "country": {"iso_code": "DK"},
        "location": {"latitude": 55.7, "longitude": 12.6},
        "subdivisions": [{"iso_code": "84"}],
        "autonomous_system_number": 4_200_000_000,
    }


def test_a_record_that_is_cut_or_changed_is_read_alike(twins: Twins) -> None:
    """At every octet: each value of a control octet that leads elsewhere, and the end."""
    cut = [("record", ENCODED[:end], 0, 0) for end in range(len(ENCODED))]
    changed = [
        ("record", ENCODED[:at] + bytes((octet,)) + ENCODED[at + 1 :], 0, 0)
        for at in range(len(ENCODED))
        for octet in (0x00, 0x01, 0x1D, 0x1F, 0x20, 0x2F, 0x38, 0x3F, 0x5F, 0x7F, 0xE1, 0xFF)
    ]

    answers = twins.ask_broken([*cut, *changed])

    assert all(map(was_raised, answers[: len(cut)]))
    assert {was_raised(answer) for answer in answers[len(cut) :]} == {True, False}


def test_lists_in_lists_are_read_alike(twins: Twins) -> None:
    """A list that is its own first item, by a pointer, and lists one in the other for as long as the file is."""
    key = b"\xe1\x4csubdivisions"
    circle = key + b"\x01\x04\x20" + bytes((len(key),))
    nested = key + b"\x01\x04" * 200_000 + b"\x40"

    assert twins.ask_all([("record", circle, 0, 0), ("record", nested, 0, 0)]) == [{"subdivisions": [None]}] * 2


def test_numbers_of_a_record_are_read_alike(twins: Twins) -> None:
    """An integer of many octets, a size that is said in four, pointers of each length into and out of the section."""
    head = b"\xe1" + bytes((0x40 | 24,)) + b"autonomous_system_number"
    sizes = range(29)
    leads = [struct.pack("!I", place) for place in (0, 1, 25, 2**31, 2**32 - 1)]
    values = [bytes((kind << 5 | size,)) + b"\xff" * size for kind in (5, 6) for size in sizes]
    values += [b"\x5f\xff\xff\xff", b"\x5f\xff\xff\xff" + bytes(70_000), b"\xbf\xff\xff\xff" + b"\xff" * 90]
    values += [bytes((0x20 | more << 3 | high,)) + lead for more in range(4) for high in (0, 7) for lead in leads]
    values += [
        b"\x68\x7f\xf8" + bytes(6),
        b"\x61\x00",
        b"\x69" + bytes(9),
        b"\x04\x08" + bytes(4),
        b"\x00\x07",
        b"\x01\x07",
    ]

    answers = twins.ask_broken([("record", bytes(16) + head + value, 16, 0) for value in values])

    assert {was_raised(answer) for answer in answers} == {True, False}


@many
@given(data=st.data())
def test_any_damaged_record_is_read_alike(twins: Twins, data: st.DataObject) -> None:
    """Random octets, and a good record with some octets changed."""
    buffer = bytearray(ENCODED if data.draw(st.booleans()) else data.draw(st.binary(max_size=60)))
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(buffer)))
        buffer[at : at + 1] = data.draw(st.binary(max_size=2))
    start = data.draw(st.integers(0, 4))
    offset = data.draw(st.integers(0, len(buffer) + 2))

    assert twins.ask_broken([("record", bytes(buffer), start, offset)])


def test_a_database_is_walked_alike(twins: Twins, tmp_path: Any) -> None:
    """One as it is written: trees of each size."""
    for record_size in (24, 28, 32):
        path = write_city(tmp_path / f"{record_size}.mmdb", WORLD, record_size)
        content = path.read_bytes()
        (count,) = {_node_count(content)}

        walked = twins.ask("tree", content, count, record_size, 6)

        assert walked["found"][1][0] >= 0


def _node_count(content: bytes) -> int:
    at = content.rindex(b"node_count") + len(b"node_count")
    size = content[at] & 0x1F
    return int.from_bytes(content[at + 1 : at + 1 + size], "big")
