"""The members of one record in zone JSON -> checked numbers, texts, names and octets. Pure.

A reader takes any JSON value and raises ValueProblem, which shows what it found. `Fields` calls the readers and
tells their problems with their places, so that one record can have several.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from .charstring import encode_strings, read_name, unescape
from .codes import WEIGHT_MAX
from .errors import ValueProblem
from .found import shown, shown_text

Value = TypeVar("Value")
Report = Callable[[str, ValueProblem], None]

# The parts of an address as it is written but for mistakes. The ipaddress module takes 2 µs for what these take 0.5 µs.
_DECIMAL_OCTETS = {str(octet): octet for octet in range(256)}


@dataclass(slots=True)
class Fields:
    """One record as an object of the file, or a shorter shape put as one. Tells its problems, raises none.

    is_object    whether a problem of a member is told at the member's place, or at the record's
    error, warn  called with a place and a problem
    asked        the keys that somebody asked for; the others are unknown
    """

    place: str
    members: Mapping[str, object]
    is_object: bool
    error: Report
    warn: Report
    asked: set[str] = field(default_factory=set)
    has_failed: bool = False

    def take(self, key: str, read: Callable[[object], Value]) -> Value | None:
        """What `read` makes of a member; None if it is absent or, which is told, wrong."""
        self.asked.add(key)
        if key not in self.members:
            return None
        try:
            return read(self.members[key])
        except ValueProblem as problem:
            self.fail(self._place_of(key), problem)
            return None

    def need(self, keys: tuple[str, ...], read: Callable[[object], Value]) -> Value | None:
        """What `read` makes of the first of `keys` that is present; one has to be."""
        present = [key for key in keys if key in self.members]
        if not present:
            self.fail(self.place, ValueProblem(f'must have "{keys[0]}"', shown(self.members)))
            return None
        for ignored in present[1:]:
            self.ignore(ignored, f'is ignored beside "{present[0]}"')
        return self.take(present[0], read)

    def fail(self, place: str, problem: ValueProblem) -> None:
        """Tell a problem with which there is no record."""
        self.has_failed = True
        self.error(place, problem)

    def ignore(self, key: str, claim: str) -> None:
        """Tell that a member that is known has no effect."""
        self.asked.add(key)
        self.warn(self._place_of(key), ValueProblem(claim))

    def warn_unknown(self) -> None:
        """Name the members that no reader asked for; geodns ignores them silently."""
        for key in self.members:
            if key not in self.asked:
                self.warn(self._place_of(key), ValueProblem("is not known here"))

    def _place_of(self, key: str) -> str:
        return self.place + member_place(key) if self.is_object else self.place


def member_place(key: str) -> str:
    """The place of a member of an object: `.weight`, or `."www.dk"` where the key is not one plain word."""
    return f".{key}" if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", key) else f".{shown_text(key)}"


# Numbers, texts and names, each from any JSON value


def _integer(value: object) -> int | None:
    """A number truncated toward zero, or a decimal string as Go's strconv.Atoi takes it (G042); else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,40}", value):
        return int(value)
    return None


def read_integer(value: object, what: str, low: int, high: int) -> int:
    """An integer from low to high; `what` names it in the problem: "ttl"."""
    integer = _integer(value)
    if integer is None or integer < low:
        raise ValueProblem(f"{what} must be an integer >= {low}", shown(value))
    if integer > high:
        raise ValueProblem(f"{what} must be at most {high}", shown(value))
    return integer


def read_weight(value: object) -> int:
    """A weight, 0 to WEIGHT_MAX (G071)."""
    return read_integer(value, "weight", 0, WEIGHT_MAX)


def uint16_reader(what: str) -> Callable[[object], int]:
    """A reader of a 16-bit field, which geodns wraps silently (G072)."""

    def read(value: object) -> int:
        integer = _integer(value)
        if integer is None or not 0 <= integer <= 0xFFFF:
            raise ValueProblem(f"{what} must be an integer from 0 to 65535", shown(value))
        return integer

    return read


def read_text(value: object) -> str:
    """Any string."""
    if not isinstance(value, str):
        raise ValueProblem("must be a string", shown(value))
    return value


def read_health(value: object) -> str | None:
    """The name of a record's health test (G070); null is none."""
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise ValueProblem('health must be a string such as "file/key"', shown(value))
    return value


def showing(value: str, read: Callable[[str], bytes]) -> bytes:
    """What `read` makes of a text; its problem shows the text."""
    try:
        return read(value)
    except ValueProblem as problem:
        raise ValueProblem(problem.expected, shown(value)) from None


def name_reader(origin: bytes | None) -> Callable[[object], bytes]:
    """A reader of names; without a final dot they are below `origin`, or only get the dot if it is None."""

    def read(value: object) -> bytes:
        text = read_text(value)
        if not text:
            raise ValueProblem("must be a name", '""')
        return showing(text, lambda text: read_name(text, origin))

    return read


# The name of a name server: a final dot is appended, never the origin (G062, G064).
read_server = name_reader(None)


def read_ipv4(value: object) -> bytes:
    """Four octets; the family is checked (G056)."""
    # Of a million addresses a call for each is felt.
    text = value if isinstance(value, str) else read_text(value)
    try:
        first, second, third, fourth = text.split(".")
        octets = _DECIMAL_OCTETS
        return bytes((octets[first], octets[second], octets[third], octets[fourth]))
    except (KeyError, ValueError):
        return _read_odd_ipv4(text)


def _read_odd_ipv4(text: str) -> bytes:
    try:
        return ipaddress.IPv4Address(text).packed
    except ValueError:
        raise ValueProblem("must be an IPv4 address", shown(text)) from None


def read_ipv6(value: object) -> bytes:
    """Sixteen octets; the family is checked (G056)."""
    # ipaddress takes a zone index (fe80::1%eth0), which means something on one host only.
    text = read_text(value)
    try:
        return ipaddress.IPv6Address(text if "%" not in text else "").packed
    except ValueError:
        raise ValueProblem("must be an IPv6 address", shown(value)) from None


def read_exchange(value: object) -> bytes:
    """The name of a mail exchange: a final dot is appended, never the origin."""
    # geodns appends the final dot to an empty name too, which makes it the null MX of RFC 7505 (G058).
    return read_server("." if value == "" else value)


def read_strings(value: object) -> bytes:
    """One text, or a list of the strings of one; cut into <character-string>s where too long (G067)."""
    texts = value if isinstance(value, list) else [value]
    octets = [_read_string(text) for text in texts]
    if not any(octets):
        raise ValueProblem("a text must not be empty", shown(value))
    return encode_strings(octets)


def _read_string(value: object) -> bytes:
    return showing(read_text(value), unescape)
