"""A server under measurement is all of its processes together: their processor time, their memory.

Read from /proc (Linux). GreenDNS is whatever it forks, NSD three processes, gdnsd one with threads: so time is summed
over every thread of every process below the one that was started, and memory is the proportional set size, in which a
page that several processes share counts once.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
# Often enough to see a load of some tenths of a second at its peak, rarely enough not to be felt by it.
_SAMPLE_SECONDS = 0.05
_STOP_SECONDS = 10.0


class Missing(Exception):
    """A program that is needed is not installed; says how to install it."""


def find_program(name: str, package: str) -> str:
    """The path of a program, also in the directories of daemons. Raises Missing."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if path is None:
        raise Missing(f"{name} is not installed: apt-get install {package} (Debian, Ubuntu)")
    return path


# -- cores


@dataclass(frozen=True)
class Cores:
    """Which core a server runs on, and which its clients; equal where the machine has only one."""

    server: int
    client: int

    @property
    def is_shared(self) -> bool:
        """Whether server and client take each other's time: no figure is of the server alone then."""
        return self.server == self.client


def choose_cores() -> Cores:
    """The first core for the server, the second for the clients, of those that this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[1 % len(usable)])


def on_cores(cores: Sequence[int], command: Sequence[str]) -> list[str]:
    """The command, on these cores. Raises Missing."""
    return [find_program("taskset", "util-linux"), "-c", ",".join(map(str, cores)), *command]


class Others:
    """Who else used the processors since it was made: a load average tells only of the minute before."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._all, self._own = _all_seconds(), _own_seconds()

    def cores(self) -> float:
        """How many of them, on average; asked when every process that was started here has been waited for."""
        theirs = _all_seconds() - self._all - (_own_seconds() - self._own)
        return max(theirs, 0.0) / (time.monotonic() - self._began)


def _all_seconds() -> float:
    """Of all processors, in programs and in the kernel for them (proc(5), stat: user, nice, system)."""
    return sum(map(int, (_PROC / "stat").read_text().split(maxsplit=4)[1:4])) / _TICKS_A_SECOND


def _own_seconds() -> float:
    """Of this process and of its children that have ended."""
    used = (resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum([each.ru_utime + each.ru_stime for each in used])


# -- a tree of processes


class Tree:
    """A process and everything below it, as it is when asked."""

    def __init__(self, root: int) -> None:
        self.root = root

    def members(self) -> list[int]:
        """Their ids, the root first."""
        children: dict[int, list[int]] = {}
        for process in _running():
            with suppress(OSError):
                children.setdefault(int(_stat(process)[1]), []).append(process)
        found = [self.root]
        for process in found:
            found += children.get(process, [])
        return found

    def cpu_seconds(self) -> float:
        """What they have used so far, in their own code and in the kernel for them, and who of them has ended."""
        return sum([_cpu_seconds(process) for process in self.members()])

    def memory(self) -> float:
        """What they occupy together, in megabytes of 10^6 octets."""
        return sum([_proportional_set_size(process) for process in self.members()])

    def largest_peak(self) -> float:
        """The most that any single one of them has occupied so far, shared pages and all, in megabytes."""
        return max([_status_megabytes(process, "VmHWM") for process in self.members()])


def _running() -> Iterator[int]:
    return (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal())


def _stat(process: int) -> list[str]:
    """The fields of proc(5)'s stat, from the third on."""
    return (_PROC / str(process) / "stat").read_text().rpartition(")")[2].split()


def _cpu_seconds(process: int) -> float:
    """Of all threads to the nanosecond, and of children that were waited for, which the kernel tells in ticks."""
    with suppress(OSError):
        ended = sum(map(int, _stat(process)[13:15])) / _TICKS_A_SECOND
        return ended + sum([_thread_seconds(thread) for thread in (_PROC / str(process) / "task").iterdir()])
    return 0.0


def _thread_seconds(thread: Path) -> float:
    with suppress(OSError):
        return int((thread / "schedstat").read_text().split()[0]) / 1e9
    return 0.0


def _proportional_set_size(process: int) -> float:
    with suppress(OSError):
        return _megabytes((_PROC / str(process) / "smaps_rollup").read_text(), "Pss")
    return 0.0


def _status_megabytes(process: int, key: str) -> float:
    with suppress(OSError):
        return _megabytes((_PROC / str(process) / "status").read_text(), key)
    return 0.0


def _megabytes(text: str, key: str) -> float:
    match = re.search(rf"^{key}:\s+(\d+) kB", text, re.MULTILINE)
    return int(match[1]) * 1024 / 1e6 if match else 0.0


class Peak:
    """The most memory that a tree occupies while the block runs, in megabytes.

    The kernel keeps the peak of each single process; what several occupy together is looked at every 50 ms.
    """

    def __init__(self, tree: Tree) -> None:
        self.megabytes = 0.0
        self._tree = tree
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._ended.wait(_SAMPLE_SECONDS):
            self._look()

    def _look(self) -> None:
        # To count a process's pages keeps it from getting more of them for that time: not where it is alone.
        together = self._tree.memory() if len(self._tree.members()) > 1 else 0.0
        self.megabytes = max(self.megabytes, together, self._tree.largest_peak())


@contextmanager
def started(command: Sequence[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run a server until the block ends; all that it says goes to a file."""
    with log.open("w") as words:
        process = subprocess.Popen(
            command, stdout=words, stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment}
        )
    try:
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[str]) -> None:
    """Ask a server to end; after ten seconds, end it and all of its processes."""
    members = Tree(process.pid).members()
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        for member in members:
            with suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
        process.wait()
