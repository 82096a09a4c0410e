r"""Presentation text <-> rdata, one small entry per record type. Pure.

Texts are read for the types that zone files give as text (CAA, DS, HTTPS, LOC, NAPTR, SSHFP, SVCB, TLSA) and,
as `\# 4 c0000201` (RFC 3597), for any type; rdata of every known type is shown. Showing is strict: it takes
nothing but well-formed rdata, and so checks what an operator gives as octets.

dnslib encodes and shows the types that are numbers and a digest. It is not used where it is wrong (0.9.26):
CAA loses quotes and octets beyond ASCII, NAPTR shows no escapes, LOC cuts off a millisecond of arc.
"""

from __future__ import annotations

import ipaddress
import re
import struct
from collections.abc import Callable

import dnslib
from dnslib.label import DNSBuffer

from . import loc, name, svcb
from .charstring import one_string, quoted, split_words, word_integer, word_name, word_octets, words_octets
from .codes import RRType
from .cursor import Cursor
from .errors import ValueProblem

RDATA_OCTETS = 0xFFFF  # RFC 1035 section 3.2.1: RDLENGTH has 16 bits

Read = Callable[[list[str], bytes], bytes]
Show = Callable[[bytes], str]


def from_text(rrtype: int, text: str, origin: bytes) -> bytes:
    r"""The rdata of a text; names in it without a final dot are below `origin`.

    Raises ValueProblem. A type without a text form of its own takes RFC 3597's only.

    >>> from_text(257, '0 issue ";"', b"\x00")
    b'\x00\x05issue;'
    """
    if re.match(r"[ \t\r\n]*\\#", text):
        return from_generic_text(rrtype, text, origin)
    if rrtype not in _READERS:
        raise ValueProblem("must be \\# with a length and octets in hexadecimal (RFC 3597)")
    return _READERS[rrtype](split_words(text), origin)


def from_generic_text(rrtype: int, text: str, origin: bytes) -> bytes:
    r"""The rdata of `\# length octets` (RFC 3597 section 5), well-formed if the type is known."""
    words = split_words(text)
    if words[:1] != ["\\#"] or len(words) < 2:
        raise ValueProblem("must be \\# with a length and octets in hexadecimal (RFC 3597)")
    length = word_integer(words[1], "length", RDATA_OCTETS)
    rdata = words_octets(words[2:], "rdata") if length or words[2:] else b""
    if len(rdata) != length:
        raise ValueProblem("rdata must have as many octets as its length tells")
    to_text(rrtype, rdata)
    return rdata


def to_text(rrtype: int, rdata: bytes) -> str:
    """Presentation text of the rdata; ValueProblem if it is not well-formed for a known type."""
    return _SHOWERS[rrtype](rdata) if rrtype in _SHOWERS else generic_text(rdata)


def generic_text(rdata: bytes) -> str:
    r"""RFC 3597's text, which any octets have.

    >>> generic_text(b"\x0a\x00")
    '\\# 2 0a00'
    """
    return f"\\# {len(rdata)} {rdata.hex()}".rstrip()


# Addresses, names and strings: read from JSON by rdata.py, shown here.


def _show_ipv4(rdata: bytes) -> str:
    if len(rdata) != 4:
        raise ValueProblem("an IPv4 address must have 4 octets")
    return str(ipaddress.IPv4Address(rdata))


def _show_ipv6(rdata: bytes) -> str:
    if len(rdata) != 16:
        raise ValueProblem("an IPv6 address must have 16 octets")
    return str(ipaddress.IPv6Address(rdata))


def _show_integers_and_name(count: int) -> Show:
    """For types of `count` 16-bit integers before a name: PTR, MX, SRV and the like."""

    def show(rdata: bytes) -> str:
        cursor = Cursor(rdata)
        texts = [str(cursor.integer(2)) for _ in range(count)]
        texts.append(name.to_text(cursor.name()))
        cursor.finish()
        return " ".join(texts)

    return show


def _show_strings(rdata: bytes) -> str:
    cursor = Cursor(rdata)
    texts = [quoted(cursor.string())]
    while cursor.remaining():
        texts.append(quoted(cursor.string()))
    return " ".join(texts)


# CAA (RFC 8659 section 4.1)


def _read_caa(words: list[str], origin: bytes) -> bytes:
    if len(words) != 3:
        raise ValueProblem('must be like 0 issue "ca.example.net"')
    flags = word_integer(words[0], "flags", 0xFF)
    tag = word_octets(words[1])
    _check_caa_tag(tag)
    return bytes((flags,)) + one_string(tag) + word_octets(words[2])


def _show_caa(rdata: bytes) -> str:
    cursor = Cursor(rdata)
    flags, tag = cursor.integer(1), cursor.string()
    _check_caa_tag(tag)
    return f"{flags} {tag.decode()} {quoted(cursor.rest())}"


def _check_caa_tag(tag: bytes) -> None:
    if not tag.isalnum():
        raise ValueProblem("tag must be ASCII letters and digits")


# NAPTR (RFC 3403 section 4.1)


def _read_naptr(words: list[str], origin: bytes) -> bytes:
    if len(words) != 6:
        raise ValueProblem('must be like 100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .')
    order = word_integer(words[0], "order", 0xFFFF)
    preference = word_integer(words[1], "preference", 0xFFFF)
    strings = b"".join([one_string(word_octets(word)) for word in words[2:5]])
    return struct.pack("!HH", order, preference) + strings + word_name(words[5], origin)


def _show_naptr(rdata: bytes) -> str:
    cursor = Cursor(rdata)
    integers = [str(cursor.integer(2)) for _ in range(2)]
    strings = [quoted(cursor.string()) for _ in range(3)]
    replacement = name.to_text(cursor.name())
    cursor.finish()
    return " ".join([*integers, *strings, replacement])


# DS (RFC 4034 section 5), SSHFP (RFC 4255 section 3), TLSA (RFC 6698 section 2)

# How many octets a digest has, by the last number before it: its kind.
_DIGEST_OCTETS: dict[int, dict[int, int]] = {
    # SHA-1; SHA-256, RFC 4509; GOST, RFC 5933; SHA-384, RFC 6605; GOST 2012, RFC 9558; SM3, RFC 9563.
    RRType.DS: {1: 20, 2: 32, 3: 32, 4: 48, 5: 32, 6: 32},
    RRType.SSHFP: {1: 20, 2: 32},  # SHA-1; SHA-256, RFC 6594
    RRType.TLSA: {1: 32, 2: 64},  # SHA-256, SHA-512; 0 is the whole certificate
}
# RFC 4034 section 5.3 lets the algorithm be a mnemonic; IANA's table, without what must not be used any more.
_ALGORITHMS = {
    "RSASHA1": "5",
    "RSASHA1-NSEC3-SHA1": "7",
    "RSASHA256": "8",
    "RSASHA512": "10",
    "ECDSAP256SHA256": "13",
    "ECDSAP384SHA384": "14",
    "ED25519": "15",
    "ED448": "16",
}
_DIGEST_FIELDS: dict[int, tuple[tuple[str, int], ...]] = {
    RRType.DS: (("key tag", 0xFFFF), ("algorithm", 0xFF), ("digest type", 0xFF)),
    RRType.SSHFP: (("algorithm", 0xFF), ("fingerprint type", 0xFF)),
    RRType.TLSA: (("usage", 0xFF), ("selector", 0xFF), ("matching type", 0xFF)),
}
_DIGEST_CLASSES = {RRType.DS: dnslib.DS, RRType.SSHFP: dnslib.SSHFP, RRType.TLSA: dnslib.TLSA}


def _read_ds(words: list[str], origin: bytes) -> bytes:
    return _read_digest(
        RRType.DS, [*words[:1], *[_ALGORITHMS.get(word.upper(), word) for word in words[1:2]], *words[2:]]
    )


def _read_sshfp(words: list[str], origin: bytes) -> bytes:
    return _read_digest(RRType.SSHFP, words)


def _read_tlsa(words: list[str], origin: bytes) -> bytes:
    return _read_digest(RRType.TLSA, words)


def _read_digest(rrtype: RRType, words: list[str]) -> bytes:
    fields = _DIGEST_FIELDS[rrtype]
    if len(words) <= len(fields):
        raise ValueProblem(f"must be {', '.join([what for what, _ in fields])}, and octets in hexadecimal")
    numbers = [word_integer(word, what, maximum) for word, (what, maximum) in zip(words, fields, strict=False)]
    digest = words_octets(words[len(fields) :], "the digest")
    _check_digest(rrtype, numbers[-1], digest)
    buffer = DNSBuffer()
    _DIGEST_CLASSES[rrtype](*numbers, digest).pack(buffer)
    return bytes(buffer.data)


def _check_digest(rrtype: int, kind: int, digest: bytes) -> None:
    if rrtype == RRType.DS and kind == 0:
        raise ValueProblem("digest type 0 is reserved")
    octets = _DIGEST_OCTETS[rrtype].get(kind, len(digest))
    if len(digest) != octets or not digest:
        raise ValueProblem(f"a digest of type {kind} must have {octets or 'some'} octets")


def _show_digest(rrtype: RRType) -> Show:
    def show(rdata: bytes) -> str:
        cursor = Cursor(rdata)
        numbers = [cursor.integer(1 if maximum == 0xFF else 2) for _, maximum in _DIGEST_FIELDS[rrtype]]
        _check_digest(rrtype, numbers[-1], cursor.rest())
        return str(_DIGEST_CLASSES[rrtype].parse(DNSBuffer(rdata), len(rdata)).toZone())

    return show


_READERS: dict[int, Read] = {
    RRType.CAA: _read_caa,
    RRType.DS: _read_ds,
    RRType.HTTPS: svcb.from_words,
    RRType.LOC: lambda words, origin: loc.from_words(words),
    RRType.NAPTR: _read_naptr,
    RRType.SSHFP: _read_sshfp,
    RRType.SVCB: svcb.from_words,
    RRType.TLSA: _read_tlsa,
}
_SHOWERS: dict[int, Show] = {
    RRType.A: _show_ipv4,
    RRType.AAAA: _show_ipv6,
    RRType.CAA: _show_caa,
    RRType.CNAME: _show_integers_and_name(0),
    RRType.DS: _show_digest(RRType.DS),
    RRType.HTTPS: svcb.to_text,
    RRType.LOC: loc.to_text,
    RRType.MX: _show_integers_and_name(1),
    RRType.NAPTR: _show_naptr,
    RRType.NS: _show_integers_and_name(0),
    RRType.PTR: _show_integers_and_name(0),
    RRType.SPF: _show_strings,
    RRType.SRV: _show_integers_and_name(3),
    RRType.SSHFP: _show_digest(RRType.SSHFP),
    RRType.SVCB: svcb.to_text,
    RRType.TLSA: _show_digest(RRType.TLSA),
    RRType.TXT: _show_strings,
}
