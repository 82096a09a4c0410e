"""What the processes of a server need of the system: forks, signals as a queue, who reaps whom. No gevent.

A process that supervises others has no hub and no threads: it waits in poll(2) for its signals and messages, so that it
can be forked at any time and notices a dead child at once.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import logging
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn

from .notify import forget_manager

log = logging.getLogger("greendns")

# Linux (linux/prctl.h).
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36
_NAME_OCTETS = 15
_LOWEST_PRIORITY = 19  # setpriority(2)
_M_ARENA_MAX = -8  # mallopt(3), malloc.h
# For HTTP, files being read and what libraries open.
SPARE_DESCRIPTORS = 256
# Without as many beside its sockets a server can't start, or its first load fails: pipes, shared memory, the hub's own.
LEAST_DESCRIPTORS = 32
# What there may be none left of, for no fault of ours.
_SCARCE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC)

# What a supervising process may be told; TERM, QUIT and CHLD mean to a forked one what they mean to any, until it says
# more.
_IGNORED = (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
HANDLED = (signal.SIGTERM, signal.SIGQUIT, signal.SIGCHLD, *_IGNORED)


class SignalQueue:
    """Signals as something to wait for: `fileno` becomes readable, `take` tells which came. The handlers do nothing."""

    def __init__(self, numbers: Iterable[signal.Signals]) -> None:
        self._reader, self._writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, lambda *_: None)

    def fileno(self) -> int:
        return self._reader

    def take(self) -> list[int]:
        """The numbers of the signals that came since the last time."""
        try:
            return list(os.read(self._reader, 4096))
        except BlockingIOError:
            return []

    def close(self) -> None:
        """Let the descriptors go, in a fork of the process that made them."""
        os.close(self._reader)
        os.close(self._writer)


def fork(name: str) -> int:
    """Fork; 0 in the child, which `ps` calls by this name and which has the usual signal handlers.

    Between the fork and that a signal would land in the queue of the parent: so they wait that long.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    try:
        pid = os.fork()
        if pid == 0:
            forget_manager(os.environ)
            signal.set_wakeup_fd(-1)
            for number in HANDLED:
                signal.signal(number, signal.SIG_IGN if number in _IGNORED else signal.SIG_DFL)
            prctl(_PR_SET_NAME, name.encode()[:_NAME_OCTETS])
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid


def exit_after(work: Callable[[], int]) -> NoReturn:
    """End a forked process with the status that `work` returns, and never run what its parent would do next."""
    status = 1
    try:
        status = work()
    except BaseException as error:
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _SCARCE):
            log.error("a process ends for want of what it needs: %s", str(error) or "memory")
        else:
            log.exception("a process ends because of a fault of ours")
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def lead_group() -> None:
    """Become the leader of a process group: a generation is told to leave as a whole."""
    with contextlib.suppress(PermissionError):  # a leader of a session is one already
        os.setpgid(0, 0)


def signal_group(leader: int, number: signal.Signals) -> None:
    """Send a signal to all of a group, or to the process that is about to lead it; nothing if neither is there."""
    with contextlib.suppress(ProcessLookupError):
        try:
            os.killpg(leader, number)
        except ProcessLookupError:
            os.kill(leader, number)


def is_group_gone(leader: int) -> bool:
    """Whether no process of a group is left, those included that nobody has reaped yet."""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return True
    return False


def is_gone(pid: int) -> bool:
    """Whether there is no such process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def reap() -> Iterator[tuple[int, int]]:
    """Every child that has ended: its pid, and its exit status or, negative, the signal that killed it."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            yield pid, os.waitstatus_to_exitcode(status)


def ending_text(status: int) -> str:
    """How a process ended, in words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def adopt_orphans() -> bool:
    """Become the parent of every descendant that loses its own; False where the system can't do that."""
    return prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """Be killed at the moment that the parent ends, however busy; where the system can't do that, live on."""
    if prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) and os.getppid() != parent:
        os._exit(1)


def outlive_parent() -> None:
    """Take `die_with_parent` back."""
    prctl(_PR_SET_PDEATHSIG, 0)


def prctl(option: int, argument: int | bytes) -> bool:
    """prctl(2), which Python does not have; False without it, and where it fails."""
    return call_prctl(option, argument) == 0


def call_prctl(option: int, argument: int | bytes) -> int:
    """What prctl(2) returns; -1 without it, and where it fails."""
    if sys.platform != "linux":
        return -1
    value = ctypes.c_char_p(argument) if isinstance(argument, bytes) else ctypes.c_ulong(argument)
    rest = (ctypes.c_ulong(0),) * 3
    returned: int = ctypes.CDLL(None).prctl(ctypes.c_int(option), value, *rest)
    return returned


def yield_to_others(work: Callable[[], None]) -> None:
    """Do what may take its time, and let whoever else wants the processor go first; raises what it does.

    On Linux a thread has a priority of its own: this process keeps its own, which without privileges it would not get
    back, and so do those that it forks afterwards. The thread allocates from where all others do, so that nothing of
    it is left behind. Elsewhere the work is done as any other.
    """
    if sys.platform != "linux":
        work()
        return
    failures: list[BaseException] = []

    def attempt() -> None:
        try:
            os.setpriority(os.PRIO_PROCESS, 0, _LOWEST_PRIORITY)
            work()
        except BaseException as error:
            failures.append(error)

    with contextlib.suppress(AttributeError):  # glibc's alone
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def give_memory_back() -> None:
    """Give the system what was freed and lies between what was not: those forked from here would share it for long."""
    with contextlib.suppress(AttributeError):  # glibc's alone
        ctypes.CDLL(None).malloc_trim(0)


def want_descriptors(needed: int) -> int:
    """Raise the soft limit of open files as far as it goes, if it is too low; returns what is allowed then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return needed if soft == resource.RLIM_INFINITY else soft
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return allowed
