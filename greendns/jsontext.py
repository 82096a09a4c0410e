"""JSON as Go reads it: bytes -> Python values, where the two languages' readers differ.

Go takes the first complete value and ignores what follows (G047), knows no NaN and no Infinity, reads invalid UTF-8 as
U+FFFD (G049), and lets the last of equal keys win (G048) - which we keep, and tell. So no text read here has a lone
surrogate, which UTF-8 could not write.
"""

from __future__ import annotations

import json
import re

from .errors import ConfigError, Problem

_CONSTANT = re.compile(r'"(?:\\.|[^"\\])*"|(-?Infinity|NaN)')
_MAY_BE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
# Every escape, so that none begins inside of another: a pair of surrogates, one that is alone, any other.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
# float() of more digits is infinite anyway, and int() refuses to read thousands of them.
_DIGITS_LIMIT = 310
_LINE_CHARACTERS = 100


class Keys(dict[str, object]):
    """An object in which keys were repeated; `repeated` names them."""

    repeated: tuple[str, ...] = ()


def parse_json(octets: bytes, file: str) -> object:
    """The first JSON value of a file.

    Raises ConfigError with line, column and the line itself.
    """
    text = replace_lone_surrogates(octets.decode("utf-8", "replace"))
    decoder = json.JSONDecoder(object_pairs_hook=_read_object, parse_constant=_refuse_constant, parse_int=_read_int)
    start = len(text) - len(text.lstrip(" \t\r\n"))
    try:
        return decoder.raw_decode(text, start)[0]
    except json.JSONDecodeError as error:
        raise ConfigError(problem_at(file, text, error.pos, error.msg)) from None
    except _Constant:
        raise ConfigError(problem_at(file, text, _constant_position(text), "not a number of JSON")) from None
    except RecursionError:
        raise ConfigError(Problem(file, "", "must not be nested so deep")) from None


def replace_lone_surrogates(text: str) -> str:
    r"""JSON in which each escape that is half of a character is that of U+FFFD, as Go reads it; all keeps its place.

    >>> replace_lone_surrogates(r'["\ud800", "\ud83d\ude00", "\\ud800"]')
    '["\\ufffd", "\\ud83d\\ude00", "\\\\ud800"]'
    """
    if _MAY_BE_SURROGATE.search(text) is None:
        return text
    return _ESCAPE.sub(lambda match: r"\ufffd" if match[1] else match[0], text)


class _Constant(ValueError):
    pass


def _refuse_constant(_: str) -> object:
    raise _Constant


def _constant_position(text: str) -> int:
    return next((match.start() for match in _CONSTANT.finditer(text) if match[1]), 0)


def _read_int(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS_LIMIT else float(digits)


def _read_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    keys = Keys(members)
    seen: set[str] = set()
    keys.repeated = tuple([key for key, _ in pairs if key in seen or seen.add(key)])  # type: ignore[func-returns-value]
    return keys


def problem_at(file: str, text: str, position: int, message: str) -> Problem:
    """What is wrong at a position of a text: line, column, and as much of the line as fits an error."""
    line_start = text.rfind("\n", 0, position) + 1
    line_end = text.find("\n", position)
    line = text[line_start : line_end if line_end >= 0 else len(text)].rstrip("\r")
    column = position - line_start
    first = max(0, column - _LINE_CHARACTERS // 2)
    excerpt = line[first : first + _LINE_CHARACTERS].strip()
    place = f"line {text.count(chr(10), 0, position) + 1} column {column + 1}"
    return Problem(file, place, f"must be JSON: {message}", excerpt or "the end of the file")
