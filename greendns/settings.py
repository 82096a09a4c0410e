"""Settings, each declared once: what it is called, how its value is read, and whether a reload takes it.

A setting is a dataclass field; its metadata says the rest. Pure but for what looks at the machine: which directory
exists (`GeoipSettings.find`), how many cores there are (`ServerSettings.worker_count`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .access import EVERYBODY
from .codes import PLAIN_UDP_OCTETS, UDP_PAYLOAD_OCTETS
from .errors import Problem
from .settingkinds import (
    AUTO,
    HTTP_OFF,
    LOG_LEVELS,
    RATE_LIMIT_MODES,
    WORKERS_MAX,
    Kind,
    parse_listen,
    read_choice,
    read_directory,
    read_directory_or_none,
    read_file_or_none,
    read_identifier,
    read_listen_list,
    read_listen_or_off,
    read_power_of_two,
    read_prefixes,
    read_seconds,
    read_secret,
    read_switch,
    read_text,
    read_user,
    read_whole,
    read_workers,
)

# Where geodns looks when no directory is set, in its order.
GEOIP_DIRECTORIES = (
    "/usr/share/GeoIP/",
    "/usr/share/local/GeoIP/",
    "/usr/local/share/GeoIP/",
    "/opt/local/share/GeoIP/",
    "/opt/homebrew/var/GeoIP",
)
# The kernel's default holds 256 queries, 3 ms of a burst (measured).
RECEIVE_BUFFER_OCTETS = 8 * 1024 * 1024
# Half of what the kernel can count in an int: it sets aside the double.
RECEIVE_BUFFER_OCTETS_MAX = 2**30 - 1
# Beyond 4096 octets nobody offers more, and fragments get lost (RFC 6891 section 6.2.5).
UDP_PAYLOAD_OCTETS_MAX = 4096
# Below it only root may bind (ip(7)).
LOW_PORTS = 1024
# A quarter of all, so that nobody has the house to himself; a resolver opens one or two (RFC 7766 section 6.2.2).
CONNECTIONS_PER_ADDRESS = 250
# More than a process can hold: each is a file descriptor, of which Linux gives one at most 1,048,576 (fs.nr_open).
CONNECTIONS_MAX = 1_000_000
# What dns.any may be.
ANY_ALL = "all"
ANY_MINIMAL = "minimal"
# What a CHAOS name may be set to beside a text, and AUTO.
CHAOS_OFF = "off"
# What cookies.required may be.
COOKIES_OFF = "off"
COOKIES_ON = "on"


# Time is counted in microseconds there.
_RATE = read_whole(0, 1_000_000)


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
            read_listen_list,
            'Addresses to answer on, by UDP and TCP: a list of "ADDRESS:PORT", IPv6 in brackets ("[::1]:53"). '
            '"*" is every address of this machine; port 0 is a free port.',
        ),
    )
    identifier: str = field(
        default="",
        metadata=_restart(
            read_identifier,
            'The name this server gives itself, and the groups it belongs to: "ID,group1,group2". '
            "Empty: the first usable address, else the host name.",
        ),
    )
    workers: int | str = field(
        default=AUTO,
        metadata=_restart(
            read_workers,
            f'How many processes answer, 1 to {WORKERS_MAX}, or "{AUTO}": one per core. '
            "0: one process does everything, also loading and HTTP.",
        ),
    )
    receive_buffer_octets: int = field(
        default=RECEIVE_BUFFER_OCTETS,
        metadata=_restart(
            read_whole(1, RECEIVE_BUFFER_OCTETS_MAX),
            "How much room the kernel keeps for packets that a worker has not read yet, in octets for each UDP socket. "
            "Where the system allows less, the log tells.",
        ),
    )
    user: str = field(
        default="",
        metadata=_restart(
            read_user,
            "The user to become, for good, once all addresses are bound; its name. Empty: whoever starts the server.",
        ),
    )
    allow_root: bool = field(
        default=False,
        metadata=_restart(read_switch, f"Whether root may serve without another user on ports below {LOW_PORTS}."),
    )
    heartbeat_seconds: float = field(
        default=10.0,
        metadata=_reload(
            read_seconds,
            "How long a worker may be stuck, in seconds, until it is killed and replaced. Nothing that it does takes a "
            "tenth of a second.",
        ),
    )
    log_level: str = field(
        default="info",
        metadata=_reload(read_choice(*LOG_LEVELS), f"The least grave messages to log: {', '.join(LOG_LEVELS)}."),
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
        metadata=_restart(
            read_directory, "The directory of zone files; a relative path begins at this file's directory."
        ),
    )


@dataclass(frozen=True)
class GeoipSettings:
    directory: Path | None = field(
        default=None,
        metadata=_restart(
            read_directory_or_none,
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
            read_directory_or_none,
            'The directory of status files: {"check": 2} in FILE.json is what a record\'s "health": "FILE/check" looks '
            "at. A relative path begins at this file's directory. Empty: no health is known, and every record is up.",
        ),
    )


@dataclass(frozen=True)
class HttpSettings:
    listen: str = field(
        default="127.0.0.1:8053",
        metadata=_restart(
            read_listen_or_off,
            'Where metrics and status pages are served: "ADDRESS:PORT". ":8053" or "*:8053" is every address; '
            f'"{HTTP_OFF}" serves none.',
        ),
    )
    user: str = field(
        default="",
        metadata=_reload(read_text, "The user that HTTP clients must authenticate as (basic). Empty: nobody is asked."),
    )
    password: str = field(default="", metadata=_reload(read_secret, "The password of that user."))

    @property
    def address(self) -> tuple[str, int] | None:
        """`listen` as host and port; None when it is off."""
        return None if self.listen == HTTP_OFF else parse_listen(self.listen)


@dataclass(frozen=True)
class DnsSettings:
    public_debug_queries: bool = field(
        default=False,
        metadata=_reload(
            read_switch, "Whether everybody may ask for _status and _health; otherwise loopback may, and access.debug."
        ),
    )
    detailed_metrics: bool = field(
        default=False,
        metadata=_reload(read_switch, "Whether queries are counted by label as well as by zone and type."),
    )
    udp_payload_octets: int = field(
        default=UDP_PAYLOAD_OCTETS,
        metadata=_reload(
            read_whole(PLAIN_UDP_OCTETS, UDP_PAYLOAD_OCTETS_MAX),
            "The largest answer sent by UDP to a client that offers as much, "
            f"{PLAIN_UDP_OCTETS} to {UDP_PAYLOAD_OCTETS_MAX} octets.",
        ),
    )
    any: str = field(
        default=ANY_ALL,
        metadata=_reload(
            read_choice(ANY_ALL, ANY_MINIMAL),
            f'What is answered to type ANY: "{ANY_ALL}" records of the name, as geodns does, or "{ANY_MINIMAL}": one '
            "HINFO record that stands for them (RFC 8482).",
        ),
    )


@dataclass(frozen=True)
class ChaosSettings:
    version: str = field(
        default=AUTO,
        metadata=_reload(
            read_identifier,
            f'What version.bind and version.server say in class CH (TXT): "{AUTO}" is the program and its version, '
            f'"{CHAOS_OFF}" is REFUSED, any other text is told as it is.',
        ),
    )
    identity: str = field(
        default=AUTO,
        metadata=_reload(
            read_identifier, f'What id.server says: "{AUTO}" is the server\'s ID, "{CHAOS_OFF}" is REFUSED.'
        ),
    )
    hostname: str = field(
        default=AUTO,
        metadata=_reload(
            read_identifier, f'What hostname.bind says: "{AUTO}" is the server\'s ID, "{CHAOS_OFF}" is REFUSED.'
        ),
    )


@dataclass(frozen=True)
class AccessSettings:
    """Lists of prefixes: just these are let in, so that an empty list lets nobody in."""

    queries: tuple[str, ...] = field(
        default=EVERYBODY,
        metadata=_reload(
            read_prefixes,
            "The prefixes whose queries are answered; whoever else asks gets REFUSED. An IPv4 address is in no IPv6 "
            "prefix: everybody is two prefixes.",
        ),
    )
    debug: tuple[str, ...] = field(
        default=(),
        metadata=_reload(
            read_prefixes,
            "The prefixes that may ask for _status and _health, besides loopback; dns.public_debug_queries lets "
            "everybody ask.",
        ),
    )
    http: tuple[str, ...] = field(
        default=EVERYBODY,
        metadata=_reload(read_prefixes, "The prefixes that get pages of the HTTP side; whoever else asks gets 403."),
    )


@dataclass(frozen=True)
class CookiesSettings:
    secret_file: Path | None = field(
        default=None,
        metadata=_reload(
            read_file_or_none,
            "The file of the secrets that server cookies are made with (RFC 9018), the same for all servers behind one "
            "address: one or two lines of 32 hexadecimal digits, of which the first makes cookies and both verify "
            "them. A relative path begins at this file's directory. Empty: a random secret at each start.",
        ),
    )
    required: str = field(
        default=COOKIES_OFF,
        metadata=_reload(
            read_choice(COOKIES_OFF, COOKIES_ON),
            f'"{COOKIES_ON}": a UDP query that has a cookie option without a server cookie of ours is answered '
            "BADCOOKIE and a fresh one, and nothing else. What has no such option is answered as ever.",
        ),
    )


@dataclass(frozen=True)
class TcpSettings:
    first_seconds: float = field(
        default=5.0,
        metadata=_reload(read_seconds, "How long a new connection may wait for its first query, in seconds."),
    )
    idle_seconds: float = field(
        default=10.0,
        metadata=_reload(
            read_seconds,
            "How long a connection may wait for its next query, in seconds. Of this and of first_seconds a half counts "
            "while there are 3/4 of max_connections, a quarter at 9/10.",
        ),
    )
    message_seconds: float = field(
        default=5.0,
        metadata=_reload(read_seconds, "How long a whole message may take to arrive or to leave, in seconds."),
    )
    max_connections: int = field(
        default=1000,
        metadata=_reload(
            read_whole(1, CONNECTIONS_MAX),
            f"How many connections a process holds at once, 1 to {CONNECTIONS_MAX}. When one more comes, the one that "
            "has been idle longest is closed.",
        ),
    )
    max_connections_per_address: int = field(
        default=CONNECTIONS_PER_ADDRESS,
        metadata=_reload(
            read_whole(1, CONNECTIONS_MAX),
            f"How many of them may be from one address (IPv6: from one /64), 1 to {CONNECTIONS_MAX}; then likewise.",
        ),
    )


@dataclass(frozen=True)
class RateLimitSettings:
    mode: str = field(
        default="count",
        metadata=_reload(
            read_choice(*RATE_LIMIT_MODES),
            'What becomes of answers by UDP beyond these rates: "off": nothing is looked at; "count": they are counted '
            'and sent; "log": also told in the log; "limit": counted, told and held back.',
        ),
    )
    answers_per_second: int = field(
        default=200,
        metadata=_reload(
            _RATE, "How many answers with records go to one network for one name and type. 0, here and below: no limit."
        ),
    )
    nodata_per_second: int = field(
        default=200, metadata=_reload(_RATE, "How many answers that a name has no such records, for one zone.")
    )
    nxdomain_per_second: int = field(
        default=200, metadata=_reload(_RATE, "How many answers that there is no such name, for one zone.")
    )
    referrals_per_second: int = field(
        default=200, metadata=_reload(_RATE, "How many answers that lead to other name servers, for one zone.")
    )
    errors_per_second: int = field(
        default=100, metadata=_reload(_RATE, "How many answers that refuse a query, or cannot read it.")
    )
    window_seconds: int = field(
        default=15,
        metadata=_reload(
            read_whole(1, 3600), "How long a network that never pauses is limited on after it has stopped, at most."
        ),
    )
    slip: int = field(
        default=2,
        metadata=_reload(
            read_whole(0, 10),
            "Of how many answers held back one goes out without records, which has real clients ask by TCP. 1: all of "
            "them, 0: none.",
        ),
    )
    ipv4_prefix: int = field(
        default=24, metadata=_reload(read_whole(1, 32), "How many bits of an IPv4 address are one network.")
    )
    ipv6_prefix: int = field(
        default=56, metadata=_reload(read_whole(1, 128), "How many bits of an IPv6 address are one network.")
    )
    accounts: int = field(
        default=131_072,
        metadata=_restart(
            read_power_of_two(1024, 2**26),
            "How many networks, names and kinds of answer can be told apart at a time: 8 octets each, for all workers "
            "together. What answers beyond a fraction of its rate is kept, the rest is given up first.",
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
    chaos: ChaosSettings = field(default_factory=ChaosSettings)
    access: AccessSettings = field(default_factory=AccessSettings)
    cookies: CookiesSettings = field(default_factory=CookiesSettings)
    tcp: TcpSettings = field(default_factory=TcpSettings)
    rate_limit: RateLimitSettings = field(default_factory=RateLimitSettings)
    source: Path | None = None
    zone_format: Literal["json", "pgeodns"] = "json"
    notices: tuple[Problem, ...] = ()
