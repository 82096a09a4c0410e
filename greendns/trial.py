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

from . import __version__
from .errors import ConfigError, Problem
from .found import printable
from .generations import Start, Succession
from .lastgood import last_good
from .loaded import Generation
from .processes import die_with_parent, ending_text, exit_after, fork
from .upgrade import VARIABLE, Holdings, describe, program, write_document

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

    said   what the child wrote to standard output and standard error: a memfd
    ready  where it says that it is ready: the end of a pipe
    due    when it is given up, by the monotonic clock
    """

    pid: int
    said: int
    ready: int
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
        os.close(self.said)
        os.close(self.ready)

    def _read_word(self) -> str:
        # Whoever the child has forked may hold the other end.
        with contextlib.suppress(BlockingIOError):
            return os.read(self.ready, 4096).decode(errors="replace")
        return ""

    def judge(self, status: int) -> str:
        """The version that is ready; empty for a failure, which is told. The child has ended with `status`."""
        word, _, version = self._read_word().strip().partition(" ")
        if status == 0 and word == _READY:
            return version
        for line in _last_lines(self.said):
            log.error("upgrade: %s", printable(line))
        why = f"was not ready within {TRIAL_SECONDS:.0f} s" if self.is_late else f"ended ({ending_text(status)})"
        log.error("upgrade: the program that lies there now %s and did not say that it is ready: nothing changes", why)
        return ""


def begin_trial(holdings: Holdings) -> Trial:
    """Fork the child. Raises OSError."""
    parent = os.getpid()
    handover = describe(holdings)
    document = write_document(handover)
    said = os.memfd_create("greendns-trial")
    ready, to_parent = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        pid = fork("greendns-trial")
    except OSError:
        for each in (document, said, ready, to_parent):
            os.close(each)
        raise
    if pid == 0:
        handed = [*handover.descriptors(), document, to_parent]
        environment = {**os.environ, VARIABLE: str(document), TRIAL_VARIABLE: str(to_parent)}
        exit_after(lambda: _be_trial(parent, said, handed, environment))
    os.close(document)
    os.close(to_parent)
    return Trial(pid, said, ready, time.monotonic() + TRIAL_SECONDS)


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


def _last_lines(descriptor: int) -> list[str]:
    size = os.fstat(descriptor).st_size
    start = max(0, size - _OCTETS_MAX)
    text = os.pread(descriptor, _OCTETS_MAX, start).decode(errors="replace")
    return [line for line in text.splitlines() if line.strip()][-_LINES_MAX:]


# -- the program that is tried


def is_trial() -> bool:
    """Whether this program is only tried."""
    return TRIAL_VARIABLE in os.environ


def try_out(start: Start, holdings: Holdings) -> int:
    """Load all that would be served, and say that all is well. Raises ConfigError for what a server can't do without.

    A zone that has no good version now may well be in service, from what its file said before: so that is a failure.
    """
    to_parent = int(os.environ.pop(TRIAL_VARIABLE))
    kept = last_good(holdings.settings)
    generation = Succession(start, holdings.options, holdings.table.slots, kept).anew(holdings.settings)
    problems = tuple(_missing_zones(generation))
    if problems:
        raise ConfigError(*problems)
    os.write(to_parent, f"{_READY} {__version__}\n".encode())
    return 0


def _missing_zones(generation: Generation) -> list[Problem]:
    return [problem for loaded in generation.zones.values() if loaded.zone is None for problem in loaded.errors]
