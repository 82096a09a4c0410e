"""Settings of who may ask, and how much: what is set against abuse. Declared as those in `settings` are. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .access import EVERYBODY
from .settingkinds import (
    AUTO,
    OFF,
    read_choice,
    read_control,
    read_file_or_none,
    read_power_of_two,
    read_prefixes,
    read_seconds,
    read_switch,
    read_whole,
    reload_takes,
    restart_takes,
)

# A quarter of all, so that nobody has the house to himself; a resolver opens one or two (RFC 7766 section 6.2.2).
CONNECTIONS_PER_ADDRESS = 250
# More than a process can hold: each is a file descriptor, of which Linux gives one at most 1,048,576 (fs.nr_open).
CONNECTIONS_MAX = 1_000_000
# What rate_limit.mode may be.
RATE_LIMIT_OFF, RATE_LIMIT_COUNT, RATE_LIMIT_LOG, RATE_LIMIT_ON = "off", "count", "log", "limit"
# Time is counted in microseconds there.
_RATE = read_whole(0, 1_000_000)


@dataclass(frozen=True)
class ControlSettings:
    socket: str | Path = field(
        default=AUTO,
        metadata=restart_takes(
            read_control,
            f'Where greendns status and greendns reload reach the server: the path of a Unix socket, or "{AUTO}": '
            f'control.sock in the directory that a service manager made (RUNTIME_DIRECTORY). "{OFF}": nowhere. '
            "A relative path begins at this file's directory.",
        ),
    )


@dataclass(frozen=True)
class AccessSettings:
    """Lists of prefixes: just these are let in, so that an empty list lets nobody in."""

    queries: tuple[str, ...] = field(
        default=EVERYBODY,
        metadata=reload_takes(
            read_prefixes,
            "The prefixes whose queries are answered; whoever else asks gets REFUSED. An IPv4 address is in no IPv6 "
            "prefix: everybody is two prefixes.",
        ),
    )
    debug: tuple[str, ...] = field(
        default=(),
        metadata=reload_takes(
            read_prefixes,
            "The prefixes that may ask for _status and _health, besides loopback; dns.public_debug_queries lets "
            "everybody ask.",
        ),
    )
    http: tuple[str, ...] = field(
        default=EVERYBODY,
        metadata=reload_takes(
            read_prefixes, "The prefixes that get pages of the HTTP side; whoever else asks gets 403."
        ),
    )


@dataclass(frozen=True)
class CookiesSettings:
    secret_file: Path | None = field(
        default=None,
        metadata=reload_takes(
            read_file_or_none,
            "The file of the secrets that server cookies are made with (RFC 9018), the same for all servers behind one "
            "address: one or two lines of 32 hexadecimal digits, of which the first makes cookies and both verify "
            "them. A relative path begins at this file's directory. Empty: a random secret at each start.",
        ),
    )
    required: bool = field(
        default=False,
        metadata=reload_takes(
            read_switch,
            "Whether a UDP query that has a cookie option without a server cookie of ours is answered BADCOOKIE and a "
            "fresh one, and nothing else. What has no such option is answered as ever.",
        ),
    )


@dataclass(frozen=True)
class TcpSettings:
    first_seconds: float = field(
        default=5.0,
        metadata=reload_takes(read_seconds, "How long a new connection may wait for its first query, in seconds."),
    )
    idle_seconds: float = field(
        default=10.0,
        metadata=reload_takes(
            read_seconds,
            "How long a connection may wait for its next query, in seconds. Of this and of first_seconds a half counts "
            "while there are 3/4 of max_connections, a quarter at 9/10.",
        ),
    )
    message_seconds: float = field(
        default=5.0,
        metadata=reload_takes(read_seconds, "How long a whole message may take to arrive or to leave, in seconds."),
    )
    max_connections: int = field(
        default=1000,
        metadata=reload_takes(
            read_whole(1, CONNECTIONS_MAX),
            f"How many connections a process holds at once, 1 to {CONNECTIONS_MAX}. When one more comes, the one that "
            "has been idle longest is closed.",
        ),
    )
    max_connections_per_address: int = field(
        default=CONNECTIONS_PER_ADDRESS,
        metadata=reload_takes(
            read_whole(1, CONNECTIONS_MAX),
            f"How many of them may be from one address (IPv6: from one /64), 1 to {CONNECTIONS_MAX}; then likewise.",
        ),
    )


@dataclass(frozen=True)
class RateLimitSettings:
    mode: str = field(
        default=RATE_LIMIT_COUNT,
        metadata=reload_takes(
            read_choice(RATE_LIMIT_OFF, RATE_LIMIT_COUNT, RATE_LIMIT_LOG, RATE_LIMIT_ON),
            'What becomes of answers by UDP beyond these rates: "off": nothing is looked at; "count": they are counted '
            'and sent; "log": also told in the log; "limit": counted, told and held back.',
        ),
    )
    answers_per_second: int = field(
        default=200,
        metadata=reload_takes(
            _RATE, "How many answers with records go to one network for one name and type. 0, here and below: no limit."
        ),
    )
    nodata_per_second: int = field(
        default=200, metadata=reload_takes(_RATE, "How many answers that a name has no such records, for one zone.")
    )
    nxdomain_per_second: int = field(
        default=200, metadata=reload_takes(_RATE, "How many answers that there is no such name, for one zone.")
    )
    referrals_per_second: int = field(
        default=200, metadata=reload_takes(_RATE, "How many answers that lead to other name servers, for one zone.")
    )
    errors_per_second: int = field(
        default=100, metadata=reload_takes(_RATE, "How many answers that refuse a query, or cannot read it.")
    )
    window_seconds: int = field(
        default=15,
        metadata=reload_takes(
            read_whole(1, 3600), "How long a network that never pauses is limited on after it has stopped, at most."
        ),
    )
    slip: int = field(
        default=2,
        metadata=reload_takes(
            read_whole(0, 10),
            "Of how many answers held back one goes out without records, which has real clients ask by TCP. 1: all of "
            "them, 0: none.",
        ),
    )
    ipv4_prefix: int = field(
        default=24, metadata=reload_takes(read_whole(1, 32), "How many bits of an IPv4 address are one network.")
    )
    ipv6_prefix: int = field(
        default=56, metadata=reload_takes(read_whole(1, 128), "How many bits of an IPv6 address are one network.")
    )
    exempt: tuple[str, ...] = field(
        default=(),
        metadata=reload_takes(read_prefixes, "The prefixes whose answers are neither limited nor counted."),
    )
    accounts: int = field(
        default=131_072,
        metadata=restart_takes(
            read_power_of_two(1024, 2**26),
            "How many networks, names and kinds of answer can be told apart at a time: 8 octets each, for all workers "
            "together. What answers beyond a fraction of its rate is kept, the rest is given up first.",
        ),
    )
