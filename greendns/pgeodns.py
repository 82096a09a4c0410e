"""pgeodns.conf, the files of geodns's Perl ancestor -> its bases, with all defaults applied.

Loading: reads files, knows neither sockets nor answers. One reader walks the lines of a file and of what it includes,
and fills a scope per base; `finish` applies the defaults. `convert` says the same as geodns zone documents.
All problems of all files are collected; what only follows from an unreadable file is not told.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import ConfigError, Problem, ValueProblem
from .found import shown
from .name import from_text
from .pgeobase import (
    BLANK,
    LIMITS,
    SPACES,
    Scope,
    add_host,
    check_address,
    check_utf8,
    dotted,
    fill_from_json,
    read_limited,
    resolve_hosts,
)
from .regularfile import read_octets

DEFAULT_TTL = 180
# Far more than any fleet nests, far less than Python's recursion limit.
INCLUDE_DEPTH_MAX = 40

_GLOBAL_KEYS = ("ns", "serial", "ttl", "primary_ns")
_BASE_KEYS = (*_GLOBAL_KEYS, "max_hosts")
_INTERNAL_KEYS = ("base", "files", "hosts", "internal", "json_config", "mtime", "primary_ns")


@dataclass(frozen=True)
class Base:
    """One base with all defaults applied; read-only, as is all that it holds.

    name       with the final dot, in the case of the file
    ns         name -> address or None, the one of primary_ns first
    mtime_ns   the newest of `files`, nanoseconds
    max_hosts  None: not set
    settings   what else the JSON file says at its top level
    data       label -> record types as in geodns JSON, hosts replaced by addresses, without the apex's NS
    """

    name: str
    ttl: int
    serial: int
    primary_ns: str
    ns: Mapping[str, str | None]
    mtime_ns: int = 0
    max_hosts: int | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    data: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    is_internal: bool = False


@dataclass(frozen=True)
class Pgeodns:
    """A configuration without problems: its bases in the order of the files, and every file that was read."""

    bases: Mapping[str, Base]
    files: tuple[Path, ...]


def read(path: Path, directory: Path | None = None) -> Pgeodns:
    """Read a pgeodns.conf with all that it includes.

    directory  what relative names inside the files are relative to, by default the working directory;
               a file that is not there is looked for beside the file that names it
    Raises ConfigError with every problem found.
    """
    reader = _Reader(directory or Path.cwd())
    reader.read_main(path)
    return reader.finish()


# -- reading


@dataclass
class _File:
    """A file being read; `has_ns` is P09's flag: an `ns` line was seen since the last `base` in this file."""

    shown: str
    path: Path
    line: int = 0
    has_ns: bool = False


class _Reader:
    """Walks the lines of a configuration and of what it includes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.problems: list[Problem] = []
        self.mtimes_ns: dict[Path, int] = {}
        self.stack: list[_File] = []
        self.defaults = Scope("", "", "")
        self.bases: dict[str, Scope] = {}
        self.current: Scope | None = None
        self.is_incomplete = False  # a file could not be read: what is missing may be in it

    def read_main(self, path: Path) -> None:
        try:
            self._read_file(_File(str(path), path), self._octets(path))
        except OSError as error:
            raise ConfigError(Problem(str(path), "", f"must be a readable file: {reason(error)}")) from error
        except ConfigError as error:
            self._note_unreadable(error)

    def _read_file(self, file: _File, octets: bytes) -> None:
        if b"\0" in octets:
            raise ConfigError(Problem(file.shown, "", "must be a text file"))
        self.stack.append(file)
        # Old files have comments in Latin-1; only a line that is used must be UTF-8.
        text = octets.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
        for file.line, line in enumerate(text.split("\n"), 1):
            statement = line.strip(BLANK)
            if statement == "__END__":
                break
            if statement and not statement.startswith("#"):
                self._try_statement(statement)
        self.stack.pop()

    def _try_statement(self, statement: str) -> None:
        try:
            check_utf8(statement)
            self._read_statement(statement)
        except ValueProblem as problem:
            self.problems.append(self._here(problem.expected, problem.found))
        except ConfigError as error:
            self._note_unreadable(error)

    def _read_statement(self, statement: str) -> None:
        keyword, *rest = SPACES.split(statement, maxsplit=1)
        known = _BASE_KEYS if self.current else _GLOBAL_KEYS
        if rest and keyword == "base":
            self._open_base(*SPACES.split(rest[0])[:2])
        elif rest and keyword == "include":
            self._include(rest[0])
        elif rest and keyword in known:
            self._set(keyword, rest[0])
        elif self.current:
            add_host(self.current, statement)
        elif not self.is_incomplete:
            expected = "Bad configuration, no base defined: must be ns, serial, ttl, primary_ns or include"
            raise ValueProblem(expected, shown(statement))

    def _open_base(self, name: str, json_name: str = "") -> None:
        base = dotted(name)
        here = self.stack[-1]
        here.has_ns = False
        if json_name or base not in self.bases:
            self.bases[base] = Scope(base, here.shown, f"line {here.line}")
        self.current = self.bases[base]
        self.current.files += [file.path for file in self.stack]
        from_text(base)
        if json_name:
            file, octets = self._load(json_name)
            self.current.files.append(file.path)
            fill_from_json(self.current, file.shown, octets)

    def _include(self, name: str) -> None:
        if len(self.stack) >= INCLUDE_DEPTH_MAX:
            raise ValueProblem(f"include must not be nested more than {INCLUDE_DEPTH_MAX} deep", shown(name))
        if os.path.realpath(self._find(name)) in [os.path.realpath(file.path) for file in self.stack]:
            parents = ", ".join([file.shown for file in self.stack])
            raise ValueProblem(f"Recursive inclusion of {name}: parents {parents}")
        file, octets = self._load(name)
        if self.current:
            self.current.files.append(file.path)
        self._read_file(file, octets)

    def _set(self, keyword: str, value: str) -> None:
        if keyword == "ns":
            self._add_ns(*SPACES.split(value)[:2])
        elif self.current and keyword in LIMITS:
            self.current.settings[keyword] = read_limited(value, keyword)
        else:
            (self.current or self.defaults).settings[keyword] = value

    def _add_ns(self, name: str, address: str | None = None) -> None:
        scope, file = self.current or self.defaults, self.stack[-1]
        if self.current and not file.has_ns:
            file.has_ns = True
            scope.ns.clear()
        name = dotted(name)
        scope.ns[name] = address
        scope.settings["primary_ns"] = scope.settings.get("primary_ns") or name
        from_text(name)
        if address is not None:
            check_address(address)

    def _load(self, name: str) -> tuple[_File, bytes]:
        path = self._find(name)
        try:
            return _File(name, path), self._octets(path)
        except OSError as error:
            expected = f"must name a readable file: {reason(error)}"
            raise ConfigError(self._here(expected, shown(name))) from error

    def _find(self, name: str) -> Path:
        """Where `name` is: in the directory, else beside the file that names it."""
        beside = self.stack[-1].path.parent / name
        there = self.directory / name
        return beside if os.path.exists(beside) and not os.path.exists(there) else there

    def _octets(self, path: Path) -> bytes:
        # The time is taken before the content: a change in between is seen by the next check.
        self.mtimes_ns[path] = path.stat().st_mtime_ns
        return read_octets(path)

    def _here(self, expected: str, found: str) -> Problem:
        return Problem(self.stack[-1].shown, f"line {self.stack[-1].line}", expected, found)

    def _note_unreadable(self, error: ConfigError) -> None:
        self.is_incomplete = True
        self.problems += error.problems

    def finish(self) -> Pgeodns:
        """Apply the defaults (P20-P25), or raise ConfigError with all problems."""
        bases = {} if self.is_incomplete else {scope.name: self._finish_base(scope) for scope in self.bases.values()}
        if self.problems:
            raise ConfigError(*self.problems)
        return Pgeodns({**bases, **_internal_bases()}, tuple(self.mtimes_ns))

    def _finish_base(self, scope: Scope) -> Base:
        ns = scope.ns or self.defaults.ns
        primary_ns = self._primary_ns(scope)
        if not primary_ns:
            self.problems.append(Problem(scope.file, scope.place, "default primary_ns needed but not set"))
        if not ns:
            expected = f"no ns configured in the config file for base {scope.name}"
            self.problems.append(Problem(scope.file, scope.place, expected))
        self.problems += resolve_hosts(scope)
        mtime_ns = max(self.mtimes_ns[path] for path in scope.files)
        return Base(
            name=scope.name,
            # Zero is not set, as for Perl.
            ttl=scope.settings.pop("ttl", 0) or _default_number(self.defaults, "ttl") or DEFAULT_TTL,
            serial=scope.settings.pop("serial", 0) or seconds(mtime_ns) or self._default_serial(),
            primary_ns=primary_ns,
            ns=dict(sorted(ns.items(), key=lambda item: dotted(item[0]) != dotted(primary_ns))),
            mtime_ns=mtime_ns,
            max_hosts=scope.settings.pop("max_hosts", 0) or None,
            settings={key: value for key, value in scope.settings.items() if key not in _INTERNAL_KEYS},
            data=scope.data,
            files=tuple(dict.fromkeys(scope.files)),
        )

    def _primary_ns(self, scope: Scope) -> str:
        own = scope.settings.get("primary_ns") or min(scope.ns, default="")
        return str(own or self.defaults.settings.get("primary_ns", ""))

    def _default_serial(self) -> int:
        return _default_number(self.defaults, "serial") or seconds(max(self.mtimes_ns.values()))


def _default_number(defaults: Scope, keyword: str) -> int:
    """A number from before the first base; whatever is none counts as not set (P20)."""
    text = defaults.settings.get(keyword, "")
    return int(text) if re.fullmatch("[0-9]{1,10}", text) else 0


def _internal_bases() -> dict[str, Base]:
    ns = "ns.pgeodns."
    return {name: Base(name, 1, 1, ns, {ns: None}, is_internal=True) for name in ("bind.", "pgeodns.")}


def seconds(nanoseconds: int) -> int:
    """A time of a file as whole seconds."""
    return nanoseconds // 10**9


def reason(error: OSError) -> str:
    """What went wrong, in the operating system's words."""
    return error.strerror or str(error)
