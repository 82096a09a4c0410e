"""Plain sockets to a server: what comes back for octets, over each transport; silence is told without a wait for it."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.checks.checkzone import ORIGIN, PLACES, ZONE
from tests.databases import write_city
from tests.packets import QUESTION
from tests.serving import Server, serving

SECONDS = 5.0
_SENTINEL = struct.pack("!6H", 0x5354, 0, 1, 0, 0, 0) + QUESTION


class Transport(NamedTuple):
    """A way to a server."""

    name: str
    host: str
    port: int
    is_tcp: bool

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET


def transports(server: Server) -> list[Transport]:
    """UDP and TCP, IPv4 and IPv6."""
    return [
        Transport(f"{'TCP' if is_tcp else 'UDP'} {'IPv6' if ':' in host else 'IPv4'}", host, port, is_tcp)
        for is_tcp in (False, True)
        for host, port in server.addresses
    ]


@contextmanager
def serving_checks(directory: Path, *arguments: str) -> Iterator[Server]:
    """A server of the checks' zone on both loopback addresses; one worker, so that what is sent first is read first."""
    write_city(directory / "GeoLite2-City.mmdb", PLACES)
    words = ["--identifier", "testid", *arguments]
    with serving(directory, {ORIGIN: ZONE}, words, ["127.0.0.1:0", "[::1]:0"], workers=1) as running:
        yield running


def ask(transport: Transport, wire: bytes, is_answered: bool = True) -> bytes | None:
    """The answer to one message; None for silence, which is what `is_answered` False looks for."""
    if transport.is_tcp:
        answers = ask_stream(transport, [struct.pack("!H", len(wire)) + wire], 1)
        return answers[0] if answers else None
    return _ask_datagram(transport, wire, is_answered)


def _ask_datagram(transport: Transport, wire: bytes, is_answered: bool) -> bytes | None:
    """A good question sent behind tells silence at once. Where an answer comes, none may come after it."""
    with socket.socket(transport.family, socket.SOCK_DGRAM) as sender:
        sender.settimeout(SECONDS)
        sender.connect((transport.host, transport.port))
        sender.send(wire)
        try:
            answer = sender.recv(65535) if is_answered else None
        except TimeoutError:
            answer = None
        sender.send(_SENTINEL)
        last = sender.recv(65535)
        return answer if last[:2] == _SENTINEL[:2] else last


def ask_stream(transport: Transport, parts: Sequence[bytes], count: int) -> list[bytes]:
    """Up to `count` messages that come back for octets sent in parts; fewer where the connection ends before."""
    with socket.create_connection((transport.host, transport.port), SECONDS) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            stream.sendall(part)
        with stream.makefile("rb") as reader:
            return list(_messages(reader.read, count))


def _messages(read: object, count: int) -> Iterator[bytes]:
    assert callable(read)
    for _ in range(count):
        try:
            head = read(2)
            if len(head) < 2:
                return
            yield read(struct.unpack("!H", head)[0])
        except (ConnectionResetError, TimeoutError):
            return
