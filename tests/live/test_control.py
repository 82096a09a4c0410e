"""The control socket: who reaches it, what `greendns status` tells, and when `greendns reload` returns."""

from __future__ import annotations

import json
import os
import pwd
import signal
import socket
import socketserver
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess
from threading import Thread
from typing import Any

import pytest

from greendns import __version__, build_text
from greendns.controlclient import ask
from tests.commands import run_here
from tests.identities import USER, readable_directory, why_nobody
from tests.processtree import KEEPER, WORKER, is_running, named
from tests.programs import Program
from tests.serving import Server, run_command, serving, wait_until, write_zones

OLD, NEW, NEWER = "192.0.2.1", "192.0.2.2", "192.0.2.3"
STRANGER = "daemon"
# It takes a while to load.
BIG = {"data": {f"n{number}": {"a": [[OLD, 10], [NEW, 10]]} for number in range(30_000)}}
each_kind = pytest.mark.parametrize("workers", [2, 0])
needs_memory = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has memory that outlives a program")
needs_root = pytest.mark.skipif(bool(why_nobody()), reason=why_nobody() or "never")


def zone(address: str, serial: int = 1) -> dict[str, Any]:
    return {"serial": serial, "data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [[address]]}}}


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory of our own with a short path: a socket's has 108 octets at most."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


@contextmanager
def running(place: Path, workers: int = 2, arguments: Sequence[str] = (), **options: Any) -> Iterator[Server]:
    """A server with a control socket at `place`."""
    zones = {"example.com": zone(OLD)}
    with serving(place, zones, ["--control", str(place / "c"), *arguments], workers=workers, **options) as server:
        yield server


def status(place: Path) -> dict[str, Any]:
    """What the server tells programs."""
    report: dict[str, Any] = json.loads(run_here("status", "--control", place / "c", "--json").stdout)
    return report


def reload(place: Path, *arguments: str) -> CompletedProcess[str]:
    return run_here("reload", "--control", place / "c", *arguments)


def refused(place: Path, *arguments: str) -> str:
    """What is said by a server that does not start."""
    (place / "zones").mkdir(exist_ok=True)
    words = ["--zones", place / "zones", "--listen", "127.0.0.1:0", "--http", "off", *arguments]
    ended = run_command("serve", *words)
    assert ended.returncode == 2, ended.stderr
    (line,) = ended.stderr.splitlines()
    return line


# -- status


@each_kind
def test_status_tells_what_is_served(place: Path, workers: int) -> None:
    """To programs: who, since when, how many, how fast; each zone with its serial."""
    with running(place, workers) as server:
        for _ in range(7):
            server.ask("www.example.com")
        report = status(place)

        assert report["status"] == "ok"
        assert report["errors"] == []
        assert (report["version"], report["build"]) == (__version__, build_text())
        assert report["pid"] == server.process.pid
        assert report["workers"] == {"configured": workers, "reading": max(1, workers), "restarts": 0}
        assert report["queries"] == 7
        assert report["queries_per_second"] > 0
        (told,) = report["zones"]
        assert (told["zone"], told["serial"], told["file"]) == (
            "example.com",
            1,
            str(server.zones / "example.com.json"),
        )
        assert 0 <= told["age_seconds"] <= report["uptime_seconds"] + 1
        (generation,) = report["generations"]
        keepers = named(server.process.pid, KEEPER) or [server.process.pid]
        assert [generation["keeper"]] == keepers
        assert (generation["state"], generation["version"]) == ("serving", __version__)


@each_kind
def test_status_tells_people_the_same(place: Path, workers: int) -> None:
    """In few lines."""
    with running(place, workers) as server:
        ended = run_here("status", "--control", place / "c")
        assert ended.returncode == 0
        first, *lines = ended.stdout.splitlines()
        assert first == f"GreenDNS {__version__} ({build_text()}), process {server.process.pid}: ok"
        told = dict(line.split(maxsplit=1) for line in lines if line)
        assert told["workers"] == ("2 of 2 read, 0 replaced" if workers else "one process does everything")
        assert told["zones"] == "1"
        assert told["example.com"].split()[0] == "1"


def test_a_generation_that_loads_is_told(place: Path) -> None:
    """Beside the one in service, with its program, before it serves."""
    with running(place) as server:
        write_zones(server.zones, {"big.example": BIG})

        def is_told() -> bool:
            return [each["state"] for each in status(place)["generations"]] == ["serving", "loading"]

        wait_until(is_told, "both generations")
        server.wait_in_force(lambda: len(status(place)["zones"]) == 2, "the large zone")
        assert [each["state"] for each in status(place)["generations"]] == ["serving"]


# -- reload


@each_kind
def test_a_reload_is_in_force_when_it_returns(place: Path, workers: int) -> None:
    """Every answer after it is from what lay there before it."""
    with running(place, workers) as server:
        for address in (NEW, OLD):
            write_zones(server.zones, {"example.com": zone(address)})
            ended = reload(place)
            answers = [server.values("www.example.com") for _ in range(20)]

            assert (ended.returncode, ended.stderr) == (0, "")
            assert ended.stdout == "all that lies there is in force, zones: 1\n"
            assert answers == [[address]] * 20


def test_a_reload_during_another_one_is_in_force_when_it_returns(place: Path) -> None:
    """What the hand-over that is under way read before is read again."""
    with running(place) as server:
        write_zones(server.zones, {"big.example": BIG})
        wait_until(lambda: len(named(server.process.pid, KEEPER)) == 2, "a generation that loads")
        write_zones(server.zones, {"example.com": zone(NEW), "last.example": zone(NEWER)})
        ended = reload(place)

        assert ended.stdout == "all that lies there is in force, zones: 3\n"
        assert [server.values("www.last.example") for _ in range(20)] == [[NEWER]] * 20
        assert server.values("www.example.com") == [NEW]


def test_a_reload_waits_for_who_answers_from_before(place: Path) -> None:
    """The new workers answer by then, and one of the old ones has not noticed that it is to leave."""
    with running(place) as server:
        before = named(server.process.pid, WORKER)
        write_zones(server.zones, {"example.com": zone(NEW)})
        os.kill(before[0], signal.SIGSTOP)

        def go_on() -> bool:
            wait_until(lambda: not is_running(before[1]), "the end of the other one")
            time.sleep(0.5)  # so much too early it would return
            os.kill(before[0], signal.SIGCONT)
            return True

        with ThreadPoolExecutor(1) as pool:
            went_on = pool.submit(go_on)
            assert reload(place).returncode == 0
            assert went_on.done()
        assert [server.values("www.example.com") for _ in range(20)] == [[NEW]] * 20


def test_a_reload_without_a_change_during_another_one_is_not_forgotten(place: Path) -> None:
    """Though there is nothing new to be seen, it is in force only after another look."""
    with running(place) as server:
        write_zones(server.zones, {"big.example": BIG})
        wait_until(lambda: len(status(place)["generations"]) == 2, "a generation that loads")
        ended = reload(place, "--timeout", "20")
        assert (ended.returncode, ended.stdout) == (0, "all that lies there is in force, zones: 2\n")


@each_kind
def test_no_request_is_forgotten(place: Path, workers: int) -> None:
    """However fast they come; and at most one hand-over a second begins."""
    with running(place, workers) as server:
        began = time.monotonic()
        for number in range(5):
            server.process.send_signal(signal.SIGHUP)
            # Not two in one: the system keeps one of each kind.
            wait_until(lambda number=number: status(place)["reloads"]["asked"] == number + 1, "the signal")
        assert reload(place).returncode == 0
        report = status(place)
        assert report["reloads"]["asked"] == 6
        assert 1 <= report["reloads"]["ok"] <= time.monotonic() - began + 1


@each_kind
def test_a_reload_with_an_error_tells_it(place: Path, workers: int) -> None:
    """File, place, what was expected and found; exit status 1, and what was in service stays."""
    with running(place, workers) as server:
        path = server.zones / "example.com.json"
        write_zones(server.zones, {"example.com": zone("192.0.2.x"), "other.example": zone(NEW)})
        ended = reload(place)
        (line,) = ended.stderr.splitlines()

        assert (ended.returncode, ended.stdout) == (1, "")
        assert line.startswith(f'{path}: data."www".a[0]: ')
        assert line.endswith('found "192.0.2.x"')
        assert server.values("www.example.com") == [OLD]
        assert server.values("www.other.example") == [NEW]
        told = run_here("status", "--control", place / "c")
        assert told.returncode == 1
        assert told.stdout.splitlines()[0].endswith(": degraded")
        assert line in told.stdout

        write_zones(server.zones, {"example.com": zone(NEW)})
        assert reload(place).returncode == 0
        assert server.values("www.example.com") == [NEW]


def test_a_reload_tells_that_it_is_late(place: Path) -> None:
    """Exit status 1 after as long as was allowed; what was asked for is done all the same."""
    with running(place) as server:
        (keeper,) = named(server.process.pid, KEEPER)
        write_zones(server.zones, {"example.com": zone(NEW)})
        os.kill(keeper, signal.SIGSTOP)
        try:
            ended = reload(place, "--timeout", "0.5")
        finally:
            os.kill(keeper, signal.SIGCONT)

        assert ended.returncode == 1
        assert ended.stderr.startswith(f"greendns: {place / 'c'}: not in force within 0.5 s")
        server.wait_in_force(lambda: server.values("www.example.com") == [NEW], "the change")


@needs_memory
def test_an_upgrade_keeps_the_socket(place: Path) -> None:
    """And the requests; status tells which program serves, and the process to signal is the same."""
    program = Program(place / "program")
    with running(place, program=program.command) as server:
        assert reload(place).returncode == 0
        program.install("0.2.0")
        server.process.send_signal(signal.SIGUSR2)

        def is_alone() -> bool:
            return [each["version"] for each in status(place)["generations"]] == ["0.2.0"]

        wait_until(is_alone, "the other program, alone")
        write_zones(server.zones, {"example.com": zone(NEW)})
        assert reload(place).returncode == 0
        assert server.values("www.example.com") == [NEW]
        report = status(place)
        assert (report["version"], report["pid"]) == ("0.2.0", server.process.pid)
        assert report["reloads"]["asked"] == 2
        assert report["upgrades"] == {"ok": 1, "error": 0}
        server.process.terminate()
        assert server.process.wait(10) == 0
        assert not (place / "c").exists()


# -- where it is, and who reaches it


@each_kind
def test_the_socket_is_there_while_the_server_is(place: Path, workers: int) -> None:
    """For its owner alone, and removed at the end."""
    with running(place, workers) as server:
        assert stat.S_IMODE((place / "c").stat().st_mode) == 0o600
        server.process.terminate()
        assert server.process.wait(10) == 0
        assert not (place / "c").exists()


@needs_root
def test_the_socket_is_the_user_s(place: Path) -> None:
    """Nobody but that user and root reaches the server by it; in a directory of root's it stays, and leads nowhere."""

    def can_connect(name: str) -> bool:
        pid = os.fork()
        if pid == 0:
            os.setgroups([])
            os.setuid(pwd.getpwnam(name).pw_uid)
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as ours:
                os._exit(ours.connect_ex(str(path)))
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

    with readable_directory() as directory:
        path = directory / "c"
        with running(directory, arguments=["--user", USER]):
            assert path.owner() == USER
            assert [can_connect(name) for name in ("root", USER, STRANGER)] == [True, True, False]
            assert reload(directory).returncode == 0
        assert path.is_socket()
        assert run_here("status", "--control", path).returncode == 2
        with running(directory, arguments=["--user", USER]):
            assert status(directory)["status"] == "ok"


def test_a_service_manager_s_directory_is_taken(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of those that it made (systemd.exec(5)), by server and commands."""
    (place / "run").mkdir(mode=0o755)
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{place / 'run'}:{place / 'other'}")
    with serving(place, {"example.com": zone(OLD)}):
        assert (place / "run" / "control.sock").is_socket()
        ended = run_here("status", "--config", place)
        assert (ended.returncode, ended.stderr) == (0, "")


def test_a_broken_configuration_does_not_keep_a_reload_away(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the server that tells what is wrong with it."""
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(place))
    with serving(place, {"example.com": zone(OLD)}):
        (place / "greendns.toml").write_text("[dns]\nudp_payload_octets = 7\n")
        ended = run_here("reload", "--config", place)
        assert ended.returncode == 1
        assert ended.stderr.startswith(f"{place / 'greendns.toml'}: dns.udp_payload_octets: ")


@pytest.mark.parametrize(
    ("mode", "name", "claim"),
    [
        (0o770, "c", "must be in a directory that nobody but its owner can write to"),
        (0o1777, "c", "must be in a directory that nobody but its owner can write to"),
        (0o700, "nosuch/c", "must be in a directory that is there: No such file or directory"),
        (0o700, "text", "must be a socket, or not be there"),
        (0o700, "answered", "must not be another server's: somebody answers there"),
        (0o700, "long" * 30, "must be a path to listen on: AF_UNIX path too long"),
    ],
)
def test_a_socket_that_others_could_replace_is_no_start(place: Path, mode: int, name: str, claim: str) -> None:
    """Nor one that is anything else; one line, and what is there stays."""
    (place / "text").write_text("text")
    place.chmod(mode)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(place / "answered"))
        listening.listen()
        line = refused(place, "--control", str(place / name))
        assert line == f"greendns: control socket: {place / name}: {claim}"
    assert (place / "text").read_text() == "text"


@needs_root
def test_a_directory_of_somebody_else_is_refused(place: Path) -> None:
    """Whoever owns it could put another socket there."""
    entry = pwd.getpwnam(STRANGER)
    os.chown(place, entry.pw_uid, entry.pw_gid)
    line = refused(place, "--control", str(place / "c"), "--user", USER)
    assert line.endswith(": must be in a directory of the server's user, or of root")


def test_a_second_server_leaves_the_first_unharmed(place: Path) -> None:
    """With the same control socket, or the same port: one line, and exit status 2."""
    with running(place) as server:
        claim = "must not be another server's: somebody answers there"
        assert refused(place, "--control", str(place / "c")) == f"greendns: control socket: {place / 'c'}: {claim}"
        line = refused(place, "--control", str(place / "c"), "--listen", f"127.0.0.1:{server.port}")
        assert line.startswith(f"greendns: listen: 127.0.0.1:{server.port}: ")
        assert status(place)["pid"] == server.process.pid
        assert server.values("www.example.com") == [OLD]


def test_the_socket_of_a_killed_server_is_replaced(place: Path) -> None:
    """And nobody is reached by it before."""
    with running(place) as server:
        server.process.kill()
        server.process.wait()
        wait_until(lambda: reload(place).returncode == 2, "the end of the others")
        with running(place) as other:
            assert status(place)["pid"] == other.process.pid


def test_no_server_is_told_in_a_line(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With exit status 2: nothing there, nobody listening, off."""
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as bound:
        bound.bind(str(place / "silent"))
        for name, why in (("nosuch", "No such file or directory"), ("silent", "Connection refused")):
            for command in ("status", "reload"):
                ended = run_here(command, "--control", place / name)
                assert ended.returncode == 2
                assert ended.stderr == f"greendns: {place / name}: no server can be reached: {why}\n"
    (place / "greendns.toml").write_text('[control]\nsocket = "off"\n')
    ended = run_here("status", "--config", place)
    assert (ended.returncode, ended.stderr) == (2, "greendns: control.socket is off: no server can be reached\n")


@each_kind
def test_who_hangs_up_before_the_answer_is_nothing_to_log(place: Path, workers: int) -> None:
    """Whether it is asked for a page, or for none."""
    with running(place, workers) as server:
        for sent in (b"GET /status HTTP/1.1\r\n\r\n", b"GET /nosuch HTTP/1.1\r\n\r\n", b"GET\r\n\r\n", b"x" * 9000):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(place / "c"))
                client.sendall(sent)
        assert status(place)["status"] == "ok"
        assert "Error" not in server.log_text()
        assert "Traceback" not in server.log_text()


@contextmanager
def answering(path: Path, answer: bytes) -> Iterator[None]:
    """Somebody else, who says the same whatever is asked."""

    class Stranger(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
            self.wfile.write(answer)

    with socketserver.UnixStreamServer(str(path), Stranger) as stranger:
        thread = Thread(target=stranger.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield
        stranger.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 301 Moved\r\n\r\n{}", "301"),
        (b"HTTP/1.1 500 Internal Server Error\r\n\r\noops", "500"),
        (b"HTTP/1.1 200 OK\r\n\r\n<html>", "its report can't be read"),
        (b"HTTP/1.1 200 OK\r\n\r\n[]", "its report can't be read"),
        (b'HTTP/1.1 200 OK\r\n\r\n{"request": 1, "in_force": 1, "errors": 1}', "its report can't be read"),
    ],
)
def test_somebody_else_s_answer_is_told_in_a_line(place: Path, answer: bytes, why: str) -> None:
    with answering(place / "c", answer):
        for command in ("status", "reload"):
            ended = run_here(command, "--control", place / "c")
            told = f"greendns: {place / 'c'}: is no control socket of a GreenDNS server: {why}\n"
            assert (ended.returncode, ended.stderr) == (2, told)


def test_a_place_is_waited_for_where_many_ask(place: Path) -> None:
    """Of a backlog that is full there is no word but that it is."""
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as first:
        listening.bind(str(place / "c"))
        listening.listen(0)
        first.connect(str(place / "c"))
        with ThreadPoolExecutor() as pool:
            asked = pool.submit(ask, place / "c", "GET", "/status")
            with pytest.raises(TimeoutError):
                asked.result(0.5)
            listening.accept()[0].close()
            served, _ = listening.accept()
            with served:
                served.recv(1000)
                served.sendall(b"HTTP/1.1 200 OK\r\n\r\n{}")
            assert asked.result(10) == {}
