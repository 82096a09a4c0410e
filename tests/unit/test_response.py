"""What is written can be read again: names that are compressed, sets that did not fit, the OPT and the header."""

from __future__ import annotations

from dataclasses import dataclass

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from greendns.codes import RRType
from greendns.name import from_text
from greendns.response import (
    ADDITIONAL,
    ANSWER,
    AUTHORITY,
    COPIED_FLAGS,
    FLAG_AA,
    Response,
    encode_opt,
)
from greendns.rrset import RRset, make_rrset

QUESTION = from_text("www.Example.com.") + b"\x00\x01\x00\x01"
ID = b"\xab\xcd"

# Few labels, in several cases, so that names share endings and nearly share others.
LABELS = st.sampled_from([b"a", b"A", b"www", b"example", b"Example", b"com", b"\x01a", b"com\x00", b"x" * 63])
NAMES = st.lists(LABELS, max_size=3).map(lambda labels: dns.name.Name([*labels, b""]).to_wire() or b"")
# One name in the rdata, or two with octets around them.
RDATAS = {
    RRType.NS: NAMES,
    RRType.CNAME: NAMES,
    RRType.PTR: NAMES,
    RRType.MX: NAMES.map(lambda name: b"\x00\x0a" + name),
    RRType.SRV: NAMES.map(lambda name: bytes(6) + name),
    RRType.SOA: st.tuples(NAMES, NAMES).map(lambda names: names[0] + names[1] + bytes(20)),
    RRType.A: st.binary(min_size=4, max_size=4),
    RRType.TXT: st.binary(max_size=200).map(lambda octets: bytes((len(octets),)) + octets),
}


@dataclass(frozen=True)
class Added:
    """One call of `Response.add`."""

    section: int
    owner: bytes
    rrset: RRset
    partly: bool


@st.composite
def rrsets(draw: st.DrawFn) -> RRset:
    rrtype = draw(st.sampled_from(sorted(RDATAS)))
    return make_rrset(
        rrtype, draw(st.integers(0, 2**31 - 1)), tuple(draw(st.lists(RDATAS[rrtype], min_size=1, max_size=4)))
    )


# Sections are written one after the other.
ADDITIONS = st.lists(st.builds(Added, st.sampled_from([0, 1, 2]), NAMES, rrsets(), st.booleans()), max_size=8).map(
    lambda additions: sorted(additions, key=lambda added: added.section)
)

# (owner, type, TTL, rdata): what a record says, however it is written.
Record = tuple[bytes, int, int, bytes]


def records_of(message: dns.message.Message) -> list[list[Record]]:
    """The records of each section as dnspython reads them, names in full and in their own case."""
    return [
        [
            (rrset.name.to_wire() or b"", int(rrset.rdtype), rrset.ttl, rdata.to_wire() or b"")
            for rrset in section
            for rdata in rrset
        ]
        for section in (message.answer, message.authority, message.additional)
    ]


def read(wire: bytes) -> dns.message.Message:
    return dns.message.from_wire(wire, one_rr_per_rrset=True)


def empty(limit: int = 65535, opt_octets: int = 0) -> Response:
    return Response(QUESTION, limit, opt_octets)


def encode(response: Response, flags: int = 0, rcode: int = 0, opt: bytes = b"") -> bytes:
    return response.encode(ID, flags, rcode, opt)


@settings(max_examples=200)
@given(st.integers(0, 700) | st.just(65535), ADDITIONS)
@example(65535, [Added(0, b"\x01a\x03com\x00", make_rrset(RRType.NS, 0, (b"\x01b\x01a\x03com\x00",)), False)] * 2)
def test_all_that_was_added_is_read_again_and_nothing_else(room: int, additions: list[Added]) -> None:
    """Whole sets, none of one that did not fit, the first records of one that may be cut; never over the limit."""
    limit = 12 + len(QUESTION) + room
    response = empty(limit)
    expected: list[list[Record]] = [[], [], []]
    for added in additions:
        before = response.counts[added.section]
        fits = response.add(added.section, added.owner, added.rrset, range(len(added.rrset)), added.partly)
        taken = response.counts[added.section] - before
        if not added.partly:
            assert taken == (len(added.rrset) if fits else 0)
        expected[added.section] += [
            (added.owner, added.rrset.rrtype, added.rrset.ttl, rdata) for rdata in added.rrset.rdatas[:taken]
        ]

    wire = encode(response)

    assert len(wire) <= limit
    assert [sorted(section) for section in records_of(read(wire))] == [sorted(section) for section in expected]


def records_in_order(additions: list[tuple[bytes, RRset]], limit: int = 65535) -> list[Record]:
    response = empty(limit)
    for owner, rrset in additions:
        response.add(ANSWER, owner, rrset, range(len(rrset)))
    return records_of(read(encode(response)))[0]


def test_records_stand_in_the_order_of_their_indexes() -> None:
    """As they were drawn."""
    rrset = make_rrset(RRType.A, 60, (b"\x00\x00\x00\x00", b"\x01\x01\x01\x01", b"\x02\x02\x02\x02"))
    response = empty()

    assert response.add(ANSWER, from_text("www.Example.com."), rrset, (2, 0))
    assert [record[3] for record in records_of(read(encode(response)))[0]] == [b"\x02" * 4, b"\x00" * 4]


def test_the_owner_of_an_answer_is_two_octets() -> None:
    """A pointer to the question, which brings its case back (G119)."""
    response = empty()
    response.add(ANSWER, from_text("www.Example.com."), make_rrset(RRType.A, 60, (bytes(4),)), (0,))

    assert len(encode(response)) == 12 + len(QUESTION) + 2 + 10 + 4


def test_names_share_their_endings() -> None:
    """An MX below the question's domain costs its first label and a pointer."""
    response = empty()
    response.add(
        ANSWER,
        from_text("www.Example.com."),
        make_rrset(RRType.MX, 60, (b"\x00\x0a" + from_text("mail.Example.com."),)),
        (0,),
    )

    assert len(encode(response)) == 12 + len(QUESTION) + 2 + 10 + 2 + 5 + 2


def test_names_of_another_case_are_written_in_full() -> None:
    """The owner of a SOA stays as the zone has it (G086)."""
    soa = make_rrset(RRType.SOA, 60, (from_text("ns.example.com.") + from_text("hostmaster.example.com.") + bytes(20),))
    response = empty()
    response.add(AUTHORITY, from_text("example.com."), soa, (0,))

    ((owner, *_),) = records_of(read(encode(response)))[1]
    assert owner == from_text("example.com.")


def test_names_in_srv_are_not_compressed() -> None:
    """Only the types of RFC 1035 may be (RFC 3597 section 4); RFC 2782 says so of SRV."""
    target = from_text("www.Example.com.")
    response = empty()
    response.add(ANSWER, target, make_rrset(RRType.SRV, 60, (bytes(6) + target,)), (0,))

    assert encode(response).count(target) == 2


def test_nothing_points_beyond_14_bits() -> None:
    """A name that starts further back is written again (RFC 1035 section 4.1.4)."""
    filler = make_rrset(RRType.TXT, 60, (b"".join([b"\xff" + b"x" * 255] * 70),))
    far = [
        (from_text(f"far{number}.example.net."), make_rrset(RRType.NS, 60, (from_text("ns.far.example.net."),)))
        for number in range(9)
    ]

    read_again = records_in_order([(from_text("txt.example.org."), filler), *far])

    assert [(owner, rdata) for owner, _, _, rdata in read_again[1:]] == [
        (owner, rrset.rdatas[0]) for owner, rrset in far
    ]


def test_nothing_points_into_a_set_that_was_taken_back() -> None:
    """Its names were written where now something else stands."""
    owner = from_text("new.example.net.")
    large = make_rrset(RRType.NS, 60, tuple([from_text(f"{number}.example.net.") for number in range(20)]))
    small = make_rrset(RRType.NS, 60, (from_text("0.example.net."),))
    response = empty(limit=160)

    assert not response.add(ANSWER, owner, large, range(20))
    assert response.add(ANSWER, owner, small, (0,))
    assert records_of(read(encode(response)))[0] == [(owner, RRType.NS, 60, small.rdatas[0])]


def test_a_set_that_does_not_fit_leaves_no_trace() -> None:
    """Neither a record nor a count nor room that is lost."""
    response = empty(limit=100)
    before = response.room()

    assert not response.add(
        ANSWER, from_text("a.example.net."), make_rrset(RRType.TXT, 60, (b"\xff" + bytes(255),)), (0,)
    )
    assert response.room() == before
    assert response.counts == (0, 0, 0)


def test_of_a_set_that_may_be_cut_the_first_records_stay() -> None:
    """No longer message is possible, so they are better than none."""
    rrset = make_rrset(RRType.A, 60, tuple([bytes((number,) * 4) for number in range(10)]))
    response = empty(limit=12 + len(QUESTION) + 3 * 16 + 15)

    response.add(ANSWER, from_text("www.Example.com."), rrset, range(10), partly=True)

    assert [record[3] for record in records_of(read(encode(response)))[0]] == list(rrset.rdatas[:3])


def test_room_for_the_opt_is_kept() -> None:
    """Records never push it out."""
    opt = encode_opt(1232, 0, False, [(3, b"name")])
    response = empty(limit=12 + len(QUESTION) + 16 + len(opt), opt_octets=len(opt))

    assert response.add(ANSWER, from_text("www.Example.com."), make_rrset(RRType.A, 60, (bytes(4),)), (0,))
    assert response.room() == 0
    assert len(encode(response, opt=opt)) == 12 + len(QUESTION) + 16 + len(opt)


def test_each_section_has_its_count() -> None:
    """The OPT counts as additional."""
    response = empty()
    for section, count in ((ANSWER, 1), (AUTHORITY, 2), (ADDITIONAL, 3)):
        rrset = make_rrset(RRType.A, 60, tuple([bytes((number,) * 4) for number in range(count)]))
        response.add(section, from_text("www.Example.com."), rrset, range(count))

    wire = encode(response, opt=encode_opt(1232, 0, False, []))

    assert wire[4:12] == bytes((0, 1, 0, 1, 0, 2, 0, 4))
    assert [len(section) for section in records_of(read(wire))] == [1, 2, 3]


def test_the_header_has_id_flags_and_rcode() -> None:
    """QR is set, the flags are those given, TC tells of a truncation."""
    response = empty()
    response.is_truncated = True

    message = read(encode(response, flags=FLAG_AA | 0x0110, rcode=3))

    assert message.id == 0xABCD
    assert message.rcode() == dns.rcode.NXDOMAIN
    assert message.flags & ~0xF == dns.flags.QR | dns.flags.AA | dns.flags.TC | dns.flags.RD | dns.flags.CD


def test_G190_what_is_copied_of_a_query_are_opcode_rd_and_cd() -> None:
    """Neither AD nor RA nor the reserved bit."""
    assert COPIED_FLAGS == 0x7800 | dns.flags.RD | dns.flags.CD


def test_an_answer_without_question_is_a_header() -> None:
    """To a packet whose question could not be read."""
    assert Response(b"", 512, 0).encode(ID, 0, 1, b"") == ID + b"\x80\x01" + bytes(8)


@pytest.mark.parametrize("dnssec_ok", [False, True])
def test_G196_the_opt_is_read_again(dnssec_ok: bool) -> None:
    """Size, DO and no other flag, the upper bits of the rcode, options in their order."""
    opt = encode_opt(1400, 16, dnssec_ok, [(3, b"id"), (10, bytes(24))])

    message = read(encode(empty(), rcode=16, opt=opt))

    assert (message.edns, message.payload) == (0, 1400)
    assert message.ednsflags & 0xFFFF == (dns.flags.DO if dnssec_ok else 0)
    assert message.rcode() == dns.rcode.BADVERS
    assert [(int(option.otype), option.to_wire()) for option in message.options] == [(3, b"id"), (10, bytes(24))]
