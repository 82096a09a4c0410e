"""A generation as the arbiter sees it: the process group of a keeper. No gevent."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Literal

from .processes import signal_group
from .worker import STOP_SECONDS

# Beyond what workers allow themselves: for ends that nobody is waiting for any more.
_GRACE_SECONDS = 1.5


@dataclass
class KeeperGroup:
    """A generation by the pid of its keeper, which is its process group too.

    bank         None: it waits for one, or has it in a table that is not ours
    holds        what it serves, in words
    killed_at    when it is to be killed, by the monotonic clock; None unless it is leaving
    is_headless  whether its keeper has ended
    is_ours      whether it runs this program; not where the arbiter was upgraded since
    """

    pid: int
    state: Literal["loading", "serving", "leaving"] = "loading"
    bank: int | None = None
    holds: str = ""
    killed_at: float | None = None
    is_headless: bool = False
    is_ours: bool = True

    @property
    def needs_looks(self) -> bool:
        """Whether there may soon be something to do for it that nobody tells."""
        return self.state == "leaving" or (self.state == "loading" and self.bank is None)

    def have_leave(self, now: float) -> None:
        """Tell all its processes to finish what they have, and leave."""
        self.state = "leaving"
        self.killed_at = now + STOP_SECONDS + _GRACE_SECONDS
        signal_group(self.pid, signal.SIGTERM)

    def kill_if_due(self, now: float) -> None:
        """Kill those that have had their time."""
        if self.killed_at is not None and self.killed_at <= now:
            signal_group(self.pid, signal.SIGKILL)
