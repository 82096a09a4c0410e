"""Zone JSON -> a checked zone source: every error of the file at once, each with its place.

Loading side, but without I/O: the file's octets come in. What geodns silently ignores comes back as warnings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import NamedTuple

from . import name
from .codes import SERIAL_MAX, TTL_MAX, RRType
from .errors import ConfigError, Problem, ValueProblem
from .fields import read_integer
from .found import shown
from .jsontext import Keys, LazyObject, parse_json, parse_json_lazily
from .levels import ANYONE, CONTINENT, COUNTRY
from .targeting import level_of_target, parse_targeting
from .usual import UsualReader
from .zonelabel import MAX_HOSTS_LIMIT, LabelReader, LabelSource, Telling, label_place

DEFAULT_TTL = 120  # G041
DEFAULT_MAX_HOSTS = 2  # G041
# To look through the text first, for where each label is, takes half as long again as to read it. What that saves, ten
# octets for one of the file, is worth it from here on.
LARGE_OCTETS = 1_000_000
# `mtime` has no effect, but every file converted from pgeodns has it (P40).
_ZONE_KEYS = frozenset("ttl serial contact max_hosts closest targeting logging data mtime".split())
_LOGGING_KEYS = frozenset(("stathat", "stathat_api"))


class ZoneSource(NamedTuple):
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
    start = at = 0
    while at < len(relative):
        start = at
        at += 1 + relative[at]
    # A label of letters, digits and hyphens, or an address: of what is neither, it does not matter how it reads.
    target = relative[start + 1 :].decode("latin-1")
    if target[-1:] == "]":
        start = _bracket_start(relative, start)
        # As text, an escaped octet is no part of any target: neither is a dot inside of a label.
        target = name.relative_text(relative[start:])
    if not level_of_target(target, levels & ~ANYONE):
        return None
    return Variant(relative[:start], target.encode())


def _bracket_start(relative: bytes, last: int) -> int:
    """Where the last label begins that opens a bracket (G091); `last` if none does."""
    bracket, at = last, 0
    while at < len(relative):
        if relative[at + 1 : at + 2] == b"[":
            bracket = at
        at += 1 + relative[at]
    return bracket


def is_cut(label: LabelSource, levels: int) -> bool:
    """Whether a label delegates: it has NS, below the apex, at no wildcard, beside no alias, as no variant."""
    if RRType.NS not in [records.rrtype for records in label.records]:
        return False
    if not label.relative or label.alias is not None or label.relative[:2] == b"\x01*":
        return False
    return variant_of(label.relative, levels) is None


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
    return read_document(parse_document(octets, file), text, file, mtime)


def parse_document(octets: bytes, file: str) -> object:
    """The document of a zone file; of a large one the labels stay in the text until they are read.

    Raises ConfigError.
    """
    return parse_json_lazily(octets, file, "data") if len(octets) >= LARGE_OCTETS else parse_json(octets, file)


def read_document(document: object, text: str, file: str, mtime: int) -> tuple[ZoneSource, list[Problem]]:
    """Like `parse_zone`, from a document already parsed."""
    reader = ZoneReader(document, text, file, mtime)
    labels = {label.relative: label for label in reader.read_labels()}
    reader.check()
    return reader.source._replace(labels=tuple(labels.values())), reader.warnings


class ZoneReader(Telling):
    """Reads one zone from a document, its labels one by one, and collects what is wrong while it reads on.

    source  the zone, still without labels
    """

    def __init__(self, document: object, text: str, file: str, mtime: int) -> None:
        super().__init__(file)
        self._zone: Mapping[str, object] = {}
        origin = self.attempt("", lambda: name.from_text(text).lower(), name.ROOT)
        if isinstance(document, dict):
            self._zone = document
        else:
            self.error("", ValueProblem("a zone must be a JSON object", shown(document)))
        self.source = self.read_zone(self._zone, origin, text, mtime)

    def check(self) -> None:
        """Raise ConfigError if anything read so far was wrong."""
        if self.errors:
            raise ConfigError(*self.errors, warnings=tuple(self.warnings))

    # -- the zone

    def read_zone(self, zone: Mapping[str, object], origin: bytes, text: str, mtime: int) -> ZoneSource:
        self.note_keys("", zone, [key for key in zone if key not in _ZONE_KEYS])
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
            max_hosts=self.read_number(zone, "max_hosts", DEFAULT_MAX_HOSTS, MAX_HOSTS_LIMIT),
            closest=self.read_closest("closest", zone) or False,
            levels=self.attempt("targeting", lambda: parse_targeting(targeting), 0),
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

    def check_logging(self, zone: Mapping[str, object]) -> None:
        """Read for its form alone: it has no effect in geodns either (G046)."""
        if "logging" not in zone:
            return
        logging = zone["logging"]
        if not isinstance(logging, dict):
            self.error("logging", ValueProblem("logging must be an object", shown(logging)))
        else:
            self.note_keys("logging", logging, [key for key in logging if key not in _LOGGING_KEYS])

    # -- labels

    def read_labels(self) -> Iterator[LabelSource]:
        """The labels of the zone; of those with the same name the last one counts. Raises ConfigError."""
        labels = self._zone.get("data", {})
        if not isinstance(labels, (dict, LazyObject)):
            self.error("data", ValueProblem("data must be an object of labels", shown(labels)))
            return
        if isinstance(labels, (Keys, LazyObject)):
            for key in labels.repeated:
                self.warn(label_place(key), ValueProblem("is there more than once: the last one counts"))
        # Of a large file nothing more is kept than what is made of it.
        usual = UsualReader(remembers=not isinstance(labels, LazyObject))
        reader = LabelReader(self, self.source.origin, usual)
        seen: set[bytes] = set()
        for key, members in labels.items():
            label = reader.read(key, members)
            if label is None:
                continue
            if label.relative in seen:
                self.warn(
                    label_place(key),
                    ValueProblem("is equal to an earlier label after lower-casing: this last one counts"),
                )
            seen.add(label.relative)
            yield label
