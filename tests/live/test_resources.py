"""What a server needs runs out, or the clock jumps: what was in service stays, and what comes back is used again."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.edns
import dns.flags
import dns.message
import pytest

from greendns.processes import LEAST_DESCRIPTORS
from tests.identities import USER, as_user, readable_directory, why_nobody
from tests.live.test_notify import listening
from tests.processtree import KEEPER, WORKER, age_seconds, cpu_seconds, descendants, named, status_of
from tests.serving import PROGRAM, Server, run_command, serving, wait_until, write_zones

OLD, NEW = "192.0.2.1", "192.0.2.2"
MIB = 1 << 20
needs_root = pytest.mark.skipif(bool(why_nobody()), reason=why_nobody() or "never")


def zone(address: str) -> dict[str, Any]:
    return {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [[address]]}, "limited": {"a": [[address]]}}}


def failed_reloads(server: Server) -> float:
    return server.metric("greendns_reloads_total", result="error")


def keeper_of(server: Server) -> int:
    (keeper,) = named(server.process.pid, KEEPER)
    return keeper


def change(server: Server, address: str) -> None:
    """Change the zone, and wait until that is in force."""
    write_zones(server.zones, {"example.com": zone(address)})
    server.wait_in_force(lambda: server.values("www.example.com", tcp=True) == [address], "the change", 60)


# -- memory


def test_a_load_for_which_there_is_no_memory_changes_nothing(tmp_path: Path) -> None:
    """It is told and counted; the next change that there is memory for is taken."""
    labels = {f"n{number}": {"a": [[OLD, 10], [NEW, 10]]} for number in range(100_000)}
    with serving(tmp_path, {"example.com": zone(OLD)}) as server:
        keeper = keeper_of(server)
        octets = int(status_of(keeper)["VmSize"].split()[0]) * 1024 + 40 * MIB
        # Whoever is forked from it has the same limit.
        resource.prlimit(keeper, resource.RLIMIT_AS, (octets, resource.RLIM_INFINITY))
        write_zones(server.zones, {"big.example": {"data": labels}})
        wait_until(lambda: failed_reloads(server) >= 1, "the failure")
        assert "a process ends for want of what it needs: memory" in server.log_text()
        assert "what was in service stays" in server.log_text()
        assert server.values("www.example.com") == [OLD]
        assert server.health()["zones"] == 1

        (server.zones / "big.example.json").unlink()
        change(server, NEW)
        assert keeper_of(server) != keeper
        assert server.metric("greendns_worker_restarts_total") == 0


# -- descriptors


@pytest.mark.parametrize("workers", ["2", "0"])
def test_too_few_descriptors_are_no_start(tmp_path: Path, workers: str) -> None:
    """One line, with how many it takes; with as many it serves."""
    sockets = 4 if workers == "2" else 2
    write_zones(tmp_path / "zones", {"example.com": zone(OLD)})
    words = ["serve", "--zones", tmp_path / "zones", "--listen", "127.0.0.1:0", "--http", "off", "--workers", workers]

    ended = run_command(*words, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20)))
    assert ended.returncode == 2
    least = sockets + LEAST_DESCRIPTORS
    claim = f"must be {least} at least (ulimit -n, LimitNOFILE), found 20"
    assert ended.stderr == f"greendns: limits: open files: {claim}\n"
    limited = ["sh", "-c", f'ulimit -n {least}; exec "$@"', "sh", *PROGRAM]
    with serving(tmp_path, workers=int(workers), program=limited) as server:
        change(server, NEW)


@pytest.mark.parametrize("victim", [KEEPER, "arbiter"])
def test_without_descriptors_what_was_in_service_stays(tmp_path: Path, victim: str) -> None:
    """A load that can open nothing fails, and so does a new keeper; once there are some again all is caught up with."""
    with serving(tmp_path, {"example.com": zone(OLD)}) as server:
        keeper = keeper_of(server)
        pid = keeper if victim == KEEPER else server.process.pid
        allowed = resource.prlimit(pid, resource.RLIMIT_NOFILE, (4, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        write_zones(server.zones, {"example.com": zone(NEW)})
        if victim != KEEPER:
            os.kill(keeper, signal.SIGKILL)
        wait_until(lambda: server.log_text().count("Too many open files") >= 2, "two tries")
        assert server.values("www.example.com") == [OLD]
        assert len(named(server.process.pid, WORKER)) == 2
        resource.prlimit(pid, resource.RLIMIT_NOFILE, allowed)
        server.wait_in_force(lambda: server.values("www.example.com") == [NEW], "the change")
        assert server.health()["status"] == "ok"


# -- processes


def allow_processes(pid: int, count: int) -> None:
    """Set how many processes its user may have when this one forks; that user may."""
    subprocess.run([*as_user(), "prlimit", f"--pid={pid}", f"--nproc={count}:"], check=True)


@needs_root
def test_without_processes_what_serves_goes_on(tmp_path: Path) -> None:
    """No load and no replacement can be forked: both are tried again, and had once they can be."""
    with readable_directory() as directory, serving(directory, {"example.com": zone(OLD)}, ["--user", USER]) as server:
        keeper = keeper_of(server)
        allowed, _ = resource.getrlimit(resource.RLIMIT_NPROC)
        allow_processes(keeper, 1)
        write_zones(server.zones, {"example.com": zone(NEW)})
        wait_until(lambda: failed_reloads(server) >= 1, "the failure")
        assert "the process that loads a change can't be forked (Resource temporarily unavailable)" in server.log_text()
        victim, _ = named(server.process.pid, WORKER)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: server.log_text().count("worker 0 can't be forked") >= 2, "two tries")
        assert server.metric("greendns_workers", state="alive") == 1
        assert server.health()["status"] == "ok"
        allow_processes(keeper, allowed)
        server.wait_in_force(lambda: server.values("www.example.com", timeout=1) == [NEW], "the change")
        assert server.metric("greendns_workers", state="alive") == 2


# -- room on a disk


@contextmanager
def small_disk(directory: Path) -> Iterator[Path]:
    """A file system with little room, of its own."""
    directory.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(directory)]
    mounted = subprocess.run(mounting, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"this system lets nobody mount a file system: {mounted.stderr}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


def fill(file: Path) -> None:
    """Leave no room on the file system of a file."""
    with file.open("wb", buffering=0) as opened:
        try:
            while opened.write(b"x" * 1024):
                pass
        except OSError:
            return


@needs_root
def test_a_log_on_a_full_disk_holds_up_nothing(tmp_path: Path) -> None:
    """Answers and changes go on, and nobody tries without end; once there is room the log goes on too."""
    with small_disk(tmp_path / "disk") as disk:
        log, filling = disk / "greendns.log", disk / "filling"
        with serving(tmp_path, {"example.com": zone(OLD)}, ["--log-file", str(log)]) as server:
            # To the end of a page, in which there would be room.
            with log.open("a") as opened:
                opened.write("\n" * (resource.getpagesize() - log.stat().st_size % resource.getpagesize()))
            fill(filling)
            octets = log.stat().st_size
            write_zones(server.zones, {"example.com": zone(NEW), "broken.example": "{"})
            server.wait_in_force(lambda: server.values("www.example.com") == [NEW], "the change")
            assert server.health()["status"] == "degraded"
            assert log.stat().st_size == octets
            pids = [server.process.pid, *descendants(server.process.pid)]
            used = sum(map(cpu_seconds, pids))
            age = age_seconds(pids[0])
            wait_until(lambda: age_seconds(pids[0]) > age + 1, "a second")
            assert sum(map(cpu_seconds, pids)) < used + 0.5
            filling.unlink()
            change(server, OLD)
            assert "is in service" in log.read_text()


# -- the clock


FAKETIME = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
JUMPS = ("+400d", "-400d", "+0")
DAY = 86_400
SETTINGS = """
[server]
heartbeat_seconds = 2
[rate_limit]
mode = "limit"
answers_per_second = 5
exempt = ["127.0.0.0/24"]
"""


def cookie(server: Server, sent: bytes = b"\1\2\3\4\5\6\7\10") -> bytes:
    """The cookie that comes back: the one that was sent, if it is a good one."""
    asked = dns.edns.GenericOption(dns.edns.OptionType.COOKIE, sent)
    answer = server.ask("www.example.com", options=[asked])
    (came,) = [option for option in answer.options if option.otype == dns.edns.OptionType.COOKIE]
    return came.to_wire()


def days_ahead(cookie: bytes) -> int:
    """How far the clock of whoever made a cookie is ahead of ours (RFC 9018 section 4.3)."""
    return round((int.from_bytes(cookie[12:16], "big") - time.time()) / DAY)


def wait_ahead(server: Server, days: int) -> None:
    """Wait until all workers have that time."""
    wait_until(lambda: all(days_ahead(cookie(server)) == days for _ in range(16)), "the jump")


def held_back(server: Server) -> float:
    actions = ("dropped", "truncated")
    return sum(server.metric("greendns_rate_limited_answers_total", action=action) for action in actions)


def flood(server: Server) -> None:
    """Ask more than is answered from one network: the first answer is whole, and of the rest something is held back."""
    before = held_back(server)
    question = dns.message.make_query("limited.example.com", "A").to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.9.9.9", 0))
        sender.settimeout(5)
        sender.connect((server.host, server.port))
        sender.send(question)
        answer = dns.message.from_wire(sender.recv(65535))
        assert (len(answer.answer), answer.flags & dns.flags.TC) == (1, 0)
        for _ in range(50):
            sender.send(question)
        wait_until(lambda: held_back(server) > before, "what is held back")


@pytest.mark.skipif(not FAKETIME, reason="the clock is set by libfaketime, of Debian's package faketime")
@pytest.mark.parametrize("workers", [2, 0])
def test_a_clock_that_jumps_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
    """Forward and back: answers, changes, cookies, rate limits and beats go on; nobody is taken for stuck."""
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    (tmp_path / "greendns.toml").write_text(SETTINGS)
    settings = {
        "LD_PRELOAD": str(FAKETIME[0]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
        "WATCHDOG_USEC": "2000000",
    }
    with listening("path") as (manager, name), monkeypatch.context() as context:
        context.setenv("NOTIFY_SOCKET", name)
        for variable, value in settings.items():
            context.setenv(variable, value)
        with serving(tmp_path, {"example.com": zone(OLD)}, workers=workers) as server:
            context.undo()
            for number, jump in enumerate(JUMPS, 10):
                before = cookie(server)
                flood(server)
                clock.write_text(f"{jump}\n")
                wait_ahead(server, int(jump.rstrip("d")))
                after = cookie(server, before)
                assert after != before
                assert cookie(server, after) == after
                change(server, f"192.0.2.{number}")
                manager.wait_beat()
            flood(server)
            assert server.metric("greendns_worker_restarts_total") == 0
            assert "has not stirred" not in server.log_text()
