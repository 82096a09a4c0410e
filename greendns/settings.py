"""Settings, each declared once: what it is called, how its value is read, and whether a reload takes it.

A setting is a dataclass field; its metadata says the rest. Reading greendns.toml, the commented sample and the text for
--help (`sample`) all come from that one declaration. Pure but for what looks at the machine: which directory exists
(`GeoipSettings.find`), how many cores there are (`ServerSettings.worker_count`).
"""

from __future__ import annotations

import ipaddress
import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_type_hints

from .codes import PLAIN_UDP_OCTETS, STRING_OCTETS, UDP_PAYLOAD_OCTETS
from .errors import Problem, ValueProblem
from .found import shown

# Where geodns looks when no directory is set, in its order.
GEOIP_DIRECTORIES = (
    "/usr/share/GeoIP/",
    "/usr/share/local/GeoIP/",
    "/usr/local/share/GeoIP/",
    "/opt/local/share/GeoIP/",
    "/opt/homebrew/var/GeoIP",
)
LOG_LEVELS = ("debug", "info", "warning", "error")
HTTP_OFF = "off"
EVERY_ADDRESS = "*"
AUTO = "auto"
# More processes than any machine has use for: a slip of the finger must not fork without end.
WORKERS_MAX = 256
# The kernel's default holds 256 queries, 3 ms of a burst (measured).
RECEIVE_BUFFER_OCTETS = 8 * 1024 * 1024
# Half of what the kernel can count in an int: it sets aside the double.
RECEIVE_BUFFER_OCTETS_MAX = 2**30 - 1
# Beyond 4096 octets nobody offers more, and fragments get lost (RFC 6891 section 6.2.5).
UDP_PAYLOAD_OCTETS_MAX = 4096
# More than a process can hold: each is a file descriptor, of which Linux gives one at most 1,048,576 (fs.nr_open).
CONNECTIONS_MAX = 1_000_000

Kind = Callable[[object], Any]


def parse_listen(text: str) -> tuple[str, int]:
    """Split ADDRESS:PORT; every address is "*", written `*:53` or `:53`; port 0 is a free port.

    Raises ValueProblem.

    >>> parse_listen("[::1]:53")
    ('::1', 53)
    """
    host, colon, port = text.rpartition(":")
    if not (colon and port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= 65535):
        raise ValueProblem('must be ADDRESS:PORT, such as "*:53" or "[::1]:53"', shown(text))
    return _parse_host(host, text), int(port)


def _parse_host(host: str, text: str) -> str:
    if host in ("", EVERY_ADDRESS):
        return EVERY_ADDRESS
    if host == "localhost":
        return "127.0.0.1"
    try:
        if host.startswith("[") and host.endswith("]"):
            return str(ipaddress.IPv6Address(host[1:-1]))
        return str(ipaddress.IPv4Address(host))
    except ValueError as error:
        raise ValueProblem(
            'must begin with an IPv4 address, an IPv6 address in brackets, or "*"', shown(text)
        ) from error


def _listen_list(value: object) -> tuple[str, ...]:
    if not (isinstance(value, (list, tuple)) and value and all(isinstance(one, str) for one in value)):
        raise ValueProblem('must be a list of at least one "ADDRESS:PORT"', shown(value))
    for one in value:
        parse_listen(one)
    return tuple(value)


def _listen_or_off(value: object) -> str:
    text = _text(value)
    if text != HTTP_OFF:
        parse_listen(text)
    return text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueProblem("must be a text", shown(value))
    return value


def _identifier(value: object) -> str:
    """What goes into a TXT record and into NSID (RFC 5001), and is read by people there."""
    text = _text(value)
    if len(text) > STRING_OCTETS or not (text.isascii() and text.isprintable()):
        raise ValueProblem(f"must be printable ASCII of at most {STRING_OCTETS} characters", shown(value))
    return text


def _secret(value: object) -> str:
    """A text that no message may show."""
    if not isinstance(value, str):
        raise ValueProblem("must be a text")
    return value


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueProblem("must be true or false", shown(value))
    return value


def _log_level(value: object) -> str:
    if value not in LOG_LEVELS:
        raise ValueProblem(f"must be one of {', '.join(LOG_LEVELS)}", shown(value))
    return str(value)


def _whole(low: int, high: int | None = None) -> Kind:
    """A reader of integers from `low` to `high`; true and false are not integers."""
    claim = f"must be an integer >= {low}" if high is None else f"must be an integer from {low} to {high}"

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < low or (high is not None and value > high):
            raise ValueProblem(claim, shown(value))
        return value

    return read


def _workers(value: object) -> int | str:
    try:
        number: int | str = AUTO if value == AUTO else _whole(0, WORKERS_MAX)(value)
    except ValueProblem as problem:
        raise ValueProblem(f'{problem.expected}, or "{AUTO}"', problem.found) from None
    return number


def _seconds(value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < math.inf:
        raise ValueProblem("must be a number of seconds > 0", shown(value))
    return float(value)


def _directory(value: object) -> Path:
    if not isinstance(value, (str, Path)) or not str(value) or "\0" in str(value):
        raise ValueProblem("must be a directory's path", shown(value))
    return Path(value)


def _directory_or_none(value: object) -> Path | None:
    return None if value == "" else _directory(value)


def _reload(kind: Kind, text: str) -> dict[str, object]:
    """The metadata of a setting that a reload takes."""
    return {"kind": kind, "text": text, "reloadable": True}


def _restart(kind: Kind, text: str) -> dict[str, object]:
    """The metadata of a setting that only a restart takes."""
    return {"kind": kind, "text": text, "reloadable": False}


@dataclass(frozen=True)
class ServerSettings:
    listen: tuple[str, ...] = field(
        default=("*:53",),
        metadata=_restart(
            _listen_list,
            'Addresses to answer on, by UDP and TCP: a list of "ADDRESS:PORT", IPv6 in brackets ("[::1]:53"). '
            '"*" is every address of this machine; port 0 is a free port.',
        ),
    )
    identifier: str = field(
        default="",
        metadata=_restart(
            _identifier,
            'The name this server gives itself, and the groups it belongs to: "ID,group1,group2". '
            "Empty: the first usable address, else the host name.",
        ),
    )
    workers: int | str = field(
        default=AUTO,
        metadata=_restart(
            _workers,
            f'How many processes answer, 1 to {WORKERS_MAX}, or "{AUTO}": one per core. '
            "0: one process does everything, also loading and HTTP.",
        ),
    )
    receive_buffer_octets: int = field(
        default=RECEIVE_BUFFER_OCTETS,
        metadata=_restart(
            _whole(1, RECEIVE_BUFFER_OCTETS_MAX),
            "How much room the kernel keeps for packets that a worker has not read yet, in octets for each UDP socket. "
            "Where the system allows less, the log tells.",
        ),
    )
    log_level: str = field(
        default="info",
        metadata=_reload(_log_level, f"The least grave messages to log: {', '.join(LOG_LEVELS)}."),
    )

    @property
    def worker_count(self) -> int:
        """How many processes answer; 0: one process does everything."""
        if isinstance(self.workers, int):
            return self.workers
        try:
            cores = len(os.sched_getaffinity(0))
        except AttributeError:  # not on every system
            cores = os.cpu_count() or 1
        return min(cores, WORKERS_MAX)

    @property
    def addresses(self) -> tuple[tuple[str, int], ...]:
        """`listen` as pairs of host and port."""
        return tuple(parse_listen(one) for one in self.listen)

    @property
    def identity(self) -> tuple[str, tuple[str, ...]]:
        """`identifier` as the server's ID and its groups (G005)."""
        first, *groups = [part.strip() for part in self.identifier.split(",")]
        return first, tuple(groups)


@dataclass(frozen=True)
class ZonesSettings:
    directory: Path = field(
        default=Path("zones"),
        metadata=_restart(_directory, "The directory of zone files; a relative path begins at this file's directory."),
    )


@dataclass(frozen=True)
class GeoipSettings:
    directory: Path | None = field(
        default=None,
        metadata=_restart(
            _directory_or_none,
            "The directory of MaxMind databases; a relative path begins at this file's directory. "
            f"Empty: the first that exists of {', '.join(GEOIP_DIRECTORIES)}.",
        ),
    )

    def find(self) -> Path | None:
        """The directory to read databases from: the one set, else the first usual one that exists."""
        if self.directory is not None:
            return self.directory
        return next((Path(usual) for usual in GEOIP_DIRECTORIES if os.path.isdir(usual)), None)


@dataclass(frozen=True)
class HealthSettings:
    directory: Path | None = field(
        default=None,
        metadata=_restart(
            _directory_or_none,
            'The directory of status files: {"check": 2} in FILE.json is what a record\'s "health": "FILE/check" looks '
            "at. A relative path begins at this file's directory. Empty: no health is known, and every record is up.",
        ),
    )


@dataclass(frozen=True)
class HttpSettings:
    listen: str = field(
        default="127.0.0.1:8053",
        metadata=_restart(
            _listen_or_off,
            'Where metrics and status pages are served: "ADDRESS:PORT". ":8053" or "*:8053" is every address; '
            f'"{HTTP_OFF}" serves none.',
        ),
    )
    user: str = field(
        default="",
        metadata=_reload(_text, "The user that HTTP clients must authenticate as (basic). Empty: nobody is asked."),
    )
    password: str = field(default="", metadata=_reload(_secret, "The password of that user."))

    @property
    def address(self) -> tuple[str, int] | None:
        """`listen` as host and port; None when it is off."""
        return None if self.listen == HTTP_OFF else parse_listen(self.listen)


@dataclass(frozen=True)
class DnsSettings:
    public_debug_queries: bool = field(
        default=False,
        metadata=_reload(_switch, "Whether everybody may ask for _status and _health; otherwise only loopback may."),
    )
    detailed_metrics: bool = field(
        default=False,
        metadata=_reload(_switch, "Whether queries are counted by label as well as by zone and type."),
    )
    udp_payload_octets: int = field(
        default=UDP_PAYLOAD_OCTETS,
        metadata=_reload(
            _whole(PLAIN_UDP_OCTETS, UDP_PAYLOAD_OCTETS_MAX),
            "The largest answer sent by UDP to a client that offers as much, "
            f"{PLAIN_UDP_OCTETS} to {UDP_PAYLOAD_OCTETS_MAX} octets.",
        ),
    )


@dataclass(frozen=True)
class TcpSettings:
    idle_seconds: float = field(
        default=10.0,
        metadata=_reload(_seconds, "How long a connection may wait for its next query, in seconds."),
    )
    message_seconds: float = field(
        default=5.0,
        metadata=_reload(_seconds, "How long a whole message may take to arrive or to leave, in seconds."),
    )
    max_connections: int = field(
        default=1000,
        metadata=_reload(
            _whole(1, CONNECTIONS_MAX), f"How many connections a process holds at once, 1 to {CONNECTIONS_MAX}."
        ),
    )


@dataclass(frozen=True)
class Config:
    """Every setting, as `config.section.key`, and what reading found out beside them.

    source       the file that was read; None where the defaults stand
    zone_format  "json": a directory of zone files; "pgeodns": `source` itself names the zones
    notices      what was accepted, but has no effect
    """

    server: ServerSettings = field(default_factory=ServerSettings)
    zones: ZonesSettings = field(default_factory=ZonesSettings)
    geoip: GeoipSettings = field(default_factory=GeoipSettings)
    health: HealthSettings = field(default_factory=HealthSettings)
    http: HttpSettings = field(default_factory=HttpSettings)
    dns: DnsSettings = field(default_factory=DnsSettings)
    tcp: TcpSettings = field(default_factory=TcpSettings)
    source: Path | None = None
    zone_format: Literal["json", "pgeodns"] = "json"
    notices: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Setting:
    """One setting as declared above; `kind` reads a value or raises ValueProblem."""

    section: str
    key: str
    kind: Kind
    default: Any
    reloadable: bool
    text: str

    @property
    def name(self) -> str:
        return f"{self.section}.{self.key}"

    @property
    def told(self) -> str:
        """What it is, and when a change of it takes effect."""
        return f"{self.text} {'A reload takes it.' if self.reloadable else 'Only a restart takes it.'}"

    @property
    def default_toml(self) -> str:
        """The default as TOML; its texts, numbers and lists are written as in JSON."""
        return json.dumps("" if self.default is None else self.default, default=str)

    def of(self, config: Config) -> Any:
        """Its value in `config`."""
        return getattr(getattr(config, self.section), self.key)


SECTIONS: dict[str, Any] = {
    name: declared for name, declared in get_type_hints(Config).items() if is_dataclass(declared)
}
SETTINGS: tuple[Setting, ...] = tuple(
    Setting(section, one.name, default=one.default, **one.metadata)
    for section, declared in SECTIONS.items()
    for one in fields(declared)
)
SETTING_OF = {setting.name: setting for setting in SETTINGS}


def settings_of(section: str) -> list[Setting]:
    return [setting for setting in SETTINGS if setting.section == section]


def changed_restart_settings(old: Config, new: Config) -> list[str]:
    """The names of settings that differ and that a reload can't take."""
    return [one.name for one in SETTINGS if not one.reloadable and one.of(old) != one.of(new)]


def take_reloadable(current: Config, fresh: Config) -> Config:
    """What a reload puts in force: `fresh`, but with the settings of `current` that only a restart can change."""
    kept = {
        section: {one.key: one.of(current) for one in settings_of(section) if not one.reloadable}
        for section in SECTIONS
    }
    return replace(fresh, **{section: replace(getattr(fresh, section), **values) for section, values in kept.items()})
