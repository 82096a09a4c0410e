r"""geodns.conf -> our settings and geodns's own ones, as geodns reads it (gcfg's INI).

A file is a row of statements: `[section]`, `name = value`, or `name` alone for true. Names are
case-insensitive; `;` and `#` begin a comment; part of a value may be quoted, with the escapes
`\"`, `\\`, `\n`, `\t` and `\b`; a backslash at a line's end continues an unquoted value.
As in geodns, a section or a name that it doesn't know makes the whole file unusable: one that
was mistyped must not be dropped in silence. Loading code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import ConfigError, Problem, ValueProblem
from .found import shown
from .regularfile import read_octets

MEGABYTE_DEFAULT = 100  # lumberjack's, where maxsize is 0 (G023)
AVRO_OCTETS_MIN = 50_000  # a smaller maxsize is not taken (G024)
AVRO_OCTETS_DEFAULT = 1_000_000
AVRO_SECONDS_MIN = 1.0
INTEGER_MAX = 2**63 - 1  # Go's int


@dataclass(frozen=True)
class QueryLogSettings:
    """[querylog] (G023); no path: no log. `backups` 0 keeps every old file."""

    path: str
    max_megabytes: int
    backups: int


@dataclass(frozen=True)
class AvroLogSettings:
    """[avrolog] (G024), which takes the place of [querylog]; no path: no log."""

    path: str
    max_octets: int
    max_seconds: float


@dataclass(frozen=True)
class PingdomSettings:
    """[pingdom]: read, and used by nobody (G025)."""

    username: str
    password: str
    account_email: str
    app_key: str
    state_map: str


@dataclass(frozen=True)
class GeodnsConf:
    """What a geodns.conf says.

    settings  values of our settings by "section.key"; only those that the file has
    notices   what was read, but has no effect
    """

    settings: Mapping[str, object]
    querylog: QueryLogSettings
    avrolog: AvroLogSettings
    nodeping_token: str
    pingdom: PingdomSettings
    notices: tuple[Problem, ...]


def read(path: Path) -> GeodnsConf:
    """Read one file; raises ConfigError with every problem of it."""
    return parse(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The text of a configuration file, UTF-8 with or without a byte order mark; else ConfigError."""
    try:
        return read_octets(path).decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(Problem(str(path), "", f"must be readable: {error.strerror}")) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError(Problem(str(path), f"line {line}", "must be UTF-8")) from error


def parse(text: str, file: str) -> GeodnsConf:
    """Read the text of a geodns.conf; `file` is its name in messages."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for statement in _statements(text):
        try:
            values.update(_read_statement(statement))
        except ValueProblem as problem:
            problems.append(Problem(file, statement.place, problem.expected, problem.found))
    if problems:
        raise ConfigError(*problems)
    return _build(values, file)


@dataclass(frozen=True)
class _Statement:
    """A section's header (no name), a variable (value None: its name alone), or what is neither (no section)."""

    line: int
    section: str
    name: str = ""
    value: str | None = None
    broken: str = ""

    @property
    def place(self) -> str:
        where = ".".join(filter(None, (self.section, self.name)))
        return f"line {self.line}: {where}" if where else f"line {self.line}"


_NAME = r"[^\W\d_](?:[^\W_]|-)*"
_QUOTED = r'"(?:\\["\\ntb]|[^"\\\n\0])*"'
_END = r"(?:[;#][^\n]*)?(?:\n|\Z)"
# No two neighbours match the same character: a long line that doesn't fit is given up in linear time.
_BLANK = re.compile(rf"[ \t\r]*{_END}")
_SECTION = re.compile(rf"[ \t\r]*\[[ \t\r]*({_NAME})[ \t\r]*(?:({_QUOTED})[ \t\r]*)?\][ \t\r]*{_END}")
_VARIABLE = re.compile(rf'[ \t\r]*({_NAME})[ \t\r]*(?:=((?:{_QUOTED}|\\\r?\n|[^"\\;#\n\0])*))?{_END}')
# Up to the "=" it may be shown; what follows may be a password.
_BROKEN = re.compile(r"([^=\n]*)[^\n]*(?:\n|\Z)")


def _statements(text: str) -> Iterator[_Statement]:
    """The statements of a file, in its order; what can't be read is one of its own, a line long."""
    at = 0
    section = ""
    while at < len(text):
        line = text.count("\n", 0, at) + 1
        blank = _BLANK.match(text, at)
        header = _SECTION.match(text, at)
        variable = _VARIABLE.match(text, at)
        if header:
            section = header[1].lower() + (f" {header[2]}" if header[2] else "")
            yield _Statement(line, section)
        elif variable:
            yield _Statement(line, section, variable[1].lower(), _unquote(variable[2]))
        elif not blank:
            yield _Statement(line, "", broken=_match(_BROKEN, text, at)[1].strip())
        at = (blank or header or variable or _match(_BROKEN, text, at)).end()


def _match(pattern: re.Pattern[str], text: str, at: int) -> re.Match[str]:
    """The match of a pattern that always matches."""
    match = pattern.match(text, at)
    assert match is not None
    return match


_PIECE = re.compile(r'\\(?:\n|(.))|"')
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b"}


def _unquote(raw: str | None) -> str | None:
    """A value without its quotes, escapes, continuations, and the blanks around it."""
    if raw is None:
        return None
    # Every carriage return goes, as in gcfg: the file may come from Windows.
    kept = raw.strip(" \t\r").replace("\r", "")
    return _PIECE.sub(lambda piece: _ESCAPES.get(piece[1], piece[1]) if piece[1] else "", kept)


def _read_statement(statement: _Statement) -> dict[str, Any]:
    """The value that a statement gives, by "section.name"; a header gives none."""
    if statement.broken:
        raise ValueProblem('must be "[section]", "name = value" or a comment', shown(statement.broken))
    if not statement.section:
        raise ValueProblem('must stand below a "[section]"')
    if statement.section not in _VARIABLES:
        raise ValueProblem(f"must be one of the sections {', '.join(_VARIABLES)}")
    if not statement.name:
        return {}
    readers = _VARIABLES[statement.section]
    if statement.name not in readers:
        raise ValueProblem(f"must be one of the names {', '.join(readers)}")
    return {f"{statement.section}.{statement.name}": readers[statement.name](statement.value)}


def _text(value: str | None) -> str:
    if value is None:
        raise ValueProblem("must have a value")
    return value


_SWITCHES = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


def _switch(value: str | None) -> bool:
    """True or false; a name alone is true."""
    if value is None:
        return True
    if value.lower() not in _SWITCHES:
        raise ValueProblem("must be true or false", shown(value))
    return _SWITCHES[value.lower()]


_INTEGER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+)")


def _integer(value: str | None) -> int:
    """A decimal integer, leading zeros or not, or a hexadecimal one with 0x."""
    text = _text(value)
    # Twenty characters hold every 64-bit number; Python refuses to convert thousands of digits.
    if len(text) > 20 or not _INTEGER.fullmatch(text):
        raise ValueProblem("must be an integer", shown(value))
    number = int(text, 16) if "x" in text.lower() else int(text)
    if abs(number) > INTEGER_MAX:
        raise ValueProblem("must be an integer of 64 bits", shown(value))
    return number


# Every section and name that geodns knows (G020-G025), in the order of its own file.
_VARIABLES: dict[str, dict[str, Callable[[str | None], Any]]] = {
    "dns": {"publicdebugqueries": _switch, "detailedmetrics": _switch},
    "geoip": {"directory": _text},
    "http": {"user": _text, "password": _text},
    "querylog": {"path": _text, "maxsize": _integer, "keep": _integer},
    "avrolog": {"path": _text, "maxsize": _integer, "maxtime": _text},
    "health": {"directory": _text},
    "nodeping": {"token": _text},
    "pingdom": dict.fromkeys(("username", "password", "accountemail", "appkey", "statemap"), _text),
}

# geodns's name -> ours.
_OUR_NAMES = {
    "dns.publicdebugqueries": "dns.public_debug_queries",
    "dns.detailedmetrics": "dns.detailed_metrics",
    "geoip.directory": "geoip.directory",
    "health.directory": "health.directory",
    "http.user": "http.user",
    "http.password": "http.password",
}


def _build(values: Mapping[str, Any], file: str) -> GeodnsConf:
    max_seconds = _rotation_seconds(values.get("avrolog.maxtime", ""))
    max_octets = values.get("avrolog.maxsize", 0)
    max_megabytes = values.get("querylog.maxsize", 0)
    return GeodnsConf(
        settings={ours: values[theirs] for theirs, ours in _OUR_NAMES.items() if theirs in values},
        querylog=QueryLogSettings(
            path=values.get("querylog.path", ""),
            max_megabytes=max_megabytes if max_megabytes > 0 else MEGABYTE_DEFAULT,
            backups=max(0, values.get("querylog.keep", 0)),
        ),
        avrolog=AvroLogSettings(
            path=values.get("avrolog.path", ""),
            max_octets=max_octets if max_octets >= AVRO_OCTETS_MIN else AVRO_OCTETS_DEFAULT,
            max_seconds=max_seconds,
        ),
        nodeping_token=values.get("nodeping.token", ""),
        pingdom=PingdomSettings(*(values.get(f"pingdom.{name}", "") for name in _VARIABLES["pingdom"])),
        notices=tuple(_notices(values, file)),
    )


_UNIT_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_AMOUNT = r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)"


def parse_duration(text: str) -> float:
    """Seconds of a duration as Go writes it; raises ValueProblem.

    >>> parse_duration("1m30s")
    90.0
    """
    unsigned = text[1:] if text[:1] in ("+", "-") else text
    if unsigned != "0" and not re.fullmatch(f"(?:{_AMOUNT})+", unsigned):
        raise ValueProblem('must be a duration, such as "90s" or "1m30s"', shown(text))
    seconds = sum(float(amount) * _UNIT_SECONDS[unit] for amount, unit in re.findall(_AMOUNT, unsigned))
    return -seconds if text.startswith("-") else seconds


def _rotation_seconds(text: str) -> float:
    """[avrolog] maxtime: what is no duration, or shorter than a second, counts as one second (G024)."""
    try:
        return max(AVRO_SECONDS_MIN, parse_duration(text))
    except ValueProblem:
        return AVRO_SECONDS_MIN


_NOT_WRITTEN = "is read, but this log is not written yet"
_UNUSED = "is read, but has no effect, in geodns neither"
_NOTICES = {
    "querylog.path": _NOT_WRITTEN,
    "avrolog.path": _NOT_WRITTEN,
    "nodeping.token": _UNUSED,
    **{f"pingdom.{name}": _UNUSED for name in _VARIABLES["pingdom"]},
}


def _notices(values: Mapping[str, Any], file: str) -> Iterator[Problem]:
    """One notice for each value that is there and has no effect."""
    for name, told in _NOTICES.items():
        if values.get(name):
            yield Problem(file, name, told)
