"""The value of a record type in zone JSON -> wire rdata, weights and health tests. Pure.

Reads what geodns reads (G053-G072), and the types that it lacks as presentation text. Nothing is raised for
what an operator wrote: every problem goes to `error` or `warn` with its place, so that a file shows all of them
at once. A record with an error is left out; the caller fails the file.

Each type is a `_Form`: which shapes of JSON it takes, and a function from the fields of one record to rdata.
Short shapes (`["192.0.2.1", 10]`, `"mail.example.com"`) are put as fields first, so that there is one way in.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from . import presentation
from .charstring import encode_strings
from .codes import RRType
from .errors import ValueProblem
from .fields import (
    Fields,
    Report,
    member_place,
    name_reader,
    read_exchange,
    read_health,
    read_ipv4,
    read_ipv6,
    read_server,
    read_strings,
    read_text,
    read_weight,
    showing,
    uint16_reader,
)
from .found import shown, shown_text

__all__ = ["TYPE_KEYS", "Records", "Report", "encode_strings", "read_records", "rrtype_of_key", "to_text"]

# The fields of one record, the keys that may have its value, the origin -> rdata; None if that failed and was told.
Encode = Callable[[Fields, tuple[str, ...], bytes], "bytes | None"]

# RFC 6895 section 3.1: 0 and 65535 are reserved, 128 to 255 are for questions and meta-types.
_META_TYPES = frozenset((0, RRType.SOA, RRType.OPT, 0xFFFF, *range(128, 256)))
_UNWEIGHTED = frozenset((RRType.NS, RRType.SRV))


class Records(NamedTuple):
    """What one type key of one label holds, in the file's order.

    rdatas   wire rdata, names uncompressed and in the case they are written in
    weights  one per record, 0 where a record has none; None if no record has one, or the type is never weighted
    health   the name of each record's test (G070), None where it has none; None if no record has one
    """

    rrtype: int
    rdatas: tuple[bytes, ...]
    weights: tuple[int, ...] | None
    health: tuple[str | None, ...] | None


def rrtype_of_key(key: str) -> int | None:
    """The type of "a", "mx", "type65280"; None if unknown, SOA, or not a type of data. Case counts (G040)."""
    if key in TYPE_KEYS:
        return TYPE_KEYS[key]
    numbered = re.fullmatch(r"type(0|[1-9][0-9]{0,4})", key)
    if numbered is None or int(numbered[1]) in _META_TYPES or int(numbered[1]) > 0xFFFF:
        return None
    return int(numbered[1])


def read_records(key: str, value: object, origin: bytes, error: Report, warn: Report) -> Records | None:
    """The records that `value` holds; None if there is nothing usable.

    origin       the zone's name in wire form, for names without a final dot where the type qualifies them
    error, warn  called with the place below the type key ("[1].weight") and the problem
    """
    rrtype = rrtype_of_key(key)
    if rrtype is None:
        error("", ValueProblem("must be below a record type", shown_text(key)))
        return None
    form = _FORMS.get(key) or _numbered_form(rrtype)
    records = [_read_record(form, fields, origin) for fields in _split(form, value, error, warn)]
    return _collect(rrtype, [record for record in records if record is not None])


def to_text(rrtype: int, rdata: bytes) -> str:
    r"""Presentation text, or RFC 3597's `\# 4 c0000201` for what is unknown or not well-formed; never raises."""
    try:
        return presentation.to_text(rrtype, rdata)
    except ValueProblem:
        return presentation.generic_text(rdata)


class _Record(NamedTuple):
    rdata: bytes
    weight: int | None
    health: str | None


@dataclass(frozen=True)
class _Form:
    """How the records of one type may be written.

    keys      where the object form may have the value, the most important first
    encode    makes the rdata of one record
    whole     what the value may be: "list", "text", "object" (one record) or "names" (an object of names)
    elements  what a member of the list may be: "text", "object", "pair" (value, weight) or "texts"
    alone     what the value may be beside a list, told to an operator
    element   what a member of the list may be, told to an operator
    """

    rrtype: int
    keys: tuple[str, ...]
    encode: Encode
    whole: frozenset[str]
    elements: frozenset[str]
    alone: str
    element: str


def _read_record(form: _Form, fields: Fields, origin: bytes) -> _Record | None:
    rdata = form.encode(fields, form.keys, origin)
    weight = None if form.rrtype in _UNWEIGHTED else fields.take("weight", read_weight)
    health = fields.take("health", read_health)
    fields.warn_unknown()
    if rdata is not None and len(rdata) > presentation.RDATA_OCTETS:
        fields.fail(fields.place, ValueProblem(f"must have at most {presentation.RDATA_OCTETS} octets as rdata"))
    return None if rdata is None or fields.has_failed else _Record(rdata, weight, health)


def _collect(rrtype: int, records: list[_Record]) -> Records | None:
    if not records:
        return None
    weights = [record.weight for record in records]
    tests = [record.health for record in records]
    return Records(
        rrtype,
        tuple([record.rdata for record in records]),
        tuple([weight or 0 for weight in weights]) if weights.count(None) < len(weights) else None,
        tuple(tests) if tests.count(None) < len(tests) else None,
    )


def _split(form: _Form, value: object, error: Report, warn: Report) -> Iterator[Fields]:
    """The fields of each record of a value, told and left out where the shape is wrong."""
    if isinstance(value, dict) and "names" in form.whole:
        yield from _split_names(form, value, error, warn)
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from _shape(form, form.elements, form.element, f"[{index}]", element, error, warn)
    else:
        expected = f"{form.alone}a list of these: {form.element}"
        yield from _shape(form, form.whole, expected, "", value, error, warn)


def _split_names(form: _Form, names: dict[str, object], error: Report, warn: Report) -> Iterator[Fields]:
    """An object of names, as the NTP Pool writes its NS (G064); the names are the records."""
    for text, ignored in names.items():
        place = member_place(text)
        if isinstance(ignored, str):
            warn(place, ValueProblem("is ignored, as in geodns", shown_text(ignored)))
        if ignored is None or isinstance(ignored, str):
            yield Fields(place, {form.keys[0]: text}, False, error, warn)
        else:
            error(place, ValueProblem("must be null or a string", shown(ignored)))


def _shape(
    form: _Form, shapes: frozenset[str], expected: str, place: str, value: object, error: Report, warn: Report
) -> Iterator[Fields]:
    """One record of any of the shapes."""
    if isinstance(value, dict) and "object" in shapes:
        yield Fields(place, value, True, error, warn)
    elif isinstance(value, list) and "pair" in shapes and value:
        if len(value) > 2:
            warn(place, ValueProblem("has more than a value and a weight; the rest is ignored", shown(value)))
        yield Fields(place, dict(zip((form.keys[0], "weight"), value, strict=False)), False, error, warn)
    elif (isinstance(value, str) and "text" in shapes) or (isinstance(value, list) and "texts" in shapes):
        yield Fields(place, {form.keys[0]: value}, False, error, warn)
    else:
        error(place, ValueProblem(f"must be {expected}", shown(value)))


# One function per type: the fields of a record to rdata


def _given(read: Callable[[object], bytes]) -> Encode:
    """For types whose rdata is one value of the file."""
    return lambda fields, keys, origin: fields.need(keys, read)


def _encode_cname(fields: Fields, keys: tuple[str, ...], origin: bytes) -> bytes | None:
    """A name without a final dot is below the origin (G063)."""
    return fields.need(keys, name_reader(origin))


def _encode_mx(fields: Fields, keys: tuple[str, ...], origin: bytes) -> bytes | None:
    exchange = fields.need(keys, read_exchange)
    preference = fields.take("preference", uint16_reader("preference")) or 0
    return None if exchange is None else struct.pack("!H", preference) + exchange


def _encode_srv(fields: Fields, keys: tuple[str, ...], origin: bytes) -> bytes | None:
    target = fields.need(keys, name_reader(origin))
    integers = [fields.take(key, uint16_reader(key)) or 0 for key in ("priority", "srv_weight", "port")]
    if "weight" in fields.members:
        fields.ignore("weight", "is ignored, as in geodns: SRV has srv_weight")
    return None if target is None else struct.pack("!HHH", *integers) + target


def _presented(rrtype: int, from_text: Callable[[int, str, bytes], bytes]) -> Encode:
    """For types that are given as presentation text."""

    def encode(fields: Fields, keys: tuple[str, ...], origin: bytes) -> bytes | None:
        return fields.need(keys, lambda value: showing(read_text(value), lambda text: from_text(rrtype, text, origin)))

    return encode


# The table of types


def _shapes(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _text_form(rrtype: int) -> _Form:
    return _Form(
        rrtype,
        ("value",),
        _presented(rrtype, presentation.from_text),
        _shapes("list text"),
        _shapes("text object"),
        "presentation text, or ",
        "presentation text, or an object with value, weight, health",
    )


def _numbered_form(rrtype: int) -> _Form:
    """For `type257` and the like, which take RFC 3597's text only."""
    return _Form(
        rrtype,
        ("value",),
        _presented(rrtype, presentation.from_generic_text),
        _shapes("list text"),
        _shapes("text object"),
        "text such as \\# 4 c0000201, or ",
        "text such as \\# 4 c0000201, or an object with value, weight, health",
    )


_PAIR = '["{0}"], ["{0}", weight] or an object with {1}, weight, health'
_TEXT = "a text, a list of the strings of one text, or an object with txt, weight, health"
_FORMS: dict[str, _Form] = {
    "a": _Form(
        RRType.A,
        ("a", "ip"),
        _given(read_ipv4),
        _shapes("list"),
        _shapes("pair object"),
        "",
        _PAIR.format("192.0.2.1", "ip"),
    ),
    "aaaa": _Form(
        RRType.AAAA,
        ("aaaa", "ip"),
        _given(read_ipv6),
        _shapes("list"),
        _shapes("pair object"),
        "",
        _PAIR.format("2001:db8::1", "ip"),
    ),
    "ptr": _Form(
        RRType.PTR,
        ("ptr",),
        _given(name_reader(None)),  # a final dot is appended, never the origin (G062, G064)
        _shapes("list"),
        _shapes("pair object"),
        "",
        _PAIR.format("host.example.com.", "ptr"),
    ),
    "cname": _Form(
        RRType.CNAME,
        ("cname",),
        _encode_cname,
        _shapes("list text"),
        _shapes("text pair object"),
        "a name, or ",
        'a name, ["name", weight] or an object with cname, weight, health',
    ),
    "mx": _Form(
        RRType.MX,
        ("mx",),
        _encode_mx,
        _shapes("list object"),
        _shapes("object"),
        "an object, or ",
        "an object with mx, preference, weight, health",
    ),
    "ns": _Form(
        RRType.NS,
        ("ns",),
        _given(read_server),
        _shapes("list text names"),
        _shapes("text"),
        "a name, an object of names with null, or ",
        "a name",
    ),
    "srv": _Form(
        RRType.SRV,
        ("target",),
        _encode_srv,
        _shapes("list object"),
        _shapes("object"),
        "an object, or ",
        "an object with target, port, priority, srv_weight, health",
    ),
    "txt": _Form(
        RRType.TXT,
        ("txt", "spf"),
        _given(read_strings),
        _shapes("list text"),
        _shapes("text texts object"),
        "a text, or ",
        _TEXT,
    ),
    "spf": _Form(
        RRType.SPF,
        ("spf", "txt"),
        _given(read_strings),
        _shapes("list text"),
        _shapes("text texts object"),
        "a text, or ",
        _TEXT,
    ),
    "caa": _text_form(RRType.CAA),
    "ds": _text_form(RRType.DS),
    "https": _text_form(RRType.HTTPS),
    "loc": _text_form(RRType.LOC),
    "naptr": _text_form(RRType.NAPTR),
    "sshfp": _text_form(RRType.SSHFP),
    "svcb": _text_form(RRType.SVCB),
    "tlsa": _text_form(RRType.TLSA),
}
# The types that have a word, by it; any other is "type65280".
TYPE_KEYS: Mapping[str, int] = {key: form.rrtype for key, form in _FORMS.items()}
