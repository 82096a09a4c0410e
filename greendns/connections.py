"""The TCP connections of a process: how many there may be, what each waits for, and which has waited too long.

Each connection stands in one of four queues, by what it waits for; who began to wait last stands last. So whatever is
asked about a thousand of them is asked of the first in each queue: who has waited longest, and when somebody's time is
up. That is one timer for a process, and a step to the end of a queue for a message. The hub's loop is handed in.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from .counters import CLOSURES, Counters
from .guardsettings import TcpSettings

# What a connection may wait for: its first query, the next one, the rest of one, its answers to leave. One that
# has ended waits for nothing.
SILENT, IDLE, MESSAGE, UNREAD = range(4)
ENDED = -1
# Why a connection ended, as a place in CLOSURES; the first four are the queues in which its time was up.
ROOM, ADDRESS, CLIENT, RESET, UNANSWERED, STOPPED = map(
    CLOSURES.index, ("room", "address", "client", "reset", "unanswered", "stopped")
)

# How full the house is, and which part of its time an idle connection has then (RFC 7766 section 6.2.3 leaves it to the
# server). A house that fills empties sooner, so that one is turned out for another only where even that is too slow.
_SHRINKING = ((9 / 10, 1 / 4), (3 / 4, 1 / 2))

# Before that a connection is not called idle: the query of one that has just come is on its way, and a house full of
# half messages would turn out whoever else comes.
_IDLE_FROM_SECONDS = 1.0

# Of an IPv6 address a /64: one subscriber has at least that to himself (RFC 6177 section 2). An IPv4 address has 4.
_NETWORK_OCTETS = 8


class Connection:
    """One connection, from accept to close.

    socket  closes, and wakes whoever waits on it
    waits   SILENT, IDLE, MESSAGE or UNREAD, since when by the monotonic clock; ENDED
    """

    __slots__ = ("network", "since", "socket", "waits")

    def __init__(self, socket: Any, address: bytes) -> None:
        """Be accepted from `address`, of 4 or 16 octets."""
        self.socket = socket
        self.network = address[:_NETWORK_OCTETS]
        self.waits = SILENT
        self.since = 0.0


class Connections:
    """All connections of a process.

    limit         how many there may be: what the settings say, or less where there are fewer descriptors
    idle_seconds  how long one may be idle, as full as the house is
    """

    def __init__(self, loop: Any, settings: TcpSettings, counters: Counters) -> None:
        self.limit = settings.max_connections
        self.idle_seconds = settings.idle_seconds
        self._share = 1.0
        self._settings = settings
        self._counters = counters
        self._loop = loop
        self._timer: Any = None
        self._fires = math.inf
        self._queues: tuple[OrderedDict[Connection, None], ...] = tuple(OrderedDict() for _ in range(4))
        self._by_network: dict[bytes, dict[Connection, None]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._queues))

    def take(self, settings: TcpSettings, limit: int) -> None:
        """Follow changed settings; those that are too many go when the next one comes."""
        self._settings = settings
        self.limit = limit
        self._shrink()
        self._arm()

    def admit(self, connection: Connection) -> None:
        """Let one in; where there are too many already, those that have waited longest make room."""
        self._make_room_beside(connection.network)
        while len(self) >= self.limit:
            self.make_room()
        self._by_network.setdefault(connection.network, {})[connection] = None
        connection.since = time.monotonic()
        self._queues[SILENT][connection] = None
        self._shrink()
        self._counters.count_opened()
        self._arm()

    def wait(self, connection: Connection, waits: int) -> None:
        """Note what a connection waits for from now on."""
        connection.since = time.monotonic()
        queue = self._queues[waits]
        if connection.waits == waits:
            queue.move_to_end(connection)
        elif connection.waits != ENDED:
            del self._queues[connection.waits][connection]
            connection.waits = waits
            queue[connection] = None
            if len(queue) == 1:
                self._arm()

    def end(self, connection: Connection, why: int) -> None:
        """Close a connection, unless it has ended already: what was the reason first counts."""
        if connection.waits == ENDED:
            return
        del self._queues[connection.waits][connection]
        connection.waits = ENDED
        mates = self._by_network[connection.network]
        del mates[connection]
        if not mates:
            del self._by_network[connection.network]
        self._shrink()
        self._counters.count_closed(why)
        connection.socket.close()

    def make_room(self) -> bool:
        """End the connection that is idle longest, or if none is, longest without progress. False if there is none."""
        firsts = [next(iter(queue)) for queue in self._queues if queue]
        if firsts:
            self.end(_longest(firsts), ROOM)
        return bool(firsts)

    def _make_room_beside(self, network: bytes) -> None:
        """The same among those of one address, where these are too many: a hundred or so are looked through."""
        while len(mates := self._by_network.get(network, ())) >= self._settings.max_connections_per_address:
            self.end(_longest(mates), ADDRESS)

    # -- time

    def _seconds(self, waits: int) -> float:
        """How long a connection may wait."""
        if waits in (MESSAGE, UNREAD):
            return self._settings.message_seconds
        return self._settings.first_seconds * self._share if waits == SILENT else self.idle_seconds

    def _shrink(self) -> None:
        """Take as much of their time from the idle as the house is full."""
        fill = len(self) / self.limit
        self._share = next((share for from_fill, share in _SHRINKING if fill >= from_fill), 1.0)
        self.idle_seconds = self._settings.idle_seconds * self._share

    def _arm(self) -> None:
        """Be there when the next one's time is up; earlier does no harm."""
        firsts = [(waits, next(iter(queue))) for waits, queue in enumerate(self._queues) if queue]
        due = min((first.since + self._seconds(waits) for waits, first in firsts), default=math.inf)
        if due >= self._fires:
            return
        self._disarm()
        self._fires = due
        self._timer = self._loop.timer(max(due - time.monotonic(), 0))
        self._timer.start(self._look)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
        self._timer, self._fires = None, math.inf

    def _look(self) -> None:
        """End those whose time is up."""
        self._disarm()
        now = time.monotonic()
        for waits, queue in enumerate(self._queues):
            seconds = self._seconds(waits)
            while queue and (first := next(iter(queue))).since + seconds <= now:
                self.end(first, waits)
        self._arm()


def _longest(connections: Iterable[Connection]) -> Connection:
    """Of these the one to be ended first: idle before busy, then who has waited longest."""
    idle_since = time.monotonic() - _IDLE_FROM_SECONDS
    return min(connections, key=lambda each: (each.waits in (MESSAGE, UNREAD) or each.since > idle_since, each.since))
