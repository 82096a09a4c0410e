"""Messages are read with their names in full, and nothing is read beyond their end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns.codes import RRType
from greendns.errors import ValueProblem
from greendns.message import Record, read_name, read_records
from greendns.response import ADDITIONAL, ANSWER, AUTHORITY, Response
from greendns.rrset import make_rrset

EXAMPLE = b"\x07example\x03com\x00"
WWW = b"\x03www" + EXAMPLE
MAIL = b"\x04mail" + EXAMPLE
SOA = MAIL + WWW + bytes(range(20))


def written() -> bytes:
    """A message with names to be compressed in every section."""
    response = Response(WWW + b"\x00\x0f\x00\x01", 1232, 0)
    response.add(ANSWER, WWW, make_rrset(RRType.MX, 60, (b"\x00\x0a" + MAIL,)), (0,))
    response.add(AUTHORITY, EXAMPLE, make_rrset(RRType.SOA, 61, (SOA,)), (0,))
    response.add(ADDITIONAL, MAIL, make_rrset(RRType.TXT, 62, (b"\x02\xc0\x0c",)), (0,))
    return response.encode(b"\x00\x00", 0, 0, b"")


def test_records_come_back_as_they_were_written() -> None:
    """Owner, type, TTL and rdata; what looks like a pointer in a TXT stays."""
    assert read_records(written()) == [
        Record(ANSWER, WWW, RRType.MX, 1, 60, b"\x00\x0a" + MAIL),
        Record(AUTHORITY, EXAMPLE, RRType.SOA, 1, 61, SOA),
        Record(ADDITIONAL, MAIL, RRType.TXT, 1, 62, b"\x02\xc0\x0c"),
    ]


def test_a_message_that_is_cut_off_is_refused() -> None:
    """At every octet."""
    message = written()
    for end in range(len(message)):
        with pytest.raises(ValueProblem):
            read_records(message[:end])


@pytest.mark.parametrize("message", [b"\xc0\x00", b"\xc0\x02\xc0\x00", b"\x01a\xc0\x00", b"\x40" + bytes(70), b"\x01"])
def test_a_name_that_does_not_end_is_refused(message: bytes) -> None:
    """Pointers to themselves, forward and in a circle; long and short labels."""
    with pytest.raises(ValueProblem):
        read_name(message, 0)


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_refused(message: bytes) -> None:
    """Names of at most 255 octets, and nothing else is raised."""
    try:
        records = read_records(message)
    except ValueProblem:
        return
    assert all(len(record.owner) <= 255 for record in records)
