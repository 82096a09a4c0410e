"""Addresses -> bound sockets: one UDP and one TCP socket for each, on the same port. No gevent.

`*` is every address of every interface that is loopback or global unicast, each bound by itself, so that an answer
leaves from the address that the query came to (G007).
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address

import ifaddr

from .errors import ConfigError, Problem

EVERY_ADDRESS = "*"
# The kernel's default holds 256 queries, 3 ms of a burst (measured); forced where allowed, else as far as it goes.
RECEIVE_BUFFER_OCTETS = 8 * 1024 * 1024
BACKLOG = 1024
# Somebody else may take the port between the two binds when any free port will do.
_FREE_PORT_ATTEMPTS = 16
_SO_RCVBUFFORCE = 33


@dataclass(frozen=True)
class Listener:
    """An address being listened on, and its sockets; the caller closes them."""

    host: str
    port: int
    udp: socket.socket
    tcp: socket.socket

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def interface_addresses() -> list[str]:
    """Every address of this machine that is loopback or global unicast; link-local ones are left out."""
    found = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            text = entry.ip if isinstance(entry.ip, str) else entry.ip[0]
            address = ip_address(text.partition("%")[0])
            if not (address.is_link_local or address.is_multicast or address.is_unspecified):
                found.append(str(address))
    return list(dict.fromkeys(found))


def bind_all(addresses: Iterable[tuple[str, int]]) -> list[Listener]:
    """Bind every (host, port); port 0 takes a free one. Raises ConfigError, with nothing left bound."""
    listeners: list[Listener] = []
    try:
        for host, port in addresses:
            for each in _expand(host):
                listener = _bind(each, port)
                listeners.append(listener)
                # All addresses of `*:0` share the port that the first one got.
                port = listener.port
    except OSError as error:
        close_all(listeners)
        place = f"[{each}]:{port}" if ":" in each else f"{each}:{port}"
        raise ConfigError(Problem("listen", place, f"must be an address to listen on: {error.strerror}")) from error
    return listeners


def close_all(listeners: Iterable[Listener]) -> None:
    """Close their sockets."""
    for listener in listeners:
        listener.udp.close()
        listener.tcp.close()


def _expand(host: str) -> Iterator[str]:
    if host != EVERY_ADDRESS:
        yield host
        return
    yield from interface_addresses()


def _bind(host: str, port: int) -> Listener:
    for attempt in range(_FREE_PORT_ATTEMPTS):
        udp = _open(host, port, socket.SOCK_DGRAM)
        try:
            tcp = _open(host, udp.getsockname()[1], socket.SOCK_STREAM)
        except OSError as error:
            udp.close()
            if port or error.errno != errno.EADDRINUSE or attempt == _FREE_PORT_ATTEMPTS - 1:
                raise
            continue
        return Listener(host, udp.getsockname()[1], udp, tcp)
    raise AssertionError("the last attempt returns or raises")


def _open(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, kind)
    try:
        opened.setblocking(False)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            # Connections of the process before us may linger; listening twice is still refused.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, port))
        if kind == socket.SOCK_STREAM:
            opened.listen(BACKLOG)
        else:
            _widen_buffer(opened)
    except OSError:
        opened.close()
        raise
    return opened


def _widen_buffer(opened: socket.socket) -> None:
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_OCTETS)
    with contextlib.suppress(OSError):
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER_OCTETS)
