"""Rows about what stands before any record: header, counts, names, types, classes, opcodes."""

from __future__ import annotations

from tests.checks.expecting import (
    AUTHORITATIVE,
    FORMERR,
    HAS_OPT,
    NEGATIVE_SOA,
    NO_QUESTION,
    NO_RECORDS,
    NOERROR,
    NOT_AUTHORITATIVE,
    NOTIMP,
    NOTIMP_OR_REFUSED,
    NXDOMAIN,
    REFUSED,
    SILENCE,
    answers,
    question_is,
)
from tests.checks.reading import AA, AD, CD, QR, RA, RD, TC, Z
from tests.checks.rows import ADDRESS, Row, edns, name, query, question
from tests.packets import A_RECORD, QUESTION, SOA_RECORD, TSIG_RECORD, header, opt_record

_GOOD = (NOERROR, AUTHORITATIVE, answers(ADDRESS), question_is(QUESTION))
_BAD = (FORMERR, NOT_AUTHORITATIVE, NO_RECORDS)
_REFUSED = (REFUSED, NOT_AUTHORITATIVE, NO_RECORDS)
_SIG0_RECORD = b"\x00\x00\x18\x00\xff" + bytes(4) + b"\x00\x1f" + bytes(18) + name("key") + bytes(0)
_DSO = 6

_FLAGS = {"no flag": 0, "AA": AA, "TC": TC, "RD": RD, "RA": RA, "Z": Z, "AD": AD, "CD": CD}
_FLAGS["AA TC RD RA Z AD CD"] = sum(_FLAGS.values())

HEADER = [
    *[
        Row(f"a query with {told}", "1035 4.1.1, 8906 3.1.3", query("www", flags=bits), _GOOD)
        for told, bits in _FLAGS.items()
    ],
    Row("a query with RCODE 15", "1035 4.1.1", query("www", flags=15), _GOOD),
    Row("11 octets of a header", "1035 4.1.1", header()[:11], (SILENCE,)),
    Row("one octet", "1035 4.1.1", b"\x47", (SILENCE,)),
    Row("a header of QDCOUNT 1 and nothing behind it", "1035 4.1", header(), (*_BAD, NO_QUESTION)),
    Row("a response (QR)", "8906 3", header(QR) + QUESTION, (SILENCE,)),
    Row("a response with an answer", "8906 3", header(QR | AA, an=1) + QUESTION + A_RECORD, (SILENCE,)),
    Row("a response of FORMERR", "8906 3", header(QR | 1) + QUESTION, (SILENCE,)),
    Row("a response to NOTIFY", "8906 3", header(QR | 4 << 11) + QUESTION, (SILENCE,)),
]

COUNTS = [
    Row("QDCOUNT 0", "9619 4", header(qd=0), _BAD),
    Row("QDCOUNT 0 and a question", "9619 4", header(qd=0) + QUESTION, _BAD),
    Row("QDCOUNT 0 and an OPT without a cookie", "7873 5.4", header(qd=0, ar=1) + opt_record(), _BAD),
    Row("QDCOUNT 2 and two questions", "9619 4", header(qd=2) + QUESTION * 2, _BAD),
    Row("QDCOUNT 2 and one question", "9619 4", header(qd=2) + QUESTION, _BAD),
    Row("QDCOUNT 256", "9619 4", header(qd=256) + QUESTION, _BAD),
    Row("QDCOUNT 65535", "9619 4", header(qd=65535) + QUESTION, _BAD),
    Row("all counts 65535", "9619 4", header(0, 65535, 65535, 65535, 65535) + QUESTION, _BAD),
    Row("ANCOUNT 1 and an answer", "1035 4.1.1", header(an=1) + QUESTION + A_RECORD, _BAD),
    Row("ANCOUNT 1 and no answer", "1035 4.1.1", header(an=1) + QUESTION, _BAD),
    Row("NSCOUNT 1 and a SOA, no IXFR", "1035 4.1.1", header(ns=1) + QUESTION + SOA_RECORD, _BAD),
    Row("ARCOUNT 1 and nothing", "1035 4.1.1", header(ar=1) + QUESTION, _BAD),
    Row("ARCOUNT 1 and an A record", "1035 4.1.1", header(ar=1) + QUESTION + A_RECORD, _BAD),
    Row("ARCOUNT 65535 and an OPT", "1035 4.1.1", header(ar=65535) + QUESTION + opt_record(), _BAD),
    Row("one octet behind the question", "1035 4.1", header() + QUESTION + b"\x00", _BAD),
    Row("400 octets behind the question", "1035 4.1", header() + QUESTION + b"\xa5" * 400, _BAD),
    Row(
        "a TSIG behind the question",
        "8945 5.2.1: no key is known, and the record ignored",
        header(ar=1) + QUESTION + TSIG_RECORD,
        _GOOD,
    ),
    Row("a TSIG before the OPT", "8945 5.1", header(ar=2) + QUESTION + TSIG_RECORD + opt_record(), _BAD),
    Row("two TSIGs", "8945 5.2", header(ar=2) + QUESTION + TSIG_RECORD * 2, _BAD),
    Row("a TSIG cut short", "8945 5.2", header(ar=1) + QUESTION + TSIG_RECORD[:-1], _BAD),
]

_A_IN = b"\x00\x01\x00\x01"
_LABEL_63 = b"\x3f" + b"a" * 63
_NAME_255 = _LABEL_63 * 3 + b"\x31" + b"b" * 49 + name("")
_NAME_256 = _LABEL_63 * 3 + b"\x32" + b"b" * 50 + name("")
assert (len(_NAME_255), len(_NAME_256)) == (255, 256)
_MANY_LABELS = b"\x01a" * 121 + name("")
assert len(_MANY_LABELS) == 255
_UNREADABLE = (*_BAD, NO_QUESTION)
_DENIED = (NXDOMAIN, AUTHORITATIVE, NEGATIVE_SOA)

NAMES = [
    Row(
        "a name of mixed case",
        "4343 4",
        header() + QUESTION.swapcase()[:-4] + _A_IN,
        (NOERROR, answers(ADDRESS), question_is(QUESTION.swapcase()[:-4] + _A_IN)),
    ),
    Row("the root", "1034 4.3.1", query("."), (*_REFUSED, question_is(question(".")))),
    Row(
        "a name of no zone here",
        "8906 3.1",
        query("www.example.org."),
        (*_REFUSED, question_is(question("www.example.org."))),
    ),
    Row("the parent of a zone here", "8906 3.1", query("com."), _REFUSED),
    Row("a name of 255 octets", "1035 2.3.4", header() + _NAME_255 + _A_IN, (*_DENIED, question_is(_NAME_255 + _A_IN))),
    Row("a name of 127 labels", "1035 2.3.4", header() + _MANY_LABELS + _A_IN, _DENIED),
    Row("a name of 256 octets", "1035 2.3.4", header() + _NAME_256 + _A_IN, _UNREADABLE),
    Row("a label of 63 octets", "1035 2.3.4", header() + _LABEL_63 + QUESTION, _DENIED),
    Row("a label of 64 octets", "1035 2.3.4", header() + b"\x40" + b"a" * 64 + QUESTION, _UNREADABLE),
    Row("a label of the type 10", "6891 5", header() + b"\x80" + b"a" * 64 + QUESTION, _UNREADABLE),
    Row("a name cut inside a label", "1035 3.1", header() + QUESTION[:9], _UNREADABLE),
    Row("a name without its root", "1035 3.1", header() + QUESTION[:16], _UNREADABLE),
    Row("a question without its type", "1035 4.1.2", header() + QUESTION[:-4], _UNREADABLE),
    Row("a question without half its class", "1035 4.1.2", header() + QUESTION[:-1], _UNREADABLE),
    Row("a pointer to itself as the name", "1035 4.1.4", header() + b"\xc0\x0c" + _A_IN, _UNREADABLE),
    Row("a pointer into the header as the name", "1035 4.1.4", header() + b"\xc0\x04" + _A_IN, _UNREADABLE),
    Row("a label and a pointer back to it", "1035 4.1.4", header() + b"\x03www\xc0\x0c" + _A_IN, _UNREADABLE),
    Row("a pointer beyond the end", "1035 4.1.4", header() + b"\x03www\xff\xff" + _A_IN, _UNREADABLE),
    Row("an empty label before the name", "1035 3.1", header() + b"\x00" + QUESTION, _BAD),
    Row(
        "a dot inside a label",
        "1035 3.1",
        header() + b"\x08with.dot" + name("") + b"\x00\x10\x00\x01",
        (NOERROR, answers('TXT "dot"')),
    ),
    Row("the octets 0 and 255 as a label", "2181 11", query(r"\000\255", "TXT"), (NOERROR, answers('TXT "octets"'))),
    Row("an asterisk as a label", "4592 2.2", query("*.wild", "TXT"), (NOERROR, answers('TXT "wild"'))),
]

_NODATA = (NOERROR, AUTHORITATIVE, NEGATIVE_SOA)
_CLASSES = {0: "reserved", 2: "CSNET", 4: "HESIOD", 254: "NONE", 255: "ANY", 999: "unknown", 65535: "reserved"}

TYPES_AND_CLASSES = [
    *[
        Row(
            f"class {number} ({told})",
            "1035 3.2.4, 8906 3.1",
            query("www", qclass=number),
            (*_REFUSED, question_is(question("www", "A", number))),
        )
        for number, told in _CLASSES.items()
    ],
    Row("class CHAOS, a name of no server's", "4892 2", query("www", "TXT", 3), _REFUSED),
    Row("type 0", "3597 2, 6895 3.1", query("www", 0), _NODATA),
    Row("type OPT", "6891 6.1.1", query("www", 41), _NODATA),
    Row("type TKEY", "2930 2", query("www", 249), _NODATA),
    Row("type TSIG", "8945 4.2", query("www", 250), _NODATA),
    Row("type MAILB", "1035 3.2.3", query("www", 253), _NODATA),
    Row("type 666, unknown", "3597 2, 8906 3.1.2", query("www", 666), _NODATA),
    Row("type 65535", "3597 2, 6895 3.1", query("www", 65535), _NODATA),
    Row("type RRSIG, and nothing is signed", "4035 3.1", query("www", "RRSIG"), _NODATA),
    Row("AXFR", "5936 2.2.1", query("", "AXFR"), _REFUSED),
    Row("IXFR with its SOA", "1995 3", header(ns=1) + question("", "IXFR") + SOA_RECORD, _REFUSED),
    Row("IXFR without a SOA", "1995 3", query("", "IXFR"), _REFUSED),
    Row("IXFR with two SOAs", "1995 3", header(ns=2) + question("", "IXFR") + SOA_RECORD * 2, _BAD),
]

_NO_OPCODE = (NOTIMP, NOT_AUTHORITATIVE, NO_RECORDS)

OPCODES = [
    Row("IQUERY", "3425 3", header(1 << 11) + QUESTION, _NO_OPCODE),
    Row("STATUS", "1035 4.1.1", header(2 << 11) + QUESTION, _NO_OPCODE),
    Row("STATUS without a question", "8906 3.1.4", header(2 << 11, qd=0), _NO_OPCODE),
    Row("opcode 3, unassigned", "8906 3.1.4", header(3 << 11) + QUESTION, _NO_OPCODE),
    Row("NOTIFY", "1996 3.10", header(4 << 11 | AA) + question("", "SOA"), (NOTIMP_OR_REFUSED, NOT_AUTHORITATIVE)),
    Row(
        "NOTIFY with a SOA as its answer",
        "1996 3.7",
        header(4 << 11 | AA, an=1) + question("", "SOA") + SOA_RECORD,
        (NOTIMP_OR_REFUSED, NOT_AUTHORITATIVE),
    ),
    Row(
        "UPDATE",
        "2136 3.3",
        header(5 << 11, ns=1) + question("", "SOA") + A_RECORD,
        (NOTIMP_OR_REFUSED, NOT_AUTHORITATIVE),
    ),
    Row("DSO without a question", "8490 5.1", header(_DSO << 11, qd=0) + b"\x00\x01\x00\x08" + bytes(8), _NO_OPCODE),
    *[
        Row(f"opcode {code}, unassigned", "8906 3.1.4", header(code << 11) + QUESTION, _NO_OPCODE)
        for code in range(7, 16)
    ],
    Row("opcode 15 and octets that are no question", "8906 3.1.4", header(15 << 11) + b"\xff" * 30, _NO_OPCODE),
    Row("opcode 15 and an OPT", "6891 6.1.1", header(15 << 11, ar=1) + edns()[12:], (*_NO_OPCODE, HAS_OPT)),
]

ROWS = {"Header": HEADER, "Counts": COUNTS, "Names": NAMES, "Types and classes": TYPES_AND_CLASSES, "Opcodes": OPCODES}
