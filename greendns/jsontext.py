"""JSON as Go reads it: bytes -> Python values, where the two languages' readers differ.

Go takes the first complete value and ignores what follows (G047), knows no NaN and no Infinity, reads invalid UTF-8 as
U+FFFD (G049), and lets the last of equal keys win (G048) - which we keep, and tell. So no text read here has a lone
surrogate, which UTF-8 could not write.

A large document need not exist as a whole: the members of one object can be left in the text until they are asked for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from .errors import ConfigError, Problem

_CONSTANT = re.compile(r'"(?:\\.|[^"\\])*"|(-?Infinity|NaN)')
_MAY_BE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
# Every escape, so that none begins inside of another: a pair of surrogates, one that is alone, any other.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
# float() of more digits is infinite anyway, and int() refuses to read thousands of them.
_DIGITS_LIMIT = 310
# Of so many digits every tenth is one too: 31 in a row, which shorter numbers seldom come to.
_DIGITS_STEP = 10
_MAY_BE_LONG = re.compile(rf"[0-9]{{{_DIGITS_LIMIT // _DIGITS_STEP}}}")
_LINE_CHARACTERS = 100

# What stands between the tokens of an object. Where one of these does not match, the file is broken.
_SPACE = re.compile(r"[ \t\r\n]*")
_COLON = re.compile(r"[ \t\r\n]*:[ \t\r\n]*")
_COMMA_OR_END = re.compile(r"[ \t\r\n]*([,}])[ \t\r\n]*")

Value = TypeVar("Value")


class Keys(dict[str, Value]):
    """An object in which keys were repeated; `repeated` names them."""

    repeated: tuple[str, ...] = ()


class LazyObject:
    """An object whose members are read from the text each time they are asked for; all of it is known to be JSON.

    repeated  keys that are there more than once; the last one counts
    """

    def __init__(
        self, file: str, text: str, decoder: json.JSONDecoder, starts: Mapping[str, int], repeated: tuple[str, ...]
    ) -> None:
        self.repeated = repeated
        self._file = file
        self._text = text
        self._decoder = decoder
        self._starts = starts

    def items(self) -> Iterator[tuple[str, object]]:
        """Keys and values, in the text's order. Raises ConfigError where a value is nested too deep."""
        for key, start in self._starts.items():
            try:
                value, _ = self._decoder.raw_decode(self._text, start)
            except RecursionError:
                raise ConfigError(_too_deep(self._file)) from None
            yield key, value


def parse_json(octets: bytes, file: str) -> object:
    """The first JSON value of a file.

    Raises ConfigError with line, column and the line itself.
    """
    return _parse(octets, file, lambda text, start: _decoder_of(text).raw_decode(text, start)[0])


def parse_json_lazily(octets: bytes, file: str, member: str) -> object:
    """The first JSON value of a file, like `parse_json`; in an object, `member` is a LazyObject if it is one itself.

    Everything is checked, but what a large `member` holds is never there as a whole: that would be ten times the text.
    """
    return _parse(octets, file, lambda text, start: _decode_lazily(text, start, file, member))


def _parse(octets: bytes, file: str, decode: Callable[[str, int], object]) -> object:
    text = replace_lone_surrogates(octets.decode("utf-8", "replace"))
    try:
        return decode(text, _end_of_space(text, 0))
    except json.JSONDecodeError as error:
        raise ConfigError(problem_at(file, text, error.pos, error.msg)) from None
    except _Constant:
        raise ConfigError(problem_at(file, text, _constant_position(text), "not a number of JSON")) from None
    except RecursionError:
        raise ConfigError(_too_deep(file)) from None


def _too_deep(file: str) -> Problem:
    return Problem(file, "", "must not be nested so deep")


def _decode_lazily(text: str, start: int, file: str, member: str) -> object:
    decoder = _decoder_of(text)

    def decode_member(key: str, at: int) -> tuple[object, int]:
        if key != member or not text.startswith("{", at):
            return decoder.raw_decode(text, at)
        starts, end = _decode_object(text, at, lambda _, start: (start, _SKIPPER.raw_decode(text, start)[1]))
        repeated = starts.repeated if isinstance(starts, Keys) else ()
        return LazyObject(file, text, decoder, starts, repeated), end

    try:
        if text.startswith("{", start):
            return _decode_object(text, start, decode_member)[0]
    except _NoObject:
        pass
    # What is no object is small, or an error, which the decoder tells in its own words.
    return decoder.raw_decode(text, start)[0]


def _decode_object(
    text: str, start: int, decode_value: Callable[[str, int], tuple[Value, int]]
) -> tuple[dict[str, Value], int]:
    """The object at `start` and where it ends; `decode_value` is given each key and where its value starts."""
    pairs: list[tuple[str, Value]] = []
    at = _end_of_space(text, start + 1)
    if text.startswith("}", at):
        return {}, at + 1
    while True:
        if not text.startswith('"', at):
            raise _NoObject
        key, at = _DECODER.raw_decode(text, at)
        value, at = decode_value(key, _end_of(_COLON.match(text, at)))
        pairs.append((key, value))
        ending = _COMMA_OR_END.match(text, at)
        at = _end_of(ending)
        if ending is not None and ending[1] == "}":
            return _read_object(pairs), at


def _end_of_space(text: str, at: int) -> int:
    return _end_of(_SPACE.match(text, at))


def _end_of(found: re.Match[str] | None) -> int:
    if found is None:
        raise _NoObject
    return found.end()


class _NoObject(ValueError):
    pass


def replace_lone_surrogates(text: str) -> str:
    r"""JSON in which each escape that is half of a character is that of U+FFFD, as Go reads it; all keeps its place.

    >>> replace_lone_surrogates(r'["\ud800", "\ud83d\ude00", "\\ud800"]')
    '["\\ufffd", "\\ud83d\\ude00", "\\\\ud800"]'
    """
    # Most texts have no escape at all, which is seen at once.
    if "\\" not in text or _MAY_BE_SURROGATE.search(text) is None:
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


def _read_object(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    keys = Keys(members)
    seen: set[str] = set()
    keys.repeated = tuple([key for key, _ in pairs if key in seen or seen.add(key)])  # type: ignore[func-returns-value]
    return keys


def _decoder_of(text: str) -> json.JSONDecoder:
    """What reads the values of a text: numbers by themselves, which is faster, unless one may have too many digits."""
    return _DECODER if _MAY_BE_LONG.search(text[::_DIGITS_STEP]) is None else _CAREFUL_DECODER


_DECODER = json.JSONDecoder(object_pairs_hook=_read_object, parse_constant=_refuse_constant)
_CAREFUL_DECODER = json.JSONDecoder(
    object_pairs_hook=_read_object, parse_constant=_refuse_constant, parse_int=_read_int
)
# What is only skipped need not be made: len() takes any digits.
_SKIPPER = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=len, parse_float=len)


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
