"""Sockets of several workers: all on one port, shared with nobody else."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable

import pytest

from greendns.errors import ConfigError
from greendns.listeners import Listener, Sockets, Wanted, bind_all, bind_http, close_all, count_drops, log_small_buffers

WANTED = Wanted(slots=3, receive_buffer_octets=65536)


@pytest.fixture
def bound() -> Callable[[Wanted], list[Listener]]:
    return lambda wanted: bind_all([("127.0.0.1", 0)], wanted)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_each_slot_has_a_socket_of_each_kind(host: str) -> None:
    """On one port; the TCP ones listen."""
    listening = bind_all([(host, 0)], WANTED)
    try:
        (listener,) = listening
        ports = {each.getsockname()[1] for each in (*listener.udp, *listener.tcp)}
        assert (len(listener.udp), len(listener.tcp)) == (3, 3)
        assert ports == {listener.port}
        assert all(each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) for each in listener.tcp)
    finally:
        close_all(listening)


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_a_second_server_is_refused(kind: str) -> None:
    """By either transport, although the sockets of the first are shared among its own."""
    listening = bind_all([("127.0.0.1", 0)], WANTED)
    (listener,) = listening
    try:
        for each in listener.tcp if kind == "udp" else listener.udp:
            each.close()
        with pytest.raises(ConfigError, match=rf"by {kind.upper()}: Address already in use"):
            bind_all([("127.0.0.1", listener.port)], WANTED)
    finally:
        close_all(listening)


def test_what_comes_is_spread_over_all_slots() -> None:
    """By the sender's port: each of three sockets has some of 64."""
    (listener,) = bind_all([("127.0.0.1", 0)], WANTED)
    try:
        for _ in range(64):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"x", ("127.0.0.1", listener.port))
        waiting = [count_waiting(each) for each in listener.udp]
        assert sum(waiting) == 64
        assert all(waiting)
    finally:
        close_all([listener])


def count_waiting(udp: socket.socket) -> int:
    """Read all that waits."""
    count = 0
    try:
        while udp.recv(10):
            count += 1
    except BlockingIOError:
        return count
    return count


def test_what_finds_no_room_is_counted() -> None:
    """Over all sockets: what was sent is either waiting or dropped."""
    (listener,) = bind_all([("127.0.0.1", 0)], Wanted(slots=2, receive_buffer_octets=4096))
    try:
        assert count_drops([listener]) == 0
        for _ in range(64):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(bytes(1000), ("127.0.0.1", listener.port))
        dropped = count_drops([listener])
        assert dropped > 0
        assert dropped + sum(map(count_waiting, listener.udp)) == 64
    finally:
        close_all([listener])


def test_less_room_than_wanted_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """And as much is not."""
    sockets = Sockets(bind_all([("127.0.0.1", 0)], WANTED), None)
    try:
        log_small_buffers(sockets, 65536)
        assert caplog.messages == []
        with caplog.at_level(logging.WARNING):
            log_small_buffers(sockets, 100_000)
        assert caplog.messages == ["the system gives 65536 octets, not server.receive_buffer_octets = 100000"]
    finally:
        sockets.close()


def test_every_address_is_told() -> None:
    """The HTTP side last, also where it is off."""
    sockets = Sockets(bind_all([("127.0.0.1", 0), ("::1", 0)], WANTED), bind_http("127.0.0.1:0"))
    try:
        ipv4, ipv6 = sockets.dns
        assert sockets.http is not None
        http = sockets.http.getsockname()[1]
        told = [f"listening on 127.0.0.1:{ipv4.port}", f"listening on [::1]:{ipv6.port}", f"http on 127.0.0.1:{http}"]
        assert sockets.told() == told
        assert Sockets([], None).told() == ["http off"]
    finally:
        sockets.close()
