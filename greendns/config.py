"""A file and the command line -> one frozen Config, every problem of the file told at once.

Loading code: it reads files, and knows neither zones nor sockets. What settings there are stands in `settings`.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import toml

from . import geodnsconf
from .errors import ConfigError, Problem, ValueProblem
from .found import shown
from .settinglist import SECTIONS, SETTING_OF, settings_of
from .settings import Config, ZonesSettings

TOML_NAME = "greendns.toml"
GEODNS_NAME = "geodns.conf"
PGEODNS_NAME = "pgeodns.conf"
FILE_NAMES = (TOML_NAME, GEODNS_NAME, PGEODNS_NAME)
COMMAND_LINE = "command line"


def find_file(place: Path) -> Path | None:
    """The configuration file at `place`, a file or a directory; None if the directory has none.

    Raises ConfigError if there is no such place, or if the directory has more than one.
    """
    try:
        is_directory = stat.S_ISDIR(place.stat().st_mode)
        names = os.listdir(place) if is_directory else []
    except OSError as error:
        raise ConfigError(Problem(str(place), "", f"must be a file or a directory: {error.strerror}")) from error
    if not is_directory:
        return place
    found = [name for name in FILE_NAMES if name in names]
    if len(found) > 1:
        claim = f"must have only one of {', '.join(FILE_NAMES)}"
        raise ConfigError(Problem(str(place), "", claim, " and ".join(found)))
    return place / found[0] if found else None


def load(place: Path | None, overrides: Mapping[str, object] | None = None) -> Config:
    """Read the configuration at `place`, a file or a directory; a directory without one has the defaults.

    place      None: there is no file, and the overrides must tell where the zones are
    overrides  values of the command line by "section.key"; they win over the file, and their
               relative paths begin at the working directory, not at the file's
    Raises ConfigError with every problem of the file, or else of the overrides.
    """
    source = find_file(place) if place else None
    found, notices = _read_file(source) if source else ({}, ())
    told = _check_values((overrides or {}).items(), COMMAND_LINE)
    config = _build({"zones.directory": _usual_zone_directory(place or Path(), source), **found, **told})
    _check_geoip(config, COMMAND_LINE if "geoip.directory" in told else str(source))
    notices += tuple(_idle_settings(config, str(source or COMMAND_LINE)))
    zone_format: Literal["json", "pgeodns"] = "pgeodns" if source and source.name == PGEODNS_NAME else "json"
    return replace(config, source=source, zone_format=zone_format, notices=notices)


def restored(values: Mapping[str, object]) -> Config:
    """A Config of values that were read before, by "section.key": nothing is looked up, and what is not known left out.

    Raises ConfigError for a value that is not taken any more.
    """
    return _build(_check_values([(name, value) for name, value in values.items() if name in SETTING_OF], "upgrade"))


def _usual_zone_directory(place: Path, source: Path | None) -> Path:
    """Where zones are, if neither the file nor the command line tells.

    Beside a geodns.conf or a pgeodns.conf they are its neighbours, as in geodns; without any file,
    in "zones" if there is one, else in the directory itself.
    """
    directory = source.parent if source else place
    below = directory / ZonesSettings().directory
    if source:
        return below if source.suffix == ".toml" else directory
    return below if os.path.isdir(below) else directory


def _read_file(source: Path) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """The checked values of a file by "section.key", and its notices.

    The name tells the format; a name of the operator's own choice is geodns's (its -configfile).
    """
    if source.name == PGEODNS_NAME:
        return {}, ()
    text = geodnsconf.read_text(source)
    if source.suffix == ".toml":
        return _read_toml(text, source), ()
    conf = geodnsconf.parse(text, str(source))
    return _check_values(conf.settings.items(), str(source)), conf.notices


def _read_toml(text: str, source: Path) -> dict[str, Any]:
    values = _check_values(_flatten(_parse_toml(text, str(source))), str(source))
    # geodns takes a relative path from where it was started; here it means the same from everywhere.
    return {name: source.parent / value if isinstance(value, Path) else value for name, value in values.items()}


def _parse_toml(text: str, file: str) -> dict[str, Any]:
    try:
        parsed = toml.loads(text)
    except toml.TomlDecodeError as error:
        raise ConfigError(
            Problem(file, f"line {error.lineno}", f"must be TOML: {_without_values(error.msg)}")
        ) from error
    except Exception as error:
        # toml 0.10.2 meets some broken input with IndexError, TypeError and the like.
        raise ConfigError(Problem(file, "", f"must be TOML: {type(error).__name__}")) from error
    unclosed = _unclosed_line(text)
    if unclosed:
        raise ConfigError(Problem(file, f"line {unclosed}", "must be TOML: a bracket must be closed"))
    return parsed


def _without_values(message: str) -> str:
    """toml's message up to where it repeats what it read: that may be a password."""
    return re.split(r"[:{]", message)[0].strip()


_STRING_OR_COMMENT = re.compile(
    r'"""(?:\\.|[^\\])*?"""|' r"'''.*?'''|" r'"(?:\\.|[^"\\\n])*"|' r"'[^'\n]*'|#[^\n]*", re.DOTALL
)


def _unclosed_line(text: str) -> int:
    """The line of the first bracket that nothing closes; 0 if there is none.

    toml 0.10.2 reads `a = [1, 2` at the end of a file as [1]: a lost address rather than an error.
    """
    bare = _STRING_OR_COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
    opened: list[int] = []
    for match in re.finditer(r"[\[{}\]]", bare):
        if match[0] in "[{":
            opened.append(match.start())
        elif opened:
            opened.pop()
    return bare.count("\n", 0, opened[0]) + 1 if opened else 0


def _flatten(tables: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Pairs of "section.key" and value; what is no table of ours goes by its own name."""
    for section, table in tables.items():
        if section in SECTIONS and isinstance(table, dict):
            yield from ((f"{section}.{key}", value) for key, value in table.items())
        else:
            yield section, table


def _check_values(pairs: Iterable[tuple[str, object]], file: str) -> dict[str, Any]:
    """Read each value as its setting's kind; raises ConfigError with every problem."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, value in pairs:
        try:
            values[name] = _read_value(name, value)
        except ValueProblem as problem:
            problems.append(Problem(file, name, problem.expected, problem.found))
    if problems:
        raise ConfigError(*problems)
    return values


def _read_value(name: str, value: object) -> Any:
    if name in SETTING_OF:
        return SETTING_OF[name].kind(value)
    section, _, key = name.partition(".")
    if section not in SECTIONS:
        raise ValueProblem(f"must be one of the sections {', '.join(SECTIONS)}")
    if not key:
        raise ValueProblem("must be a table", shown(value))
    raise ValueProblem(f"must be one of the settings {', '.join(one.key for one in settings_of(section))}")


def _build(values: Mapping[str, Any]) -> Config:
    """A Config of checked values; what is missing has its default."""
    built: dict[str, Any] = {
        section: declared(**{one.key: values[one.name] for one in settings_of(section) if one.name in values})
        for section, declared in SECTIONS.items()
    }
    return Config(**built)


def _check_geoip(config: Config, file: str) -> None:
    """A directory of databases that was named and is not there would leave every client without a place."""
    directory = config.geoip.directory
    if directory is not None and not os.path.isdir(directory):
        raise ConfigError(Problem(file, "geoip.directory", "must be a directory", shown(directory)))


def _idle_settings(config: Config, file: str) -> Iterator[Problem]:
    """Settings that do nothing because of what another one says, or because of what is not there."""
    if config.http.password and not config.http.user:
        yield Problem(file, "http.password", "has no effect without http.user")
    checks = config.health.directory
    if checks is not None and not os.path.isdir(checks):
        yield Problem(file, "health.directory", "is no directory yet, and every record is up", shown(checks))
