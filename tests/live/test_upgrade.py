"""USR2: another program takes the place of the one that serves, in the same process, and nobody notices."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import dns.edns
import dns.message
import dns.rcode
import pytest

from tests.identities import USER, identity_of, powerless, processes_of, readable_directory, why_nobody
from tests.live.openloop import questioning
from tests.live.test_workers import alive, counters, loading, processes, settled, zone
from tests.processtree import KEEPER, WORKER, descendants, is_running, open_descriptors
from tests.programs import VERSION, Program
from tests.serving import Server, serving, wait_until, write_zones

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has memory that outlives a program")
needs_root = pytest.mark.skipif(bool(why_nobody()), reason=why_nobody() or "never")

OLD, NEW = "192.0.2.1", "192.0.2.2"
ZONES = {"example.com": zone(OLD)}
COOKIE = dns.edns.OptionType.COOKIE
CLIENT_COOKIE = bytes(range(8))
TRIAL = "is tried (process "


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path / "program")


@pytest.fixture
def server(tmp_path: Path, program: Program) -> Iterator[Server]:
    """A server of its own for each test, from a program of its own."""
    with serving(tmp_path, ZONES, program=program.command) as running:
        yield running


def version(server: Server) -> str:
    """Of the program that serves."""
    return server.get("/version")[1].removeprefix("GreenDNS ").removesuffix("\\n")


def ask_for_upgrade(server: Server) -> None:
    server.process.send_signal(signal.SIGUSR2)


def wait_serving(server: Server, wanted: str) -> None:
    """Wait until a version serves, and nobody else is left."""
    wait_until(lambda: version(server) == wanted and settled(server), f"{wanted}, alone")


def upgrade(server: Server, program: Program, wanted: str) -> None:
    program.install(wanted)
    ask_for_upgrade(server)
    wait_serving(server, wanted)


def upgrades(server: Server, result: str) -> float:
    return server.metric("greendns_upgrades_total", result=result)


def trial_of(server: Server) -> int:
    """The process that tries the program, once it is there."""

    def told() -> str:
        return server.log_text().rpartition(TRIAL)[2].partition(")")[0]

    return int(wait_until(lambda: TRIAL in server.log_text() and told(), "the trial"))


def cookie(server: Server, sent: bytes = CLIENT_COOKIE) -> bytes:
    """The cookie that comes back: the one that was sent, if it is valid."""
    answer = server.ask("www.example.com", options=[dns.edns.GenericOption(COOKIE, sent)])
    (option,) = [option for option in answer.options if option.otype == COOKIE]
    return bytes(option.to_wire() or b"")


# -- nothing is lost


def test_an_upgrade_costs_nothing(server: Server, program: Program) -> None:
    """Twice in a row, under load: no query, no counter, no cookie, no connection, no descriptor."""
    wire = dns.message.make_query("www.example.com", "A").to_wire()
    framed = len(wire).to_bytes(2, "big") + wire
    good = cookie(server)
    started = server.metric("geodns_start_time_seconds")
    before = counters(server)
    with questioning(server, ["www.example.com"]) as report:
        with socket.create_connection((server.host, server.port), timeout=5) as connection:
            connection.sendall(framed[:5])
            program.install("2.0.0")
            ask_for_upgrade(server)
            wait_until(lambda: version(server) == "2.0.0", "the next program")
            connection.sendall(framed[5:])
            assert connection.recv(65535)[2:4] == wire[:2]
        wait_serving(server, "2.0.0")
        between = counters(server)
        held = [open_descriptors(pid) for pid in processes_of(server)]
        upgrade(server, program, "3.0.0")

    assert report.lost == 0
    assert report.came("www.example.com") == {OLD}
    assert cookie(server, good) == good
    after = counters(server)
    for earlier, later in ((before, between), (between, after)):
        assert [key for key, value in earlier.items() if later.get(key, 0) < value] == []
    asked = report.sent + 1 + 2
    assert sum(value for (name, _), value in after.items() if name == "greendns_packets_total") == asked
    assert server.metric("geodns_start_time_seconds") == started
    assert server.metric("geodns_build_info", version="3.0.0") == 1
    assert (upgrades(server, "ok"), upgrades(server, "error")) == (2, 0)

    def holds_no_more() -> bool:
        now = [open_descriptors(pid) for pid in processes_of(server)]
        return all(one <= other for one, other in zip(now, held, strict=True))

    # The side process may still be closing the connection of the last page.
    wait_until(holds_no_more, "no more descriptors than before")


def test_what_was_upgraded_serves_on_like_any(server: Server, program: Program) -> None:
    """It takes changes, replaces what dies, and ends with status 0; nothing is left of it, and the port is free."""
    upgrade(server, program, "2.0.0")
    write_zones(server.zones, {"example.com": zone(NEW)})
    server.wait_in_force(lambda: server.values("www.example.com") == [NEW], "the change")
    for name in (WORKER, KEEPER):
        os.kill(processes(server, name)[0], signal.SIGKILL)
        wait_until(lambda: settled(server) and alive(server) == 2, "the replacement")
    below = descendants(server.process.pid)
    server.process.send_signal(signal.SIGTERM)

    assert server.process.wait(10) == 0
    wait_until(lambda: not any(map(is_running, below)), "the others' end", 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((server.host, server.port))


def test_counters_of_another_layout_begin_anew(server: Server, program: Program) -> None:
    """Which is told; whatever the processes before count goes to their own, and no query is lost."""
    with questioning(server, ["www.example.com"]) as report:
        program.install("2.0.0", {"countertable": ('b"GreenDN', 'b"OtherDN')})
        ask_for_upgrade(server)
        wait_serving(server, "2.0.0")

    assert report.lost == 0
    assert f"upgrade: the counters of {VERSION} are laid out otherwise: all begin anew" in server.log_text()
    assert 0 < server.metric("greendns_packets_total", transport="udp") < report.sent


def test_who_is_limited_stays_so(tmp_path: Path, program: Program) -> None:
    """What a network owes is written down for the next program too: it gets no second burst."""
    rate = 5
    (tmp_path / "greendns.toml").write_text(
        f'[rate_limit]\nmode = "limit"\nanswers_per_second = {rate}\nwindow_seconds = 60\nslip = 0\n'
    )
    wire = dns.message.make_query("www.example.com", "A").to_wire()
    with serving(tmp_path, ZONES, program=program.command) as server:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(61 * rate):
                sender.sendto(wire, (server.host, server.port))
        wait_until(lambda: server.metric("greendns_packets_total") >= 61 * rate, "the flood")
        dropped = server.metric("greendns_rate_limited_answers_total", action="dropped")
        upgrade(server, program, "2.0.0")
        assert dropped
        assert server.exchange(wire, timeout=1) is None
        assert server.metric("greendns_rate_limited_answers_total", action="dropped") == dropped + 1


# -- what fails changes nothing

_SERVE = "def run_server("
BROKEN: dict[str, tuple[dict[str, tuple[str, str]], str]] = {
    "2.0.1": ({"launch": ("import logging", "import no_such_module")}, "ModuleNotFoundError: No module named"),
    "2.0.2": ({"loader": ("def load(", "def unload(")}, "has no attribute 'load'"),
    "2.0.3": ({"launch": (_SERVE, "raise SystemExit(0)\n\n\n" + _SERVE)}, "ended (exit status 0)"),
    "2.0.4": (
        {"upgrade": ("FORMAT = 1", "FORMAT = 2")},
        "upgrade: format: must be 2: only a restart gets here, found 1",
    ),
    "2.0.5": ({"launch": (_SERVE, "os.kill(os.getpid(), 9)\n\n\n" + _SERVE)}, "ended (SIGKILL)"),
}


def test_a_program_that_fails_is_not_taken(server: Server, program: Program) -> None:
    """However it fails: the processes are those of before, it is counted, and the log says why."""
    before = processes_of(server)
    told = 0

    def refuse(why: str) -> None:
        nonlocal told
        failed, seen = upgrades(server, "error"), len(server.log_text())
        ask_for_upgrade(server)
        wait_until(lambda: upgrades(server, "error") == failed + 1, f"the failure: {why}")
        assert why in server.log_text()[seen:]
        assert "nothing changes" in server.log_text()[seen:]
        told += 1

    with questioning(server, ["www.example.com"]) as report:
        for wanted, (edits, why) in BROKEN.items():
            program.install(wanted, edits)
            refuse(why)
        program.remove()
        refuse("No such file or directory")
        program.install("2.1.0")
        write_zones(server.zones, {"broken.example": "{"})
        refuse(f"{server.zones / 'broken.example.json'}: line 1")
        (server.zones / "broken.example.json").unlink()
        configuration = server.zones.parent / "greendns.toml"
        configuration.write_text("[nonsense")
        refuse(f"{configuration}: line 1: must be TOML")
        configuration.unlink()

    assert report.lost == 0
    assert version(server) == VERSION
    assert (upgrades(server, "ok"), upgrades(server, "error")) == (0, told)
    wait_until(lambda: settled(server), "one generation")
    assert server.process.pid == before[0]
    ask_for_upgrade(server)
    wait_serving(server, "2.1.0")


def test_a_program_that_can_t_load_after_all_leaves_the_one_before_serving(
    server: Server, program: Program, tmp_path: Path
) -> None:
    """It tries again, and takes its time; changes are taken meanwhile, by processes of the program before."""
    load = "    def _load(self) -> None:\n"
    failing_then_waiting = (
        "        from pathlib import Path\n"
        f"        tried, mended = Path('{tmp_path}', 'tried'), Path('{tmp_path}', 'mended')\n"
        "        if not tried.exists():\n"
        "            tried.touch()\n"
        "            os._exit(1)\n"
        "        while not mended.exists():\n"
        "            time.sleep(0.01)\n"
    )
    program.install("2.0.0", {"keeper": (load, load + failing_then_waiting)})
    with questioning(server, ["www.example.com"]) as report:
        ask_for_upgrade(server)
        wait_until(lambda: "its workers serve on, all is loaded anew" in server.log_text(), "the failure")
        wait_until(lambda: len(processes(server, KEEPER)) == 2, "the second attempt")
        write_zones(server.zones, {"example.com": zone(NEW)})
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: server.values("www.example.com") == [NEW], "the change")
        assert version(server) == VERSION
        assert upgrades(server, "ok") == 0
        (tmp_path / "mended").touch()
        wait_serving(server, "2.0.0")

    assert report.lost == 0
    assert report.came("www.example.com") == {OLD, NEW}
    assert server.values("www.example.com") == [NEW]
    assert upgrades(server, "ok") == 1


# -- what happens meanwhile


def test_a_reload_and_signals_on_the_way(server: Server, program: Program) -> None:
    """While a large zone is loaded, with HUP and USR2 all the time, before and after the program is another one."""
    program.install("2.0.0")
    with questioning(server, ["www.example.com"]) as report, loading(server, names=10_000):
        ask_for_upgrade(server)
        trial_of(server)

        def is_new() -> bool:
            for number in (signal.SIGHUP, signal.SIGUSR2):
                server.process.send_signal(number)
            return version(server) == "2.0.0"

        wait_until(is_new, "the next program")
        wait_until(lambda: server.ask("n1.big.example.com").answer, "the zone")
        assert "upgrade: one is under way already" in server.log_text()

    assert report.lost == 0
    wait_serving(server, "2.0.0")
    assert server.process.poll() is None


def test_a_keeper_that_dies_during_the_trial(server: Server, program: Program) -> None:
    """Its workers serve on, another one loads all anew, and the next program comes all the same."""
    program.install("2.0.0")
    with questioning(server, ["www.example.com"]) as report:
        ask_for_upgrade(server)
        trial_of(server)
        os.kill(processes(server, KEEPER)[0], signal.SIGKILL)
        wait_serving(server, "2.0.0")

    assert report.lost == 0


@pytest.mark.parametrize("moment", ["is tried", "takes over"])
def test_a_stop_on_the_way(server: Server, program: Program, moment: str) -> None:
    """Status 0, and nobody is left, whichever program it reaches."""
    program.install("2.0.0")
    ask_for_upgrade(server)
    wait_until(lambda: moment in server.log_text(), "the moment")
    below = descendants(server.process.pid)
    server.process.send_signal(signal.SIGTERM)

    assert server.process.wait(10) == 0
    wait_until(lambda: not any(map(is_running, below)), "the others' end", 2)


def test_one_process_alone_is_not_upgraded(tmp_path: Path) -> None:
    """It says so, and serves on."""
    with serving(tmp_path, ZONES, workers=0) as server:
        ask_for_upgrade(server)
        wait_until(lambda: "upgrade: only with server.workers" in server.log_text(), "the log")
        assert server.values("www.example.com") == [OLD]


# -- as another user


def python_for_everybody() -> str:
    """A Python that every user can run, with what serving needs; empty if there is none."""
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        with suppress(OSError):
            if not subprocess.run([python, "-c", "import gevent"], user=USER, extra_groups=(), check=False).returncode:
                return python
    return ""


@needs_root
def test_the_next_program_is_the_same_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """It binds nothing and has no power; nobody but root may trace it. One that the user can't read is not taken."""
    monkeypatch.setenv("PYTHONPATH", sysconfig.get_path("purelib"))
    python = python_for_everybody()
    if not python:
        pytest.skip("there is no Python that every user can run")
    with readable_directory() as directory:
        program = Program(directory / "program", python)
        with serving(directory, ZONES, ["--user", USER], program=program.command) as server:
            upgrade(server, program, "2.0.0")
            pids = processes_of(server)
            assert {pid: identity_of(pid) for pid in pids} == dict.fromkeys(pids, powerless())
            assert {os.stat(f"/proc/{pid}/environ").st_uid for pid in pids} == {0}
            assert server.values("www.example.com") == [OLD]

            program.install("3.0.0")
            program.directory.chmod(0o700)
            ask_for_upgrade(server)
            wait_until(lambda: upgrades(server, "error") == 1, "the failure")
            assert "Permission denied" in server.log_text()
            assert version(server) == "2.0.0"
