"""JSON with the liberties of Perl's JSON::relaxed: `#` comments and trailing commas. Octets -> Python values.

Loading side, without I/O. What is allowed beyond JSON is replaced by spaces before decoding, so that every character
keeps its place and errors name the right column.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from typing import Any, NoReturn

from .errors import ConfigError, Problem, ValueProblem
from .jsontext import problem_at, replace_lone_surrogates

_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_COMMENT = re.compile(rf"({_STRING})|#[^\r\n]*", re.DOTALL)
# The end of a value, and the comma behind it if nothing but a closing bracket follows.
_VALUE_END = re.compile(rf"((?:{_STRING}|[\]}}]|[^\s,:\[\]{{}}\"]+)\s*)(,(?=\s*[\]}}]))?", re.DOTALL)


def blank_out(text: str) -> str:
    """Replace what JSON::relaxed allows beyond JSON by spaces: `#` comments and trailing commas.

    Strings are not touched.

    >>> blank_out('{"a#": [1, ], } # b')
    '{"a#": [1  ]  }    '
    """
    without_comments = _COMMENT.sub(lambda match: match[1] or " " * len(match[0]), text)
    return _VALUE_END.sub(lambda match: match[1] + (" " if match[2] else ""), without_comments)


def parse_relaxed(octets: bytes, file: str) -> Any:
    """Decode JSON with the liberties of JSON::relaxed; raises ConfigError with line, column and the line itself."""
    text = replace_lone_surrogates(_decode_text(octets, file))
    try:
        with contextlib.suppress(json.JSONDecodeError):
            return _decode(text)  # most files are plain JSON, and cleaning takes longer than decoding
        return _decode(blank_out(text))
    except json.JSONDecodeError as error:
        problem = problem_at(file, text, error.pos, error.msg)
    except RecursionError:
        problem = Problem(file, "", "must be JSON that is not nested so deep")
    except ValueError as error:  # a number of thousands of digits
        problem = Problem(file, "", f"must be JSON: {error}")
    except ValueProblem as error:
        problem = Problem(file, "", error.expected, error.found)
    raise ConfigError(problem)


def _decode_text(octets: bytes, file: str) -> str:
    try:
        return octets.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        column = error.start - octets.rfind(b"\n", 0, error.start)
        raise ConfigError(Problem(file, f"line {line} column {column}", "must be UTF-8 text")) from None


def _decode(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)


def _refuse_constant(text: str) -> NoReturn:
    raise ValueProblem("must be JSON, which has finite numbers only", text)


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse_constant(text)
