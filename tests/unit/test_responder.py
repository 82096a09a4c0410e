"""One packet, or what a connection brought: answers, framing, limits, faults."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns.outcome import WAIT, Peer
from greendns.snapshot import Snapshot
from tests.packets import FORM_ERROR, NO_ERROR, QUESTION, REFUSED, header, opt_record, rcode_of
from tests.responding import CHAOS_QUESTION, DRAWN_QUESTION, Responding, load_snapshot, numbered, respond_with

NOW = 1_700_000_000.0
OVER_TCP = Peer(bytes((127, 0, 0, 1)), 5353, is_tcp=True)
IN_TURN = Peer(bytes((127, 0, 0, 1)), 5353, is_tcp=True, is_batched=True)
IN_A_BATCH = Peer(bytes((127, 0, 0, 1)), 5353, is_tcp=False, is_batched=True)
ALONE = Peer(bytes((127, 0, 0, 1)), 5353, is_tcp=False)
FLOOD = b"\x05flood\x07example\x03com\x00\x00\x01\x00\x01"
SERVFAIL = 2
# A turn's: others wait meanwhile.
MESSAGES_MAX = 64
OCTETS_MAX = 65536


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A small zone."""
    return load_snapshot(tmp_path_factory.mktemp("responder"))


@pytest.fixture
def responding(snapshot: Snapshot) -> Responding:
    """A responder that has counted nothing yet."""
    return respond_with(snapshot)


def fail(_: int) -> int:
    """A random source that is broken."""
    raise RuntimeError("broken on purpose")


def framed(*wires: bytes) -> bytes:
    """Messages as a connection carries them (RFC 1035 section 4.2.2)."""
    return b"".join([struct.pack("!H", len(wire)) + wire for wire in wires])


def unframed(octets: bytes) -> list[bytes]:
    """The messages, which are whole."""
    found = []
    while octets:
        (length,) = struct.unpack("!H", octets[:2])
        assert len(octets) >= 2 + length
        found.append(octets[2 : 2 + length])
        octets = octets[2 + length :]
    return found


def ids(messages: list[bytes]) -> list[int]:
    return [int.from_bytes(message[:2], "big") for message in messages]


# -- one packet


def test_a_packet_is_answered_and_counted(responding: Responding) -> None:
    """By its transport."""
    for peer in (ALONE, OVER_TCP):
        answer = responding.responder.respond(header() + QUESTION, peer, NOW)
        assert answer is not None
        assert rcode_of(answer) == NO_ERROR

    assert (responding.outcomes("udp"), responding.outcomes("tcp")) == ({"answer": 1}, {"answer": 1})


def test_silence_is_counted(responding: Responding) -> None:
    """A packet without a header, and a response."""
    assert responding.responder.respond(b"", ALONE, NOW) is None
    assert responding.responder.respond(header(0x8000) + QUESTION, ALONE, NOW) is None
    assert responding.outcomes("udp") == {"dropped": 2}


def test_what_waits_is_not_counted_until_it_is_answered(responding: Responding) -> None:
    """In a batch WAIT; the same packet alone is answered, and counted then."""
    wire = header() + CHAOS_QUESTION

    assert responding.responder.respond(wire, IN_A_BATCH, NOW) == WAIT
    assert responding.outcomes("udp") == {}
    assert responding.responder.respond(wire, ALONE, NOW)
    assert responding.outcomes("udp") == {"chaos": 1}


def test_a_fault_is_told_and_answered_servfail(snapshot: Snapshot) -> None:
    """With the question and an OPT; the next packet is served."""
    responding = respond_with(snapshot, fail)
    wire = header(ar=1) + DRAWN_QUESTION + opt_record()
    answer = responding.responder.respond(wire, ALONE, NOW)

    assert answer is not None
    assert rcode_of(answer) == SERVFAIL
    assert answer[12 : 12 + len(DRAWN_QUESTION)] == DRAWN_QUESTION
    assert list(map(repr, responding.faults)) == ["RuntimeError('broken on purpose')"]
    assert responding.outcomes("udp") == {"failed": 1}
    assert responding.totals().failures == 1
    assert responding.responder.respond(header() + QUESTION, ALONE, NOW)


def test_another_snapshot_answers_at_once(responding: Responding) -> None:
    """What was derived from the old one goes, what is known of health stays."""
    responding.responder.take_health({"sites/up": 2})
    before = responding.responder.state
    responding.responder.take_snapshot(Snapshot())
    answer = responding.responder.respond(header() + QUESTION, ALONE, NOW)

    assert answer is not None
    assert rcode_of(answer) == REFUSED
    assert responding.responder.state is not before
    assert responding.responder.state.health == {"sites/up": 2}


def test_the_same_health_changes_nothing(responding: Responding) -> None:
    """What was derived from it is kept."""
    responding.responder.take_health({"sites/up": 2})
    before = responding.responder.state
    responding.responder.take_health({"sites/up": 2})
    assert responding.responder.state is before

    responding.responder.take_health(None)
    assert responding.responder.state.health is None


# -- what a connection brought


def test_whole_messages_are_answered_in_their_order(responding: Responding) -> None:
    """All of them, behind their lengths; the connection goes on."""
    octets = framed(*[numbered(number, QUESTION) for number in range(20)])

    answers, taken, goes_on, _ = responding.responder.respond_all(octets, OVER_TCP, NOW)

    assert ids(unframed(answers)) == list(range(20))
    assert (taken, goes_on) == (len(octets), True)
    assert responding.outcomes("tcp") == {"answer": 20}


def test_an_incomplete_message_is_left(responding: Responding) -> None:
    """Wherever it is cut, its length included: what is whole is answered and taken."""
    first, second = framed(numbered(1, QUESTION)), framed(numbered(2, QUESTION))
    whole = first + second
    for end in range(len(whole) + 1):
        answers, taken, goes_on, _ = responding.responder.respond_all(whole[:end], OVER_TCP, NOW)
        expected = [1] * (end >= len(first)) + [2] * (end == len(whole))

        assert ids(unframed(answers)) == expected
        assert taken == (0, len(first), len(whole))[len(expected)]
        assert goes_on


def test_a_message_of_no_octets_ends_the_connection(responding: Responding) -> None:
    """What came before it is answered, what comes behind it is not."""
    octets = framed(numbered(1, QUESTION), b"", numbered(2, QUESTION))

    answers, taken, goes_on, _ = responding.responder.respond_all(octets, OVER_TCP, NOW)

    assert ids(unframed(answers)) == [1]
    assert (taken, goes_on) == (len(framed(numbered(1, QUESTION), b"")), False)
    assert responding.outcomes("tcp") == {"answer": 1, "dropped": 1}


def test_silence_ends_the_connection(responding: Responding) -> None:
    """A response, where a query belongs: nothing that follows could be matched to its answer."""
    octets = framed(header(0x8000) + QUESTION, numbered(2, QUESTION))

    answers, taken, goes_on, _ = responding.responder.respond_all(octets, OVER_TCP, NOW)

    assert (answers, goes_on) == (b"", False)
    assert taken < len(octets)


def test_the_longest_message_is_read_whole(responding: Responding) -> None:
    """65,535 octets: an error in it is an answer, and the next message is found behind it."""
    longest = numbered(1, QUESTION).ljust(65535, b"\x00")
    octets = framed(longest, numbered(2, QUESTION))

    cut = responding.responder.respond_all(octets[:65536], OVER_TCP, NOW)
    answers, taken, goes_on, _ = responding.responder.respond_all(octets, OVER_TCP, NOW)

    assert cut == (b"", 0, True, [])
    assert [rcode_of(answer) for answer in unframed(answers)] == [FORM_ERROR, NO_ERROR]
    assert (taken, goes_on) == (len(octets), True)


def test_a_turn_answers_so_many_messages(responding: Responding) -> None:
    """And leaves the rest for the next one."""
    octets = framed(*[numbered(number, QUESTION) for number in range(MESSAGES_MAX + 5)])
    first, taken, goes_on, _ = responding.responder.respond_all(octets, OVER_TCP, NOW)
    second, rest, *_ = responding.responder.respond_all(octets[taken:], OVER_TCP, NOW)

    assert ids(unframed(first)) == list(range(MESSAGES_MAX))
    assert ids(unframed(second)) == list(range(MESSAGES_MAX, MESSAGES_MAX + 5))
    assert (taken + rest, goes_on) == (len(octets), True)


def test_a_turn_answers_so_many_octets(responding: Responding) -> None:
    """Three answers of a whole TCP message would be 196 kB for a question of 35 octets: two reach the limit."""
    octets = framed(*[numbered(number, FLOOD) for number in range(5)])

    answers, taken, goes_on, _ = responding.responder.respond_all(octets, OVER_TCP, NOW)

    messages = unframed(answers)
    assert sum(map(len, messages[:-1])) < OCTETS_MAX <= sum(map(len, messages))
    assert taken == len(octets) // 5 * len(messages)
    assert goes_on


def test_what_takes_its_time_is_handed_back(responding: Responding) -> None:
    """Debug names: what is behind them is answered at once, and they are counted when they are asked about apart."""
    question = numbered(1, CHAOS_QUESTION)
    octets = framed(question, numbered(2, QUESTION))

    answers, taken, goes_on, waiting = responding.responder.respond_all(octets, IN_TURN, NOW)

    assert ids(unframed(answers)) == [2]
    assert (taken, goes_on, waiting) == (len(octets), True, [question])
    assert responding.outcomes("tcp") == {"answer": 1}
    apart = responding.responder.respond_apart(question, OVER_TCP, NOW)
    assert apart is not None
    assert rcode_of(apart) == NO_ERROR
    assert responding.outcomes("tcp") == {"answer": 1, "chaos": 1}


def test_a_fault_costs_the_connection_one_answer(snapshot: Snapshot) -> None:
    """SERVFAIL, and the messages behind it are answered."""
    responding = respond_with(snapshot, fail)
    octets = framed(numbered(1, QUESTION), numbered(2, DRAWN_QUESTION), numbered(3, QUESTION))

    answers, taken, goes_on, _ = responding.responder.respond_all(octets, OVER_TCP, NOW)

    assert [rcode_of(answer) for answer in unframed(answers)] == [NO_ERROR, SERVFAIL, NO_ERROR]
    assert (taken, goes_on) == (len(octets), True)
    assert responding.outcomes("tcp") == {"answer": 2, "failed": 1}


@given(octets=st.binary(max_size=300) | st.lists(st.binary(max_size=40), max_size=9).map(lambda all: framed(*all)))
def test_whatever_a_connection_brings_is_framed(snapshot: Snapshot, octets: bytes) -> None:
    """Never more is taken than came; answers are whole; as many packets are counted as were taken."""
    responding = respond_with(snapshot)

    answers, taken, goes_on, _ = responding.responder.respond_all(octets, OVER_TCP, NOW)

    messages = unframed(octets[:taken])
    assert len(unframed(answers)) == len(messages) - (not goes_on)
    assert sum(responding.outcomes("tcp").values()) == len(messages)
