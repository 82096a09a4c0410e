"""Zone JSON -> a checked zone source: every error of the file at once, each with its place.

Loading side, but without I/O: the file's octets come in. What geodns silently ignores comes back as warnings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import NamedTuple, TypeVar

from . import name
from .codes import ADDRESS_TYPES, NAME_OCTETS, SERIAL_MAX, TCP_MESSAGE_OCTETS, TTL_MAX, RRType
from .errors import ConfigError, Problem, ValueProblem
from .fields import member_place, read_integer
from .found import shown
from .jsontext import Keys, parse_json
from .levels import ANYONE, CONTINENT, COUNTRY
from .rdata import Records, read_records, rrtype_of_key
from .targeting import level_of_target, parse_targeting

Value = TypeVar("Value")

DEFAULT_TTL = 120  # G041
DEFAULT_MAX_HOSTS = 2  # G041
_MAX_HOSTS_LIMIT = 2**31 - 1
# `mtime` has no effect, but every file converted from pgeodns has it (P40).
_ZONE_KEYS = frozenset("ttl serial contact max_hosts closest targeting logging data mtime".split())
_LABEL_KEYS = frozenset("ttl max_hosts closest health alias".split())
# Header, the longest question and an OPT; each record needs at least 12 octets beside its rdata.
_RRSET_OCTETS = TCP_MESSAGE_OCTETS - 600
_RECORD_OCTETS = 12


@dataclass(frozen=True)
class LabelSource:
    """One label of the file, checked.

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

    @property
    def rrtypes(self) -> set[int]:
        """The types that it has records of."""
        return {records.rrtype for records in self.records}


@dataclass(frozen=True)
class ZoneSource:
    """One zone file, checked; `contact` is the SOA's RNAME, `levels` its targeting as bits."""

    text: str
    origin: bytes
    file: str
    serial: int
    contact: bytes
    ttl: int = DEFAULT_TTL
    max_hosts: int = DEFAULT_MAX_HOSTS
    closest: bool = False
    levels: int = ANYONE | COUNTRY | CONTINENT
    labels: tuple[LabelSource, ...] = ()


class Variant(NamedTuple):
    """Of which shorter name a label is a variant, and for the clients of which target."""

    base: bytes
    target: bytes


def variant_of(relative: bytes, levels: int) -> Variant | None:
    """What a label is a variant of, in a zone that targets `levels`; None if it is a plain name alone."""
    start = _target_start(relative)
    # As text, an escaped octet is no part of any target: neither is a dot inside of a label.
    target = name.relative_text(relative[start:])
    if not level_of_target(target, levels & ~ANYONE):
        return None
    return Variant(relative[:start], target.encode())


def _target_start(relative: bytes) -> int:
    """Where the last label begins; where it closes a bracket, the last one that begins with an opening one (G091)."""
    last, bracket = 0, None
    at = 0
    while at < len(relative):
        last = at
        if relative[at + 1 : at + 2] == b"[":
            bracket = at
        at += 1 + relative[at]
    return bracket if bracket is not None and relative.endswith(b"]") else last


def is_cut(label: LabelSource, levels: int) -> bool:
    """Whether a label delegates: it has NS, below the apex, at no wildcard, beside no alias, as no variant."""
    if not label.relative or label.alias is not None or label.relative[:2] == b"\x01*":
        return False
    return RRType.NS in label.rrtypes and variant_of(label.relative, levels) is None


def zone_name(path: PurePath) -> str:
    """The zone of a file: its name up to the last dot, used as it is (G031).

    >>> zone_name(PurePath("zones/1.168.192.in-addr.arpa.json"))
    '1.168.192.in-addr.arpa'
    """
    return path.name.rpartition(".")[0]


def parse_zone(octets: bytes, text: str, file: str, mtime: int) -> tuple[ZoneSource, list[Problem]]:
    """Read the octets of the zone file for `text`; `mtime`, in seconds, is the serial if the file has none (G041).

    Returns the source and warnings. Raises ConfigError with every error found.
    """
    return read_document(parse_json(octets, file), text, file, mtime)


def read_document(document: object, text: str, file: str, mtime: int) -> tuple[ZoneSource, list[Problem]]:
    """Like `parse_zone`, from a document already parsed."""
    reader = _Reader(file)
    source = reader.read_zone(document, text, mtime)
    if reader.errors:
        raise ConfigError(*reader.errors, warnings=tuple(reader.warnings))
    return source, reader.warnings


class _Reader:
    """Collects what is wrong while it reads on."""

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

    # -- the zone

    def read_zone(self, document: object, text: str, mtime: int) -> ZoneSource:
        origin = self.attempt("", lambda: _origin(text), name.ROOT)
        zone: Mapping[str, object] = {}
        if isinstance(document, dict):
            zone = document
        else:
            self.error("", ValueProblem("a zone must be a JSON object", shown(document)))
        self.note_keys("", zone, _ZONE_KEYS)
        self.check_logging(zone)
        contact = self.read_string(zone, "contact", f"hostmaster.{text}")
        targeting = self.read_string(zone, "targeting", "@ country continent")
        return ZoneSource(
            text=text,
            origin=origin,
            file=self.file,
            serial=self.read_number(zone, "serial", mtime & SERIAL_MAX, SERIAL_MAX),
            # G044: taken raw, with a final dot.
            contact=self.attempt("contact", lambda: name.from_text(contact), name.ROOT),
            ttl=self.read_number(zone, "ttl", DEFAULT_TTL, TTL_MAX),
            max_hosts=self.read_number(zone, "max_hosts", DEFAULT_MAX_HOSTS, _MAX_HOSTS_LIMIT),
            closest=self.read_closest("closest", zone) or False,
            levels=self.attempt("targeting", lambda: parse_targeting(targeting), 0),
            labels=tuple(self.read_labels(zone, origin)),
        )

    def read_number(self, zone: Mapping[str, object], key: str, default: int, high: int) -> int:
        if key not in zone:
            return default
        return self.attempt(key, lambda: read_integer(zone[key], key, 0, high), default)

    def read_string(self, zone: Mapping[str, object], key: str, default: str) -> str:
        value = zone.get(key, default)
        if isinstance(value, str):
            return value
        self.error(key, ValueProblem(f"{key} must be a string", shown(value)))
        return default

    def read_closest(self, place: str, members: Mapping[str, object]) -> bool | None:
        value = members.get("closest")
        if isinstance(value, bool):
            return value
        if "closest" in members:
            self.error(place, ValueProblem("closest must be true or false", shown(value)))
        return None

    def check_logging(self, zone: Mapping[str, object]) -> None:
        """Read for its form alone: it has no effect in geodns either (G046)."""
        logging = zone.get("logging", {})
        if not isinstance(logging, dict):
            self.error("logging", ValueProblem("logging must be an object", shown(logging)))
        else:
            self.note_keys("logging", logging, frozenset(("stathat", "stathat_api")))

    def note_keys(self, place: str, members: Mapping[str, object], known: frozenset[str]) -> None:
        """Warn of what geodns would silently ignore: repeated and unknown keys."""
        if isinstance(members, Keys):
            for key in members.repeated:
                self.warn(_below(place, key), ValueProblem("is there more than once: the last one counts"))
        for key in members:
            if key not in known:
                self.warn(_below(place, key), ValueProblem("is not a known key, and is ignored"))

    # -- labels

    def read_labels(self, zone: Mapping[str, object], origin: bytes) -> Iterator[LabelSource]:
        labels = zone.get("data", {})
        if not isinstance(labels, dict):
            self.error("data", ValueProblem("data must be an object of labels", shown(labels)))
            return
        if isinstance(labels, Keys):
            for key in labels.repeated:
                self.warn(f"data.{shown(key)}", ValueProblem("is there more than once: the last one counts"))
        sources: dict[bytes, LabelSource] = {}
        for key, members in labels.items():
            source = self.read_label(key, members, origin)
            if source is None:
                continue
            if source.relative in sources:
                self.warn(
                    f"data.{shown(key)}",
                    ValueProblem("is equal to an earlier label after lower-casing: this last one counts"),
                )
            sources[source.relative] = source
        yield from sources.values()

    def read_label(self, key: str, members: object, origin: bytes) -> LabelSource | None:
        place = f"data.{shown(key)}"
        relative = self.attempt(place, lambda: _relative(key, origin), None)
        if not isinstance(members, dict):
            self.error(place, ValueProblem("a label must be an object", shown(members)))
            return None
        if relative is None:
            return None
        self.note_label_keys(place, members)
        ttl, type_ttls = self.read_ttl(f"{place}.ttl", members.get("ttl", 0))
        return LabelSource(
            text=name.relative_text(relative),
            relative=relative,
            records=tuple(self.read_records(place, members, relative, origin)),
            ttl=ttl or None,
            type_ttls=type_ttls,
            max_hosts=self.read_max_hosts(f"{place}.max_hosts", members),
            closest=self.read_closest(f"{place}.closest", members),
            alias=self.read_alias(f"{place}.alias", members.get("alias")),
            is_checked=self.read_health(f"{place}.health", members.get("health")),
        )

    def note_label_keys(self, place: str, members: Mapping[str, object]) -> None:
        known = _LABEL_KEYS.union(key for key in members if rrtype_of_key(key) is not None)
        self.note_keys(place, members, known)

    def read_ttl(self, place: str, value: object) -> tuple[int, dict[int, int]]:
        """A number for all types, or an object with one for some."""
        if not isinstance(value, dict):
            return self.attempt(place, lambda: read_integer(value, "ttl", 0, TTL_MAX), 0), {}
        type_ttls = {}
        for key, seconds in value.items():
            rrtype = rrtype_of_key(key)
            if rrtype is None:
                self.warn(_below(place, key), ValueProblem("is not a known record type, and is ignored"))
            else:
                type_ttls[rrtype] = self.read_number_at(f"{place}.{key}", seconds)
        return 0, type_ttls

    def read_number_at(self, place: str, value: object) -> int:
        return self.attempt(place, lambda: read_integer(value, "ttl", 0, TTL_MAX), 0)

    def read_max_hosts(self, place: str, members: Mapping[str, object]) -> int | None:
        if "max_hosts" not in members:
            return None
        value = members["max_hosts"]
        return self.attempt(place, lambda: read_integer(value, "max_hosts", 0, _MAX_HOSTS_LIMIT), None)

    def read_alias(self, place: str, value: object) -> bytes | None:
        """The first string counts (G135); an empty list is none."""
        target = value[0] if isinstance(value, list) and value else value
        if target is None or target == []:
            return None
        if not isinstance(target, str):
            self.error(place, ValueProblem("alias must be a label of this zone, as a string", shown(value)))
            return None
        return self.attempt(place, lambda: name.relative_from_text(target).lower(), None)

    def read_health(self, place: str, value: object) -> bool:
        """Records are left out by health only where the label names a check or its type (G170)."""
        if value is not None and not isinstance(value, dict):
            self.error(place, ValueProblem("health must be an object", shown(value)))
        return isinstance(value, dict) and bool(value.get("name") or value.get("type"))

    def read_records(
        self, place: str, members: Mapping[str, object], relative: bytes, origin: bytes
    ) -> Iterator[Records]:
        seen: set[int] = set()
        for key, value in members.items():
            rrtype = rrtype_of_key(key)
            # A key with null is skipped, as if it were not there (G051).
            if rrtype is None or value is None:
                continue
            at = f"{place}.{key}"
            if rrtype in seen:
                self.error(at, ValueProblem("a record type must have only one key"))
            seen.add(rrtype)
            records = read_records(
                key,
                value,
                origin,
                lambda below, problem, at=at: self.error(at + below, problem),  # type: ignore[misc]
                lambda below, problem, at=at: self.warn(at + below, problem),  # type: ignore[misc]
            )
            if rrtype == RRType.NS and not relative and value in ([], {}):
                self.error(at, ValueProblem("the apex must have a name server where it has ns", shown(value)))  # G065
            if records is not None and self.fits(at, records):
                yield records

    def fits(self, place: str, records: Records) -> bool:
        """An RRset that is always answered whole must fit into a message; of a weighted one as many as fit are."""
        octets = sum([len(rdata) + _RECORD_OCTETS for rdata in records.rdatas])
        if octets <= _RRSET_OCTETS or (records.weights is not None and any(records.weights)):
            return True
        if records.rrtype in ADDRESS_TYPES:
            return True
        self.error(place, ValueProblem(f"records must fit into {_RRSET_OCTETS} octets together", f"{octets} octets"))
        return False


def _below(place: str, key: str) -> str:
    """The place of a member; at the top of the file no dot comes before it."""
    return (place + member_place(key)).removeprefix(".")


def _origin(text: str) -> bytes:
    return name.from_text(text).lower()


def _relative(key: str, origin: bytes) -> bytes:
    relative = name.relative_from_text(key).lower()
    if len(relative) + len(origin) > NAME_OCTETS:
        raise ValueProblem(f"a name must have at most {NAME_OCTETS} octets, the zone's own included")
    return relative
