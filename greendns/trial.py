"""The program that lies on the disk now, tried in a child before a running server becomes it. No gevent.

The child runs the command that the server was started with, at the lowest priority. It is given all that would be
handed over, takes it over, reads from none of it, loads all that it would serve, and says that it is ready. Whatever
else it does is a failure: it ends with another status or without a word, is not ready in time, or is not there.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import time
from dataclasses import dataclass
from typing import BinaryIO

from . import __version__
from .errors import ConfigError, Problem
from .generations import Start, Succession
from .lastgood import last_good
from .loaded import Generation
from .processes import die_with_parent, ending_text, exit_after, fork
from .upgrade import VARIABLE, Holdings, describe, document_of, program

log = logging.getLogger("greendns")

# Where the child says that it is ready.
TRIAL_VARIABLE = "GREENDNS_TRIAL"
_READY = "ready"
# However large the zones are: the one that serves is there meanwhile.
TRIAL_SECONDS = 300.0
_NICE = 19
# What is told of what a program that failed wrote: its end tells what was wrong.
_LINES_MAX = 20
_OCTETS_MAX = 16_384


# -- the server that would become it


@dataclass
class Trial:
    """A trial under way.

    said   what the child wrote to standard output and standard error
    ready  where it says that it is ready
    due    when it is given up, by the monotonic clock
    """

    pid: int
    said: BinaryIO
    ready: BinaryIO
    due: float
    is_late: bool = False

    def end_if_due(self, now: float) -> None:
        """Kill a child that has had its time."""
        if self.due <= now and not self.is_late:
            self.is_late = True
            self.kill()

    def kill(self) -> None:
        """End it, whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Let the descriptors go."""
        self.said.close()
        self.ready.close()

    def judge(self, status: int) -> str:
        """The version that is ready; empty for a failure, which is told. The child has ended with `status`."""
        self.ready.seek(0)
        word, _, version = self.ready.read(_OCTETS_MAX).decode(errors="replace").strip().partition(" ")
        if status == 0 and word == _READY:
            return version
        for line in _last_lines(self.said):
            log.error("upgrade: %s", line)
        why = f"ended ({ending_text(status)}), and did not say that it is ready"
        if self.is_late:
            why = f"was not ready within {TRIAL_SECONDS:.0f} s"
        log.error("upgrade: the program that lies there now %s: nothing changes", why)
        return ""


def begin_trial(holdings: Holdings) -> Trial:
    """Fork the child. Raises OSError."""
    parent = os.getpid()
    said, ready = _nameless_file(), _nameless_file()
    with document_of(describe(holdings)) as (document, handed):
        pid = fork("greendns-trial")
        if pid == 0:
            told = {VARIABLE: str(document), TRIAL_VARIABLE: str(ready.fileno())}
            handed += [ready.fileno()]
            exit_after(lambda: _be_trial(parent, said.fileno(), handed, {**os.environ, **told}))
    return Trial(pid, said, ready, time.monotonic() + TRIAL_SECONDS)


def _nameless_file() -> BinaryIO:
    return open(os.memfd_create("greendns-trial"), "w+b", buffering=0)


def _be_trial(parent: int, said: int, handed: list[int], environment: dict[str, str]) -> int:
    """In the child: become the program that lies there now."""
    die_with_parent(parent)
    os.nice(_NICE)
    for stream in (1, 2):
        os.dup2(said, stream)
    for each in handed:
        os.set_inheritable(each, True)
    try:
        os.execve(program()[0], program(), environment)
    except OSError as error:
        print(f"{program()[0]}: can't be run: {error.strerror}", file=sys.stderr)
    return 1


def _last_lines(said: BinaryIO) -> list[str]:
    said.seek(max(0, os.fstat(said.fileno()).st_size - _OCTETS_MAX))
    text = said.read(_OCTETS_MAX).decode(errors="replace")
    return [line for line in text.splitlines() if line.strip()][-_LINES_MAX:]


# -- the program that is tried


def is_trial() -> bool:
    """Whether this program is only tried."""
    return TRIAL_VARIABLE in os.environ


def try_out(start: Start, holdings: Holdings) -> int:
    """Load all that would be served, and say that all is well. Raises ConfigError for what a server can't do without.

    A zone that has no good version now may well be in service, from what its file said before: so that is a failure.
    """
    ready = int(os.environ.pop(TRIAL_VARIABLE))
    kept = last_good(holdings.settings)
    generation = Succession(start, holdings.options, holdings.table.slots, kept).anew(holdings.settings)
    problems = tuple(_missing_zones(generation))
    if problems:
        raise ConfigError(*problems)
    os.write(ready, f"{_READY} {__version__}\n".encode())
    return 0


def _missing_zones(generation: Generation) -> list[Problem]:
    return [problem for loaded in generation.zones.values() if loaded.zone is None for problem in loaded.errors]
