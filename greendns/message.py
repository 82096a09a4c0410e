"""A message of our own -> its records, names decompressed: for `explain`. Pure.

Bounded for any octets: a name follows pointers to earlier octets only, and no count is believed beyond the end.
"""

from __future__ import annotations

from typing import NamedTuple

from .codes import HEADER_OCTETS, LABEL_OCTETS, NAME_OCTETS
from .errors import ValueProblem
from .rrset import names_in_rdata

# TYPE, CLASS, TTL and RDLENGTH.
_HEAD_OCTETS = 10


class Record(NamedTuple):
    """One resource record; its owner and the names in its rdata are uncompressed.

    section  ANSWER, AUTHORITY or ADDITIONAL, as in `response`
    """

    section: int
    owner: bytes
    rrtype: int
    rrclass: int
    ttl: int
    rdata: bytes


def read_records(message: bytes) -> list[Record]:
    """All records of a message, in its order; the OPT is one of them. Raises ValueProblem if it is malformed."""
    at = HEADER_OCTETS
    for _ in range(_integer(message, 4, 2)):
        _, at = read_name(message, at)
        at += 4
    records = []
    for section in range(3):
        for _ in range(_integer(message, 6 + 2 * section, 2)):
            record, at = _read_record(message, at, section)
            records.append(record)
    return records


def _integer(message: bytes, at: int, octets: int) -> int:
    if at + octets > len(message):
        raise ValueProblem("a message must not end inside a field")
    return int.from_bytes(message[at : at + octets], "big")


def _read_record(message: bytes, at: int, section: int) -> tuple[Record, int]:
    """The record at `at`, and where the next one starts."""
    owner, at = read_name(message, at)
    rrtype, rrclass, ttl = _integer(message, at, 2), _integer(message, at + 2, 2), _integer(message, at + 4, 4)
    begin = at + _HEAD_OCTETS
    end = begin + _integer(message, at + 8, 2)
    if end > len(message):
        raise ValueProblem("a message must not end inside a record")
    return Record(section, owner, rrtype, rrclass, ttl, _read_rdata(message, begin, end, rrtype)), end


def _read_rdata(message: bytes, begin: int, end: int, rrtype: int) -> bytes:
    """Rdata with its names in full; only some types have names that may be compressed (RFC 3597 section 4)."""
    offset, count = names_in_rdata(rrtype)
    if offset < 0:
        return message[begin:end]
    at = begin + offset
    rdata = message[begin:at]
    for _ in range(count):
        name, at = read_name(message, at)
        rdata += name
    if at > end:
        raise ValueProblem("a name must not go beyond its record")
    return rdata + message[at:end]


def read_name(message: bytes, at: int) -> tuple[bytes, int]:
    """The name at `at` in wire form, uncompressed (RFC 1035 section 4.1.4), and where what follows it starts."""
    name = b""
    after = -1
    limit = at
    while length := _integer(message, at, 1):
        if length >= 0xC0:
            pointer = _integer(message, at, 2) & 0x3FFF
            after = at + 2 if after < 0 else after
            if pointer >= limit:
                raise ValueProblem("a compression pointer must lead backwards")
            limit = at = pointer
            continue
        if length > LABEL_OCTETS or len(name) + length + 2 > NAME_OCTETS or at + length >= len(message):
            raise ValueProblem("a name must be of whole labels and at most 255 octets")
        name += message[at : at + 1 + length]
        at += 1 + length
    return name + b"\x00", at + 1 if after < 0 else after
