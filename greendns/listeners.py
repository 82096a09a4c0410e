"""Addresses -> bound sockets: one UDP and one TCP socket for each, on the same port. No gevent.

`*` is every address of every interface that is loopback or global unicast, each bound by itself, so that an answer
leaves from the address that the query came to (G007).
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

import ifaddr

from .errors import ConfigError, Problem
from .settings import EVERY_ADDRESS

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
        return socket_text(self.host, self.port)


def socket_text(host: str, port: int) -> str:
    """An address and a port as operators write them: `192.0.2.1:53`, `[2001:db8::1]:53`."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def interface_addresses() -> list[str]:
    """Every address of this machine that is loopback or global unicast and can be bound; link-local ones can not."""
    found = []
    for adapter in ifaddr.get_adapters():
        for entry in adapter.ips:
            text = entry.ip if isinstance(entry.ip, str) else entry.ip[0]
            address = ip_address(text.partition("%")[0])
            if not (address.is_link_local or address.is_multicast or address.is_unspecified) and _is_ready(address):
                found.append(str(address))
    return list(dict.fromkeys(found))


def _is_ready(address: IPv4Address | IPv6Address) -> bool:
    """Whether the system lets us bind it: an IPv6 address still looked for duplicates (RFC 4862) can't be."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


def bind_all(addresses: Iterable[tuple[str, int]]) -> list[Listener]:
    """Bind every (host, port); port 0 takes a free one. Raises ConfigError, with nothing left bound."""
    listeners: list[Listener] = []
    try:
        for host, port in addresses:
            listeners += _bind_hosts(interface_addresses() if host == EVERY_ADDRESS else [host], port)
    except ConfigError:
        close_all(listeners)
        raise
    return listeners


def close_all(listeners: Iterable[Listener]) -> None:
    """Close their sockets."""
    for listener in listeners:
        listener.udp.close()
        listener.tcp.close()


def _bind_hosts(hosts: list[str], port: int) -> list[Listener]:
    """Bind addresses to one port; port 0 is a port that is free on all of them, by UDP and TCP."""
    for _ in range(0 if port else _FREE_PORT_ATTEMPTS):
        with contextlib.suppress(_Taken):
            return _bind_once(hosts, port)
    return _bind_once(hosts, port)


def _bind_once(hosts: list[str], port: int) -> list[Listener]:
    bound: list[Listener] = []
    try:
        for host in hosts:
            bound.append(_bind(host, bound[0].port if bound else port))
    except ConfigError:
        close_all(bound)
        raise
    return bound


def _bind(host: str, port: int) -> Listener:
    udp = _open(host, port, socket.SOCK_DGRAM)
    port = udp.getsockname()[1]
    try:
        return Listener(host, port, udp, _open(host, port, socket.SOCK_STREAM))
    except ConfigError:
        udp.close()
        raise


class _Taken(ConfigError):
    """The address is somebody else's."""


def _open(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    try:
        return _bound_socket(host, port, kind)
    except OSError as error:
        place = socket_text(host, port)
        transport = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
        problem = Problem("listen", place, f"must be an address to listen on by {transport}: {error.strerror}")
        raise (_Taken if error.errno == errno.EADDRINUSE else ConfigError)(problem) from error


def _bound_socket(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
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
