"""A value as the operator wrote it, short enough for one line of an error. Words: imports nothing of ours.

Not the json module's: a problem may be about a value that json itself cannot write on one short line
(a lone surrogate, an integer of thousands of digits, a list of thousands of members).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")

TEXT_CHARACTERS = 60
MEMBERS = 3
DEPTH = 2
INTEGER_BITS = 256

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def shown(value: object, depth: int = DEPTH) -> str:
    """The value as JSON; what is long or deep ends in an ellipsis.

    >>> shown({"ip": ["10x", None, True]})
    '{"ip": ["10x", null, true]}'
    """
    if isinstance(value, str):
        return shown_text(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value) if value.bit_length() <= INTEGER_BITS else f"an integer of {value.bit_length()} bits"
    if isinstance(value, dict):
        return "{" + _listed([_member(item, depth) for item in _first(value.items(), depth)], len(value)) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + _listed([shown(item, depth - 1) for item in _first(value, depth)], len(value)) + "]"
    return repr(value) if isinstance(value, float) else shown_text(str(value))


def shown_text(text: str) -> str:
    """A JSON string, cut after TEXT_CHARACTERS characters."""
    ending = '..."' if len(text) > TEXT_CHARACTERS else '"'
    return '"' + "".join([_character(character) for character in text[:TEXT_CHARACTERS]]) + ending


def printable(path: object) -> str:
    """A path for messages and metrics: octets that are no UTF-8, and control characters, are escaped."""
    text = str(path)
    # Nearly every path is: a tenth of a second saved where there are 10,000 of them.
    if text.isprintable():
        return text
    return "".join([_character(one) if one not in '"\\' else one for one in text])


def _character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    # isprintable() is false for control characters and for lone surrogates, which no log could write.
    return character if character.isprintable() else f"\\u{ord(character):04x}"


def _first(items: Iterable[Item], depth: int) -> list[Item]:
    """The members worth showing: a few, and none below DEPTH."""
    return list(islice(items, MEMBERS)) if depth > 0 else []


def _member(item: tuple[object, object], depth: int) -> str:
    return f"{shown(item[0])}: {shown(item[1], depth - 1)}"


def _listed(texts: list[str], count: int) -> str:
    return ", ".join([*texts, "..."] if len(texts) < count else texts)
