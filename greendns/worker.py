"""What answers: the servers on the sockets of one slot, the health states that they look at, and a polite stop.

A worker of several is a process of its own, forked by a keeper that has loaded everything; it serves one generation to
its end. Where one process does everything, `alone` takes each new generation over into the same worker.
"""

from __future__ import annotations

import logging
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import gevent
from gevent.baseserver import BaseServer
from gevent.event import Event
from gevent.pool import Pool

from .access import make_prefixes
from .chance import Uniform
from .connections import Connections
from .counters import Counters
from .countertable import Accounts
from .guardsettings import RATE_LIMIT_LOG, RATE_LIMIT_OFF, RATE_LIMIT_ON, RateLimitSettings
from .healthfiles import HealthFiles
from .listeners import Listener
from .loaded import Generation
from .processes import SPARE_DESCRIPTORS, want_descriptors
from .ratelimit import Limits, RateLimiter
from .responder import Responder
from .server import FaultLog, TcpServer, UdpServer
from .targeting import address_text
from .watcher import in_thread

log = logging.getLogger("greendns")

# G011: what is being answered may take so long to finish.
STOP_SECONDS = 3.0
# How long a thread may keep the interpreter from the hub; Python's own 5 ms are felt in every answer.
SWITCH_SECONDS = 0.001
HEALTH_SECONDS = 1.0  # G173
# How often a process shows that it is not stuck: more often than a keeper looks.
BEAT_SECONDS = 0.5
_LOG_SECONDS = 1.0


class Worker:
    """Answers from a generation on some slots of every address: on one, where there are as many workers as slots."""

    def __init__(
        self,
        generation: Generation,
        listening: Sequence[Listener],
        slots: Sequence[int],
        counters: Counters,
        accounts: Accounts,
    ) -> None:
        """Serve on these slots; `accounts` are the rate limiter's, which all workers share."""
        # Random octets are fetched after the fork: workers must not draw alike.
        draw = Uniform(os.urandom)
        self.responder = Responder(generation.snapshot, counters, draw, FaultLog().tell, LimitLog().tell)
        self._accounts = accounts
        self._listening = listening
        self._connections = Connections(gevent.get_hub().loop, generation.config.tcp, counters)
        # One for all: each server waits at a stop for the greenlets of all.
        connected = Pool()
        # Copies: the sockets themselves outlive a worker, and tell what was dropped.
        tcp_sockets = [each.tcp[slot].dup() for each in listening for slot in slots]
        udp_sockets = [each.udp[slot].dup() for each in listening for slot in slots]
        tcp_servers = [TcpServer(each, self.responder, self._connections, connected) for each in tcp_sockets]
        udp_servers = [UdpServer(each, self.responder) for each in udp_sockets]
        self._servers: list[BaseServer] = [*udp_servers, *tcp_servers]
        self.take(generation)

    def start(self) -> None:
        """Begin to answer."""
        sys.setswitchinterval(SWITCH_SECONDS)
        self._beating = keep_beating(self.responder.counters.beat)
        if self._health is not None:
            files = HealthFiles(self._health)
            # Before the first packet: no answer after a hand-over may name what is down.
            self._take_health(files.read)
            gevent.spawn(self._follow_health, files)
        for server in self._servers:
            server.start()

    def take(self, generation: Generation) -> None:
        """Answer from this generation: for answers that is one assignment of the snapshot."""
        self._health = generation.config.health.directory
        self.responder.take_snapshot(generation.snapshot)
        self.responder.detailed = generation.config.dns.detailed_metrics
        self.responder.limiter = make_limiter(generation.config.rate_limit, self._accounts)
        self._connections.take(generation.config.tcp, self._room(generation.config.tcp.max_connections))

    def stop_reading(self) -> None:
        """Take nothing new, from now on."""
        for server in self._servers:
            server.close()

    def wait_finished(self) -> None:
        """Finish what was begun, as far as that takes no longer than STOP_SECONDS."""
        wait_stopped(self._servers)

    def _room(self, wanted: int) -> int:
        """How many connections there may be: a full house must leave some descriptors."""
        sockets = sum(len(each.udp) + len(each.tcp) for each in self._listening)
        needed = wanted + sockets + SPARE_DESCRIPTORS
        allowed = want_descriptors(needed)
        if allowed >= needed:
            return wanted
        room = max(1, min(wanted, allowed - sockets - min(SPARE_DESCRIPTORS, allowed // 4)))
        log.warning("tcp.max_connections needs %d open files, allowed are %d: %d connections", needed, allowed, room)
        return room

    def _follow_health(self, files: HealthFiles) -> None:
        """Keep the states of all checks as the status files have them, each second (G173); a greenlet of its own."""
        while True:
            gevent.sleep(HEALTH_SECONDS)
            self._take_health(lambda: in_thread(files.read))

    def _take_health(self, read: Callable[[], Mapping[str, int] | None]) -> None:
        """Put into force what is read; if that fails what was read last stays, and the next second tries again."""
        try:
            self.responder.take_health(read())
        except Exception:
            log.exception("reading the health states failed")


class LimitLog:
    """Logs which networks come to be limited: one a second, so that a flood from many cannot fill the disk."""

    def __init__(self) -> None:
        self._logged = -math.inf
        self._untold = 0

    def tell(self, address: bytes, kind: str) -> None:
        """Tell of a network, by the address of one of its clients, and of the kind of answer."""
        now = time.monotonic()
        if now - self._logged < _LOG_SECONDS:
            self._untold += 1
            return
        more = f"; {self._untold} more since the last line" if self._untold else ""
        log.warning("rate limit: answers (%s) to the network of %s%s", kind, address_text(address), more)
        self._logged, self._untold = now, 0


def make_limiter(settings: RateLimitSettings, accounts: Accounts) -> RateLimiter | None:
    """What judges answers by UDP; None where nothing is looked at."""
    exempt = make_prefixes(settings.exempt)
    if settings.mode == RATE_LIMIT_OFF or exempt is None:
        return None
    limits = Limits(
        (
            settings.answers_per_second,
            settings.nodata_per_second,
            settings.nxdomain_per_second,
            settings.referrals_per_second,
            settings.errors_per_second,
        ),
        settings.window_seconds,
        settings.slip,
        settings.ipv4_prefix,
        settings.ipv6_prefix,
        exempt,
    )
    tells = settings.mode in (RATE_LIMIT_LOG, RATE_LIMIT_ON)
    enforces = settings.mode == RATE_LIMIT_ON
    return RateLimiter(accounts.cells, accounts.secret, limits, enforces, tells)


def wait_stopped(servers: Sequence[BaseServer]) -> None:
    """Stop servers; what they have begun may take STOP_SECONDS."""
    gevent.joinall([gevent.spawn(server.stop, STOP_SECONDS) for server in servers], timeout=STOP_SECONDS + 1)


def stop_signal(*numbers: signal.Signals) -> Event:
    """An event that is set once one of these signals comes."""
    stopping = Event()
    for number in numbers:
        gevent.signal_handler(number, stopping.set)
    return stopping


def keep_beating(beat: Callable[..., None], *arguments: object) -> object:
    """Have the hub call `beat` as long as it comes round; keep what it returns."""
    timer = gevent.get_hub().loop.timer(BEAT_SECONDS, BEAT_SECONDS)
    timer.start(beat, *arguments)
    return timer


def leave_with(lifeline: int) -> object:
    """End this process at the moment that the arbiter ends, so that another one can bind; keep what it returns."""
    watcher = gevent.get_hub().loop.io(lifeline, 1)
    watcher.start(os._exit, 1)
    return watcher
