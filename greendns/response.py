"""bytes out: a header, the question, RRsets with compressed names, an OPT; truncated at an RRset boundary.

Pure; knows no zone. Names are compressed only against names of the very same case, so that the owner of a SOA
stays as the zone has it whatever case the question came in.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct

from .codes import HEADER_OCTETS
from .rrset import QNAME_POINTER, RRset

ANSWER = 0
AUTHORITY = 1
ADDITIONAL = 2

FLAG_QR = 0x8000
FLAG_AA = 0x0400
FLAG_TC = 0x0200
# RD and CD come back as they were sent (RFC 1035 section 4.1.1, RFC 4035 section 3.1.6); opcode too.
COPIED_FLAGS = 0x7800 | 0x0100 | 0x0010

# A pointer has 14 bits (RFC 1035 section 4.1.4).
_POINTER_LIMIT = 0x4000
_POINTER_OCTETS = len(QNAME_POINTER)
# How many labels of the question's name are pointed to, counted from the root: names of our zones have a tenth of the
# 127 that a name can have, and noting those takes as long as three answers.
_POINTED_LABELS = 16
# Where records begin among the parts of a message: behind four of the header, and the question.
_FIRST_RECORD = 5
# Headers are joined from ready parts: making them of ten numbers takes five times as long.
_OCTETS = tuple([bytes((number,)) for number in range(256)])
_PAIRS = tuple([bytes((0, number)) for number in range(256)])
# The counts of nearly every answer: one question, up to 15 records, a SOA or none, an OPT or none.
_COUNTS = tuple(
    [
        bytes((0, 1, 0, answers, 0, authorities, 0, additionals))
        for answers in range(16)
        for authorities in range(2)
        for additionals in range(2)
    ]
)

# What the compiled functions look at for each answer: see query.py.
_POINTED = _POINTED_LABELS
_HEADER, _QR, _TC, _ANSWER, _AUTHORITY = HEADER_OCTETS, FLAG_QR, FLAG_TC, ANSWER, AUTHORITY
_pack_opt = Struct(">3sHBBBBH").pack  # owner and type, payload, extended rcode, version, flags, RDLENGTH


def encode_opt(udp_payload: int, rcode: int, dnssec_ok: bool, options: Iterable[tuple[int, bytes]]) -> bytes:
    """The OPT record of an answer (RFC 6891 section 6.1.2); flags other than DO are zero (section 6.1.4)."""
    rdata = b"".join([encode_option(code, option) for code, option in options])
    return _pack_opt(b"\x00\x00\x29", udp_payload, rcode >> 4, 0, 0x80 if dnssec_ok else 0, 0, len(rdata)) + rdata


def encode_option(code: int, option: bytes) -> bytes:
    """One EDNS option (RFC 6891 section 6.1.2)."""
    return two_octets(code) + two_octets(len(option)) + option


def one_octet(number: int) -> bytes:
    """A number below 256."""
    return _OCTETS[number]


def two_octets(number: int) -> bytes:
    """A number below 65536 in network order."""
    return _PAIRS[number] if number < 256 else number.to_bytes(2, "big")


class Response:
    """An answer in the making: RRsets are added whole or not at all.

    limit       octets that the message may have, the OPT included
    opt_octets  of the OPT record to come, 0 for none: its room is kept from the start
    qname       the name in the question, where it was cut out already
    """

    __slots__ = (
        "_additionals",
        "_answers",
        "_authorities",
        "_names",
        "_parts",
        "_room",
        "_size",
        "is_truncated",
        "qname",
        "question",
    )

    def __init__(self, question: bytes, limit: int, opt_octets: int, qname: bytes = b"") -> None:
        self.begin(question, limit, opt_octets, qname)

    def begin(self, question: bytes, limit: int, opt_octets: int, qname: bytes) -> None:
        """Be that of another question."""
        octets = question
        size = len(question)
        self.question = question
        self.qname = octets[: size - 4] if size and not qname else qname
        self.is_truncated = False
        self._room = limit - opt_octets
        self._names: dict[bytes, int] | None = None
        # The header's parts come when all is counted.
        self._parts = [b"", b"", b"", b"", question]
        self._size = _HEADER + size
        self._answers = 0
        self._authorities = 0
        self._additionals = 0

    @property
    def counts(self) -> tuple[int, int, int]:
        """Records so far, by section."""
        return self._answers, self._authorities, self._additionals

    def is_empty(self) -> bool:
        """Whether no record was added yet."""
        return len(self._parts) == _FIRST_RECORD

    def room(self) -> int:
        """How many octets are left for records."""
        return self._room - self._size

    def size(self) -> int:
        """How many octets there are, without the OPT."""
        return self._size

    def add(self, section: int, owner: bytes, rrset: RRset, indexes: Iterable[int], partly: bool = False) -> bool:
        """Append the records `indexes` of a set under `owner`; False if they do not all fit.

        section  that of the last set added, or a later one: records are written as they come
        What does not fit is left out whole; with `partly` (no longer message is possible) those that fit stay.
        """
        if rrset.name_offset < 0 and owner == self.qname and self._add_ready(section, rrset, indexes):
            return True
        parts = len(self._parts)
        size = self._size
        for index in indexes:
            record = self._write_record(owner, rrset, index)
            if self._size + len(record) > self._room:
                break
            self._parts.append(record)
            self._size += len(record)
        else:
            self._count(section, len(self._parts) - parts)
            return True
        if not partly:
            del self._parts[parts:]
            self._size = size
        self._forget_unwritten()
        self._count(section, len(self._parts) - parts)
        return partly

    def _add_ready(self, section: int, rrset: RRset, indexes: Iterable[int]) -> bool:
        """Append records that stand in the message as they are; False if they do not all fit."""
        parts = len(self._parts)
        size = self._size + rrset.append_to(self._parts, indexes)
        if size > self._room:
            del self._parts[parts:]
            return False
        self._size = size
        self._count(section, len(self._parts) - parts)
        return True

    def _count(self, section: int, records: int) -> None:
        if section == _ANSWER:
            self._answers += records
        elif section == _AUTHORITY:
            self._authorities += records
        else:
            self._additionals += records

    def add_encoded(self, section: int, record: bytes) -> bool:
        """Append one record that was encoded for this place; False if it does not fit."""
        if self._size + len(record) > self._room:
            return False
        self._parts.append(record)
        self._size += len(record)
        self._count(section, 1)
        return True

    def _write_record(self, owner: bytes, rrset: RRset, index: int) -> bytes:
        """A record with its owner, and the names inside its rdata, compressed as far as can be."""
        if owner == self.qname:
            if rrset.name_offset < 0:
                return rrset.record(index)
            start = QNAME_POINTER
        else:
            start = self._compress(owner, self._size)
        if rrset.name_offset < 0:
            return start + rrset.record(index)[_POINTER_OCTETS:]
        return start + self._frame_names(rrset, index, self._size + len(start))

    def _frame_names(self, rrset: RRset, index: int, at: int) -> bytes:
        """A record without its owner, the names inside its rdata compressed; it will stand at `at`."""
        rdata = rrset.rdata(index)
        octets = rdata
        begin = rrset.name_offset
        encoded = octets[:begin]
        for _ in range(rrset.name_count):
            end = begin
            while rdata[end]:
                end += 1 + rdata[end]
            encoded += self._compress(octets[begin : end + 1], at + 10 + len(encoded))
            begin = end + 1
        encoded += octets[begin : len(rdata)]
        return rrset.head() + two_octets(len(encoded)) + encoded

    def _compress(self, name: bytes, at: int) -> bytes:
        """`name` as it is written at offset `at`; what it adds can be pointed to from then on."""
        names = self._names
        if names is None:
            names = self._names = {}
            self._remember(names, self._pointed_from())
        octets = name
        size = len(name)
        begin = 0
        while name[begin]:
            suffix = octets[begin:size]
            known = names.get(suffix)
            if known is not None:
                place = known
                return octets[:begin] + _OCTETS[0xC0 | place >> 8] + _OCTETS[place & 0xFF]
            if at + begin < _POINTER_LIMIT:
                names[suffix] = at + begin
            begin += 1 + name[begin]
        return name

    def _pointed_from(self) -> int:
        """The octet of the question's name from which on it is worth being pointed to: few labels are left."""
        qname = self.qname
        size = len(qname)
        labels = 0
        at = 0
        while at < size and qname[at]:
            at += 1 + qname[at]
            labels += 1
        at = 0
        while labels > _POINTED:
            at += 1 + qname[at]
            labels -= 1
        return at

    def _remember(self, names: dict[bytes, int], begin: int) -> None:
        """Note where the question's name stands from octet `begin` on, and the names above that."""
        while begin < len(self.qname) and self.qname[begin]:
            names[self.qname[begin:]] = _HEADER + begin
            begin += 1 + self.qname[begin]

    def _forget_unwritten(self) -> None:
        """Names of a record that was taken back must not be pointed to."""
        if self._names is not None:
            self._names = {name: at for name, at in self._names.items() if at < self._size}

    def encode(self, id: bytes, flags: int, rcode: int, opt: bytes) -> bytes:
        """The message; TC is set where an RRset was left out that belonged in. `opt` is encoded, empty for none."""
        if self.is_truncated:
            flags |= _TC
        parts = self._parts
        if opt:
            parts.append(opt)
        flags |= _QR | rcode & 0x0F
        parts[0] = id
        parts[1] = _OCTETS[flags >> 8]
        parts[2] = _OCTETS[flags & 0xFF]
        parts[3] = self._counts(1 if opt else 0)
        return b"".join(parts)

    def _counts(self, opts: int) -> bytes:
        """The four counts of the header, with so many OPT records to come."""
        answers, authorities, additionals = self._answers, self._authorities, self._additionals + opts
        questions = 1 if self.question else 0
        if questions and answers < 16 and authorities < 2 and additionals < 2:
            return _COUNTS[answers << 2 | authorities << 1 | additionals]
        pairs = [two_octets(count) for count in (questions, answers, authorities, additionals)]
        return b"".join(pairs)


def encode_behind(origin_at: int, origin: bytes, rrset: RRset) -> bytes:
    """The one record of a set owned by `origin`, as it stands first behind a question whose name ends in `origin`.

    origin_at  the octet of the message at which that begins
    Names are compressed against the origin and against each other, not against the labels below the origin.
    """
    response = Response(bytes(origin_at - _HEADER) + origin + bytes(4), _POINTER_LIMIT, 0)
    names: dict[bytes, int] = {}
    response._names = names
    response._remember(names, origin_at - _HEADER)
    return response._write_record(origin, rrset, 0)
