"""One label of zone JSON -> a checked label source: every error of the label at once, each with its place.

Loading side, without I/O. A zone may have 100,000 of these: the place of a label, and the readers of what few labels
have, are made only where they are needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from . import name
from .codes import ADDRESS_TYPES, NAME_OCTETS, TCP_MESSAGE_OCTETS, TTL_MAX, RRType
from .errors import Problem, ValueProblem
from .fields import member_place, read_integer
from .found import shown
from .jsontext import Keys
from .rdata import TYPE_KEYS, Records, read_records, rrtype_of_key
from .usual import UsualReader

Value = TypeVar("Value")

MAX_HOSTS_LIMIT = 2**31 - 1
_LABEL_KEYS = frozenset("ttl max_hosts closest health alias".split())
_USUAL_KEYS = _LABEL_KEYS.union(TYPE_KEYS)
# Header, the longest question and an OPT; each record needs at least 12 octets beside its rdata.
_RRSET_OCTETS = TCP_MESSAGE_OCTETS - 600
_RECORD_OCTETS = 12
# A key that is its own text in lower case, each part short enough for a label: no escapes, no final dot.
_PLAIN_KEY = re.compile(r"[0-9a-z_-]{1,63}(?:\.[0-9a-z_-]{1,63})*")
_NO_TTLS: Mapping[int, int] = MappingProxyType({})


class LabelSource(NamedTuple):
    """One label of the file, checked. A tuple: of a large zone there are many, and it is made in a fifth of the time.

    relative    its name below the origin, lower-cased
    ttl         seconds; None where the zone's counts (0 in the file does too, G080)
    type_ttls   by type, where `ttl` is an object
    alias       relative name; None without
    is_checked  whether records with a failed health check are left out (G170)
    """

    text: str
    relative: bytes
    records: tuple[Records, ...]
    ttl: int | None
    type_ttls: Mapping[int, int]
    max_hosts: int | None
    closest: bool | None
    alias: bytes | None
    is_checked: bool


class Telling:
    """Collects what is wrong with a file while somebody reads on."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.errors: list[Problem] = []
        self.warnings: list[Problem] = []

    def error(self, place: str, problem: ValueProblem) -> None:
        self.errors.append(Problem(self.file, place, problem.expected, problem.found))

    def warn(self, place: str, problem: ValueProblem) -> None:
        self.warnings.append(Problem(self.file, place, problem.expected, problem.found))

    def attempt(self, place: str, read: Callable[[], Value], default: Value) -> Value:
        """What `read` returns; `default` and one more error if it cannot."""
        try:
            return read()
        except ValueProblem as problem:
            self.error(place, problem)
            return default

    def read_closest(self, place: str, members: Mapping[str, object]) -> bool | None:
        value = members.get("closest")
        if isinstance(value, bool):
            return value
        if "closest" in members:
            self.error(place, ValueProblem("closest must be true or false", shown(value)))
        return None

    def note_keys(self, place: str, members: Mapping[str, object], unknown: Iterable[str]) -> None:
        """Warn of what geodns would silently ignore: repeated and unknown keys."""
        if isinstance(members, Keys):
            for key in members.repeated:
                self.warn(below(place, key), ValueProblem("is there more than once: the last one counts"))
        for key in unknown:
            self.warn(below(place, key), ValueProblem("is not a known key, and is ignored"))


def below(place: str, key: str) -> str:
    """The place of a member; at the top of the file no dot comes before it."""
    return (place + member_place(key)).removeprefix(".")


def label_place(key: str) -> str:
    """The place of a label.

    >>> label_place("www.dk")
    'data."www.dk"'
    """
    return f"data.{shown(key)}"


class LabelReader:
    """Reads the labels of one zone, one at a time, and tells what is wrong with them.

    usual  what reads most records
    key    of the label that is being read; `type_key` of the records there
    """

    def __init__(self, telling: Telling, origin: bytes, usual: UsualReader) -> None:
        self.telling = telling
        self.origin = origin
        self.usual = usual
        self.key = ""
        self.type_key = ""

    @property
    def place(self) -> str:
        """Of the label being read. Made when there is something to tell."""
        return label_place(self.key)

    def read(self, key: str, members: object) -> LabelSource | None:
        """What a key of `data` and its value hold; None if that is no label."""
        self.key = key
        text, relative = self.read_key()
        if not isinstance(members, dict):
            self.error("", ValueProblem("a label must be an object", shown(members)))
            return None
        if relative is None:
            return None
        self.note_keys(members)
        ttl, type_ttls = self.read_ttl(members["ttl"]) if "ttl" in members else (0, _NO_TTLS)
        return LabelSource(
            text,
            relative,
            self.read_all_records(members, relative),
            ttl or None,
            type_ttls,
            self.read_max_hosts(members["max_hosts"]) if "max_hosts" in members else None,
            self.telling.read_closest(f"{self.place}.closest", members) if "closest" in members else None,
            self.read_alias(members["alias"]) if "alias" in members else None,
            self.read_health(members["health"]) if "health" in members else False,
        )

    def error(self, at: str, problem: ValueProblem) -> None:
        self.telling.error(self.place + at, problem)

    def records_error(self, at: str, problem: ValueProblem) -> None:
        self.telling.error(f"{self.place}.{self.type_key}{at}", problem)

    def records_warn(self, at: str, problem: ValueProblem) -> None:
        self.telling.warn(f"{self.place}.{self.type_key}{at}", problem)

    def read_key(self) -> tuple[str, bytes | None]:
        """The label's text, lower-cased, and its name; None if it is none, which is told."""
        if _PLAIN_KEY.fullmatch(self.key):
            relative = name.from_labels(self.key.encode().split(b"."))
            if len(relative) + len(self.origin) <= NAME_OCTETS:
                return self.key, relative
        try:
            relative = _relative(self.key, self.origin)
        except ValueProblem as problem:
            self.error("", problem)
            return "", None
        return name.relative_text(relative), relative

    def note_keys(self, members: Mapping[str, object]) -> None:
        if members.keys() <= _USUAL_KEYS and not isinstance(members, Keys):
            return
        unknown = [key for key in members if key not in _LABEL_KEYS and rrtype_of_key(key) is None]
        self.telling.note_keys(self.place, members, unknown)

    def read_ttl(self, value: object) -> tuple[int, Mapping[int, int]]:
        """A number for all types, or an object with one for some."""
        place = f"{self.place}.ttl"
        if not isinstance(value, dict):
            return self.read_seconds(place, value), _NO_TTLS
        type_ttls = {}
        for key, seconds in value.items():
            rrtype = rrtype_of_key(key)
            if rrtype is None:
                self.telling.warn(below(place, key), ValueProblem("is not a known record type, and is ignored"))
            else:
                type_ttls[rrtype] = self.read_seconds(f"{place}.{key}", seconds)
        return 0, type_ttls

    def read_seconds(self, place: str, value: object) -> int:
        return self.telling.attempt(place, lambda: read_integer(value, "ttl", 0, TTL_MAX), 0)

    def read_max_hosts(self, value: object) -> int | None:
        return self.telling.attempt(
            f"{self.place}.max_hosts", lambda: read_integer(value, "max_hosts", 0, MAX_HOSTS_LIMIT), None
        )

    def read_alias(self, value: object) -> bytes | None:
        """The first string counts (G135); an empty list is none."""
        place = f"{self.place}.alias"
        target = value[0] if isinstance(value, list) and value else value
        if target is None or target == []:
            return None
        if not isinstance(target, str):
            self.telling.error(place, ValueProblem("alias must be a label of this zone, as a string", shown(value)))
            return None
        return self.telling.attempt(place, lambda: name.relative_from_text(target).lower(), None)

    def read_health(self, value: object) -> bool:
        """Records are left out by health only where the label names a check or its type (G170)."""
        if value is not None and not isinstance(value, dict):
            self.error(".health", ValueProblem("health must be an object", shown(value)))
        return isinstance(value, dict) and bool(value.get("name") or value.get("type"))

    def read_all_records(self, members: Mapping[str, object], relative: bytes) -> tuple[Records, ...]:
        found = []
        seen: set[int] = set()
        for key, value in members.items():
            rrtype = rrtype_of_key(key)
            # A key with null is skipped, as if it were not there (G051).
            if rrtype is None or value is None:
                continue
            self.type_key = key
            if rrtype in seen:
                self.records_error("", ValueProblem("a record type must have only one key"))
            seen.add(rrtype)
            records = self.usual.read(key, value)
            if records is None:
                records = read_records(key, value, self.origin, self.records_error, self.records_warn)
            if not relative and rrtype == RRType.NS and value in ([], {}):
                # G065
                self.records_error("", ValueProblem("the apex must have a name server where it has ns", shown(value)))
            if records is not None and self.fits(records):
                found.append(records)
        return tuple(found)

    def fits(self, records: Records) -> bool:
        """An RRset that is always answered whole must fit into a message; of a weighted one as many as fit are."""
        if records.rrtype in ADDRESS_TYPES or (records.weights is not None and any(records.weights)):
            return True
        octets = sum([len(rdata) + _RECORD_OCTETS for rdata in records.rdatas])
        if octets <= _RRSET_OCTETS:
            return True
        problem = ValueProblem(f"records must fit into {_RRSET_OCTETS} octets together", f"{octets} octets")
        self.records_error("", problem)
        return False


def _relative(key: str, origin: bytes) -> bytes:
    relative = name.relative_from_text(key).lower()
    if len(relative) + len(origin) > NAME_OCTETS:
        raise ValueProblem(f"a name must have at most {NAME_OCTETS} octets, the zone's own included")
    return relative
