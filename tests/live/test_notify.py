"""What a service manager is told (sd_notify(3)): in which order, by whom, and what becomes of it if nobody listens."""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.processtree import KEEPER, WORKER, age_seconds, is_running, named
from tests.serving import serving, wait_until, write_zones

OLD, NEW = "192.0.2.1", "192.0.2.2"
# It takes a while to load.
BIG = {"data": {f"n{number}": {"a": [[OLD, 10], [NEW, 10]]} for number in range(20_000)}}
_CREDENTIALS = struct.Struct("=3i")
pytestmark = pytest.mark.skipif(not hasattr(socket, "SCM_CREDENTIALS"), reason="only Linux tells who sent a datagram")


def zone(address: str) -> dict[str, Any]:
    return {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [[address]]}}}


@dataclass
class Manager:
    """A service manager's end: `told` are the messages so far, each as its assignments."""

    socket: socket.socket
    told: list[dict[str, str]] = field(default_factory=list)
    senders: set[int] = field(default_factory=set)

    def read(self) -> list[dict[str, str]]:
        """All that was told, what has come since the last time included."""
        while True:
            try:
                octets, control, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
            except BlockingIOError:
                return self.told
            self.senders.update([_CREDENTIALS.unpack(credentials)[0] for _, _, credentials in control])
            self.told.append(dict(line.split("=", 1) for line in octets.decode().split("\n")))

    def times(self, name: str) -> int:
        """How often a variable was told."""
        return sum(name in message for message in self.read())

    def wait_beat(self) -> None:
        """Wait for another beat."""
        before = self.times("WATCHDOG")
        wait_until(lambda: self.times("WATCHDOG") > before, "a beat")

    def states(self) -> list[str]:
        """What was told but for watchdog beats and mere words."""
        return [word for message in self.read() for word in ("READY", "RELOADING", "STOPPING") if word in message]

    def wait(self, *states: str) -> None:
        """Wait until just these have been told, in this order."""
        wait_until(lambda: self.states() == list(states), f"{states}")


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    """One that listens where NOTIFY_SOCKET says."""
    with listening(request.param) as (found, name):
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield found


@contextmanager
def listening(kind: str) -> Iterator[tuple[Manager, str]]:
    """A manager's end, and its name."""
    # Not pytest's own directory: a socket's path has 108 octets at most.
    with tempfile.TemporaryDirectory() as directory, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        name = f"{directory}/notify"
        ours.bind(name if kind == "path" else f"\0{name}")
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        ours.setblocking(False)
        yield Manager(ours), name if kind == "path" else f"@{name}"


def only(kind: str) -> pytest.MarkDecorator:
    """Run with one kind of name: another one makes no difference."""
    return pytest.mark.parametrize("manager", [kind], indirect=True)


@pytest.mark.parametrize(("manager", "workers"), [("path", 2), ("abstract", 0)], indirect=["manager"])
def test_a_manager_is_told_in_order(tmp_path: Path, manager: Manager, workers: int) -> None:
    """Ready once questions are answered, reloading from HUP until it is in force, stopping; all by the main process."""
    with serving(tmp_path, {"example.com": zone(OLD)}, workers=workers) as server:
        manager.wait("READY")
        pid = str(server.process.pid)
        (ready,) = [message for message in manager.told if "READY" in message]
        assert server.values("www.example.com") == [OLD]
        assert (ready["READY"], ready["MAINPID"]) == ("1", pid)
        assert ready["STATUS"].startswith("1 zones, 0 errors, ")
        write_zones(server.zones, {"example.com": zone(NEW), "broken.example": "{"})
        before = time.monotonic_ns() // 1000
        server.process.send_signal(signal.SIGHUP)
        manager.wait("READY", "RELOADING", "READY")
        (reloading,) = [message for message in manager.told if "RELOADING" in message]
        assert before <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
        assert server.values("www.example.com") == [NEW]
        assert manager.told[-1]["STATUS"].startswith("1 zones, 1 errors, ")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 0
        manager.wait("READY", "RELOADING", "READY", "STOPPING")
        assert manager.senders == {server.process.pid}
        assert manager.times("WATCHDOG") == 0


@only("path")
def test_a_program_that_goes_on_in_its_place_tells_on(
    tmp_path: Path, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the same process, is ready again, and goes on beating; the one that was tried before tells nothing."""
    monkeypatch.setenv("WATCHDOG_USEC", "2000000")
    with serving(tmp_path, {"example.com": zone(OLD)}) as server:
        manager.wait("READY")
        server.process.send_signal(signal.SIGUSR2)
        manager.wait("READY", "READY")
        manager.wait_beat()
        assert manager.senders == {server.process.pid}


@only("path")
def test_a_reload_that_fails_ends_too(tmp_path: Path, manager: Manager) -> None:
    """With what was in force before."""
    with serving(tmp_path, {"example.com": zone(OLD)}) as server:
        manager.wait("READY")
        (keeper,) = named(server.process.pid, KEEPER)
        write_zones(server.zones, {"big.example": BIG})
        server.process.send_signal(signal.SIGHUP)
        manager.wait("READY", "RELOADING")
        loader = wait_until(lambda: [pid for pid in named(server.process.pid, KEEPER) if pid != keeper], "the loader")
        os.kill(loader[0], signal.SIGKILL)
        manager.wait("READY", "RELOADING", "READY")


@pytest.mark.parametrize(("manager", "workers"), [("abstract", 2), ("path", 0)], indirect=["manager"])
def test_beats_come_in_time(tmp_path: Path, manager: Manager, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice in the time that the manager allows."""
    monkeypatch.setenv("WATCHDOG_USEC", "2000000")
    with serving(tmp_path, {"example.com": zone(OLD)}, workers=workers):
        wait_until(lambda: manager.times("WATCHDOG"), "the first beat")
        for count in range(2, 5):
            wait_until(lambda count=count: manager.times("WATCHDOG") >= count, "the next beat", 2)


@only("path")
def test_no_beats_where_nobody_reads(tmp_path: Path, manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """All workers are dead, and whoever is to load anew stands still; when it goes on, so do the beats."""
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    with serving(tmp_path, {"example.com": zone(OLD), "big.example": BIG}) as server:
        (keeper,) = named(server.process.pid, KEEPER)
        workers = named(server.process.pid, WORKER)
        os.kill(keeper, signal.SIGKILL)
        (loader,) = wait_until(lambda: set(named(server.process.pid, KEEPER)) - {keeper}, "the other keeper")
        os.kill(loader, signal.SIGSTOP)
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(map(is_running, workers)), "their end")
        before, age = manager.times("WATCHDOG"), age_seconds(loader)
        wait_until(lambda: age_seconds(loader) > age + 1, "five times as long as it takes from beat to beat")
        assert manager.times("WATCHDOG") <= before + 1
        os.kill(loader, signal.SIGCONT)
        wait_until(lambda: manager.times("WATCHDOG") > before + 1, "beats")
        assert server.values("www.example.com") == [OLD]


@only("path")
def test_a_watchdog_of_somebody_else_gets_no_beats(
    tmp_path: Path, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the variables say that were handed on by a program that is watched itself."""
    monkeypatch.setenv("WATCHDOG_USEC", "100000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    with serving(tmp_path, {"example.com": zone(OLD)}) as server:
        manager.wait("READY")
        server.process.send_signal(signal.SIGHUP)
        manager.wait("READY", "RELOADING", "READY")
        assert manager.times("WATCHDOG") == 0


@only("path")
def test_a_manager_that_does_not_read_is_told_later(tmp_path: Path, manager: Manager) -> None:
    """Its socket is full: questions are answered all the same, and once it reads it hears what it has to know."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.connect(manager.socket.getsockname())
        while select.select((), (other,), (), 0)[1]:
            other.send(b"NOISE=1")
    with serving(tmp_path, {"example.com": zone(OLD)}) as server:
        assert server.values("www.example.com") == [OLD]
        manager.wait("READY")


@pytest.mark.parametrize("name", ["/nowhere/notify", "vsock:2:1234", "/" + 200 * "x"])
def test_a_manager_that_is_not_there_is_not_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Nor a name that is none."""
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    monkeypatch.setenv("WATCHDOG_USEC", "100000")
    with serving(tmp_path, {"example.com": zone(OLD)}, workers=1) as server:
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: server.metric("greendns_reloads_total", result="ok") == 1, "a reload")
        assert server.values("www.example.com") == [OLD]
    assert server.log_text().count("Error") == 0
