"""The flag-day checks, sent to GreenDNS and to NSD, Knot DNS and BIND: where those agree, so does GreenDNS.

What GreenDNS must answer by RFC 8906 itself is in `tests.checks.flagday`, and tested there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.checks import contents, flagday, headers, options
from tests.checks.asking import Transport, ask, serving_checks, transports
from tests.checks.expecting import SILENCE
from tests.checks.reading import AA, AD, CD, RA, RD, TC, Answer
from tests.checks.rows import Row
from tests.interop.authorities import AUTHORITIES, serving_authority

OURS = "GreenDNS"
EXTENDED_ERROR = 15
Ways = dict[str, list[Transport]]
CHECKS = [row for rows in flagday.ROWS.values() for row in rows]
# Rows of the table about what the small zone of the others has too, and in what they and we have no choice.
SECTIONS = [headers.HEADER, headers.COUNTS, headers.NAMES, headers.TYPES_AND_CLASSES, headers.OPCODES]
SECTIONS += [options.OPT, options.OPTIONS, options.COOKIES, contents.NEGATIVE, contents.WILDCARDS]
# Where GreenDNS answers otherwise than all of them.
OTHERWISE = {
    "a TSIG behind the question": "they know TSIG but not the key (NOTAUTH); here the record is ignored",
    "an OPT and a TSIG": "the same",
    "a dot inside a label": "a name that their zone does not have",
    "the octets 0 and 255 as a label": "a name that their zone does not have",
    "1,100 options": "1,024 are read here: nobody sends a hundredth of it",
    "padding of 20 octets": "they pad no TCP; here a proxy that encrypts may stand before it (RFC 7830 section 4)",
    "two OPTs": "FORMERR has an OPT here (RFC 6891 section 6.1.1)",
    "half the head of an option": "the same",
    "an option longer than the OPT": "the same",
}
# Answered by a greenlet here, which a query sent behind overtakes.
OVERTAKEN = "class CHAOS, a name of no server's"
ROWS = [
    row for rows in SECTIONS for row in rows if row.what not in (*OTHERWISE, OVERTAKEN) and SILENCE not in row.expected
]


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ways]:
    """UDP and TCP to each, over IPv4."""
    with ExitStack() as running:
        found: Ways = {
            authority.name: running.enter_context(serving_authority(authority, tmp_path_factory.mktemp("authority")))
            for authority in AUTHORITIES
        }
        server = running.enter_context(serving_checks(tmp_path_factory.mktemp("checks")))
        found[OURS] = [way for way in transports(server) if way.host == "127.0.0.1"]
        yield found


def traits(answer: Answer) -> dict[str, object]:
    """What those who run servers look at; not what a server may add, such as name servers beside an answer."""
    opt = answer.opt
    return {
        "rcode": answer.rcode,
        **{name: bool(answer.flags & bit) for name, bit in {"aa": AA, "tc": TC, "rd": RD, "ad": AD, "cd": CD}.items()},
        "ra": bool(answer.flags & RA),
        "opcode": answer.opcode,
        "question": answer.question,
        "answers": sorted({record.text.split()[0] for record in answer.section(0)}),
        "EDNS version": opt and opt.ttl >> 16 & 0xFF,
        "EDNS flags": opt and opt.ttl & 0xFFFF,
        # Why it is refused (RFC 8914) the others do not tell.
        "options": sorted([code for code, _ in answer.options if code != EXTENDED_ERROR]),
    }


def compare(row: Row, ways: Ways) -> tuple[set[str], dict[str, object]]:
    """Over each transport of the row: in what those of the others that answer agree, and in what of it we do not."""
    agreed, different = set(), {}
    for transport in row.over:
        told = {name: told_over(row, way) for name, each in ways.items() for way in each if way.name[:3] == transport}
        ours = told.pop(OURS)
        theirs = [each for each in told.values() if each is not None]
        if not theirs or ours is None:
            if len(theirs) == len(told):
                different[f"{transport} answered"] = (False, True)
            continue
        for trait, value in theirs[0].items():
            if all(each[trait] == value for each in theirs):
                agreed.add(trait)
                if ours[trait] != value:
                    different[f"{transport} {trait}"] = (ours[trait], value)
    return agreed, different


def told_over(row: Row, way: Transport) -> dict[str, object] | None:
    """None where nothing comes back, which a good query sent behind tells: an answer that it overtakes is not seen."""
    octets = ask(way, row.wire, is_answered=False)
    return None if octets is None else traits(Answer(octets))


@pytest.mark.parametrize("row", CHECKS, ids=[row.what for row in CHECKS])
def test_a_flag_day_check_is_answered_as_by_the_others(ways: Ways, row: Row) -> None:
    """In all that they agree on, which is the RCODE at least."""
    agreed, different = compare(row, ways)

    assert different == {}
    assert {"rcode", "aa", "opcode"} <= agreed


@pytest.mark.parametrize("row", ROWS, ids=[row.what for row in ROWS])
def test_other_packets_are_answered_as_by_the_others(ways: Ways, row: Row) -> None:
    """Good ones and bad ones of the table: in all that those agree on, which is more than nothing where they answer."""
    agreed, different = compare(row, ways)

    assert different == {}
    assert agreed


def test_what_is_answered_otherwise_still_is(ways: Ways) -> None:
    """Each exception is one."""
    rows = {row.what: row for rows in SECTIONS for row in rows}

    assert {what for what in OTHERWISE if compare(rows[what], ways)[1]} == set(OTHERWISE)
