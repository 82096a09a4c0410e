"""Octets of an answer -> its header, records and options, each as sent; raises where they can't be read.

Read with a checked cursor and nothing assumed: an answer to an UPDATE or to a damaged packet is read like any other.
"""

from __future__ import annotations

import struct
from functools import cached_property
from typing import NamedTuple

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

QR, AA, TC, RD, RA, Z, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0040, 0x0020, 0x0010
FLAG_NAMES = {"qr": QR, "aa": AA, "tc": TC, "rd": RD, "ra": RA, "z": Z, "ad": AD, "cd": CD}
HEADER_OCTETS = 12
OPT = dns.rdatatype.OPT

_RCODES = dict(enumerate("NOERROR FORMERR SERVFAIL NXDOMAIN NOTIMP REFUSED".split()))
_RCODES |= {16: "BADVERS", 23: "BADCOOKIE"}


class Record(NamedTuple):
    """A record; `text` is its type and rdata in presentation format, class and TTL of an OPT are its own."""

    section: int
    owner: str
    rrtype: int
    rrclass: int
    ttl: int
    text: str
    rdata: bytes


class Answer:
    """A message as it was received."""

    def __init__(self, wire: bytes) -> None:
        self.wire = wire
        self.id, self.flags, *counts = struct.unpack("!6H", wire[:HEADER_OCTETS])
        self.counts = tuple(counts)
        at = HEADER_OCTETS
        for _ in range(counts[0]):
            at = _name_end(wire, at) + 4
        self.question = wire[HEADER_OCTETS:at]
        records = []
        for section, count in enumerate(counts[1:]):
            for _ in range(count):
                record, at = _read_record(wire, at, section)
                records.append(record)
        assert at == len(wire), "octets behind the last record"
        self.records = records

    @property
    def opcode(self) -> int:
        return self.flags >> 11 & 0x0F

    @property
    def opt(self) -> Record | None:
        """The OPT; an answer has at most one."""
        opts = [record for record in self.records if record.rrtype == OPT]
        assert len(opts) < 2, "two OPT records"
        return opts[0] if opts else None

    @property
    def rcode(self) -> int:
        """With the eight bits that an OPT adds (RFC 6891 section 6.1.3)."""
        return (self.opt.ttl >> 24 << 4 if self.opt else 0) | self.flags & 0x0F

    @cached_property
    def options(self) -> list[tuple[int, bytes]]:
        """Of the OPT, in their order."""
        rdata = self.opt.rdata if self.opt else b""
        found = []
        at = 0
        while at < len(rdata):
            code, size = struct.unpack_from("!HH", rdata, at)
            assert at + 4 + size <= len(rdata), "an option ends behind the OPT"
            found.append((code, rdata[at + 4 : at + 4 + size]))
            at += 4 + size
        return found

    def option(self, code: int) -> bytes | None:
        """The first one of a code."""
        return dict(reversed(self.options)).get(code)

    def section(self, number: int) -> list[Record]:
        """The records of a section but for the OPT: 0 answer, 1 authority, 2 additional."""
        return [record for record in self.records if record.section == number and record.rrtype != OPT]

    def told(self) -> str:
        """What it is, in a few words that are the same in every run."""
        flags = " ".join([name for name, bit in FLAG_NAMES.items() if self.flags & bit])
        counts = "/".join([str(count) for count in self.counts])
        options = "".join([f", option {code} ({len(content)})" for code, content in self.options])
        return f"{rcode_name(self.rcode)} {flags}, {counts}, {len(self.wire)} octets{options}"


def rcode_name(rcode: int) -> str:
    """Its mnemonic."""
    return _RCODES.get(rcode, f"RCODE{rcode}")


def _name_end(wire: bytes, at: int) -> int:
    return at + dns.name.from_wire(wire, at)[1]


def _read_record(wire: bytes, at: int, section: int) -> tuple[Record, int]:
    owner, octets = dns.name.from_wire(wire, at)
    at += octets
    rrtype, rrclass, ttl, size = struct.unpack_from("!HHIH", wire, at)
    at += 10
    assert at + size <= len(wire), "a record ends behind the message"
    text = ""
    if rrtype != OPT:
        rdata = dns.rdata.from_wire(rrclass, rrtype, wire, at, size)
        text = f"{dns.rdatatype.to_text(dns.rdatatype.RdataType.make(rrtype))} {rdata.to_text()}"
    return Record(section, owner.to_text(), rrtype, rrclass, ttl, text, wire[at : at + size]), at + size
