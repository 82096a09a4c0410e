"""A packet is read as it is meant, or refused with the rcode that its fault has; nothing it holds is an exception."""

from __future__ import annotations

from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from greendns.codes import Rcode
from greendns.query import Query, parse, parse_client_subnet
from greendns.query import read as into

ECS = 8
COOKIE = 10
CLIENT_COOKIE = bytes(range(8))
OPT_HEAD = b"\x00\x00\x29"
# All that is read of a packet.
PARTS = (
    "id flags opcode verdict question qname_sent qname qtype qclass has_edns has_options edns_version udp_payload "
    "dnssec_ok wants_nsid cookie subnet"
).split()


def question(text: str = "www.example.com.", rrtype: int = 1, rrclass: int = 1) -> bytes:
    """A question section."""
    wire = dns.name.from_text(text).to_wire() or b""
    return wire + rrtype.to_bytes(2, "big") + rrclass.to_bytes(2, "big")


def packet(
    *sections: bytes, counts: tuple[int, int, int, int] = (1, 0, 0, 0), flags: int = 0x0100, id: int = 0x1234
) -> bytes:
    """A header with these counts, and whatever follows it."""
    header = b"".join([number.to_bytes(2, "big") for number in (id, flags, *counts)])
    return header + b"".join(sections)


def opt(*options: tuple[int, bytes], payload: int = 1232, version: int = 0, flags: int = 0) -> bytes:
    """An OPT record."""
    rdata = b"".join([code.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value for code, value in options])
    fixed = payload.to_bytes(2, "big") + bytes((0, version)) + flags.to_bytes(2, "big")
    return OPT_HEAD + fixed + len(rdata).to_bytes(2, "big") + rdata


def record(rrtype: int, rdata: bytes = b"", owner: bytes = b"\x00") -> bytes:
    """A record of class ANY with TTL 0."""
    return owner + rrtype.to_bytes(2, "big") + b"\x00\xff" + bytes(4) + len(rdata).to_bytes(2, "big") + rdata


TSIG = record(250, b"\x00" + bytes(16))
SOA = record(6, b"\x00\x00" + bytes(20))


def read(wire: bytes) -> Query:
    """The query of a packet that has to be answered."""
    query = parse(wire)
    assert query is not None
    return query


def verdict(wire: bytes) -> int:
    """What reading a packet came to."""
    return read(wire).verdict


# -- packets that are meant well


def test_a_plain_question_is_read() -> None:
    """Id, name in lower case and as sent, type and class; no EDNS."""
    query = read(packet(question("wWw.Example.COM.", 28)))

    assert (query.id, query.opcode, query.verdict) == (b"\x12\x34", 0, Rcode.NOERROR)
    assert query.qname_sent == b"\x03wWw\x07Example\x03COM\x00"
    assert query.qname == b"\x03www\x07example\x03com\x00"
    assert (query.qtype, query.qclass) == (28, 1)
    assert not query.has_edns


def test_the_question_is_kept_to_be_echoed() -> None:
    """As sent, to the octet."""
    assert read(packet(question("wWw.Example.COM.", 28, 3))).question == question("wWw.Example.COM.", 28, 3)


def test_a_question_for_the_root_is_read() -> None:
    """A name without labels."""
    assert read(packet(question("."))).qname == b"\x00"


def test_edns_is_read() -> None:
    """Payload size, DO, NSID (RFC 5001), COOKIE (RFC 7873) and client subnet (RFC 7871)."""
    options = ((3, b""), (COOKIE, CLIENT_COOKIE), (ECS, b"\x00\x01\x18\x00\xc0\x00\x02"))
    query = read(packet(question(), opt(*options, payload=4096, flags=0x8000), counts=(1, 0, 0, 1)))

    assert query.verdict == Rcode.NOERROR
    assert (query.has_edns, query.udp_payload, query.dnssec_ok, query.wants_nsid) == (True, 4096, True, True)
    assert query.cookie == CLIENT_COOKIE
    assert query.subnet is not None
    assert query.subnet.address == bytes((192, 0, 2, 0))


def test_unknown_options_and_flags_are_ignored() -> None:
    """RFC 6891 section 6.1.2 and 6.1.4."""
    query = read(packet(question(), opt((65001, b"abc"), (12, bytes(20)), flags=0x7FFF), counts=(1, 0, 0, 1)))

    assert query.verdict == Rcode.NOERROR
    assert not query.dnssec_ok


def test_a_signed_query_is_read_like_another() -> None:
    """OPT and TSIG, in this order (RFC 8945 section 5.1)."""
    assert verdict(packet(question(), opt(), TSIG, counts=(1, 0, 0, 2))) == Rcode.NOERROR
    assert verdict(packet(question(), TSIG, counts=(1, 0, 0, 1))) == Rcode.NOERROR


def test_an_ixfr_query_may_bring_its_soa() -> None:
    """RFC 1995 section 3; nobody else may."""
    assert verdict(packet(question(rrtype=251), SOA, counts=(1, 0, 1, 0))) == Rcode.NOERROR
    assert verdict(packet(question(rrtype=1), SOA, counts=(1, 0, 1, 0))) == Rcode.FORMERR


def test_a_query_without_question_may_ask_for_a_cookie() -> None:
    """RFC 7873 section 5.4; without the option it asks for nothing."""
    assert verdict(packet(opt((COOKIE, CLIENT_COOKIE)), counts=(0, 0, 0, 1))) == Rcode.NOERROR
    assert verdict(packet(opt(), counts=(0, 0, 0, 1))) == Rcode.FORMERR
    assert verdict(packet(counts=(0, 0, 0, 0))) == Rcode.FORMERR


# -- packets that are not (G192, in the order of its judgement)


@pytest.mark.parametrize("octets", range(12))
def test_G192_what_is_too_short_for_a_header_is_dropped(octets: int) -> None:
    """No answer at all."""
    assert parse(packet(question())[:octets]) is None


@pytest.mark.parametrize("flags", [0x8000, 0x8180, 0xFFFF])
def test_G192_a_response_is_dropped(flags: int) -> None:
    """Whatever else it says: an answer could start a loop."""
    assert parse(packet(question(), flags=flags)) is None


@pytest.mark.parametrize("opcode", [1, 2, 3, 4, 5, 6, 15])
@pytest.mark.parametrize("counts", [(1, 0, 0, 0), (0, 0, 0, 0), (1, 1, 1, 1), (9, 9, 9, 9)])
def test_G192_other_opcodes_are_not_implemented(opcode: int, counts: tuple[int, int, int, int]) -> None:
    """Whatever their counts."""
    assert verdict(packet(question(), counts=counts, flags=opcode << 11)) == Rcode.NOTIMP


@pytest.mark.parametrize("counts", [(2, 0, 0, 1), (1, 1, 0, 1), (1, 0, 1, 1), (1, 0, 0, 3), (1, 0, 0, 257)])
def test_counts_are_judged_before_an_OPT_is_read(counts: tuple[int, int, int, int]) -> None:
    """So the answer to them has none."""
    query = read(packet(question(), opt(), TSIG, TSIG, counts=counts))

    assert query.verdict == Rcode.FORMERR
    assert not query.has_edns


def test_a_query_knows_nothing_of_the_packet_before() -> None:
    """One Query is read into for each packet of a process."""
    options = ((ECS, b"\x00\x01\x18\x00\xc0\x00\x02"), (COOKIE, CLIENT_COOKIE), (3, b""))
    query = Query()
    assert into(query, packet(question(), opt(*options, flags=0x8000), counts=(1, 0, 0, 1), flags=0x2900))

    assert into(query, packet(counts=(0, 0, 0, 0)))
    bare = read(packet(counts=(0, 0, 0, 0)))
    assert [getattr(query, name) for name in PARTS] == [getattr(bare, name) for name in PARTS]


@pytest.mark.parametrize(
    ("what", "wire"),
    [
        ("two questions", packet(question(), question(), counts=(2, 0, 0, 0))),
        ("a question that is missing", packet()),
        ("a question that is cut in its name", packet(question()[:-6])),
        ("a question that is cut in its class", packet(question()[:-1])),
        ("a name with a pointer", packet(b"\xc0\x0c\x00\x01\x00\x01")),
        ("a name with an unknown label type", packet(b"\x41a\x00\x00\x01\x00\x01")),
        ("a name of 256 octets", packet(b"\x3f" + b"x" * 63 + question(".".join(["x" * 63] * 2 + ["x" * 62]) + "."))),
        ("an answer record", packet(question(), record(1), counts=(1, 1, 0, 0))),
        ("an authority record", packet(question(), record(2), counts=(1, 0, 1, 0))),
        ("an additional record that is neither OPT nor TSIG", packet(question(), record(1), counts=(1, 0, 0, 1))),
        ("an additional record that is missing", packet(question(), counts=(1, 0, 0, 1))),
        ("two OPTs", packet(question(), opt(), opt(), counts=(1, 0, 0, 2))),
        ("an OPT after a TSIG", packet(question(), TSIG, opt(), counts=(1, 0, 0, 2))),
        ("three additional records", packet(question(), opt(), TSIG, TSIG, counts=(1, 0, 0, 3))),
        ("an OPT that has an owner", packet(question(), b"\x01x" + opt(), counts=(1, 0, 0, 1))),
        ("an OPT that is cut", packet(question(), opt((3, b""))[:-1], counts=(1, 0, 0, 1))),
        ("an option that is cut", packet(question(), opt()[:-2] + b"\x00\x03\x00\x03\x00", counts=(1, 0, 0, 1))),
        (
            "an option longer than the OPT",
            packet(question(), opt()[:-2] + b"\x00\x04\x00\x03\x00\x09", counts=(1, 0, 0, 1)),
        ),
        ("octets behind the last record", packet(question(), b"\x00")),
        ("octets behind the OPT", packet(question(), opt(), b"\x00", counts=(1, 0, 0, 1))),
        ("a cookie of 7 octets", packet(question(), opt((COOKIE, bytes(7))), counts=(1, 0, 0, 1))),
        ("a cookie of 12 octets", packet(question(), opt((COOKIE, bytes(12))), counts=(1, 0, 0, 1))),
        ("a cookie of 41 octets", packet(question(), opt((COOKIE, bytes(41))), counts=(1, 0, 0, 1))),
    ],
)
def test_G192_what_is_malformed_behind_the_header_is_a_format_error(what: str, wire: bytes) -> None:
    """The header can be read, so there is an answer."""
    assert verdict(wire) == Rcode.FORMERR, what


def test_a_name_of_255_octets_is_read() -> None:
    """The longest that there is."""
    longest = ".".join(["x" * 63, "x" * 63, "x" * 63, "x" * 61]) + "."

    assert verdict(packet(question(longest))) == Rcode.NOERROR


def test_G197_another_version_of_edns_is_told_so_with_the_question() -> None:
    """Its options may mean anything, so they are not judged."""
    query = read(packet(question(), opt((ECS, b"?"), version=1), counts=(1, 0, 0, 1)))

    assert query.verdict == Rcode.BADVERS
    assert query.question == question()


@pytest.mark.parametrize(
    "option",
    [
        b"",
        b"\x00\x01\x18",  # cut
        b"\x00\x01\x18\x00\xc0\x00",  # /24 of two octets
        b"\x00\x01\x18\x00\xc0\x00\x02\x01",  # /24 of four
        b"\x00\x01\x21\x00\xc0\x00\x02\x01\x00",  # /33 of IPv4
        b"\x00\x02\x81\x00" + bytes(17),  # /129 of IPv6
        b"\x00\x01\x17\x00\xc0\x00\x03",  # a bit beyond /23
        b"\x00\x01\x18\x18\xc0\x00\x02",  # a scope prefix in a query
        b"\x00\x03\x00\x00",  # an unknown family
        b"\xff\xff\x00\x00",
    ],
)
def test_G201_a_bad_client_subnet_is_a_format_error(option: bytes) -> None:
    """RFC 7871 section 7.1.2."""
    assert parse_client_subnet(option) is None
    assert verdict(packet(question(), opt((ECS, option)), counts=(1, 0, 0, 1))) == Rcode.FORMERR


@pytest.mark.parametrize(
    ("option", "address"),
    [
        (b"\x00\x01\x00\x00", bytes(4)),
        (b"\x00\x01\x08\x00\xc6", b"\xc6\x00\x00\x00"),
        (b"\x00\x01\x17\x00\xc0\x00\x02", b"\xc0\x00\x02\x00"),
        (b"\x00\x01\x20\x00\xc0\x00\x02\x01", b"\xc0\x00\x02\x01"),
        (b"\x00\x02\x38\x00\x20\x01\x0d\xb8\x00\x01\x02", b"\x20\x01\x0d\xb8\x00\x01\x02" + bytes(9)),
        (b"\x00\x02\x00\x00", bytes(16)),
        (b"\x00\x00\x00\x00", b""),
    ],
)
def test_a_client_subnet_is_an_address_with_zeros(option: bytes, address: bytes) -> None:
    """Filled up to the family's length; family 0 has none."""
    subnet = parse_client_subnet(option)

    assert subnet is not None
    assert subnet.address == address
    assert subnet.option == option


# -- packets that nobody meant

SUBNETS = st.builds(
    dns.edns.ECSOption, st.sampled_from(["192.0.2.0", "198.51.100.77", "2001:db8:1::"]), st.integers(0, 32)
)
COOKIES = st.builds(
    dns.edns.CookieOption, st.binary(min_size=8, max_size=8), st.just(b"") | st.binary(min_size=8, max_size=32)
)
OTHERS = st.builds(dns.edns.GenericOption, st.sampled_from([3, 12, 13, 65001]), st.binary(max_size=40))
OPTIONS = st.lists(SUBNETS | COOKIES | OTHERS, max_size=4)


@st.composite
def real_queries(draw: st.DrawFn) -> bytes:
    """Queries as dnspython makes them."""
    labels = draw(st.lists(st.binary(min_size=1, max_size=63), max_size=3))
    settings: dict[str, Any] = {}
    if draw(st.booleans()):
        options = draw(OPTIONS)
        settings = {"use_edns": draw(st.integers(0, 1)), "payload": draw(st.integers(0, 65535)), "options": options}
    rrtype = dns.rdatatype.RdataType.make(draw(st.integers(0, 65535)))
    rrclass = dns.rdataclass.RdataClass.make(draw(st.integers(0, 65535)))
    message = dns.message.make_query(dns.name.Name([*labels, b""]), rrtype, rrclass, **settings)
    if draw(st.booleans()):
        message.want_dnssec()
    return message.to_wire()


@st.composite
def damaged_queries(draw: st.DrawFn) -> bytes:
    """Real queries with a few octets changed, taken out or put in."""
    wire = bytearray(draw(real_queries()))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(wire)))
        wire[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(wire)


PACKETS = st.binary(max_size=100) | real_queries() | damaged_queries()


@given(PACKETS)
@example(bytes(12))
@example(packet(b"\xc0\x0c" * 300))
def test_any_octets_are_a_query_with_a_verdict_or_nothing(wire: bytes) -> None:
    """Never an exception; what is kept is of the packet."""
    query = parse(wire)

    if query is not None:
        assert query.verdict in (Rcode.NOERROR, Rcode.FORMERR, Rcode.NOTIMP, Rcode.BADVERS)
        assert query.id == wire[:2]
        assert query.question in wire
        assert len(query.question) == (len(query.qname) + 4 if query.qname else 0)
        assert len(query.qname) <= 255


@given(PACKETS)
def test_what_dnspython_reads_too_is_read_alike(wire: bytes) -> None:
    """Name, type, class, flags and EDNS."""
    query = parse(wire)
    try:
        theirs = dns.message.from_wire(wire)
    except Exception:
        return
    if query is None or query.verdict != Rcode.NOERROR or not query.question:
        return
    (asked,) = theirs.question
    assert query.qname_sent == asked.name.to_wire()
    assert (query.qtype, query.qclass) == (asked.rdtype, asked.rdclass)
    assert query.id == theirs.id.to_bytes(2, "big")
    assert query.flags & 0x0110 == theirs.flags & (dns.flags.RD | dns.flags.CD)
    assert query.has_edns == (theirs.edns == 0)
    assert query.udp_payload == (theirs.payload if query.has_edns else 0)
    assert query.dnssec_ok == bool(theirs.ednsflags & dns.flags.DO)


@given(real_queries())
def test_real_queries_are_understood(wire: bytes) -> None:
    """Whatever name, type, class and options, unless EDNS is of another version."""
    query = read(wire)
    theirs = dns.message.from_wire(wire)

    assert query.verdict == (Rcode.BADVERS if theirs.edns == 1 else Rcode.NOERROR)
    assert query.qname_sent == theirs.question[0].name.to_wire()
