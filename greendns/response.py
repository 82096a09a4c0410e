"""bytes out: a header, the question, RRsets with compressed names, an OPT; truncated at an RRset boundary.

Pure; knows no zone. Names are compressed only against names of the very same case, so that the owner of a SOA
stays as the zone has it whatever case the question came in.
"""

from __future__ import annotations

from collections.abc import Iterable

from .codes import HEADER_OCTETS
from .rrset import RRset

ANSWER = 0
AUTHORITY = 1
ADDITIONAL = 2

FLAG_QR = 0x8000
FLAG_AA = 0x0400
FLAG_TC = 0x0200
# RD and CD come back as they were sent (RFC 1035 section 4.1.1, RFC 4035 section 3.1.6); opcode too.
COPIED_FLAGS = 0x7800 | 0x0100 | 0x0010

QNAME_POINTER = b"\xc0\x0c"
# A pointer has 14 bits (RFC 1035 section 4.1.4).
_POINTER_LIMIT = 0x4000


def encode_opt(udp_payload: int, rcode: int, dnssec_ok: bool, options: Iterable[tuple[int, bytes]]) -> bytes:
    """The OPT record of an answer (RFC 6891 section 6.1.2); flags other than DO are zero (section 6.1.4)."""
    rdata = b"".join([code.to_bytes(2, "big") + len(option).to_bytes(2, "big") + option for code, option in options])
    return b"".join(
        [
            b"\x00\x00\x29",
            udp_payload.to_bytes(2, "big"),
            bytes((rcode >> 4, 0, 0x80 if dnssec_ok else 0, 0)),
            len(rdata).to_bytes(2, "big"),
            rdata,
        ]
    )


class Response:
    """An answer in the making: RRsets are added whole or not at all.

    limit       octets that the message may have, the OPT included
    opt_octets  of the OPT record to come, 0 for none: its room is kept from the start
    counts      records so far, by section
    """

    __slots__ = ("_names", "_parts", "_room", "_size", "counts", "is_truncated", "qname", "question")

    def __init__(self, question: bytes, limit: int, opt_octets: int) -> None:
        self.question = question
        self.qname = question[:-4]
        self.is_truncated = False
        self._room = limit - opt_octets
        self._parts: list[bytes] = []
        self._size = HEADER_OCTETS + len(question)
        self.counts = [0, 0, 0]
        self._names: dict[bytes, int] | None = None

    def room(self) -> int:
        """How many octets are left for records."""
        return self._room - self._size

    def add(self, section: int, owner: bytes, rrset: RRset, indexes: Iterable[int], partly: bool = False) -> bool:
        """Append the records `indexes` of a set under `owner`; False if they do not all fit.

        section  that of the last set added, or a later one: records are written as they come
        What does not fit is left out whole; with `partly` (no longer message is possible) those that fit stay.
        """
        parts = len(self._parts)
        size = self._size
        for index in indexes:
            if self._add_record(owner, rrset, index):
                continue
            if not partly:
                del self._parts[parts:]
                self._size = size
            self._forget_unwritten()
            break
        else:
            partly = True
        self.counts[section] += len(self._parts) - parts
        return partly

    def _add_record(self, owner: bytes, rrset: RRset, index: int) -> bool:
        start = QNAME_POINTER if owner == self.qname else self._compress(owner, self._size)
        if rrset.name_offset < 0:
            record = start + rrset.framed[index]
        else:
            record = start + self._frame_names(rrset, rrset.rdatas[index], self._size + len(start))
        if self._size + len(record) > self._room:
            return False
        self._parts.append(record)
        self._size += len(record)
        return True

    def _frame_names(self, rrset: RRset, rdata: bytes, at: int) -> bytes:
        """A record without its owner, the names inside its rdata compressed; it will stand at `at`."""
        begin = rrset.name_offset
        encoded = rdata[:begin]
        for _ in range(rrset.name_count):
            end = begin
            while rdata[end]:
                end += 1 + rdata[end]
            encoded += self._compress(rdata[begin : end + 1], at + 10 + len(encoded))
            begin = end + 1
        encoded += rdata[begin:]
        return rrset.head + len(encoded).to_bytes(2, "big") + encoded

    def _compress(self, name: bytes, at: int) -> bytes:
        """`name` as it is written at offset `at`; what it adds can be pointed to from then on."""
        if self._names is None:
            self._names = {}
            self._remember(self.qname, HEADER_OCTETS)
        names = self._names
        begin = 0
        while name[begin]:
            known = names.get(name[begin:])
            if known is not None:
                return name[:begin] + (0xC000 | known).to_bytes(2, "big")
            if at + begin < _POINTER_LIMIT:
                names[name[begin:]] = at + begin
            begin += 1 + name[begin]
        return name

    def _remember(self, name: bytes, at: int) -> None:
        assert self._names is not None
        begin = 0
        while begin < len(name) and name[begin]:
            self._names[name[begin:]] = at + begin
            begin += 1 + name[begin]

    def _forget_unwritten(self) -> None:
        """Names of a record that was taken back must not be pointed to."""
        if self._names is not None:
            self._names = {name: at for name, at in self._names.items() if at < self._size}

    def encode(self, id: bytes, flags: int, rcode: int, opt: bytes) -> bytes:
        """The message; TC is set where an RRset was left out that belonged in. `opt` is encoded, empty for none."""
        if self.is_truncated:
            flags |= FLAG_TC
        answers, authorities, additionals = self.counts
        header = b"".join(
            [
                id,
                (FLAG_QR | flags | rcode & 0x0F).to_bytes(2, "big"),
                b"\x00\x01" if self.question else b"\x00\x00",
                answers.to_bytes(2, "big"),
                authorities.to_bytes(2, "big"),
                (additionals + bool(opt)).to_bytes(2, "big"),
            ]
        )
        return b"".join([header, self.question, *self._parts, opt])
