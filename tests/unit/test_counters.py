"""Cells in a row: what moves them, who reads them, what happens when there are too many keys."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns import counters as counting
from greendns import name
from greendns.codes import Rcode, RRType
from greendns.counters import KINDS, OTHER, ROW_OCTETS, Counters
from greendns.outcome import Outcome
from greendns.zone import Zone
from greendns.zonebuild import build_zone
from greendns.zonefile import parse_zone
from tests.counting import new_counters, new_row, totals_of

PACKAGE = Path(counting.__file__).parent
OTHERS = (OTHER, OTHER, OTHER, OTHER)


def zone(text: str = "example.com", number: int = 1) -> Zone:
    source, _ = parse_zone(b'{"data": {"": {"ns": ["ns1.example.net."]}}}', text, f"{text}.json", 0)
    made, _ = build_zone(source)
    made.number = number
    return made


EXAMPLE = zone()


def outcome(
    kind: str = "answer",
    rcode: int = Rcode.NOERROR,
    qtype: int = RRType.A,
    zone: Zone | None = EXAMPLE,
    owner: bytes | None = b"\x03www",
) -> Outcome:
    """What became of a question for www.example.com."""
    made = Outcome(kind, rcode, qtype)
    made.zone = zone
    made.owner = owner
    return made


# -- what moves


@pytest.mark.parametrize("is_tcp", [False, True])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "failed"])
def test_a_packet_moves_one_outcome(kind: str, is_tcp: bool) -> None:
    """That of its transport and kind."""
    counters, totals = new_counters()
    counters.count(outcome(kind), is_tcp, detailed=False)

    assert +totals().outcomes == {("tcp" if is_tcp else "udp", kind): 1}


@pytest.mark.parametrize("is_tcp", [False, True])
def test_a_failure_moves_one_outcome_and_the_failures(is_tcp: bool) -> None:
    """It is no question."""
    counters, totals = new_counters()
    counters.count_failure(is_tcp)

    assert +totals().outcomes == {("tcp" if is_tcp else "udp", "failed"): 1}
    assert totals().failures == 1
    assert +totals().questions == {}


def test_every_kind_of_outcome_has_a_cell() -> None:
    """Whatever text `answer` gives as a kind."""
    sources = [(PACKAGE / f"{module}.py").read_text() for module in ("answer", "answering", "onename", "referral")]
    tree = ast.parse("\n".join(sources).replace("from __future__ import annotations", ""))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    made = {
        argument.value
        for call in calls
        if call.func.id in ("Outcome", "refuse", "deny", "_deny")  # type: ignore[attr-defined]
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }

    assert made
    assert made <= set(KINDS)
    assert set(KINDS) - {"failed"} <= texts


def test_an_outcome_of_no_known_kind_moves_nothing() -> None:
    """It is a fault of ours, and counted as one by who catches it."""
    counters, totals = new_counters()
    with pytest.raises(KeyError):
        counters.count(outcome("nosuch"), False, detailed=False)

    assert +totals().outcomes == {}
    assert +totals().questions == {}


def test_truncated_and_unsent_answers_are_counted() -> None:
    """Each by itself."""
    counters, totals = new_counters()
    cut = outcome()
    cut.is_truncated = True
    counters.count(cut, False, detailed=False)
    counters.count_unsent(3)

    assert (totals().truncated, totals().unsent) == (1, 3)


# -- questions


@pytest.mark.parametrize(
    ("counted", "detailed", "labels"),
    [
        (outcome(), False, ("example.com", "A", "_", "NOERROR")),
        (outcome(), True, ("example.com", "A", "www", "NOERROR")),
        (outcome(owner=b""), True, ("example.com", "A", "", "NOERROR")),
        (outcome("nxdomain", Rcode.NXDOMAIN, owner=None), True, ("example.com", "A", "_error", "NXDOMAIN")),
        (outcome("nxdomain", Rcode.NXDOMAIN), False, ("example.com", "A", "_error", "NXDOMAIN")),
        (outcome("refused", Rcode.REFUSED, zone=None, owner=None), True, ("_", "A", "_", "REFUSED")),
        (outcome(qtype=65280), False, ("example.com", "other", "_", "NOERROR")),
        (outcome(owner=b"\x03a\tb"), True, ("example.com", "A", r"a\009b", "NOERROR")),
        (outcome(owner=b"\x02\n\xff"), True, ("example.com", "A", r"\010\255", "NOERROR")),
    ],
)
def test_a_question_is_counted_by_its_labels(
    counted: Outcome, detailed: bool, labels: tuple[str, str, str, str]
) -> None:
    """Zone, type, name and rcode, as geodns has them (G221); refused ones too (G111)."""
    counters, totals = new_counters()
    for _ in range(3):
        counters.count(counted, False, detailed)

    assert +totals().questions == {labels: 3}


@pytest.mark.parametrize(
    "counted", [outcome("debug"), outcome("dropped", zone=None), outcome("error", Rcode.FORMERR, zone=None)]
)
def test_what_is_no_question_is_not_counted_as_one(counted: Outcome) -> None:
    """Debug names (G184), and what could not be read."""
    counters, totals = new_counters()
    counters.count(counted, False, detailed=True)

    assert +totals().questions == {}


def test_types_that_a_client_makes_up_are_one_key() -> None:
    """Else anybody could fill the memory."""
    counters, totals = new_counters()
    for qtype in range(60_000, 61_000):
        counters.count(outcome(qtype=qtype), False, detailed=False)

    assert +totals().questions == {("example.com", OTHER, "_", "NOERROR"): 1000}


# -- rows


def test_a_worker_that_takes_a_row_over_goes_on_in_it() -> None:
    """Its questions move the cells that are there; new ones come behind them."""
    row = new_row()
    Counters(row).count(outcome(), False, detailed=False)
    second = Counters(row)
    second.count(outcome(qtype=RRType.AAAA), False, detailed=False)
    second.count(outcome(), True, detailed=False)
    Counters(row).count(outcome(), True, detailed=False)

    assert +totals_of(row).questions == {
        ("example.com", "A", "_", "NOERROR"): 3,
        ("example.com", "AAAA", "_", "NOERROR"): 1,
    }
    assert +totals_of(row).outcomes == {("udp", "answer"): 2, ("tcp", "answer"): 2}


def test_the_same_zone_loaded_again_has_the_same_cell() -> None:
    """It is the name that counts, also where another zone has its number now."""
    counters, totals = new_counters()
    counters.count(outcome(zone=zone(number=1)), False, detailed=False)
    counters.forget_zones()
    counters.count(outcome(zone=zone("example.net", number=1)), False, detailed=False)
    counters.count(outcome(zone=zone(number=2)), False, detailed=False)

    assert sorted((+totals().questions).items()) == [
        (("example.com", "A", "_", "NOERROR"), 2),
        (("example.net", "A", "_", "NOERROR"), 1),
    ]


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([RRType.A, RRType.MX]), st.binary(max_size=3))))
def test_sums_over_rows_are_what_was_counted(asked: list[tuple[int, int, bytes]]) -> None:
    """However the questions are spread over rows."""
    rows = [memoryview(bytearray(ROW_OCTETS)) for _ in range(4)]
    writers = [Counters(row) for row in rows]
    expected: dict[tuple[str, str, str, str], int] = {}
    for row, qtype, label in asked:
        owner = name.from_labels([label]) if label else b""
        writers[row].count(outcome(qtype=qtype, owner=owner), False, detailed=True)
        labels = ("example.com", RRType(qtype).name, name.relative_text(owner), "NOERROR")
        expected[labels] = expected.get(labels, 0) + 1

    assert +totals_of(*rows).questions == expected


# -- too many keys


@pytest.mark.parametrize(
    ("limit", "value"), [("KEYS_MAX", 3), ("_HEAP_OCTETS", 3 * len("example.com\tA\tn0\tNOERROR\n"))]
)
def test_beyond_the_ceiling_all_are_one_key(monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    """Of keys, or of octets of text; how many were counted so is told, and what has a cell goes on in it."""
    monkeypatch.setattr(counting, limit, value)
    row = new_row()
    for _ in range(2):
        counters = Counters(row)
        for number in range(5):
            counters.count(outcome(owner=f"\x02n{number}".encode()), False, detailed=True)

    totals = totals_of(row)
    known = {("example.com", "A", f"n{number}", "NOERROR"): 2 for number in range(3)}
    assert +totals.questions == {**known, OTHERS: 4}
    assert totals.unlabelled == 4
    assert +totals.outcomes == {("udp", "answer"): 10}
