"""A place where a process sits, and when the next one is due there after it died. No gevent."""

from __future__ import annotations

from dataclasses import dataclass

# A process that lived as long was well. One that did not is replaced at once the first time, then after growing pauses:
# short ones still, since nobody answers what waits for it meanwhile.
WELL_SECONDS = 1.0
PAUSE_SECONDS = 0.1
PAUSE_SECONDS_MAX = 5.0


@dataclass
class Seat:
    """Who sits there.

    pid    0: nobody
    since  when that process was forked, by the monotonic clock
    due    when the next one is to be forked; None while somebody sits there
    beats  of its heart, as last looked at
    """

    slot: int
    pid: int = 0
    since: float = 0.0
    due: float | None = 0.0
    early_deaths: int = 0
    beats: int = 0
    missed: int = 0

    def is_due(self, now: float) -> bool:
        """Whether somebody is to be forked."""
        return self.due is not None and self.due <= now

    def take(self, pid: int, now: float) -> None:
        """Note who sits there now."""
        self.pid, self.since, self.due = pid, now, None
        self.missed = 0

    def hear(self, beats: int) -> int:
        """Look at the beats of its heart; returns how many looks ago there was a new one.

        Looks are counted, not seconds: whoever looks may have stood still as well, with the whole machine.
        """
        self.missed = 0 if beats != self.beats else self.missed + 1
        self.beats = beats
        return self.missed

    def bury(self, now: float) -> float:
        """Note that its process died; returns the seconds until the next one is due.

        >>> seat = Seat(0)
        >>> [seat.bury(now) for now in (0.5, 1.0, 1.5, 2.0)]
        [0.0, 0.1, 0.2, 0.4]
        """
        self.early_deaths = self.early_deaths + 1 if now - self.since < WELL_SECONDS else 0
        pause = 0.0
        if self.early_deaths > 1:
            pause = min(PAUSE_SECONDS * 2 ** (self.early_deaths - 2), PAUSE_SECONDS_MAX)
        self.pid, self.due = 0, now + pause
        return pause
