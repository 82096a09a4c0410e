"""Addresses -> bound sockets: for each a UDP and a TCP socket per worker, all on the same port. No gevent.

The first socket of an address is bound plain: where anybody else has it, that is refused. Only then may others share
it (SO_REUSEPORT), and the kernel spreads what comes over all of them by the sender's address and port.

Sockets that a service manager passed in are taken as they are, and nothing is bound beside them: where there are more
workers than sockets of an address, several of them read from one.

`*` is every address of every interface that is loopback or global unicast, each bound by itself, so that an answer
leaves from the address that the query came to (G007); with sockets passed in it is what those of its port are bound to.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address

import ifaddr

from .activation import FILE, PassedSockets
from .controlsocket import ControlSocket
from .errors import ConfigError, Problem
from .processes import LEAST_DESCRIPTORS, SPARE_DESCRIPTORS, want_descriptors
from .settingkinds import EVERY_ADDRESS, HTTP_OFF, parse_listen
from .settings import Config

log = logging.getLogger("greendns")

BACKLOG = 1024
_TRANSPORTS = {socket.SOCK_DGRAM: "UDP", socket.SOCK_STREAM: "TCP"}
# Somebody else may take the port between the two binds when any free port will do.
_FREE_PORT_ATTEMPTS = 16
# Linux (asm-generic/socket.h), and where the drops are in what it tells: the same number as SO_RXQ_OVFL, which would
# cost a control message with every packet.
_SO_RCVBUFFORCE = 33
_SO_MEMINFO = 55
_MEMINFO = struct.Struct("=9I")
_MEMINFO_DROPS = 8


@dataclass(frozen=True)
class Listener:
    """An address being listened on, and its sockets, one of each kind per slot; the caller closes them."""

    host: str
    port: int
    udp: tuple[socket.socket, ...]
    tcp: tuple[socket.socket, ...]

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


@dataclass(frozen=True)
class Wanted:
    """What is wanted of every address: how many slots, and how much room for packets that wait.

    passed  sockets that need not be bound any more
    """

    slots: int
    receive_buffer_octets: int
    passed: PassedSockets = field(default_factory=PassedSockets)


@dataclass(frozen=True)
class Sockets:
    """All that a server listens on: what it answers on, and HTTP and the control socket, None where they are off."""

    dns: list[Listener]
    http: socket.socket | None
    control: ControlSocket | None = None

    def told(self) -> list[str]:
        """A line for each address, that of the HTTP side last."""
        http = "off" if self.http is None else f"on {socket_text(*self.http.getsockname()[:2])}"
        return [*[f"listening on {each}" for each in self.dns], f"http {http}"]

    def close(self) -> None:
        """Close this process's copies."""
        close_all(self.dns)
        for each in (self.http, self.control):
            if each is not None:
                each.close()

    def remove(self) -> None:
        """Leave nothing of them behind."""
        if self.control is not None:
            self.control.remove()


def bind_sockets(settings: Config, slots: int, passed: PassedSockets) -> Sockets:
    """Bind everything that a configuration names. Raises ConfigError, with nothing left bound.

    passed  what need not be bound any more; what of it is nowhere named is refused
    """
    # Before the others: its name is what counts.
    http = None if settings.http.address is None else passed.take_http(*settings.http.address)
    dns = bind_all(settings.server.addresses, Wanted(slots, settings.server.receive_buffer_octets, passed))
    try:
        _refuse(passed.rest())
        return Sockets(dns, http or bind_http(settings.http.listen))
    except ConfigError:
        close_all(dns)
        raise


def _refuse(rest: list[socket.socket]) -> None:
    """Raise ConfigError for sockets that were passed in and that nobody wants."""
    claim = "must be an address of server.listen, or of http.listen"
    if rest:
        raise ConfigError(*[Problem(FILE, _place_of(each), claim) for each in rest])


def _place_of(passed: socket.socket) -> str:
    """The address of any socket, and its transport where that has a name of ours."""
    name = passed.getsockname()
    place = socket_text(*name[:2]) if isinstance(name, tuple) else os.fsdecode(name)
    return f"{place} by {_TRANSPORTS[passed.type]}" if passed.type in _TRANSPORTS else place


def log_small_buffers(sockets: Sockets, wanted_octets: int) -> None:
    """Tell if the kernel gave less room for waiting packets than was wanted. It tells the double: its own share."""
    every = [each for listener in sockets.dns for each in listener.udp]
    given = min(each.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) for each in every) // 2
    if given < wanted_octets:
        log.warning("the system gives %d octets, not server.receive_buffer_octets = %d", given, wanted_octets)


def bind_all(addresses: Iterable[tuple[str, int]], wanted: Wanted) -> list[Listener]:
    """Bind every (host, port); port 0 takes a free one. Raises ConfigError, with nothing left bound."""
    listeners: list[Listener] = []
    try:
        for host, port in addresses:
            hosts = [host]
            if host == EVERY_ADDRESS:
                hosts = wanted.passed.hosts(port) or interface_addresses()
            # A UDP and a TCP socket each.
            _find_room(2 * wanted.slots * (len(listeners) + len(hosts)))
            listeners += _bind_hosts(hosts, port, wanted)
    except ConfigError:
        close_all(listeners)
        raise
    return listeners


def _find_room(sockets: int) -> None:
    """Have so many sockets, and what a server needs beside them, allowed. Raises ConfigError where they are not."""
    allowed = want_descriptors(sockets + SPARE_DESCRIPTORS)
    if allowed < sockets + LEAST_DESCRIPTORS:
        claim = f"must be {sockets + LEAST_DESCRIPTORS} at least (ulimit -n, LimitNOFILE)"
        raise ConfigError(Problem("limits", "open files", claim, str(allowed)))


def close_all(listeners: Iterable[Listener]) -> None:
    """Close their sockets."""
    for listener in listeners:
        for each in (*listener.udp, *listener.tcp):
            each.close()


def count_drops(listeners: Iterable[Listener]) -> int:
    """How many datagrams the kernel dropped because a receive buffer was full; 0 where it does not tell."""
    every = [each for listener in listeners for each in listener.udp]
    # Several slots may have the same one.
    return sum(map(_drops, {os.fstat(each.fileno()).st_ino: each for each in every}.values()))


def _drops(udp: socket.socket) -> int:
    try:
        told = udp.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
        drops: int = _MEMINFO.unpack(told)[_MEMINFO_DROPS]
    except (OSError, struct.error):
        return 0
    return drops


def _bind_hosts(hosts: list[str], port: int, wanted: Wanted) -> list[Listener]:
    """Bind addresses to one port; port 0 is a port that is free on all of them, by UDP and TCP."""
    for _ in range(0 if port else _FREE_PORT_ATTEMPTS):
        with contextlib.suppress(_Taken):
            return _bind_once(hosts, port, wanted)
    return _bind_once(hosts, port, wanted)


def _bind_once(hosts: list[str], port: int, wanted: Wanted) -> list[Listener]:
    bound: list[Listener] = []
    try:
        for host in hosts:
            bound.append(_bind(host, bound[0].port if bound else port, wanted))
    except ConfigError:
        close_all(bound)
        raise
    return bound


def _bind(host: str, port: int, wanted: Wanted) -> Listener:
    udp = _open_all(host, port, socket.SOCK_DGRAM, wanted)
    port = udp[0].getsockname()[1]
    try:
        return Listener(host, port, udp, _open_all(host, port, socket.SOCK_STREAM, wanted))
    except ConfigError:
        close_all([Listener(host, port, udp, ())])
        raise


class _Taken(ConfigError):
    """The address is somebody else's."""


def _open_all(host: str, port: int, kind: socket.SocketKind, wanted: Wanted) -> tuple[socket.socket, ...]:
    """A bound socket for each slot."""
    opened = wanted.passed.take(host, port, kind)
    if opened:
        _check_passed(opened, wanted)
    shared = len(opened)
    try:
        for slot in range(wanted.slots):
            if slot >= shared:
                opened.append(opened[slot % shared].dup() if shared else _bound_socket(host, port, kind, not opened))
            port = opened[0].getsockname()[1]
            _make_ready(opened[slot], wanted)
    except OSError as error:
        for each in opened:
            each.close()
        place = socket_text(host, port)
        problem = Problem("listen", place, f"must be an address to listen on by {_TRANSPORTS[kind]}: {error.strerror}")
        raise (_Taken if error.errno == errno.EADDRINUSE else ConfigError)(problem) from error
    return tuple(opened)


def _check_passed(passed: list[socket.socket], wanted: Wanted) -> None:
    """Raise ConfigError for sockets of an address that were passed in and can't be served."""
    if len(passed) > wanted.slots:
        claim = f"must be passed no more often than there may be workers ({wanted.slots})"
        raise ConfigError(Problem(FILE, _place_of(passed[0]), claim, str(len(passed))))
    for each in passed:
        # Who asks by IPv4 would come with an address that is no IPv4 client's.
        if each.getsockname()[0] == "::" and not each.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
            raise ConfigError(Problem(FILE, _place_of(each), "must be for IPv6 alone (BindIPv6Only=ipv6-only)"))


def _bound_socket(host: str, port: int, kind: socket.SocketKind, is_first: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, kind)
    try:
        opened.setblocking(False)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM:
            # Connections of the process before us may linger; listening twice is still refused.
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_first:
            # With SO_REUSEPORT, a second server would get the address without an error, and half of the packets.
            opened.bind((host, port))
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if not is_first:
            opened.bind((host, port))
    except OSError:
        opened.close()
        raise
    return opened


def _make_ready(opened: socket.socket, wanted: Wanted) -> None:
    if opened.type == socket.SOCK_STREAM:
        opened.listen(BACKLOG)
        return
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, wanted.receive_buffer_octets)
    with contextlib.suppress(OSError):
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, wanted.receive_buffer_octets)


def bind_http(text: str) -> socket.socket | None:
    """The HTTP side's socket: `text` is its setting; None where that is off. Raises ConfigError.

    Every address is one socket for IPv6 and IPv4.
    """
    if text == HTTP_OFF:
        return None
    host, port = parse_listen(text)
    try:
        if host == EVERY_ADDRESS:
            return _bind_everywhere(port)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        problem = Problem("http.listen", text, f"must be an address to listen on: {error.strerror}")
        raise ConfigError(problem) from error


def _bind_everywhere(port: int) -> socket.socket:
    """One socket for IPv6 and IPv4; for IPv4 alone where the system has no IPv6."""
    try:
        return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    except OSError as error:
        if error.errno not in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            raise
        return socket.create_server(("0.0.0.0", port))
