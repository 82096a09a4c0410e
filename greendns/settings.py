"""Settings, each declared once: what it is called, how its value is read, and whether a reload takes it.

A setting is a dataclass field; its metadata says the rest. Pure but for what looks at the machine: which directory
exists (`GeoipSettings.find`), how many cores there are (`ServerSettings.worker_count`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .codes import PLAIN_UDP_OCTETS, UDP_PAYLOAD_OCTETS
from .errors import Problem
from .guardsettings import AccessSettings, ControlSettings, CookiesSettings, RateLimitSettings, TcpSettings
from .settingkinds import (
    AUTO,
    HTTP_OFF,
    LOG_LEVELS,
    OFF,
    WORKERS_MAX,
    parse_listen,
    read_choice,
    read_directory,
    read_directory_or_auto,
    read_directory_or_none,
    read_file_or_none,
    read_identifier,
    read_listen_list,
    read_listen_or_off,
    read_seconds,
    read_secret,
    read_switch,
    read_text,
    read_user,
    read_whole,
    read_workers,
    reload_takes,
    restart_takes,
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
# What dns.any may be.
ANY_ALL = "all"
ANY_MINIMAL = "minimal"
# What a CHAOS name may be set to beside a text, and AUTO.
CHAOS_OFF = "off"


@dataclass(frozen=True)
class ServerSettings:
    listen: tuple[str, ...] = field(
        default=("*:53",),
        metadata=restart_takes(
            read_listen_list,
            'Addresses to answer on, by UDP and TCP: a list of "ADDRESS:PORT", IPv6 in brackets ("[::1]:53"). '
            '"*" is every address of this machine; port 0 is a free port.',
        ),
    )
    identifier: str = field(
        default="",
        metadata=restart_takes(
            read_identifier,
            'The name this server gives itself, and the groups it belongs to: "ID,group1,group2". '
            "Empty: the first usable address, else the host name.",
        ),
    )
    workers: int | str = field(
        default=AUTO,
        metadata=reload_takes(
            read_workers,
            f'How many processes answer, 1 to {WORKERS_MAX}, or "{AUTO}": one per core. '
            "0: one process does everything, also loading and HTTP; to that and from that only a restart leads. "
            "There can be as many as sockets were bound for at the start: see workers_max.",
        ),
    )
    workers_max: int | str = field(
        default=AUTO,
        metadata=restart_takes(
            read_workers,
            f'For how many workers sockets are bound, 1 to {WORKERS_MAX}, or "{AUTO}": for as many as there are at the '
            "start. Fewer workers share them out: evenly, where their number divides this one.",
        ),
    )
    receive_buffer_octets: int = field(
        default=RECEIVE_BUFFER_OCTETS,
        metadata=restart_takes(
            read_whole(1, RECEIVE_BUFFER_OCTETS_MAX),
            "How much room the kernel keeps for packets that a worker has not read yet, in octets for each UDP socket. "
            "Where the system allows less, the log tells.",
        ),
    )
    user: str = field(
        default="",
        metadata=restart_takes(
            read_user,
            "The user to become, for good, once all addresses are bound; its name. Empty: whoever starts the server.",
        ),
    )
    allow_root: bool = field(
        default=False,
        metadata=restart_takes(read_switch, f"Whether root may serve without another user on ports below {LOW_PORTS}."),
    )
    pid_file: Path | None = field(
        default=None,
        metadata=restart_takes(
            read_file_or_none,
            "Where the process to signal writes its number; a second server with the same file does not start. "
            "A relative path begins at this file's directory. Empty: nowhere.",
        ),
    )
    log_file: Path | None = field(
        default=None,
        metadata=restart_takes(
            read_file_or_none,
            "Where to log; a file that was moved away is begun anew. A relative path begins at this file's directory. "
            "Empty: to standard error.",
        ),
    )
    heartbeat_seconds: float = field(
        default=10.0,
        metadata=reload_takes(
            read_seconds,
            "How long a worker or the side process may be stuck, in seconds, until it is killed and replaced. Nothing "
            "that a worker does takes a tenth of a second.",
        ),
    )
    log_level: str = field(
        default="info",
        metadata=reload_takes(read_choice(*LOG_LEVELS), f"The least grave messages to log: {', '.join(LOG_LEVELS)}."),
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
    def slots(self) -> int:
        """For how many workers sockets are bound at the start."""
        return max(1, self.worker_count, self.workers_max if isinstance(self.workers_max, int) else 0)

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
        metadata=restart_takes(
            read_directory, "The directory of zone files; a relative path begins at this file's directory."
        ),
    )


@dataclass(frozen=True)
class GeoipSettings:
    directory: Path | None = field(
        default=None,
        metadata=restart_takes(
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
class CacheSettings:
    directory: Path | str = field(
        default=AUTO,
        metadata=restart_takes(
            read_directory_or_auto,
            "The directory where what is served is kept, for a restart while zone files are broken, and for a quick "
            "one; made if it is not there, it must belong to the user that serves. A relative path begins at this "
            f'file\'s directory. "{AUTO}" is what a service manager made (CACHE_DIRECTORY), "{OFF}" is none.',
        ),
    )

    def find(self) -> Path | None:
        """The directory: the one set, else the first that a service manager made (systemd.exec(5)); None without."""
        if isinstance(self.directory, Path):
            return self.directory
        made = os.environ.get("CACHE_DIRECTORY", "").partition(":")[0]
        return Path(made) if made and self.directory == AUTO else None


@dataclass(frozen=True)
class HealthSettings:
    directory: Path | None = field(
        default=None,
        metadata=restart_takes(
            read_directory_or_none,
            'The directory of status files: {"check": 2} in FILE.json is what a record\'s "health": "FILE/check" looks '
            "at. A relative path begins at this file's directory. Empty: no health is known, and every record is up.",
        ),
    )


@dataclass(frozen=True)
class HttpSettings:
    listen: str = field(
        default="127.0.0.1:8053",
        metadata=restart_takes(
            read_listen_or_off,
            'Where metrics and status pages are served: "ADDRESS:PORT". ":8053" or "*:8053" is every address; '
            f'"{HTTP_OFF}" serves none.',
        ),
    )
    user: str = field(
        default="",
        metadata=reload_takes(
            read_text, "The user that HTTP clients must authenticate as (basic). Empty: nobody is asked."
        ),
    )
    password: str = field(default="", metadata=reload_takes(read_secret, "The password of that user."))

    @property
    def address(self) -> tuple[str, int] | None:
        """`listen` as host and port; None when it is off."""
        return None if self.listen == HTTP_OFF else parse_listen(self.listen)


@dataclass(frozen=True)
class DnsSettings:
    public_debug_queries: bool = field(
        default=False,
        metadata=reload_takes(
            read_switch, "Whether everybody may ask for _status and _health; otherwise loopback may, and access.debug."
        ),
    )
    detailed_metrics: bool = field(
        default=False,
        metadata=reload_takes(read_switch, "Whether queries are counted by label as well as by zone and type."),
    )
    udp_payload_octets: int = field(
        default=UDP_PAYLOAD_OCTETS,
        metadata=reload_takes(
            read_whole(PLAIN_UDP_OCTETS, UDP_PAYLOAD_OCTETS_MAX),
            "The largest answer sent by UDP to a client that offers as much, "
            f"{PLAIN_UDP_OCTETS} to {UDP_PAYLOAD_OCTETS_MAX} octets.",
        ),
    )
    any: str = field(
        default=ANY_ALL,
        metadata=reload_takes(
            read_choice(ANY_ALL, ANY_MINIMAL),
            f'What is answered to type ANY: "{ANY_ALL}" records of the name, as geodns does, or "{ANY_MINIMAL}": one '
            "HINFO record that stands for them (RFC 8482).",
        ),
    )
    stale_error: bool = field(
        default=False,
        metadata=reload_takes(
            read_switch,
            "Whether answers from the last good version of a zone, whose file is broken now, tell so to who speaks "
            "EDNS (RFC 8914, Stale Answer).",
        ),
    )


@dataclass(frozen=True)
class ChaosSettings:
    version: str = field(
        default=AUTO,
        metadata=reload_takes(
            read_identifier,
            f'What version.bind and version.server say in class CH (TXT): "{AUTO}" is the program and its version, '
            f'"{CHAOS_OFF}" is REFUSED, any other text is told as it is.',
        ),
    )
    identity: str = field(
        default=AUTO,
        metadata=reload_takes(
            read_identifier, f'What id.server says: "{AUTO}" is the server\'s ID, "{CHAOS_OFF}" is REFUSED.'
        ),
    )
    hostname: str = field(
        default=AUTO,
        metadata=reload_takes(
            read_identifier, f'What hostname.bind says: "{AUTO}" is the server\'s ID, "{CHAOS_OFF}" is REFUSED.'
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
    cache: CacheSettings = field(default_factory=CacheSettings)
    health: HealthSettings = field(default_factory=HealthSettings)
    http: HttpSettings = field(default_factory=HttpSettings)
    control: ControlSettings = field(default_factory=ControlSettings)
    dns: DnsSettings = field(default_factory=DnsSettings)
    chaos: ChaosSettings = field(default_factory=ChaosSettings)
    access: AccessSettings = field(default_factory=AccessSettings)
    cookies: CookiesSettings = field(default_factory=CookiesSettings)
    tcp: TcpSettings = field(default_factory=TcpSettings)
    rate_limit: RateLimitSettings = field(default_factory=RateLimitSettings)
    source: Path | None = None
    zone_format: Literal["json", "pgeodns"] = "json"
    notices: tuple[Problem, ...] = ()
