"""EDNS: the OPT, its version and flags, NSID, cookies, the client subnet (G195-G201)."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import pytest

from greendns.answer import answer
from greendns.outcome import Peer
from greendns.snapshot import ServerOptions, Snapshot, State
from tests.packets import (
    CLIENT_COOKIE,
    FORM_ERROR,
    QUESTION,
    ask_with_options,
    echoes_question,
    exchange,
    header,
    opt_record,
    option,
    rcode_of,
    read_options,
    serving_packets,
    subnet_option,
)
from tests.serving import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all packets of this module."""
    with serving_packets(tmp_path_factory.mktemp("wire")) as running:
        yield running


@pytest.mark.parametrize(
    ("name", "rrtype"),
    [("www.example.com", "A"), ("www.example.com", "TXT"), ("www.example.org", "A"), ("example.com", "AXFR")],
)
def test_G195_an_opt_is_answered_only_if_one_was_asked_with(server: Server, name: str, rrtype: str) -> None:
    """In answers, denials and refusals (G111); the size in it is our own."""
    without = server.exchange(dns.message.make_query(name, rrtype).to_wire())
    asked_with = server.exchange(dns.message.make_query(name, rrtype, use_edns=0, payload=4096).to_wire())
    assert without is not None
    assert asked_with is not None

    assert dns.message.from_wire(without).edns == -1
    opt = dns.message.from_wire(asked_with)
    assert (opt.edns, opt.payload) == (0, 1232)
    # A refusal tells why (RFC 8914); nothing else is told unasked.
    assert {option.otype for option in opt.options} == ({dns.edns.OptionType.EDE} if opt.rcode() else set())


def test_G195_a_malformed_packet_with_a_readable_opt_gets_one(server: Server) -> None:
    """FORMERR with an OPT (RFC 6891 section 7)."""
    answer = exchange(server, header(ar=2) + QUESTION + opt_record() * 2)

    assert rcode_of(answer) == FORM_ERROR
    assert dns.message.from_wire(answer).edns == 0


def test_G195_only_options_that_we_know_are_answered(server: Server) -> None:
    """Padding, an unknown one and the keepalive are left without an answer."""
    wire = ask_with_options(option(12, bytes(8)) + option(65001, b"abc") + option(11, b"") + option(3, b""))

    assert set(read_options(exchange(server, wire))) == {3}


@pytest.mark.parametrize("sent", [0, 0x8000, 0x7FFF, 0xFFFF])
def test_G196_do_is_copied_and_nothing_else(server: Server, sent: int) -> None:
    """The other fifteen bits are zero (RFC 6891 section 6.1.4)."""
    answer = dns.message.from_wire(exchange(server, header(ar=1) + QUESTION + opt_record(flags=sent)))

    assert answer.ednsflags == sent & 0x8000


@pytest.mark.parametrize("version", [1, 2, 100, 255])
def test_G197_another_version_of_edns_is_badvers(server: Server, version: int) -> None:
    """The question is echoed; no AA, no record but the OPT, whose version is ours."""
    wire = exchange(server, header(ar=1) + QUESTION + opt_record(version=version))
    answer = dns.message.from_wire(wire)

    assert answer.rcode() == dns.rcode.BADVERS
    assert answer.edns == 0
    assert echoes_question(wire)
    assert not answer.flags & dns.flags.AA
    assert wire[6:12] == b"\x00\x00\x00\x00\x00\x01"


def test_G197_badvers_comes_whatever_the_options_say(server: Server) -> None:
    """Options of a version that we do not know are not ours to judge."""
    wire = header(ar=1) + QUESTION + opt_record(subnet_option(9, 99, b"abc") + b"\x00", version=1)

    assert dns.message.from_wire(exchange(server, wire)).rcode() == dns.rcode.BADVERS


def test_G198_nsid_is_the_identifier(server: Server) -> None:
    """Only if it is asked for."""
    assert read_options(exchange(server, ask_with_options(option(3, b""))))[3] == b"testid"
    assert read_options(exchange(server, ask_with_options(b""))) == {}


def ask_cookie(server: Server, cookie: bytes, source: str = "127.0.0.1") -> bytes:
    """The COOKIE option that answers this one."""
    return read_options(exchange(server, ask_with_options(option(10, cookie)), source))[10]


def test_G198_a_client_cookie_gets_a_server_cookie(server: Server) -> None:
    """16 octets behind the client's 8: version 1, reserved octets zero (RFC 9018 section 4)."""
    answered = ask_cookie(server, CLIENT_COOKIE)

    assert answered[:8] == CLIENT_COOKIE
    assert answered[8:12] == b"\x01\x00\x00\x00"
    assert len(answered) == 24


def test_G198_a_young_cookie_comes_back_as_it_is(server: Server) -> None:
    """Also over TCP."""
    cookie = ask_cookie(server, CLIENT_COOKIE)

    assert ask_cookie(server, cookie) == cookie
    over_tcp = server.ask("www.example.com", tcp=True, options=[dns.edns.GenericOption("COOKIE", cookie)])
    assert over_tcp.options[0].to_wire() == cookie


def test_G198_another_client_gets_another_cookie(server: Server) -> None:
    """Another address, or another client cookie; and the cookie of one is not good for the other."""
    cookie = ask_cookie(server, CLIENT_COOKIE)
    other = ask_cookie(server, CLIENT_COOKIE, source="127.0.0.2")

    assert other[16:] != cookie[16:]
    assert ask_cookie(server, cookie, source="127.0.0.2")[16:] != cookie[16:]
    assert ask_cookie(server, bytes(8))[16:] != cookie[16:]


@pytest.mark.parametrize("octets", [8, 16, 24, 32])
def test_G198_a_foreign_server_cookie_is_replaced(server: Server, octets: int) -> None:
    """Not an error: the answer carries a fresh one."""
    foreign = CLIENT_COOKIE + b"\x77" * octets
    answered = ask_cookie(server, foreign)

    assert answered[:12] == CLIENT_COOKIE + b"\x01\x00\x00\x00"
    assert answered != foreign


@pytest.mark.parametrize("octets", [0, 1, 7, 9, 15, 41, 64])
def test_G198_a_cookie_of_a_wrong_length_is_an_error(server: Server, octets: int) -> None:
    """FORMERR (RFC 7873 section 5.2.2), and no cookie in the answer."""
    answer = exchange(server, ask_with_options(option(10, b"c" * octets)))

    assert rcode_of(answer) == FORM_ERROR
    assert read_options(answer) == {}


# RFC 9018 appendix A: secret, address, seconds, the option sent, the option that answers.
SECRET = "e5e973e5a6b2a43f48e7dc849e37bfcf"
COOKIES_OF_RFC_9018 = [
    (SECRET, "198.51.100.100", 1559731985, "2464c4abcf10c957", "2464c4abcf10c957010000005cf79f111f8130c3eee29480"),
    (
        SECRET,
        "198.51.100.100",
        1559734385,
        "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
        "2464c4abcf10c957010000005cf7a871d4a564a1442aca77",
    ),
    (
        SECRET,
        "203.0.113.203",
        1559734700,
        "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
        "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e",
    ),
    (
        "445536bcd2513298075a5d379663c962",
        "2001:db8:220:1:59de:d0f4:8769:82b8",
        1559741961,
        "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
        "22681ab97d52c298010000005cf7c609a6bb79d16625507a",
    ),
]


@pytest.mark.parametrize(("secret", "address", "seconds", "sent", "answered"), COOKIES_OF_RFC_9018)
def test_G198_cookies_are_those_of_rfc_9018(secret: str, address: str, seconds: int, sent: str, answered: str) -> None:
    """The examples of its appendix A, through the answer function; the clock is an argument there."""
    snapshot = Snapshot(options=ServerOptions(cookie_secrets=(bytes.fromhex(secret),)))
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    peer = Peer(socket.inet_pton(family, address), 53000, is_tcp=False)
    wire, _ = answer(ask_with_options(option(10, bytes.fromhex(sent))), peer, seconds, snapshot, State(), lambda n: 0)

    assert wire is not None
    assert read_options(wire)[10].hex() == answered


# -- client subnet


def ask_subnet(server: Server, family: int, source: int, address: bytes, name: bytes = b"\x03geo") -> tuple[int, bytes]:
    """Scope and the rest of the ECS option of an answer."""
    wire = header(ar=1) + name + QUESTION[4:] + opt_record(subnet_option(family, source, address))
    told = read_options(exchange(server, wire))[8]
    return told[3], told[:3] + told[4:]


@pytest.mark.parametrize(
    ("family", "source", "address", "scope"),
    [
        (1, 24, b"\xc0\x00\x02", 24),
        (1, 32, b"\xc0\x00\x02\x01", 24),
        (1, 24, b"\xcb\x00\x71", 26),
        (1, 25, b"\xcb\x00\x71\x00", 26),
        (2, 48, b"\x20\x01\x0d\xb8\x00\x01", 48),
        (2, 56, b"\x20\x01\x0d\xb8\x00\x01\x00", 48),
        (1, 0, b"", 0),
        (2, 0, b"", 0),
        (0, 0, b"", 0),
        (1, 24, b"\x0a\x01\x02", 0),
    ],
)
def test_G199_the_subnet_comes_back_with_the_true_scope(
    server: Server, family: int, source: int, address: bytes, scope: int
) -> None:
    """Family, source and address as sent; the scope is the network that the database told, also beyond the source.

    0 where the subnet decided nothing.
    """
    assert ask_subnet(server, family, source, address) == (scope, struct.pack("!HB", family, source) + address)


def test_G199_a_name_that_is_the_same_for_all_has_scope_0(server: Server) -> None:
    """It has no variants; and a name that does not exist has none either."""
    for name in (b"\x03www", b"\x04nope"):
        assert ask_subnet(server, 1, 24, b"\xc0\x00\x02", name)[0] == 0


def test_G199_no_subnet_is_told_where_none_was_sent(server: Server) -> None:
    """An answer that depends on the socket's address says nothing of it."""
    assert read_options(exchange(server, ask_with_options(b""))) == {}


@pytest.mark.parametrize(
    ("subnet", "country"),
    [
        ("192.0.2.0/24", "de"),
        ("203.0.113.64/26", "jp"),
        ("100.64.1.0/24", "fr"),
        ("2001:db8:1::/48", "se"),
        ("10.1.2.0/24", "dk"),
        ("172.16.0.0/16", "dk"),
        ("172.31.255.0/24", "dk"),
        ("192.168.1.0/24", "dk"),
        ("169.254.1.0/24", "dk"),
        ("224.0.0.0/24", "dk"),
        ("127.0.0.0/8", "dk"),
        ("0.0.0.0/0", "dk"),
        ("fc00:1::/48", "dk"),
        ("fd00:1::/48", "dk"),
        ("fe80::/64", "dk"),
        ("ff02::/64", "dk"),
        ("::/0", "dk"),
        (None, "dk"),
    ],
)
def test_G200_a_subnet_counts_if_it_is_global_unicast_and_not_private(
    server: Server, subnet: str | None, country: str
) -> None:
    """Else the socket's address does; the documentation networks and 100.64.0.0/10 count."""
    assert server.values("geo.example.com", "TXT", subnet=subnet) == [f'"{country}"']


BAD_SUBNETS = {
    "empty": b"",
    "short": b"\x00\x01\x18",
    "family 3": struct.pack("!HBB", 3, 24, 0) + b"\xc0\x00\x02",
    "family 0 with an address": struct.pack("!HBB", 0, 8, 0) + b"\xc0",
    "IPv4 of 33 bits": struct.pack("!HBB", 1, 33, 0) + b"\xc0\x00\x02\x01\x00",
    "IPv6 of 129 bits": struct.pack("!HBB", 2, 129, 0) + bytes(17),
    "too few octets": struct.pack("!HBB", 1, 24, 0) + b"\xc0\x00",
    "too many octets": struct.pack("!HBB", 1, 24, 0) + b"\xc0\x00\x02\x00",
    "octets for no bits": struct.pack("!HBB", 1, 0, 0) + b"\xc0",
    "bits beyond the prefix": struct.pack("!HBB", 1, 23, 0) + b"\xc0\x00\x03",
    "a scope in a query": struct.pack("!HBB", 1, 24, 16) + b"\xc0\x00\x02",
}


@pytest.mark.parametrize("content", BAD_SUBNETS.values(), ids=BAD_SUBNETS.keys())
def test_G201_a_malformed_subnet_is_an_error(server: Server, content: bytes) -> None:
    """FORMERR with an OPT, the option not echoed (RFC 7871 section 7.1.2)."""
    answer = exchange(server, ask_with_options(option(8, content)))

    assert rcode_of(answer) == FORM_ERROR
    assert echoes_question(answer)
    assert read_options(answer) == {}
