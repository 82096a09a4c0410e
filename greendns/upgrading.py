"""An upgrade as the arbiter sees it: the next program is tried, this process becomes it, it serves. No gevent."""

from __future__ import annotations

import logging

from . import __version__
from .trial import Trial, begin_trial
from .upgrade import IS_POSSIBLE, Holdings, become_next

log = logging.getLogger("greendns")


class Upgrading:
    """At most one upgrade at a time; nothing waits for it, and one that fails changes nothing."""

    def __init__(self, holdings: Holdings) -> None:
        self._holdings = holdings
        self._trial: Trial | None = None
        self._next = ""
        self._is_given_up = False
        # The program whose generation is still in service.
        self._before = holdings.before

    @property
    def due(self) -> float | None:
        """When there is something to do that nobody tells, by the monotonic clock; None: never."""
        return None if self._trial is None else self._trial.due

    @property
    def is_ready(self) -> bool:
        """Whether the next program has loaded all, and can have this process."""
        return bool(self._next)

    def begin(self, is_serving: bool) -> None:
        """Try the program that lies there now; `is_serving`: whether there is anything to be handed over yet."""
        if not IS_POSSIBLE:
            log.error("upgrade: this system has no memory that outlives a program: restart the server")
        elif self._trial is not None or self._next:
            log.warning("upgrade: one is under way already")
        elif not is_serving:
            log.warning("upgrade: nothing is served yet: nothing is done")
        else:
            self._try()

    def _try(self) -> None:
        try:
            self._trial = begin_trial(self._holdings)
        except OSError as error:
            self._fail(f"no process for the program that lies there now: {error.strerror}")
            return
        log.info("upgrade: the program that lies there now is tried (process %d)", self._trial.pid)

    def note_end(self, pid: int, status: int) -> None:
        """Note that a child has ended: it may be the one that tries."""
        trial = self._trial
        if trial is None or trial.pid != pid:
            return
        self._trial = None
        if not self._is_given_up:
            self._next = trial.judge(status)
            if not self._next:
                self._holdings.table.count_upgrade("error")
        trial.close()

    def check(self, now: float) -> None:
        """End what takes too long."""
        if self._trial is not None:
            self._trial.end_if_due(now)

    def become_next(self) -> None:
        """Have the next program take this process; returns only if it can't."""
        log.info("upgrade: %s takes over from %s", self._next, __version__)
        self._next = ""
        error = become_next(self._holdings)
        self._fail(f"the program can't be run: {error.strerror}")

    def note_served(self) -> None:
        """Note that a generation of this program is in service."""
        if self._before:
            log.info("upgrade: %s is in service, and %s leaves", __version__, self._before)
            self._holdings.table.count_upgrade("ok")
            self._before = ""

    def give_up(self) -> None:
        """The server stops."""
        self._next, self._is_given_up = "", True
        if self._trial is not None:
            self._trial.kill()

    def close(self) -> None:
        """Let the descriptors go, in a fork."""
        if self._trial is not None:
            self._trial.close()

    def _fail(self, why: str) -> None:
        log.error("upgrade: %s: nothing changes", why)
        self._holdings.table.count_upgrade("error")
