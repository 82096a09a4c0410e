"""The checks that operators know from DNS flag day and the EDNS compliance tester (RFC 8906 section 8), by their names.

Each is sent to GreenDNS with the rest of the table, and to other servers by `tests.interop.test_flagday`.
"""

from __future__ import annotations

from tests.checks.expecting import (
    AUTHORITATIVE,
    BADVERS,
    DO_CLEAR,
    DO_COPIED,
    HAS_OPT,
    NEGATIVE_SOA,
    NO_OPT,
    NO_RECORDS,
    NOERROR,
    NOT_AUTHORITATIVE,
    NOTIMP,
    answer_count,
    no_option,
    octets_at_most,
)
from tests.checks.reading import AA, AD, CD, RA, RD, TC, Z
from tests.checks.rows import COOKIE, NSID, TCP, UDP, Row, edns, query, subnet
from tests.packets import CLIENT_COOKIE, header

# Of no option that is assigned, as in the commands of RFC 8906.
_UNKNOWN = 100
_SOA = (NOERROR, AUTHORITATIVE, answer_count(1))
_NO_ECHO = no_option(_UNKNOWN, "option 100")
_EDNS = (*_SOA, HAS_OPT, _NO_ECHO)
_VERSION_1 = (BADVERS, NOT_AUTHORITATIVE, NO_RECORDS, HAS_OPT, _NO_ECHO)
_PLAIN = (*_SOA, NO_OPT)
_DO, _UNKNOWN_FLAG = 0x8000, 0x0080
_OPTIONS = ((NSID, b""), subnet(1, 0, b""), (COOKIE, CLIENT_COOKIE), (_UNKNOWN, b""))


def _ask(*options: tuple[int, bytes], payload: int = 1232, version: int = 0, flags: int = 0) -> bytes:
    return edns(*options, text="", qtype="SOA", payload=payload, version=version, flags=flags)


def _flagged(bits: int) -> bytes:
    return query("", "SOA", flags=bits)


ROWS = {
    "Flag day: plain DNS": [
        Row("plain", "8906 8.1.1", _flagged(0), _PLAIN),
        Row("aa", "8906 8.1.3", _flagged(AA), _PLAIN),
        Row("tc", "8906 8.1.3", _flagged(TC), _PLAIN),
        Row("ra", "8906 8.1.3", _flagged(RA), _PLAIN),
        Row("cd", "8906 8.1.3.1", _flagged(CD), _PLAIN),
        Row("ad", "8906 8.1.3.2", _flagged(AD), _PLAIN),
        Row("zflag", "8906 8.1.3.3", _flagged(Z), _PLAIN),
        Row("rd", "8906 8.1.3.4", _flagged(RD), _PLAIN),
        Row("type666", "8906 8.1.2", query("", 666), (NOERROR, AUTHORITATIVE, NEGATIVE_SOA, NO_OPT)),
        Row("opcode", "8906 8.1.4", header(15 << 11, qd=0), (NOTIMP, NOT_AUTHORITATIVE, NO_RECORDS, NO_OPT)),
        Row("tcp", "8906 8.1.5", _flagged(0), _PLAIN, TCP),
    ],
    "Flag day: EDNS": [
        Row("edns", "8906 8.2.1", _ask(), (*_EDNS, DO_CLEAR)),
        Row("edns1", "8906 8.2.2", _ask(version=1), _VERSION_1),
        Row("ednsopt", "8906 8.2.3", _ask((_UNKNOWN, b"")), _EDNS),
        Row("ednsflags", "8906 8.2.4", _ask(flags=_UNKNOWN_FLAG), (*_EDNS, DO_CLEAR)),
        Row("edns1flags", "8906 8.2.5", _ask(version=1, flags=_UNKNOWN_FLAG), (*_VERSION_1, DO_CLEAR)),
        Row("edns1opt", "8906 8.2.6", _ask((_UNKNOWN, b""), version=1), _VERSION_1),
        Row("edns@512", "8906 8.2.7", _ask(payload=512, flags=_DO), (*_EDNS, octets_at_most(512)), UDP),
        Row("edns512tcp", "8906 8.2.7", _ask(payload=512, flags=_DO), _EDNS, TCP),
        Row("do", "8906 8.2.8", _ask(flags=_DO), (*_EDNS, DO_COPIED)),
        Row("edns1do", "8906 8.2.9", _ask(version=1, flags=_DO), _VERSION_1),
        Row("docookie", "8906 8.2.10", _ask((COOKIE, CLIENT_COOKIE), flags=_DO), (*_EDNS, DO_COPIED)),
        Row("optlist", "8906 8.2.10", _ask(*_OPTIONS), _EDNS),
    ],
}
