"""One base of a pgeodns.conf while it is collected: host lines and JSON data -> labels with addresses.

Loading side, without I/O: `pgeodns` walks the files and hands in lines and octets. What a record may hold is not
judged here, except what no other reader sees: names of hosts, groups and name servers, addresses, settings.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from .codes import SERIAL_MAX, TTL_MAX
from .errors import ConfigError, Problem, ValueProblem
from .found import shown
from .name import relative_from_text
from .relaxedjson import parse_relaxed

BLANK = " \t\n\r\f\v"  # what \s is to Perl on octets; str.strip() would take more
SPACES = re.compile(f"[{BLANK}]+")
LIMITS = {"ttl": TTL_MAX, "serial": SERIAL_MAX, "max_hosts": 2**31 - 1}
_WEIGHT_PREFIX = re.compile(f"10+[{BLANK}]+")

NameServers = dict[str, str | None]
Labels = dict[str, dict[str, Any]]


@dataclass
class Scope:
    """What is collected for one base, or before the first one.

    file, place  where the base is opened
    ns           name -> address or None
    data         label -> record types as in geodns JSON, hosts not yet replaced
    hosts        name -> record type -> address
    files        all that the base was read from
    json_file    as the configuration names it; empty without
    """

    name: str
    file: str
    place: str
    settings: dict[str, Any] = field(default_factory=dict)
    ns: NameServers = field(default_factory=dict)
    data: Labels = field(default_factory=dict)
    hosts: dict[str, dict[str, str]] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    json_file: str = ""


# -- host lines


def add_host(scope: Scope, line: str) -> None:
    """Take a host line: `[10...] HOST IP GROUP [GROUP ...]`; raises ValueProblem."""
    host, *rest = SPACES.split(_WEIGHT_PREFIX.sub("", line, count=1) if line.startswith("10") else line)
    if len(rest) < 2:
        raise ValueProblem("Bad configuration line: must be HOST IP GROUP [GROUP ...]", shown(line))
    address, *groups = rest
    check_address(address)
    rrtype = "aaaa" if ":" in address else "a"
    scope.hosts.setdefault(dotted(host), {})[rrtype] = address
    for group in groups:
        label = "" if group == "@" else group
        relative_from_text(label)
        scope.data.setdefault(label, {}).setdefault(rrtype, []).append([dotted(host), 1])


def resolve_hosts(scope: Scope) -> Iterator[Problem]:
    """Replace the hosts in a and aaaa by their addresses, in place."""
    for label, types in scope.data.items():
        for rrtype in ("a", "aaaa"):
            records = types.get(rrtype)
            for at, record in enumerate(records if isinstance(records, list) else ()):
                try:
                    _resolve_record(record, rrtype, scope.hosts)
                except ValueProblem as problem:
                    place = f"data.{shown(label)}.{rrtype}[{at}]"
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
    address = hosts.get(dotted(host), {}).get(rrtype)
    if address is None:
        raise ValueProblem(f"must be an address or a host with an {rrtype.upper()} record in this base", shown(host))
    return address


# -- JSON data


def fill_from_json(scope: Scope, file: str, octets: bytes) -> None:
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


def _taker_of_number(key: str) -> Callable[[Scope, Any], None]:
    def take(scope: Scope, value: Any) -> None:
        scope.settings[key] = read_limited(value, key)

    return take


def _take_primary_ns(scope: Scope, value: Any) -> None:
    if not isinstance(value, str):
        _refuse("must be a string", value)
    scope.settings["primary_ns"] = value


def _take_data(scope: Scope, value: Any) -> None:
    if not isinstance(value, dict):
        _refuse("must be an object of labels", value)
    for label, types in value.items():
        if not isinstance(types, dict):
            _refuse(f"label {shown(label)} must be an object", types)
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


_TAKERS: Mapping[str, Callable[[Scope, Any], None]] = {
    **{key: _taker_of_number(key) for key in LIMITS},
    "primary_ns": _take_primary_ns,
    "data": _take_data,
}


# -- values


def dotted(name: str) -> str:
    """A name with a final dot.

    >>> dotted("example.com"), dotted("example.com.")
    ('example.com.', 'example.com.')
    """
    return name if name.endswith(".") else name + "."


def read_limited(value: object, key: str) -> int:
    """One of LIMITS as geodns takes a number: truncated if it has a fraction, also as decimal text.

    Raises ValueProblem. Without a sign, unlike in zone files.
    """
    limit = LIMITS[key]
    is_text = isinstance(value, str) and re.fullmatch("[0-9]{1,10}", value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    number = int(value) if is_text or is_number else -1  # type: ignore[call-overload]
    if not 0 <= number <= limit:
        _refuse(f"{key} must be an integer from 0 to {limit}", value)
    return int(number)


def check_address(text: str) -> None:
    """Raises ValueProblem for what is no IPv4 or IPv6 address."""
    if not _is_address(text):
        _refuse("must be an IP address", text)


def check_utf8(text: str) -> None:
    """Raises ValueProblem for text with octets in it that were not UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        _refuse("must be UTF-8 text", text)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text  # fe80::1%eth0 means something on one machine only


def _refuse(expected: str, found: object) -> NoReturn:
    raise ValueProblem(expected, shown(found))
