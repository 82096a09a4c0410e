"""Domain names in wire form (RFC 1035 section 3.1): text <-> wire, lower case, labels, parents.

`wire` ends with the root's zero octet; `relative` is the same without it, so that a relative
name and an origin join by concatenation. Nothing here compresses.
"""

from __future__ import annotations

from .codes import LABEL_OCTETS, NAME_OCTETS
from .errors import ValueProblem

ROOT = b"\x00"
# Octets that need a backslash in text (RFC 1035 section 5.1; RFC 4343 section 2.1).
_SPECIAL = frozenset(b'."\\;@$()')


def split_text(text: str) -> list[bytes]:
    r"""Split presentation text into labels, reading `\.` and `\DDD`; a final dot is allowed.

    Octets of a file name or an argument that are no UTF-8 are taken as they are (PEP 383).

    >>> split_text(r"a\.b.c\046d.")
    [b'a.b', b'c.d']
    """
    octets = text.encode("utf-8", "surrogateescape")
    labels = octets.split(b".") if b"\\" not in octets else _split_escaped(octets)
    if len(labels) > 1 and not labels[-1]:
        labels.pop()
    return labels


def _split_escaped(octets: bytes) -> list[bytes]:
    """Labels with their escapes read, parted by the dots that are none of theirs."""
    labels: list[bytes] = []
    current = bytearray()
    at = 0
    while at < len(octets):
        octet = octets[at]
        at += 1
        if octet == 0x2E:
            labels.append(bytes(current))
            current.clear()
            continue
        if octet == 0x5C:
            octet, at = _read_escape(octets, at)
        current.append(octet)
    labels.append(bytes(current))
    return labels


def _read_escape(octets: bytes, at: int) -> tuple[int, int]:
    """The octet that a backslash escape before `at` stands for, and where reading goes on."""
    digits = octets[at : at + 3]
    if len(digits) == 3 and digits.isdigit():
        value = int(digits)
        if value > 255:
            raise ValueProblem("an escape \\DDD must be at most \\255")
        return value, at + 3
    if at >= len(octets):
        raise ValueProblem("a backslash must escape something")
    return octets[at], at + 1


def from_labels(labels: list[bytes]) -> bytes:
    """Join labels to relative wire form; every label has 1 to 63 octets."""
    wire = bytearray()
    for label in labels:
        octets = len(label)
        if not octets:
            raise ValueProblem("a name must not have an empty label")
        if octets > LABEL_OCTETS:
            raise ValueProblem(f"a label must have at most {LABEL_OCTETS} octets")
        wire.append(octets)
        wire += label
    return bytes(wire)


def relative_from_text(text: str) -> bytes:
    r"""Text to relative wire form, without the root; "" and "." are the empty name.

    >>> relative_from_text("www.us")
    b'\x03www\x02us'
    """
    if text in ("", "."):
        return b""
    return from_labels(split_text(text))


def from_text(text: str, origin: bytes | None = None) -> bytes:
    r"""Text to wire form. Without a final dot the name is below `origin`, if one is given.

    Raises ValueProblem for an empty or long label and for a name of more than 255 octets.

    >>> from_text("www", origin=b"\x07example\x00")
    b'\x03www\x07example\x00'
    """
    wire = relative_from_text(text) + (ROOT if origin is None or is_absolute(text) else origin)
    if len(wire) > NAME_OCTETS:
        raise ValueProblem(f"a name must have at most {NAME_OCTETS} octets")
    return wire


def is_absolute(text: str) -> bool:
    r"""Whether text ends with a dot that no backslash escapes.

    >>> is_absolute("a."), is_absolute(r"a\."), is_absolute(r"a\\.")
    (True, False, True)
    """
    before = text[:-1]
    return text.endswith(".") and (len(before) - len(before.rstrip("\\"))) % 2 == 0


def to_labels(wire: bytes) -> list[bytes]:
    """The labels of a wire or relative name, without the root."""
    labels = []
    at = 0
    while at < len(wire) and wire[at]:
        end = at + 1 + wire[at]
        labels.append(wire[at + 1 : end])
        at = end
    return labels


def label_text(label: bytes) -> str:
    """One label as presentation text."""
    return "".join([_octet_text(octet) for octet in label])


def _octet_text(octet: int) -> str:
    if octet in _SPECIAL:
        return "\\" + chr(octet)
    return chr(octet) if 0x21 <= octet <= 0x7E else f"\\{octet:03d}"


def to_text(wire: bytes) -> str:
    r"""Presentation text with a final dot; a dot inside a label is written `\.`.

    >>> to_text(b"\x03a.b\x00")
    'a\\.b.'
    """
    return ".".join([label_text(label) for label in to_labels(wire)]) + "."


def relative_text(relative: bytes) -> str:
    """Presentation text of a relative name, without a final dot; the empty name is ""."""
    return ".".join([label_text(label) for label in to_labels(relative)])


def parent(relative: bytes) -> bytes:
    """The name without its first label; the parent of the empty name is the empty name."""
    return relative[1 + relative[0] :] if relative else b""


def is_subdomain(wire: bytes, ancestor: bytes) -> bool:
    """Whether `wire` is `ancestor` or below it; both lower-cased, both of the same form."""
    if not wire.endswith(ancestor):
        return False
    at = 0
    cut = len(wire) - len(ancestor)
    while at < cut:
        at += 1 + wire[at]
    return at == cut
