"""What EDNS options of a query bring into its answer: keepalive, padding, extended errors, NSID."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import dns.edns
import dns.message
import dns.rcode
import pytest

from tests.packets import (
    FORM_ERROR,
    NO_ERROR,
    NOT_IMPLEMENTED,
    QUESTION,
    REFUSED,
    ask_with_options,
    exchange,
    header,
    opt_record,
    option,
    rcode_of,
    read_options,
)
from tests.serving import Server, serving, wait_until, write_zones

KEEPALIVE, PADDING, NSID, COOKIE, EXTENDED_ERROR = 11, 12, 3, 10, 15
BLOCK = 468
ZONES = {"example.com": {"data": {"www": {"a": [["192.0.2.1"]]}, "text": {"txt": ["x" * 200] * 5}}}}
# Of the longest name, so that little room is left beside it.
LONGEST = (
    b"\x3f" + b"a" * 63 + b"\x3f" + b"b" * 63 + b"\x3f" + b"c" * 63 + b"\x31" + b"d" * 49 + b"\x07example\x03com\x00"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all questions; it has the longest of identifiers."""
    directory = tmp_path_factory.mktemp("options")
    (directory / "greendns.toml").write_text("[tcp]\nidle_seconds = 12.5\n")
    with serving(directory, ZONES, ["--identifier", "i" * 255]) as running:
        yield running


def exchange_tcp(server: Server, wire: bytes) -> bytes:
    """What comes back over a connection of its own."""
    with socket.create_connection((server.host, server.port), timeout=5) as stream:
        return ask_over(stream, wire)


def ask_over(stream: socket.socket, wire: bytes) -> bytes:
    """What comes back over a connection that is there."""
    with stream.makefile("rb") as reader:
        stream.sendall(struct.pack("!H", len(wire)) + wire)
        return reader.read(*struct.unpack("!H", reader.read(2)))


def error_of(wire: bytes) -> int | None:
    """The info-code of an extended error without a text; None where there is none."""
    told = read_options(wire).get(EXTENDED_ERROR)
    return None if told is None else struct.unpack("!H", told)[0]


def read_answer_count(wire: bytes) -> int:
    """ANCOUNT."""
    return int.from_bytes(wire[6:8], "big")


def ask(name: bytes, rrtype: int = 1, rrclass: int = 1, flags: int = 0) -> bytes:
    """A question with an empty OPT."""
    return header(flags, ar=1) + name + struct.pack("!HH", rrtype, rrclass) + opt_record()


# -- keepalive (RFC 7828)


def test_keepalive_tells_how_long_a_connection_may_be_idle(server: Server) -> None:
    """In tenths of a second, as tcp.idle_seconds says; asked for and over TCP alone."""
    asking = ask_with_options(option(KEEPALIVE, b""))

    assert read_options(exchange_tcp(server, asking)) == {KEEPALIVE: (125).to_bytes(2, "big")}
    assert read_options(exchange_tcp(server, ask_with_options(b""))) == {}


def test_keepalive_follows_a_reload(tmp_path: Path) -> None:
    """The time is that in force; what is longer than the option can tell is told as the longest."""
    (tmp_path / "greendns.toml").write_text("[tcp]\nidle_seconds = 3\n")
    asking = ask_with_options(option(KEEPALIVE, b""))
    with serving(tmp_path, ZONES, workers=0) as running:
        assert read_options(exchange_tcp(running, asking))[KEEPALIVE] == b"\x00\x1e"
        (tmp_path / "greendns.toml").write_text("[tcp]\nidle_seconds = 1e9\n")
        wait_until(
            lambda: read_options(exchange_tcp(running, asking))[KEEPALIVE] == b"\xff\xff", "the new time is told"
        )


@pytest.mark.parametrize(("others", "seconds"), [(1, 12), (2, 6), (3, 3)])
def test_keepalive_tells_less_in_a_house_that_fills(tmp_path: Path, others: int, seconds: int) -> None:
    """Half the time when it is full to 3/4, a quarter at 9/10: what is told is what counts; also for what is held."""
    (tmp_path / "greendns.toml").write_text("[tcp]\nidle_seconds = 12\nmax_connections = 4\n")
    asking = option(KEEPALIVE, b"")
    chaos = header(ar=1) + b"\x02id\x06server\x00\x00\x10\x00\x03" + opt_record(asking)
    with serving(tmp_path, ZONES, workers=0) as running, ExitStack() as opened:
        for _ in range(others):
            opened.enter_context(socket.create_connection((running.host, running.port), timeout=5))
        with socket.create_connection((running.host, running.port), timeout=5) as stream:
            for wire in (ask_with_options(asking), chaos):
                assert read_options(ask_over(stream, wire))[KEEPALIVE] == (seconds * 10).to_bytes(2, "big")


@pytest.mark.parametrize("value", [b"", b"\x00\x64", b"abc"])
def test_keepalive_is_ignored_over_udp(server: Server, value: bytes) -> None:
    """Whatever it holds (RFC 7828 section 3.3.1)."""
    answer = exchange(server, ask_with_options(option(KEEPALIVE, value)))

    assert (rcode_of(answer), read_options(answer)) == (NO_ERROR, {})


@pytest.mark.parametrize("value", [b"\x00\x64", b"a", b"abc"])
def test_a_client_has_no_time_to_tell(server: Server, value: bytes) -> None:
    """FORMERR over TCP (RFC 7828 section 3.2.1), without the option; the question comes back."""
    answer = exchange_tcp(server, ask_with_options(option(KEEPALIVE, value)))

    assert (rcode_of(answer), read_options(answer)) == (FORM_ERROR, {})
    assert answer[12 : 12 + len(QUESTION)] == QUESTION


# -- padding (RFC 7830, RFC 8467)


@pytest.mark.parametrize("padding", [b"", bytes(1), bytes(400), b"not zero"])
@pytest.mark.parametrize("name", [b"\x03www", b"\x04text", b"\x04nope"])
def test_a_padded_query_gets_a_padded_answer(server: Server, name: bytes, padding: bytes) -> None:
    """Of whole blocks of 468 octets, filled with zeros."""
    wire = header(ar=1) + name + b"\x07example\x03com\x00\x00\x10\x00\x01" + opt_record(option(PADDING, padding))
    answer = exchange_tcp(server, wire)

    assert len(answer) % BLOCK == 0
    assert not read_options(answer)[PADDING].strip(b"\x00")
    dns.message.from_wire(answer)


def test_padding_fills_up_what_other_options_leave(server: Server) -> None:
    """Client subnet, cookie, NSID and keepalive beside it; also in an error."""
    others = option(8, b"\x00\x01\x18\x00\xc0\x00\x02") + option(COOKIE, bytes(8)) + option(NSID, b"")
    answer = exchange_tcp(server, ask_with_options(others + option(KEEPALIVE, b"") + option(PADDING, b"")))
    refused = header(ar=1) + b"\x03org\x00\x00\x01\x00\x01" + opt_record(option(PADDING, b""))

    assert set(read_options(answer)) == {8, COOKIE, NSID, KEEPALIVE, PADDING}
    assert len(answer) % BLOCK == 0
    assert len(exchange_tcp(server, refused)) == BLOCK


def test_every_length_of_an_answer_is_padded_to_a_block(server: Server) -> None:
    """Also where the option itself just fits, and where it needs another block."""
    identifiers = [option(65001, bytes(octets)) for octets in range(3)]
    for labels in range(1, 60):
        question = bytes((labels,)) + b"x" * labels + b"\x07example\x03com\x00\x00\x01\x00\x01"
        for other in identifiers:
            answer = exchange_tcp(server, header(ar=1) + question + opt_record(other + option(PADDING, b"")))
            assert len(answer) % BLOCK == 0


def test_nothing_is_padded_over_udp(server: Server) -> None:
    """Nor where nobody asked: it would only help who forges his address."""
    answer = exchange(server, ask_with_options(option(PADDING, bytes(100))))

    assert (rcode_of(answer), read_options(answer)) == (NO_ERROR, {})
    assert read_options(exchange_tcp(server, ask_with_options(b""))) == {}


# -- extended errors (RFC 8914)


@pytest.mark.parametrize(
    ("what", "wire", "rcode", "error"),
    [
        ("a name of no zone", ask(b"\x03www\x07example\x03org\x00"), REFUSED, 20),
        ("a transfer", ask(b"\x07example\x03com\x00", 252), REFUSED, 18),
        ("an incremental transfer", ask(b"\x07example\x03com\x00", 251), REFUSED, 18),
        ("another class", ask(b"\x07example\x03com\x00", 1, 4), REFUSED, 21),
        ("a CHAOS name that is none", ask(b"\x07authors\x04bind\x00", 16, 3), REFUSED, 20),
        ("STATUS", ask(b"\x07example\x03com\x00", 6, 1, 2 << 11), NOT_IMPLEMENTED, 21),
        ("NOTIFY", ask(b"\x07example\x03com\x00", 6, 1, 4 << 11), NOT_IMPLEMENTED, 21),
        ("UPDATE", ask(b"\x07example\x03com\x00", 6, 1, 5 << 11), NOT_IMPLEMENTED, 21),
        ("a name that does not exist", ask(b"\x04nope\x07example\x03com\x00"), dns.rcode.NXDOMAIN, None),
        ("no data", ask(b"\x03www\x07example\x03com\x00", 28), NO_ERROR, None),
    ],
)
def test_a_refusal_tells_why(server: Server, what: str, wire: bytes, rcode: int, error: int | None) -> None:
    """To who speaks EDNS, over both transports; an answer is no error."""
    # A CHAOS name is answered apart: a question sent behind it may overtake it.
    for answer in (server.exchange(wire) or b"", exchange_tcp(server, wire)):
        assert (rcode_of(answer), error_of(answer)) == (rcode, error), what


def test_who_speaks_no_edns_is_told_no_more_than_the_rcode(server: Server) -> None:
    """No OPT comes unasked (RFC 6891 section 7)."""
    answer = exchange(server, header() + b"\x03org\x00\x00\x01\x00\x01")

    assert rcode_of(answer) == REFUSED
    assert answer[10:12] == b"\x00\x00"


def test_a_zone_whose_file_is_broken_tells_so_where_that_is_set(tmp_path: Path) -> None:
    """Stale Answer, until the file is mended; never by itself, and never without EDNS."""
    place = tmp_path / "greendns.toml"
    asking = ask(b"\x03www\x07example\x03com\x00")
    with serving(tmp_path, ZONES, workers=0) as running:
        write_zones(running.zones, {"example.com": "broken"})
        wait_until(lambda: running.health()["status"] == "degraded", "the broken file is seen")
        assert error_of(exchange(running, asking)) is None

        place.write_text("[dns]\nstale_error = true\n")
        wait_until(lambda: error_of(exchange(running, asking)) == 3, "answers tell that they are stale")
        assert read_answer_count(exchange(running, asking)) == 1
        assert exchange(running, header() + QUESTION)[10:12] == b"\x00\x00"

        write_zones(running.zones, ZONES)
        wait_until(lambda: error_of(exchange(running, asking)) is None, "the mended file is in service")


# -- what does not fit


def test_an_identifier_that_does_not_fit_is_left_out(server: Server) -> None:
    """Beside the longest name in 512 octets; with more room, and over TCP, it is told."""
    assert len(LONGEST) == 255
    options = option(COOKIE, bytes(8)) + option(8, b"\x00\x02\x80\x00" + b"\x20\x01\x0d\xb8" + bytes(11) + b"\x01")
    for payload, is_told in ((512, False), (1232, True)):
        wire = header(ar=1) + LONGEST + b"\x00\x01\x00\x01" + opt_record(options + option(NSID, b""), payload)
        answer = exchange(server, wire)
        assert len(answer) <= payload
        assert set(read_options(answer)) == {8, COOKIE} | ({NSID} if is_told else set())
        assert NSID in read_options(exchange_tcp(server, wire))


def test_an_extended_error_takes_no_room_of_others(server: Server) -> None:
    """Refused with all that was asked for, and no longer than the client takes."""
    other = LONGEST[:-5] + b"\x03org\x00"
    options = option(COOKIE, bytes(8)) + option(NSID, b"")
    for payload in (512, 540, 570, 1232):
        wire = header(ar=1) + other + b"\x00\x01\x00\x01" + opt_record(options, payload)
        answer = exchange(server, wire)
        assert rcode_of(answer) == REFUSED
        assert len(answer) <= payload
        assert read_options(answer)[COOKIE][:8] == bytes(8)


def test_nsid_is_the_identifier(server: Server) -> None:
    """All of it (RFC 5001 section 3.1)."""
    assert read_options(exchange(server, ask_with_options(option(NSID, b""))))[NSID] == b"i" * 255
