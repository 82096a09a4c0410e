"""pgeodns.conf, the files of geodns's Perl ancestor -> the zone documents of geodns.

Loading: knows errors, codes and names, and neither sockets nor answers. What a record may hold is
not judged here: the documents go the way of every other zone file. One reader walks the lines and
fills a scope per base; `finish` applies the defaults; `zone_documents` says the same as geodns JSON.
All problems of all files are collected; what only follows from an unreadable file is not told.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import math
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from .codes import SERIAL_MAX, TTL_MAX
from .errors import ConfigError, Problem, ValueProblem
from .name import from_text, relative_from_text

DEFAULT_TTL = 180
# Far more than any fleet nests, far less than Python's recursion limit.
INCLUDE_DEPTH_MAX = 40

_BLANK = " \t\n\r\f\v"  # what \s is to Perl on octets; str.strip() would take more
_SPACES = re.compile(f"[{_BLANK}]+")
_WEIGHT_PREFIX = re.compile(f"10+[{_BLANK}]+")
_LIMITS = {"ttl": TTL_MAX, "serial": SERIAL_MAX, "max_hosts": 2**31 - 1}
_GLOBAL_KEYS = ("ns", "serial", "ttl", "primary_ns")
_BASE_KEYS = (*_GLOBAL_KEYS, "max_hosts")
_INTERNAL_KEYS = ("base", "files", "hosts", "internal", "json_config", "mtime", "primary_ns")

NameServers = dict[str, str | None]
Labels = dict[str, dict[str, Any]]


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


def zone_documents(pgeodns: Pgeodns) -> dict[str, dict[str, object]]:
    """The geodns zone document of every base that is not internal, by name without the final dot.

    The documents share their records with `pgeodns`: to be read, not changed.
    """
    return {base.name[:-1]: _document(base) for base in pgeodns.bases.values() if not base.is_internal}


def convert(path: Path, outdir: Path, report: Callable[[str], None], directory: Path | None = None) -> list[Path]:
    """Write `outdir/<base without dot>.json` for every base that is newer than its output; return what was written.

    outdir  is made if only its last part is missing
    report  gets one line for each file and for each thing that will be answered differently
    Raises ConfigError if the configuration cannot be read or an output cannot be written.
    """
    pgeodns = read(path, directory)
    for remark in remarks(pgeodns):
        report(remark)
    documents = zone_documents(pgeodns)
    outputs = _output_paths(documents, outdir)
    _ensure_directory(outdir)
    written = []
    for name, output in outputs.items():
        if not _is_newer(pgeodns.bases[name + "."], output):
            report(f"{output}: not older than its base, left as it is")
            continue
        _write(output, documents[name])
        report(f"{output}: written")
        written.append(output)
    return written


def remarks(pgeodns: Pgeodns) -> list[str]:
    """What geodns's zone format cannot say, or reads otherwise than pgeodns did: one line each."""
    return [line for base in pgeodns.bases.values() if not base.is_internal for line in _base_remarks(base)]


def _base_remarks(base: Base) -> Iterator[str]:
    if _dotted(base.primary_ns) not in map(_dotted, base.ns):
        yield f"{base.name} primary_ns {base.primary_ns} is not an ns: the SOA will name {next(iter(base.ns))}"
    for label, types in base.data.items():
        target = types.get("cname")
        if isinstance(target, str) and not target.endswith("."):
            yield f"{base.name} cname of {json.dumps(label)} has no final dot: read as {target}.{base.name}"


# -- reading


@dataclass
class _File:
    """A file being read; `has_ns` is P09's flag: an `ns` line was seen since the last `base` in this file."""

    shown: str
    path: Path
    line: int = 0
    has_ns: bool = False


@dataclass
class _Scope:
    """What is collected for one base, or before the first one."""

    name: str
    file: str
    place: str
    settings: dict[str, Any] = field(default_factory=dict)
    ns: NameServers = field(default_factory=dict)
    data: Labels = field(default_factory=dict)
    hosts: dict[str, dict[str, str]] = field(default_factory=dict)  # name -> record type -> address
    files: list[Path] = field(default_factory=list)
    json_file: str = ""


class _Reader:
    """Walks the lines of a configuration and of what it includes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.problems: list[Problem] = []
        self.mtimes_ns: dict[Path, int] = {}
        self.stack: list[_File] = []
        self.defaults = _Scope("", "", "")
        self.bases: dict[str, _Scope] = {}
        self.current: _Scope | None = None
        self.is_incomplete = False  # a file could not be read: what is missing may be in it

    def read_main(self, path: Path) -> None:
        try:
            self._read_file(_File(str(path), path), self._octets(path))
        except OSError as error:
            raise ConfigError(Problem(str(path), "", f"must be a readable file: {_reason(error)}")) from error
        except ConfigError as error:
            self._note_unreadable(error)

    def _read_file(self, file: _File, octets: bytes) -> None:
        if b"\0" in octets:
            raise ConfigError(Problem(file.shown, "", "must be a text file"))
        self.stack.append(file)
        # Old files have comments in Latin-1; only a line that is used must be UTF-8.
        text = octets.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
        for file.line, line in enumerate(text.split("\n"), 1):
            statement = line.strip(_BLANK)
            if statement == "__END__":
                break
            if statement and not statement.startswith("#"):
                self._try_statement(statement)
        self.stack.pop()

    def _try_statement(self, statement: str) -> None:
        try:
            _check_utf8(statement)
            self._read_statement(statement)
        except ValueProblem as problem:
            self.problems.append(self._here(problem.expected, problem.found))
        except ConfigError as error:
            self._note_unreadable(error)

    def _read_statement(self, statement: str) -> None:
        keyword, *rest = _SPACES.split(statement, maxsplit=1)
        known = _BASE_KEYS if self.current else _GLOBAL_KEYS
        if rest and keyword == "base":
            self._open_base(*_SPACES.split(rest[0])[:2])
        elif rest and keyword == "include":
            self._include(rest[0])
        elif rest and keyword in known:
            self._set(keyword, rest[0])
        elif self.current:
            _add_host(self.current, statement)
        elif not self.is_incomplete:
            expected = "Bad configuration, no base defined: must be ns, serial, ttl, primary_ns or include"
            raise ValueProblem(expected, json.dumps(statement))

    def _open_base(self, name: str, json_name: str = "") -> None:
        base = _dotted(name)
        here = self.stack[-1]
        here.has_ns = False
        if json_name or base not in self.bases:
            self.bases[base] = _Scope(base, here.shown, f"line {here.line}")
        self.current = self.bases[base]
        self.current.files += [file.path for file in self.stack]
        from_text(base)
        if json_name:
            file, octets = self._load(json_name)
            self.current.files.append(file.path)
            _fill_from_json(self.current, file.shown, octets)

    def _include(self, name: str) -> None:
        if len(self.stack) >= INCLUDE_DEPTH_MAX:
            raise ValueProblem(f"include must not be nested more than {INCLUDE_DEPTH_MAX} deep", json.dumps(name))
        if os.path.realpath(self._find(name)) in [os.path.realpath(file.path) for file in self.stack]:
            parents = ", ".join([file.shown for file in self.stack])
            raise ValueProblem(f"Recursive inclusion of {name}: parents {parents}")
        file, octets = self._load(name)
        if self.current:
            self.current.files.append(file.path)
        self._read_file(file, octets)

    def _set(self, keyword: str, value: str) -> None:
        if keyword == "ns":
            self._add_ns(*_SPACES.split(value)[:2])
        elif self.current and keyword in _LIMITS:
            self.current.settings[keyword] = _integer(value, keyword)
        else:
            (self.current or self.defaults).settings[keyword] = value

    def _add_ns(self, name: str, address: str | None = None) -> None:
        scope, file = self.current or self.defaults, self.stack[-1]
        if self.current and not file.has_ns:
            file.has_ns = True
            scope.ns.clear()
        name = _dotted(name)
        scope.ns[name] = address
        scope.settings["primary_ns"] = scope.settings.get("primary_ns") or name
        from_text(name)
        if address is not None:
            _check_address(address)

    def _load(self, name: str) -> tuple[_File, bytes]:
        path = self._find(name)
        try:
            return _File(name, path), self._octets(path)
        except OSError as error:
            expected = f"must name a readable file: {_reason(error)}"
            raise ConfigError(self._here(expected, json.dumps(name))) from error

    def _find(self, name: str) -> Path:
        """Where `name` is: in the directory, else beside the file that names it."""
        beside = self.stack[-1].path.parent / name
        there = self.directory / name
        return beside if os.path.exists(beside) and not os.path.exists(there) else there

    def _octets(self, path: Path) -> bytes:
        # The time is taken before the content: a change in between is seen by the next check.
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError("not a regular file")
        self.mtimes_ns[path] = status.st_mtime_ns
        return path.read_bytes()

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

    def _finish_base(self, scope: _Scope) -> Base:
        ns = scope.ns or self.defaults.ns
        primary_ns = self._primary_ns(scope)
        if not primary_ns:
            self.problems.append(Problem(scope.file, scope.place, "default primary_ns needed but not set"))
        if not ns:
            expected = f"no ns configured in the config file for base {scope.name}"
            self.problems.append(Problem(scope.file, scope.place, expected))
        self.problems += _resolve_hosts(scope)
        mtime_ns = max(self.mtimes_ns[path] for path in scope.files)
        return Base(
            name=scope.name,
            # Zero is not set, as for Perl.
            ttl=scope.settings.pop("ttl", 0) or _default_number(self.defaults, "ttl") or DEFAULT_TTL,
            serial=scope.settings.pop("serial", 0) or _seconds(mtime_ns) or self._default_serial(),
            primary_ns=primary_ns,
            ns=dict(sorted(ns.items(), key=lambda item: _dotted(item[0]) != _dotted(primary_ns))),
            mtime_ns=mtime_ns,
            max_hosts=scope.settings.pop("max_hosts", 0) or None,
            settings={key: value for key, value in scope.settings.items() if key not in _INTERNAL_KEYS},
            data=scope.data,
            files=tuple(dict.fromkeys(scope.files)),
        )

    def _primary_ns(self, scope: _Scope) -> str:
        own = scope.settings.get("primary_ns") or min(scope.ns, default="")
        return str(own or self.defaults.settings.get("primary_ns", ""))

    def _default_serial(self) -> int:
        return _default_number(self.defaults, "serial") or _seconds(max(self.mtimes_ns.values()))


def _default_number(defaults: _Scope, keyword: str) -> int:
    """A number from before the first base; whatever is none counts as not set (P20)."""
    text = defaults.settings.get(keyword, "")
    return int(text) if re.fullmatch("[0-9]{1,10}", text) else 0


def _internal_bases() -> dict[str, Base]:
    ns = "ns.pgeodns."
    return {name: Base(name, 1, 1, ns, {ns: None}, is_internal=True) for name in ("bind.", "pgeodns.")}


def _add_host(scope: _Scope, line: str) -> None:
    """Take a host line: `[10...] HOST IP GROUP [GROUP ...]`."""
    host, *rest = _SPACES.split(_WEIGHT_PREFIX.sub("", line, count=1) if line.startswith("10") else line)
    if len(rest) < 2:
        raise ValueProblem("Bad configuration line: must be HOST IP GROUP [GROUP ...]", json.dumps(line))
    address, *groups = rest
    _check_address(address)
    rrtype = "aaaa" if ":" in address else "a"
    scope.hosts.setdefault(_dotted(host), {})[rrtype] = address
    for group in groups:
        label = "" if group == "@" else group
        relative_from_text(label)
        scope.data.setdefault(label, {}).setdefault(rrtype, []).append([_dotted(host), 1])


def _resolve_hosts(scope: _Scope) -> Iterator[Problem]:
    """Replace the hosts in a and aaaa by their addresses, in place."""
    for label, types in scope.data.items():
        for rrtype in ("a", "aaaa"):
            records = types.get(rrtype)
            for at, record in enumerate(records if isinstance(records, list) else ()):
                try:
                    _resolve_record(record, rrtype, scope.hosts)
                except ValueProblem as problem:
                    place = f"data.{json.dumps(label)}.{rrtype}[{at}]"
                    yield Problem(scope.json_file, place, problem.expected, problem.found)


def _resolve_record(record: Any, rrtype: str, hosts: dict[str, dict[str, str]]) -> None:
    """[host, weight] or {"ip": host}; other shapes are for the reader of zones to judge."""
    keys: tuple[Any, ...] = ("ip", rrtype) if isinstance(record, dict) else ()
    for key in (0,) if isinstance(record, list) and record else keys:
        if isinstance(record, list) or key in record:
            record[key] = _resolve(record[key], rrtype, hosts)


def _resolve(host: object, rrtype: str, hosts: dict[str, dict[str, str]]) -> object:
    if not isinstance(host, str):
        return host
    # The table first: its keys end with a dot, so no address is in it, and most entries come from host lines.
    if host not in hosts and _is_address(host):
        return host
    address = hosts.get(_dotted(host), {}).get(rrtype)
    if address is None:
        raise ValueProblem(
            f"must be an address or a host with an {rrtype.upper()} record in this base", json.dumps(host)
        )
    return address


# -- JSON data


def _fill_from_json(scope: _Scope, file: str, octets: bytes) -> None:
    """Take a JSON file's settings; raises ConfigError with every problem of the file."""
    settings = parse_relaxed(octets, file)
    if not isinstance(settings, dict):
        raise ConfigError(Problem(file, "", "must be a JSON object"))
    problems = []
    scope.json_file = file
    for key, take in _TAKERS.items():
        if settings.get(key) is None:
            settings.pop(key, None)
            continue
        try:
            take(scope, settings.pop(key))
        except ValueProblem as problem:
            problems.append(Problem(file, key, problem.expected, problem.found))
    scope.settings.update(settings)
    if problems:
        raise ConfigError(*problems)


def _taker_of_number(key: str) -> Callable[[_Scope, Any], None]:
    def take(scope: _Scope, value: Any) -> None:
        scope.settings[key] = _integer(value, key)

    return take


def _take_primary_ns(scope: _Scope, value: Any) -> None:
    if not isinstance(value, str):
        _refuse("must be a string", value)
    scope.settings["primary_ns"] = value


def _take_data(scope: _Scope, value: Any) -> None:
    if not isinstance(value, dict):
        _refuse("must be an object of labels", value)
    for label, types in value.items():
        if not isinstance(types, dict):
            _refuse(f"label {json.dumps(label)} must be an object", types)
    apex = value.get("", {})
    apex.pop("soa", None)
    scope.ns = _name_servers(apex.pop("ns", None))
    scope.data = value


def _name_servers(value: Any) -> NameServers:
    """NS of the apex in any of geodns's forms: text, list of texts, object name -> address or null."""
    if value is None:
        return {}
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, (list, dict)) or not all(isinstance(name, str) for name in names):
        _refuse("ns must be a string, a list of strings or an object", value)
    return dict(names) if isinstance(names, dict) else dict.fromkeys(names)


_TAKERS: Mapping[str, Callable[[_Scope, Any], None]] = {
    **{key: _taker_of_number(key) for key in _LIMITS},
    "primary_ns": _take_primary_ns,
    "data": _take_data,
}

_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_COMMENT = re.compile(rf"({_STRING})|#[^\r\n]*", re.DOTALL)
# The end of a value, and the comma behind it if nothing but a closing bracket follows.
_VALUE_END = re.compile(rf"((?:{_STRING}|[\]}}]|[^\s,:\[\]{{}}\"]+)\s*)(,(?=\s*[\]}}]))?", re.DOTALL)


def blank_out(text: str) -> str:
    """Replace what JSON::relaxed allows beyond JSON by spaces: `#` comments and trailing commas.

    Strings are not touched, and every character keeps its place, so that errors name the right column.

    >>> blank_out('{"a#": [1, ], } # b')
    '{"a#": [1  ]  }    '
    """
    without_comments = _COMMENT.sub(lambda match: match[1] or " " * len(match[0]), text)
    return _VALUE_END.sub(lambda match: match[1] + (" " if match[2] else ""), without_comments)


def parse_relaxed(octets: bytes, file: str) -> Any:
    """Decode JSON with the liberties of JSON::relaxed; raises ConfigError with line and column."""
    try:
        text = octets.decode("utf-8").removeprefix("\ufeff")
        with contextlib.suppress(json.JSONDecodeError):
            return _decode(text)  # most files are plain JSON, and cleaning takes longer than decoding
        return _decode(blank_out(text))
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        column = error.start - octets.rfind(b"\n", 0, error.start)
        problem = Problem(file, f"line {line} column {column}", "must be UTF-8 text")
    except json.JSONDecodeError as error:
        problem = Problem(file, f"line {error.lineno} column {error.colno}", f"must be JSON: {error.msg}")
    except RecursionError:
        problem = Problem(file, "", "must be JSON that is not nested so deep")
    except ValueError as error:  # a number of thousands of digits
        problem = Problem(file, "", f"must be JSON: {error}")
    except ValueProblem as error:
        problem = Problem(file, "", error.expected, error.found)
    raise ConfigError(problem)


def _decode(text: str) -> Any:
    return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)


def _refuse_constant(text: str) -> NoReturn:
    raise ValueProblem("must be JSON, which has finite numbers only", text)


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse_constant(text)


# -- values


def _refuse(expected: str, found: object) -> NoReturn:
    raise ValueProblem(expected, json.dumps(found)[:80])


def _dotted(name: str) -> str:
    return name if name.endswith(".") else name + "."


def _integer(value: object, key: str) -> int:
    """A number as geodns takes it: truncated if it has a fraction, also as decimal text."""
    limit = _LIMITS[key]
    is_text = isinstance(value, str) and re.fullmatch("[0-9]{1,10}", value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    number = int(value) if is_text or is_number else -1  # type: ignore[call-overload]
    if not 0 <= number <= limit:
        _refuse(f"{key} must be an integer from 0 to {limit}", value)
    return int(number)


def _seconds(nanoseconds: int) -> int:
    return nanoseconds // 10**9


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text  # fe80::1%eth0 means something on one machine only


def _check_address(text: str) -> None:
    if not _is_address(text):
        _refuse("must be an IP address", text)


def _check_utf8(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        _refuse("must be UTF-8 text", text)


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


# -- writing


def _document(base: Base) -> dict[str, object]:
    """A base as geodns JSON; the first NS is the MNAME of the SOA, so it is primary_ns."""
    apex = {"ns": dict(base.ns), **base.data.get("", {})}
    max_hosts = {} if base.max_hosts is None else {"max_hosts": base.max_hosts}
    return {
        "ttl": base.ttl,
        "serial": base.serial,
        **max_hosts,
        **base.settings,
        "mtime": _seconds(base.mtime_ns),
        "data": {"": apex, **{label: types for label, types in base.data.items() if label}},
    }


def _output_paths(names: Mapping[str, object], outdir: Path) -> dict[str, Path]:
    """Where each base goes; raises ConfigError for a name that cannot be a file's in a zone directory."""
    bad = [name for name in names if not name or name.startswith(".") or "/" in name]
    if bad:
        expected = "base must have a name that can be a file name"
        raise ConfigError(*[Problem(str(outdir), "", expected, json.dumps(name)) for name in bad])
    return {name: outdir / f"{name}.json" for name in names}


def _is_newer(base: Base, output: Path) -> bool:
    try:
        return base.mtime_ns > output.stat().st_mtime_ns
    except OSError:
        return True


def _ensure_directory(outdir: Path) -> None:
    try:
        outdir.mkdir(exist_ok=True)
    except OSError as error:
        raise ConfigError(Problem(str(outdir), "", f"must be a directory: {_reason(error)}")) from error


def _write(output: Path, document: dict[str, object]) -> None:
    """Write by a temporary file, so that a server that watches the directory never sees half a zone."""
    temporary = output.with_name(f".{output.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="ascii") as stream:
            stream.write(_readable(document))
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(output)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise ConfigError(Problem(str(output), "", f"must be writable: {_reason(error)}")) from error


def _readable(document: dict[str, object]) -> str:
    """JSON with one line per setting and per label, in the order of the configuration."""
    settings = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in document.items() if key != "data"]
    labels: Any = document["data"]
    lines = [f"    {json.dumps(label)}: {json.dumps(types)}" for label, types in labels.items()]
    return "{\n" + ",\n".join([*settings, '  "data": {\n' + ",\n".join(lines) + "\n  }"]) + "\n}\n"
