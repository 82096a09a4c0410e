"""TCP against a real server (RFC 7766, RFC 9210): whoever is idle, slow or many leaves the others their answers."""

from __future__ import annotations

import os
import resource
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dns.message
import pytest

from tests.packets import ZONE
from tests.processtree import KEEPER, WORKER, memory_octets, named, open_descriptors
from tests.serving import Server, serving, wait_until

ADDRESS = ["192.0.2.1"]
PATIENT = "first_seconds = 60\nidle_seconds = 60\nmessage_seconds = 60\n"
# In all: with it a new client has its answer, whatever the others do.
ANSWER_SECONDS = 1.0
MEGABYTE = 1_000_000


@contextmanager
def tcp_serving(directory: Path, settings: str, workers: int = 1) -> Iterator[Server]:
    """A server with settings of its own for TCP."""
    (directory / "greendns.toml").write_text(f"[tcp]\n{settings}")
    with serving(directory, {"example.com": ZONE}, workers=workers) as server:
        yield server


def framed(name: str, number: int = 0) -> bytes:
    """A question as a connection carries it, with an ID that tells it from others."""
    wire = dns.message.make_query(name, "TXT" if name.startswith("_") else "A", id=number).to_wire()
    return len(wire).to_bytes(2, "big") + wire


def connect(server: Server, source: str = "127.0.0.1") -> socket.socket:
    """A client's connection from one of the addresses of loopback."""
    return socket.create_connection((server.host, server.port), timeout=20, source_address=(source, 0))


def connect_many(server: Server, stack: ExitStack, count: int, octets: bytes) -> list[socket.socket]:
    """So many connections from as many addresses, each of which has sent that."""
    made = []
    for number in range(count):
        made.append(stack.enter_context(connect(server, f"127.1.{number // 250}.{number % 250 + 1}")))
        made[-1].sendall(octets)
    return made


def reset(connection: socket.socket) -> None:
    """Close it with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def read_all(connection: socket.socket) -> bytes:
    """What comes until the server closes the connection, or resets it."""
    octets = b""
    try:
        while chunk := connection.recv(65536):
            octets += chunk
    except ConnectionResetError:
        return octets
    return octets


def ids(octets: bytes) -> list[int]:
    """The IDs of whole messages."""
    found = []
    while octets:
        found.append(int.from_bytes(octets[2:4], "big"))
        octets = octets[2 + int.from_bytes(octets[:2], "big") :]
    return found


def closed(server: Server, reason: str) -> float:
    return server.metric("greendns_tcp_closed_total", reason=reason)


def open_now(server: Server) -> float:
    return server.metric("greendns_tcp_connections")


def only_worker(server: Server) -> int:
    (pid,) = named(server.process.pid, WORKER)
    return pid


def is_answered_soon(server: Server) -> bool:
    """Whether a new client has its answer over TCP in time."""
    began = time.monotonic()
    return server.values("www.example.com", tcp=True) == ADDRESS and time.monotonic() - began < ANSWER_SECONDS


def lost_over_udp(server: Server, count: int = 200) -> int:
    """Of so many questions, one after the other, those without an answer."""
    wire = framed("www.example.com")[2:]
    return sum(server.exchange(wire, timeout=2.0) is None for _ in range(count))


# -- time


def drip(connection: socket.socket) -> bytes:
    """An octet of a message every now and then, until the connection has been closed."""
    connection.settimeout(0.05)
    for octet in framed("www.example.com").ljust(500, b"\0"):
        try:
            connection.sendall(bytes((octet,)))
            if not connection.recv(1):
                return b""
        except TimeoutError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            return b""
    raise AssertionError("25 seconds for one message")


def ask_nothing(connection: socket.socket) -> bytes:
    return read_all(connection)


def ask_once(connection: socket.socket) -> bytes:
    connection.sendall(framed("www.example.com", 7))
    return read_all(connection)


def ask_half(connection: socket.socket) -> bytes:
    connection.sendall(framed("www.example.com")[:-1])
    return read_all(connection)


def promise_more(connection: socket.socket) -> bytes:
    """A length beyond what follows."""
    connection.sendall(b"\xff\xff" + framed("www.example.com")[2:])
    return read_all(connection)


@pytest.mark.parametrize(
    ("behave", "answered", "reason"),
    [
        (ask_nothing, [], "silent"),
        (ask_once, [7], "idle"),
        (ask_half, [], "message"),
        (promise_more, [], "message"),
        (drip, [], "message"),
    ],
)
def test_who_takes_too_long_is_let_go(
    tmp_path: Path, behave: Callable[[socket.socket], bytes], answered: list[int], reason: str
) -> None:
    """Each for its own reason, which is counted; nobody is left."""
    with tcp_serving(tmp_path, "first_seconds = 0.3\nidle_seconds = 0.3\nmessage_seconds = 0.3\n") as server:
        with connect(server) as connection:
            assert ids(behave(connection)) == answered
        assert closed(server, reason) == 1
        assert open_now(server) == 0


def test_who_never_reads_holds_no_memory(tmp_path: Path) -> None:
    """It is let go once its answers have not left in time; until then it has less than 2 MB."""
    with tcp_serving(tmp_path, "message_seconds = 2\n") as server:
        for _ in range(3):
            server.ask("flood.example.com", tcp=True)
        before = memory_octets(only_worker(server), "Rss")
        with connect(server) as connection:
            # Each answer has 64 kB.
            connection.setblocking(False)
            connection.send(framed("flood.example.com") * 1000)
            most = 0

            def is_let_go() -> bool:
                nonlocal most
                most = max(most, memory_octets(only_worker(server), "Rss"))
                return closed(server, "unread") == 1

            wait_until(is_let_go, "its end")
        assert most - before < 2 * MEGABYTE


# -- order


def test_all_that_was_asked_is_answered_after_a_half_close(tmp_path: Path) -> None:
    """300 queries at once and no more to come; a tenth of them takes its time, and the others do not wait for these."""
    asked = b"".join(
        framed("_country.example.com" if number % 10 == 0 else "www.example.com", number) for number in range(300)
    )
    with tcp_serving(tmp_path, PATIENT) as server, connect(server) as connection:
        connection.sendall(asked)
        connection.shutdown(socket.SHUT_WR)
        answered = ids(read_all(connection))

        assert sorted(answered) == list(range(300))
        assert [number for number in answered if number % 10] == [number for number in range(300) if number % 10]
        assert answered != sorted(answered)
        assert closed(server, "client") == 1


@pytest.mark.parametrize("ends", [b"\0\0", b"\0\3abc"])
def test_what_is_no_message_ends_the_connection(tmp_path: Path, ends: bytes) -> None:
    """A length of 0, or one shorter than a header: what came before is answered."""
    with tcp_serving(tmp_path, PATIENT) as server, connect(server) as connection:
        connection.sendall(framed("www.example.com", 1) + ends)

        assert ids(read_all(connection)) == [1]
        assert closed(server, "unanswered") == 1


# -- numbers


def test_the_longest_idle_makes_room(tmp_path: Path) -> None:
    """The others stay, and may ask again."""
    with tcp_serving(tmp_path, PATIENT + "max_connections = 3\n") as server, ExitStack() as stack:
        first, second, third = connect_many(server, stack, 3, b"")
        for each in (second, first, third):
            each.sendall(framed("www.example.com", 1))
            assert each.recv(65536)
        stack.enter_context(connect(server, "127.0.0.9"))
        assert read_all(second) == b""
        for each in (first, third):
            each.sendall(framed("www.example.com", 2))
            assert each.recv(65536)[2:4] == b"\0\2"
        assert (closed(server, "room"), open_now(server)) == (1, 3)


def test_an_address_has_its_share(tmp_path: Path) -> None:
    """Beyond it its own longest idle makes room; those of others stay."""
    with tcp_serving(tmp_path, PATIENT + "max_connections_per_address = 2\n") as server, ExitStack() as stack:
        other, first, second, third = [
            stack.enter_context(connect(server, source)) for source in ("127.0.0.2", *["127.0.0.1"] * 3)
        ]
        assert read_all(first) == b""
        for each in (other, second, third):
            each.sendall(framed("www.example.com"))
            assert each.recv(65536)
        assert (closed(server, "address"), open_now(server)) == (1, 3)


def test_a_thousand_half_open_connections_keep_nobody_waiting(tmp_path: Path) -> None:
    """A full house of clients that have sent half a message each."""
    with tcp_serving(tmp_path, PATIENT) as server, ExitStack() as stack:
        connect_many(server, stack, 1000, framed("www.example.com")[:9])
        wait_until(lambda: open_now(server) == 1000, "all of them")

        assert lost_over_udp(server) == 0
        assert is_answered_soon(server)
        assert closed(server, "room") == 1


def allow_descriptors(pid: int, count: int) -> None:
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (count, count))


def test_few_descriptors_are_enough(tmp_path: Path) -> None:
    """256 for each process, and 1,000 clients: the house is smaller then, and told so; nothing else fails."""
    with tcp_serving(tmp_path, PATIENT) as server, ExitStack() as stack:
        (keeper,) = named(server.process.pid, KEEPER)
        before = only_worker(server)
        for pid in (server.process.pid, keeper):
            allow_descriptors(pid, 256)
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: named(server.process.pid, WORKER) not in ([], [before]), "the next generation")
        wait_until(lambda: len(named(server.process.pid, WORKER)) == 1, "the end of the one before")
        connect_many(server, stack, 1000, framed("www.example.com")[:9])

        assert is_answered_soon(server)
        assert lost_over_udp(server) == 0
        assert open_descriptors(only_worker(server)) < 256
        assert open_now(server) > 100
    assert "tcp.max_connections needs" in server.log_text()
    assert "can't be accepted" not in server.log_text()


def test_no_descriptor_left_is_no_end(tmp_path: Path) -> None:
    """Where accept itself fails the longest idle makes room; the hub does not spin, nothing is logged."""
    with tcp_serving(tmp_path, PATIENT) as server, ExitStack() as stack:
        worker = only_worker(server)
        allow_descriptors(worker, open_descriptors(worker) + 20)
        connect_many(server, stack, 100, framed("www.example.com")[:9])

        assert is_answered_soon(server)
        assert lost_over_udp(server) == 0
        assert closed(server, "room") >= 80
        before = cpu_seconds(worker)
        time_passes = time.monotonic() + 0.5
        wait_until(lambda: time.monotonic() > time_passes, "a while")
        assert cpu_seconds(worker) - before < 0.25
    assert "Too many open files" not in server.log_text()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# -- storms


@contextmanager
def leaving_no_descriptor(server: Server) -> Iterator[None]:
    """Once what is done within has come to its end, the worker has as many descriptors as before."""
    assert is_answered_soon(server)
    wait_until(lambda: open_now(server) == 0, "the end of that connection")
    before = open_descriptors(only_worker(server))
    yield
    wait_until(lambda: open_descriptors(only_worker(server)) == before, "the end of all")


def test_resets_leave_nothing_behind(tmp_path: Path) -> None:
    """Thousands that ask and reset, before or while they are answered."""
    with tcp_serving(tmp_path, PATIENT) as server:
        with leaving_no_descriptor(server):
            for number in range(3000):
                connection = connect(server)
                if number % 2:
                    connection.sendall(framed("www.example.com"))
                reset(connection)

        assert is_answered_soon(server)
        wait_until(lambda: open_now(server) == 0, "the end of the last one")
        assert server.metric("greendns_worker_restarts_total") == 0
    assert "Traceback" not in server.log_text()


def test_connects_and_closes_leave_nothing_behind(tmp_path: Path) -> None:
    """40,000 of them, from several addresses: each has ports enough."""
    with tcp_serving(tmp_path, PATIENT) as server:
        with leaving_no_descriptor(server):
            for number in range(40_000):
                connect(server, f"127.0.{number % 8}.1").close()

        assert open_now(server) == 0
        assert is_answered_soon(server)
