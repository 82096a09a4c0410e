"""Sockets that a service manager has bound and passed in, in place of what would be bound: sd_listen_fds(3). No gevent.

They come from descriptor 3 on, and the environment tells how many, for which process, and by which names.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, MutableMapping

from .errors import ConfigError, Problem
from .settingkinds import EVERY_ADDRESS

FILE = "socket activation"  # in place of a file's name, where one is to be mended
_FIRST_DESCRIPTOR = 3
_HTTP_NAME = "http"


class PassedSockets:
    """Sockets and their names, each until somebody takes it."""

    def __init__(self, passed: Iterable[tuple[str, socket.socket]] = ()) -> None:
        self._passed = list(passed)

    def hosts(self, port: int) -> list[str]:
        """Every address of which a socket of this port is there."""
        places = [each.getsockname() for _, each in self._passed if _is_of_internet(each)]
        return list(dict.fromkeys([place[0] for place in places if place[1] == port]))

    def take(self, host: str, port: int, kind: socket.SocketKind) -> list[socket.socket]:
        """Every socket of this address and kind."""
        return self._take([(name, each) for name, each in self._passed if _is_at(each, host, port, kind)])

    def take_http(self, host: str, port: int) -> socket.socket | None:
        """The HTTP side's socket: the one of that name, else of that address."""
        streams = [(name, each) for name, each in self._passed if each.type == socket.SOCK_STREAM]
        named = [(name, each) for name, each in streams if name == _HTTP_NAME]
        found = named or [(name, each) for name, each in streams if _is_at(each, host, port, socket.SOCK_STREAM)]
        return next(iter(self._take(found[:1])), None)

    def rest(self) -> list[socket.socket]:
        """Those that nobody took."""
        return [each for _, each in self._passed]

    def _take(self, found: list[tuple[str, socket.socket]]) -> list[socket.socket]:
        self._passed = [pair for pair in self._passed if pair not in found]
        return [each for _, each in found]


def take_passed(environment: MutableMapping[str, str], pid: int) -> PassedSockets:
    """What was passed to this process; nobody is told of it any more. Raises ConfigError."""
    owner, count, names = [environment.pop(f"LISTEN_{word}", "") for word in ("PID", "FDS", "FDNAMES")]
    if owner != str(pid) or not count.isdecimal():
        return PassedSockets()
    opened = [_open(_FIRST_DESCRIPTOR + number) for number in range(int(count))]
    named = names.split(":") if names else []
    return PassedSockets(zip([*named, *[""] * len(opened)], opened, strict=False))


def _open(descriptor: int) -> socket.socket:
    """The socket of a descriptor, for this process alone and not to be waited for."""
    try:
        os.set_inheritable(descriptor, False)
        opened = socket.socket(fileno=descriptor)
        opened.setblocking(False)
        is_idle = opened.type == socket.SOCK_STREAM and not opened.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise ConfigError(Problem(FILE, f"descriptor {descriptor}", f"must be a socket: {error.strerror}")) from error
    if is_idle:
        raise ConfigError(Problem(FILE, f"descriptor {descriptor}", "must be a socket that listens (Accept=no)"))
    return opened


def _is_of_internet(passed: socket.socket) -> bool:
    return passed.family in (socket.AF_INET, socket.AF_INET6)


def _is_at(passed: socket.socket, host: str, port: int, kind: socket.SocketKind) -> bool:
    if passed.type != kind or not _is_of_internet(passed):
        return False
    bound, number = passed.getsockname()[:2]
    return number == port and host in (bound, EVERY_ADDRESS)
