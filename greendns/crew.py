"""The workers and the side process of one generation: forked, replaced when they die or are stuck, told to leave.

No gevent: a keeper calls this in its turns. What a side process says of changed files comes over a line of its own.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import NoReturn

from .countertable import SIDE
from .loaded import Generation
from .processes import ending_text, fork
from .roles import Inheritance, be_side, be_worker
from .seats import Seat
from .side import FAILED, LOOK, decode_change
from .watcher import Change, Reading

log = logging.getLogger("greendns")

# Workers that do not come up within this will not: a generation that never serves must not be waited for.
START_SECONDS = 30.0
# So often it is looked whether somebody is stuck.
_LOOK_SECONDS = 1.0

# What a process is forked for.
Role = Callable[[], "int | None"]
# Is called in a child with that, and does not return.
Be = Callable[[Role], NoReturn]


class Crew:
    """Who works for a generation; `known` is how the files looked that it was loaded from."""

    def __init__(self, inheritance: Inheritance, generation: Generation, bank: int, known: Reading) -> None:
        self._inheritance = inheritance
        self._generation = generation
        self._table = inheritance.table
        self._bank = bank
        self._known = known
        self._seats = [Seat(slot) for slot in range(SIDE, generation.config.server.worker_count)]
        self._line: socket.socket | None = None
        self._said = b""
        self._look_due = 0.0

    # -- how they are

    @property
    def is_up(self) -> bool:
        """Whether all of them read."""
        return all(self._table.reader(self._bank, seat.slot) for seat in self._seats)

    @property
    def is_gone(self) -> bool:
        """Whether none of them is left."""
        return all(seat.pid == 0 for seat in self._seats)

    def due(self) -> float:
        """When there is something to do that nobody tells, by the monotonic clock."""
        return min([self._look_due, *[seat.due for seat in self._seats if seat.due is not None]])

    # -- who comes

    def fill_seats(self, be: Be) -> None:
        """Fork whoever is due."""
        now = time.monotonic()
        for seat in self._seats:
            if seat.is_due(now):
                try:
                    seat.take(self._fork_side(be) if seat.slot == SIDE else self._fork_worker(seat.slot, be), now)
                except OSError as error:
                    seat.take(0, now)
                    pause = seat.bury(now)
                    log.error("%s can't be forked (%s): tried again in %.1f s", _told(seat), error.strerror, pause)

    def _fork_worker(self, slot: int, be: Be) -> int:
        return fork("greendns-worker") or be(lambda: be_worker(self._inheritance, self._generation, self._bank, slot))

    def _fork_side(self, be: Be) -> int:
        self.hang_up()
        self._line, theirs = socket.socketpair()
        pid = fork("greendns-side") or be(
            lambda: be_side(self._inheritance, self._generation, self._bank, self._known, theirs)
        )
        theirs.close()
        return pid

    # -- who goes

    def end_stuck(self) -> None:
        """Kill those that have not stirred for too long: then they are replaced like any that dies."""
        now = time.monotonic()
        if now < self._look_due:
            return
        self._look_due = now + _LOOK_SECONDS
        for seat in self._seats:
            if seat.pid and self._is_stuck(seat):
                log.error(
                    "%s (process %d) has not stirred for %d s", _told(seat), seat.pid, seat.missed * _LOOK_SECONDS
                )
                os.kill(seat.pid, signal.SIGKILL)

    def _is_stuck(self, seat: Seat) -> bool:
        reads = self._table.reader(self._bank, seat.slot) == seat.pid
        seconds = self._generation.config.server.heartbeat_seconds if reads else START_SECONDS
        return seat.hear(self._table.beats(self._bank, seat.slot)) * _LOOK_SECONDS >= seconds

    def bury(self, pid: int, status: int, is_leaving: bool) -> None:
        """Note that a process ended, if it was one of these; told and counted unless that was meant."""
        for seat in self._seats:
            if seat.pid == pid:
                self._empty(seat, status, is_leaving)

    def _empty(self, seat: Seat, status: int, is_leaving: bool) -> None:
        if self._table.reader(self._bank, seat.slot) == seat.pid:
            self._table.stop_reading(self._bank, seat.slot)
        told = f"{_told(seat)} (process {seat.pid}) ended ({ending_text(status)})"
        pause = seat.bury(time.monotonic())
        if is_leaving:
            return
        log.error("%s: replaced %s", told, f"in {pause:.1f} s" if pause else "at once")
        if seat.slot != SIDE:
            self._table.count_restart(self._bank)

    def have_leave(self) -> None:
        """Tell all to finish what they have, and leave."""
        for seat in self._seats:
            if seat.pid:
                os.kill(seat.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End whoever is left."""
        for seat in self._seats:
            if seat.pid:
                os.kill(seat.pid, signal.SIGKILL)

    # -- the line to the side process

    def descriptors(self) -> tuple[int, ...]:
        """What becomes readable when the side process says something."""
        return () if self._line is None else (self._line.fileno(),)

    def hear(self) -> Change | None:
        """What the side process says, one line for each change: the last one has all of an earlier one in it."""
        assert self._line is not None
        said = self._line.recv(1 << 16)
        if not said:
            # It has ended: another one follows, with a line of its own.
            self.hang_up()
            return None
        *lines, self._said = (self._said + said).split(b"\n")
        return decode_change(lines[-1]) if lines else None

    def have_look(self) -> None:
        """Have the side process look at all files. One that has not read hundreds of such words has this one too."""
        self._say(LOOK)

    def tell_failure(self) -> None:
        """Tell it that its change was not loaded. One that can't be told is ended: the next one looks by itself."""
        if not self._say(FAILED):
            for seat in self._seats:
                if seat.slot == SIDE and seat.pid:
                    os.kill(seat.pid, signal.SIGKILL)

    def _say(self, word: bytes) -> bool:
        """Say it, without waiting for who does not read; returns whether there is nothing more to do."""
        if self._line is not None:
            try:
                self._line.send(word, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return False
            except OSError:
                log.debug("the side process is gone: the next one looks by itself")
        return True

    def hang_up(self) -> None:
        """Let the line go."""
        if self._line is not None:
            self._line.close()
        self._line, self._said = None, b""


def _told(seat: Seat) -> str:
    return "the side process" if seat.slot == SIDE else f"worker {seat.slot}"
