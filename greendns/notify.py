"""What a service manager wants to know (sd_notify(3)): ready, reloading, stopping, and that we are well. No gevent.

Datagrams to the socket that NOTIFY_SOCKET names. Nothing is ever waited for, and nothing fails here: a manager that
does not read is told a little later, one that is not there is not told. Only the process that the manager started
tells; what is forked from it forgets the variables (`forget_manager`).
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import deque
from collections.abc import Mapping, MutableMapping

_SOCKET = "NOTIFY_SOCKET"
_WATCHDOG = ("WATCHDOG_USEC", "WATCHDOG_PID")
# So long after one that the manager's socket had no room for, a message is sent again.
_RETRY_SECONDS = 0.5
# More than a manager that reads is ever behind.
_UNTOLD_MAX = 16


def forget_manager(environment: MutableMapping[str, str]) -> None:
    """Take out what only the process is told that a service manager has started."""
    for name in (_SOCKET, *_WATCHDOG):
        environment.pop(name, None)


class ServiceManager:
    """Whoever started us and wants to be told; nobody, where the environment names none.

    due  when there is something to tell by itself, by the monotonic clock; None: nothing
    """

    def __init__(self, environment: Mapping[str, str], pid: int) -> None:
        self._pid = pid
        self._address = _address(environment.get(_SOCKET, ""))
        self._socket = _open_socket() if self._address else None
        self._beat_seconds = None if self._socket is None else _beat_seconds(environment, pid)
        self._beat_due = 0.0
        self._untold: deque[str] = deque(maxlen=_UNTOLD_MAX)
        self._retry_due = 0.0
        self._status = ""
        self._is_ready = False
        # READY is owed once this request is in force; None: it is not owed.
        self._owed: int | None = 0

    @property
    def due(self) -> float | None:
        """When `look` has something to do that nobody else tells; None: never."""
        retry = [self._retry_due] if self._untold else []
        beat = [] if self._beat_seconds is None else [self._beat_due]
        return min([*retry, *beat], default=None)

    @property
    def is_waiting(self) -> bool:
        """Whether it waits to be told that something is in force."""
        return self._socket is not None and self._owed is not None

    def reload(self, request: int) -> None:
        """A reload was asked for, by number; of those before the first READY nothing is told."""
        if self._is_ready:
            self._owed = request
            self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def give_up_reload(self) -> None:
        """What was to come does not, and what is in force stays so."""
        if self._owed is not None:
            self._owed = 0

    def stop(self) -> None:
        """The end begins."""
        self._owed = None
        self._tell("STOPPING=1")

    def look(self, now: float, in_force: int | None, status: str, is_well: bool) -> None:
        """Tell what there is to tell now.

        in_force  the last reload asked for that is in force, 0 for the start itself; None: nothing is
        status    a line for people
        is_well   whether anybody reads
        """
        told = [f"STATUS={status}"] if status != self._status else []
        if self._owed is not None and in_force is not None and in_force >= self._owed:
            told = ["READY=1", f"MAINPID={self._pid}", f"STATUS={status}"]
            self._is_ready, self._owed = True, None
        if told:
            self._status = status
            self._tell(*told)
        if self._untold and now >= self._retry_due:
            self._send_untold(now)
        if self._beat_seconds is not None and now >= self._beat_due:
            self._beat_due = now + self._beat_seconds
            # One that is late is worth nothing.
            if is_well and not self._untold:
                self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if self._socket is not None:
            self._untold.append("\n".join(lines))
            self._send_untold(time.monotonic())

    def _send_untold(self, now: float) -> None:
        """Send what waits, in its order, as far as there is room for it."""
        assert self._socket is not None
        self._retry_due = now + _RETRY_SECONDS
        while self._untold:
            try:
                self._socket.sendto(self._untold[0].encode(), self._address)
            except BlockingIOError:
                return
            except OSError:
                # Nobody is there, or nobody that we may tell.
                pass
            self._untold.popleft()


def _address(name: str) -> str:
    """Where the manager listens: a path, or a name that is no file's; empty for nowhere, and for what is neither.

    >>> _address("/run/systemd/notify"), _address("@name"), _address("vsock:2:1234")
    ('/run/systemd/notify', '\\x00name', '')
    """
    if name.startswith("@"):
        return "\0" + name[1:]
    return name if name.startswith("/") else ""


def _open_socket() -> socket.socket | None:
    """A socket to tell from, held from the start, when there are descriptors; None where the system gives none."""
    with contextlib.suppress(OSError):
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        opened.setblocking(False)
        return opened
    return None


def _beat_seconds(environment: Mapping[str, str], pid: int) -> float | None:
    """Half of the time after which a process that is not heard of is taken for stuck; None: nobody listens for us."""
    text, owner = [environment.get(name, "") for name in _WATCHDOG]
    if not text.isdecimal() or int(text) == 0 or owner not in ("", str(pid)):
        return None
    return int(text) / 2 / 1_000_000
