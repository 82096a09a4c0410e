"""Has what a generation serves kept, once it serves: in a process of its own, at the lowest priority. No gevent.

It shares the memory of the keeper that forks it, copies none of it, and ends with it: then the next one goes on. If it
is killed, or the disk is full, what was kept before stays, and it is tried again.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from typing import NoReturn

from .errors import CacheError
from .found import printable
from .lastgood import LastGood
from .loaded import Generation
from .processes import die_with_parent, fork, lead_group

log = logging.getLogger("greendns")

RETRY_SECONDS = 60.0
_NICE = 19


class Saver:
    """What a keeper knows of it.

    due  when it is to be forked, by the monotonic clock; None: nothing is to be kept, or it is at it
    """

    def __init__(self, last_good: LastGood | None) -> None:
        self._last_good = last_good
        self._pid = 0
        self.due: float | None = None

    def ask(self) -> None:
        """Have what is served now kept."""
        if self._last_good is not None:
            self.due = time.monotonic()

    def fork_if_due(self, generation: Generation, be: Callable[[Callable[[], int]], NoReturn]) -> None:
        """Fork it; `be` is what a child does."""
        if self._last_good is None or self.due is None or self.due > time.monotonic():
            return
        parent, last_good = os.getpid(), self._last_good
        try:
            self._pid = fork("greendns-saver") or be(lambda: _be_saver(parent, last_good, generation))
            self.due = None
        except OSError as error:
            _warn(last_good, error.strerror)
            self.due = time.monotonic() + RETRY_SECONDS

    def note_end(self, pid: int, status: int) -> None:
        """A child of the keeper has ended."""
        if pid == self._pid:
            self._pid = 0
            if status != 0:
                self.due = time.monotonic() + RETRY_SECONDS


def _be_saver(parent: int, last_good: LastGood, generation: Generation) -> int:
    # A disk that does not answer may hold it beyond any signal: nobody is to wait for it as for one of a generation.
    lead_group()
    die_with_parent(parent)
    os.nice(_NICE)
    return 0 if save(last_good, generation) else 1


def save(last_good: LastGood, generation: Generation) -> bool:
    """Keep what a generation serves; whether that could be done."""
    try:
        last_good.save(generation)
    except (OSError, CacheError) as error:
        _warn(last_good, error.strerror if isinstance(error, OSError) else error)
        return False
    return True


def _warn(last_good: LastGood, why: object) -> None:
    told = "what is served can't be kept (%s): what was kept before stays, tried again in %.0f s"
    log.warning(f"%s: {told}", printable(last_good.path), why, RETRY_SECONDS)
