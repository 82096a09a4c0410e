"""greendns.connections: who has to go when, by a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from greendns import connections as module
from greendns.connections import CLIENT, IDLE, MESSAGE, UNREAD, Connection, Connections
from greendns.counters import Totals
from greendns.settings import TcpSettings
from tests.counting import new_counters

SETTINGS = TcpSettings(
    first_seconds=4, idle_seconds=20, message_seconds=10, max_connections=4, max_connections_per_address=3
)


class Socket:
    """Knows whether it has been closed."""

    is_closed = False

    def close(self) -> None:
        self.is_closed = True


class House:
    """Connections, and the hub's loop: `pass_time` is what happens while nobody says a word."""

    def __init__(self, settings: TcpSettings) -> None:
        counters, self.totals = new_counters()
        self.now = 1000.0
        self.timers: list[Timer] = []
        self.connections = Connections(self, settings, counters)
        self._hosts = 0

    def monotonic(self) -> float:
        return self.now

    def timer(self, seconds: float) -> Timer:
        return Timer(self, self.now + seconds)

    def pass_time(self, seconds: float) -> None:
        ends = self.now + seconds
        while self.timers and (first := min(self.timers, key=lambda each: each.due)).due <= ends:
            self.now = max(self.now, first.due)
            self.timers.remove(first)
            first.callback()
        self.now = ends

    def enter(self, address: bytes = b"") -> Connection:
        """Another connection, of an address of its own unless told."""
        self._hosts += 1
        made = Connection(Socket(), address or bytes((192, 0, 2, self._hosts)))
        self.connections.admit(made)
        return made


class Timer:
    """A timer of the loop."""

    callback: Callable[[], None]

    def __init__(self, house: House, due: float) -> None:
        self.house, self.due = house, due

    def start(self, callback: Callable[[], None]) -> None:
        self.callback = callback
        self.house.timers.append(self)

    def stop(self) -> None:
        if self in self.house.timers:
            self.house.timers.remove(self)

    def close(self) -> None:
        assert self not in self.house.timers


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    made = House(SETTINGS)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=made.monotonic))
    return made


def are_closed(*connections: Connection) -> list[bool]:
    return [each.socket.is_closed for each in connections]


def closures(totals: Totals) -> dict[str, int]:
    return dict(+totals.closures)


# -- time


@pytest.mark.parametrize(
    ("waits", "seconds", "why"),
    [(None, 4, "silent"), (IDLE, 20, "idle"), (MESSAGE, 10, "message"), (UNREAD, 10, "unread")],
)
def test_each_wait_has_its_time(house: House, waits: int | None, seconds: float, why: str) -> None:
    """To the second, and for the reason that is counted."""
    waiting = house.enter()
    if waits is not None:
        house.connections.wait(waiting, waits)
    house.pass_time(seconds - 0.1)
    assert are_closed(waiting) == [False]
    house.pass_time(0.1)

    assert are_closed(waiting) == [True]
    assert closures(house.totals()) == {why: 1}
    assert (len(house.connections), house.totals().connections) == (0, 0)


def test_a_message_begins_the_time_anew(house: House) -> None:
    """However often; and one timer is enough."""
    asking = house.enter()
    for _ in range(10):
        house.pass_time(3)
        house.connections.wait(asking, IDLE)
        assert len(house.timers) == 1
    house.pass_time(19)
    assert are_closed(asking) == [False]
    house.pass_time(1)
    assert are_closed(asking) == [True]


def test_what_has_ended_ends_once(house: House) -> None:
    """What its greenlet says later changes nothing."""
    ended = house.enter()
    house.pass_time(4)
    house.connections.wait(ended, MESSAGE)
    house.connections.end(ended, CLIENT)

    assert closures(house.totals()) == {"silent": 1}


def test_idle_time_shrinks_as_the_house_fills(house: House) -> None:
    """To a half at three quarters, to a quarter when it is full; for those too that are there already."""
    times = []
    entered = []
    for _ in range(4):
        entered.append(house.enter())
        house.connections.wait(entered[-1], IDLE)
        times.append(house.connections.idle_seconds)
    house.pass_time(4.9)
    assert not any(are_closed(*entered))
    house.pass_time(0.1)

    assert times == [20, 20, 10, 5]
    assert all(are_closed(*entered))


# -- numbers


def test_the_longest_idle_makes_room_before_whoever_is_busy(house: House) -> None:
    """Though that one has waited for longer."""
    busy, idle, later, last = [house.enter() for _ in range(4)]
    house.connections.wait(busy, MESSAGE)
    house.pass_time(0.5)
    for each in (idle, later, last):
        house.connections.wait(each, IDLE)
    house.pass_time(2)
    house.enter()

    assert are_closed(busy, idle, later, last) == [False, True, False, False]
    assert closures(house.totals()) == {"room": 1}


def test_where_nobody_is_idle_the_longest_without_progress_makes_room(house: House) -> None:
    """Whoever has just come is not called idle: a house of half messages turns out these."""
    busy = [house.enter() for _ in range(4)]
    for each in busy:
        house.connections.wait(each, MESSAGE)
        house.pass_time(0.1)
    new = house.enter()
    newer = house.enter()

    assert are_closed(*busy, new, newer) == [True, True, False, False, False, False]


def test_an_address_has_its_share(house: House) -> None:
    """Its own longest idle makes room; a /64 of IPv6 is one address."""
    other = house.enter()
    subscriber = bytes.fromhex("20010db8000000aa")
    mates = [house.enter(subscriber + bytes(7) + bytes((number,))) for number in range(4)]

    assert are_closed(other, *mates) == [False, True, False, False, False]
    assert closures(house.totals()) == {"address": 1}


def test_fewer_places_count_from_the_next_one_on(house: House) -> None:
    """As many go as are too many."""
    before = []
    for _ in range(4):
        before.append(house.enter())
        house.pass_time(0.1)
    house.connections.take(SETTINGS, 2)
    assert not any(are_closed(*before))
    house.enter()

    assert are_closed(*before) == [True, True, True, False]


def test_an_empty_house_has_no_room_to_make(house: House) -> None:
    """Nor one that has ended all."""
    assert not house.connections.make_room()
    house.enter()
    assert house.connections.make_room()
    assert not house.connections.make_room()
