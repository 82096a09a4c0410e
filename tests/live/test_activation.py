"""Sockets that a service manager passed in are served in place of what would be bound (sd_listen_fds(3))."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.processtree import KEEPER, SIDE, WORKER, named, open_descriptors
from tests.serving import PROGRAM, Server, serving, wait_until, write_zones

ACTIVATED = [sys.executable, str(Path(__file__).with_name("activated.py"))]
OLD, NEW = "192.0.2.1", "192.0.2.2"
BOTH = "udp 127.0.0.1, tcp 127.0.0.1"
NOWHERE = "192.0.2.1:8053"  # no address of this machine


def zone(address: str) -> dict[str, Any]:
    return {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [[address]]}}}


@contextmanager
def activated(
    directory: Path, sockets: str, listen: str = "127.0.0.1:{port}", workers: int = 2, http: str = "127.0.0.1:0"
) -> Iterator[Server]:
    """A server with sockets passed in."""
    program = [*ACTIVATED, sockets, *PROGRAM]
    arguments, zones = ["--http", http], {"example.com": zone(OLD)}
    with serving(directory, zones, arguments, [listen], workers=workers, program=program) as server:
        yield server


def refused(directory: Path, sockets: str, listen: str = "127.0.0.1:{port}") -> str:
    """What is told by a server that does not start with these sockets; {port} for the port."""
    words = ["serve", "--zones", str(directory), "--listen", listen, "--http", "off", "--workers", "2"]
    ended = subprocess.run(
        [*ACTIVATED, sockets, *PROGRAM, *words], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, ""), ended.stderr
    return ended.stderr


def ask_all(server: Server, addresses: tuple[str, ...] = ("127.0.0.1",)) -> list[list[str]]:
    """What is answered at every address, by either transport."""
    found = []
    for server.host in addresses:
        found += [server.values("www.example.com", tcp=tcp) for tcp in (False, True)]
    return found


@pytest.mark.parametrize("workers", [2, 0])
def test_what_is_passed_in_is_served(tmp_path: Path, workers: int) -> None:
    """By UDP and TCP; the HTTP side has the socket of its name, whatever its address."""
    with activated(tmp_path, f"{BOTH}, http 127.0.0.1", workers=workers, http=NOWHERE) as server:
        assert ask_all(server) == [[OLD], [OLD]]
        assert server.health()["status"] == "ok"
        write_zones(server.zones, {"example.com": zone(NEW)})
        server.wait_in_force(lambda: server.values("www.example.com") == [NEW], "a change")
        assert ask_all(server) == [[NEW], [NEW]]
        if workers:
            server.process.send_signal(signal.SIGUSR2)
            server.wait_in_force(lambda: server.metric("greendns_upgrades_total", result="ok") == 1, "an upgrade")
            assert ask_all(server) == [[NEW], [NEW]]
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0


def test_all_workers_read_one_socket(tmp_path: Path) -> None:
    """While one of them stands still, another one answers everything."""
    with activated(tmp_path, BOTH) as server:
        for stopped in named(server.process.pid, WORKER):
            os.kill(stopped, signal.SIGSTOP)
            assert [ask_all(server) for _ in range(8)] == [[[OLD], [OLD]]] * 8
            os.kill(stopped, signal.SIGCONT)


def test_a_worker_has_a_socket_of_its_own_where_there_are_enough(tmp_path: Path) -> None:
    """With ReusePort=yes and as many of each as there are workers: one that stands still has its share to itself."""
    shared = "udp 127.0.0.1 shared, tcp 127.0.0.1 shared"
    with activated(tmp_path, f"{shared}, {shared}") as server:
        stopped, _ = named(server.process.pid, WORKER)
        os.kill(stopped, signal.SIGSTOP)
        question = b"\x12\x34" + 10 * b"\x00"
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(32)]
        for each in sockets:
            each.sendto(question, (server.host, server.port))
        wait_until(lambda: server.metric("greendns_packets_total", transport="udp") > 0, "the other one's share")
        assert server.metric("greendns_packets_total", transport="udp") < len(sockets)
        os.kill(stopped, signal.SIGCONT)
        wait_until(lambda: server.metric("greendns_packets_total", transport="udp") == len(sockets), "the rest")
        for each in sockets:
            each.close()


def test_every_address_is_every_one_that_is_passed_in(tmp_path: Path) -> None:
    """The port is what they must have."""
    sockets = "udp 0.0.0.0, tcp 0.0.0.0, udp ::, tcp ::"
    with activated(tmp_path, sockets, listen="*:{port}") as server:
        assert [host for host, _ in server.addresses] == ["0.0.0.0", "::"]
        assert ask_all(server, ("127.0.0.1", "127.0.0.2", "::1")) == [[OLD]] * 6


def test_what_is_not_passed_in_is_bound(tmp_path: Path) -> None:
    """The other transport, here, and the HTTP side."""
    with activated(tmp_path, "tcp 127.0.0.1") as server:
        assert ask_all(server) == [[OLD], [OLD]]
        assert server.health()["status"] == "ok"


def test_no_process_keeps_more_of_them_than_it_needs(tmp_path: Path) -> None:
    """As many descriptors as with sockets that it bound itself, in each."""

    def descriptors(server: Server) -> list[int]:
        pids = [named(server.process.pid, name) for name in (KEEPER, SIDE, WORKER)]
        return [open_descriptors(pid) for pid in (server.process.pid, *[pid for kind in pids for pid in kind])]

    with serving(tmp_path / "bound", {"example.com": zone(OLD)}) as server:
        bound = descriptors(server)
    with activated(tmp_path / "passed", BOTH) as server:
        assert descriptors(server) == bound


def test_sockets_for_somebody_else_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As LISTEN_PID says, where a shell stands between: the port is bound, and somebody has it."""
    monkeypatch.setenv("LISTEN_PID", "1")

    assert "must be an address to listen on by UDP: Address already in use" in refused(tmp_path, BOTH)


@pytest.mark.parametrize(
    ("sockets", "listen", "told"),
    [
        (BOTH, "127.0.0.2:{port}", ["127.0.0.1:{port} by UDP: {unknown}", "127.0.0.1:{port} by TCP: {unknown}"]),
        (f"{BOTH}, http 127.0.0.1", "127.0.0.1:{port}", ["127.0.0.1:{other} by TCP: {unknown}"]),
        ("unix name", "127.0.0.1:0", ["{unix}: {unknown}"]),
        ("udp :: dual", "*:{port}", ["[::]:{port} by UDP: must be for IPv6 alone (BindIPv6Only=ipv6-only)"]),
        (
            ", ".join(["udp 127.0.0.1 shared"] * 3),
            "127.0.0.1:{port}",
            ["127.0.0.1:{port} by UDP: must be passed no more often than there may be workers (2), found 3"],
        ),
        ("tcp 127.0.0.1 idle", "127.0.0.1:{port}", ["descriptor 3: must be a socket that listens (Accept=no)"]),
        ("file -", "127.0.0.1:0", ["descriptor 3: must be a socket: Socket operation on non-socket"]),
    ],
)
def test_what_cannot_be_served_is_no_start(tmp_path: Path, sockets: str, listen: str, told: list[str]) -> None:
    """One line for each socket, with what it is and what it should be."""
    unknown = "must be an address of server.listen, or of http.listen"
    lines = [line.replace("{unknown}", unknown) for line in told]
    expected = [f"greendns: socket activation: {line}" for line in lines]

    found = refused(tmp_path, sockets, listen).splitlines()
    assert len(found) == len(expected)
    for line, pattern in zip(found, expected, strict=True):
        before, _, after = re.sub(r"\{\w+\}", "\0", pattern).partition("\0")
        assert line.startswith(before)
        assert line.endswith(after)
