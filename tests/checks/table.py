"""All rows, what a server makes of them, and both as text."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from tests.checks import contents, flagday, headers, options, streams
from tests.checks.asking import Transport, ask, ask_stream, transports
from tests.checks.expecting import SILENCE, faults_of_any
from tests.checks.reading import Answer
from tests.checks.rows import Row, StreamRow
from tests.serving import Server

SECTIONS: dict[str, list[Row]] = {**headers.ROWS, **options.ROWS, **contents.ROWS, **flagday.ROWS}
STREAMS: list[StreamRow] = streams.ROWS


class Got(NamedTuple):
    """What came back for a row over one transport; `faults` is empty where all is as expected."""

    transport: str
    told: str
    faults: list[str]


def check(row: Row, server: Server) -> list[Got]:
    """Send a row over each of its transports."""
    return [_check_over(row, transport) for transport in transports(server) if transport.name[:3] in row.over]


def _check_over(row: Row, transport: Transport) -> Got:
    octets = ask(transport, row.wire, SILENCE not in row.expected)
    try:
        answer = None if octets is None else Answer(octets)
    except Exception as error:
        return Got(transport.name, f"unreadable: {error}", ["the answer can be read"])
    faults = [expected.text for expected in row.expected if not expected.holds(answer)]
    if answer is None:
        return Got(transport.name, "no answer", faults)
    return Got(transport.name, answer.told(), faults + faults_of_any(row.wire, answer, transport.is_tcp))


def check_stream(row: StreamRow, server: Server) -> list[Got]:
    """Send a row over TCP."""
    return [_check_stream_over(row, transport) for transport in transports(server) if transport.is_tcp]


def _check_stream_over(row: StreamRow, transport: Transport) -> Got:
    # Where the connection ends, one message more is waited for in vain.
    messages = ask_stream(transport, row.parts, len(row.answers) + row.ends)
    ids = tuple(sorted([struct.unpack("!H", message[:2])[0] for message in messages]))
    faults = [] if ids == tuple(sorted(row.answers)) else [row.expectation]
    return Got(transport.name, f"{len(messages)} answers", faults)


def sources_text(source: str) -> str:
    """`7871 7.1.2, 8906 3` as words: RFC and section; what is no number stays."""
    return re.sub(r"(?:(?<=^)|(?<=, ))(\d+) ([\d.]+)", r"RFC \1 section \2", source)


def document(server: Server) -> str:
    """The page: every row and what this server makes of it."""
    return "\n".join([*_HEAD.format(count=row_count()).splitlines(), *_lines(server), ""])


def row_count() -> int:
    return sum(map(len, SECTIONS.values())) + len(STREAMS)


def _lines(server: Server) -> Iterator[str]:
    for title, rows in SECTIONS.items():
        yield from _heading(title)
        for row in rows:
            over = "" if len(row.over) > 1 else f" ({row.over[0]})"
            yield _line(row.what + over, row.source, row.expectation, check(row, server))
    yield from _heading("TCP connections")
    for stream in STREAMS:
        yield _line(stream.what, stream.source, stream.expectation, check_stream(stream, server))


def _heading(title: str) -> list[str]:
    return ["", f"## {title}", "", "| sent | source | expected | got | |", "|---|---|---|---|---|"]


def _line(what: str, source: str, expected: str, got: list[Got]) -> str:
    faults = [fault for each in got for fault in each.faults]
    verdict = "NOT: " + "; ".join(faults) if faults else "as expected"
    cells = [what, sources_text(source), expected, got_text(got), verdict]
    return "| " + " | ".join([re.sub(r"x{50,}", "x...", cell).replace("|", "\\|") for cell in cells]) + " |"


def got_text(got: list[Got]) -> str:
    """Once where all transports told the same, else by transport."""
    by_told: dict[str, list[str]] = {}
    for each in got:
        by_told.setdefault(each.told, []).append(each.transport)
    if len(by_told) == 1:
        return got[0].told
    return "; ".join([f"{_together(names)}: {told}" for told, names in by_told.items()])


def _together(names: list[str]) -> str:
    kinds = {name[:3] for name in names}
    return kinds.pop() if len(kinds) == 1 and len(names) == 2 else ", ".join(names)


_HEAD = """\
# Checks

{count} packets and connections, made octet by octet and sent to a live server over plain sockets: by UDP and TCP unless
a row says otherwise, over IPv4 and IPv6. `make checks` writes this page from what came back; the tests send every row
anew and hold this page to it.

Beside what its row says, every answer must have the query's ID, opcode, RD and CD, QR set, RA, Z and AD clear; its
question, if it has one, is that of the query octet by octet; an OPT comes only to one that was sent; over UDP it has at
most 1,232 octets, or 512 without EDNS. A good query sent behind a packet that is to stay unanswered shows that nothing
comes back.

Got: RCODE and flags, the four counts, the length of the message, the options of its OPT with theirs.
"""
