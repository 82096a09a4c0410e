"""A fault costs the query that meets it, whether it raises, waits, or never ends; in a server of its own."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dns.edns
import dns.message
import dns.query
import dns.rcode
import pytest

from greendns.server import HELD_SECONDS
from tests.live.faulty import STAGES
from tests.processtree import SIDE, WORKER, age_seconds, is_running, named
from tests.serving import Server, serving, wait_until, write_zones

FAULTY = Path(__file__).with_name("faulty.py")
FIVE = [[f"192.0.2.{number}", 10] for number in range(1, 6)]
ZONE = {"max_hosts": 2, "data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": FIVE}, "broken": {"a": FIVE}}}
NSID = dns.edns.GenericOption(dns.edns.OptionType.NSID, b"")
# Short, so that the tests are.
HEARTBEAT = "[server]\nheartbeat_seconds = 2\n"


@contextmanager
def faulty(directory: Path, stage: str, fault: str, workers: int = 1) -> Iterator[Server]:
    """A server with a fault in one of its stages."""
    program = ["env", "GREENDNS_PURE=1", sys.executable, str(FAULTY), stage, fault]
    with serving(directory, {"example.com": ZONE}, workers=workers, program=program) as server:
        yield server


def question(name: str, rrtype: str = "A") -> dns.message.QueryMessage:
    return dns.message.make_query(name, rrtype, use_edns=0, options=[NSID])


def broken_question(stage: str) -> dns.message.QueryMessage:
    """One that the stage has to do with."""
    return question("_country.broken.example.com", "TXT") if stage == "debug" else question("broken.example.com")


def framed(queries: Sequence[dns.message.QueryMessage]) -> bytes:
    wires = [query.to_wire() for query in queries]
    return b"".join(len(wire).to_bytes(2, "big") + wire for wire in wires)


def read_rcodes(connection: socket.socket, queries: Sequence[dns.message.QueryMessage]) -> dict[int, int]:
    """The rcodes of as many answers, in the order they came, each by the place of its query."""
    places = {query.id: place for place, query in enumerate(queries)}
    stream = connection.makefile("rb")
    found: dict[int, int] = {}
    for _ in queries:
        wire = stream.read(int.from_bytes(stream.read(2), "big"))
        found[places[int.from_bytes(wire[:2], "big")]] = wire[3] & 15
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_a_fault_costs_one_query(tmp_path: Path, stage: str) -> None:
    """In whatever stage: SERVFAIL with its id over UDP and TCP, whoever comes next is answered, the log has a line."""
    with faulty(tmp_path, stage, "raise") as server:
        began = time.monotonic()
        for _ in range(20):
            broken = broken_question(stage)
            wire = server.exchange(broken.to_wire())
            assert wire is not None
            assert (wire[:2], wire[3] & 15) == (broken.to_wire()[:2], dns.rcode.SERVFAIL)
            assert len(server.values("www.example.com")) == 2
        queries = [question("www.example.com"), broken_question(stage), question("www.example.com")]
        with socket.create_connection((server.host, server.port), timeout=10) as connection:
            connection.sendall(framed(queries))
            assert read_rcodes(connection, queries) == {0: 0, 1: dns.rcode.SERVFAIL, 2: 0}
        took = time.monotonic() - began

        assert server.metric("greendns_failures_total") == 21
        assert server.metric("greendns_worker_restarts_total") == 0
    assert 1 <= server.log_text().count("a packet was answered SERVFAIL") <= 1 + took
    assert "broken on purpose" in server.log_text()


def test_an_answer_that_waits_is_cut(tmp_path: Path) -> None:
    """SERVFAIL once its time is up, over UDP and TCP; what is behind it on the connection has been answered by then."""
    with faulty(tmp_path, "debug", "wait") as server:
        queries = [broken_question("debug"), question("www.example.com")]
        with socket.create_connection((server.host, server.port), timeout=10) as connection:
            began = time.monotonic()
            connection.sendall(framed(queries))
            connection.shutdown(socket.SHUT_WR)
            assert list(read_rcodes(connection, queries).items()) == [(1, 0), (0, dns.rcode.SERVFAIL)]
            assert time.monotonic() - began >= HELD_SECONDS
            assert connection.recv(1) == b""
        answer = dns.query.udp(broken_question("debug"), server.host, port=server.port, timeout=10)

        assert answer.rcode() == dns.rcode.SERVFAIL
        for transport in ("udp", "tcp"):
            assert server.metric("greendns_packets_total", outcome="failed", transport=transport) == 1
    assert "an answer took more than" in server.log_text()


def wait_replaced(server: Server, victim: int) -> None:
    """Wait until a worker that is stuck has gone, and another one has its place."""
    wait_until(lambda: server.metric("greendns_worker_restarts_total") == 1, "the replacement")
    wait_until(lambda: server.metric("greendns_workers", state="alive") == 2, "two workers")
    assert not is_running(victim)
    assert f"(process {victim}) has not stirred for 2 s" in server.log_text()
    assert f"(process {victim}) ended (SIGKILL): replaced at once" in server.log_text()
    for _ in range(20):
        assert server.ask("www.example.com").answer


def test_a_worker_that_never_ends_an_answer_is_replaced(tmp_path: Path) -> None:
    """It can't be cut; its keeper notices that it does not stir any more."""
    (tmp_path / "greendns.toml").write_text(HEARTBEAT)
    with faulty(tmp_path, "find", "spin", workers=2) as server:
        before = set(named(server.process.pid, WORKER))
        assert server.exchange(question("nope.broken.example.com").to_wire(), timeout=0.1) is None
        wait_until(lambda: before - set(named(server.process.pid, WORKER)), "its end")
        (victim,) = before - set(named(server.process.pid, WORKER))
        wait_replaced(server, victim)


def test_a_worker_that_stands_still_is_replaced(tmp_path: Path) -> None:
    """What waited for it is answered by the next one, which has the same sockets."""
    (tmp_path / "greendns.toml").write_text(HEARTBEAT)
    with serving(tmp_path, {"example.com": ZONE}) as server:
        victim, _ = named(server.process.pid, WORKER)
        os.kill(victim, signal.SIGSTOP)
        asked = question("www.example.com").to_wire()
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(16)]
        for each in sockets:
            each.settimeout(20)
            each.connect((server.host, server.port))
            each.send(asked)
        assert [each.recv(65535)[:2] for each in sockets] == [asked[:2]] * len(sockets)
        for each in sockets:
            each.close()
        wait_replaced(server, victim)


def test_a_side_process_that_stands_still_is_replaced(tmp_path: Path) -> None:
    """Pages are served again, and changes are seen again; no worker has to do with it."""
    (tmp_path / "greendns.toml").write_text(HEARTBEAT)
    with serving(tmp_path, {"example.com": ZONE}) as server:
        workers = named(server.process.pid, WORKER)
        (victim,) = named(server.process.pid, SIDE)
        os.kill(victim, signal.SIGSTOP)
        wait_until(lambda: not is_running(victim), "its end")
        wait_until(lambda: [pid for pid in named(server.process.pid, SIDE) if age_seconds(pid) > 3], "one that stirs")
        write_zones(server.zones, {"example.org": ZONE})
        server.wait_in_force(lambda: server.ask("www.example.org").answer, "a change")

        assert server.metric("greendns_worker_restarts_total") == 0
        assert server.health()["zones"] == 2
        assert not set(workers) & set(named(server.process.pid, WORKER))
    assert f"the side process (process {victim}) has not stirred for 2 s" in server.log_text()
