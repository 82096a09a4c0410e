"""conf/supervisord.conf, run by supervisord: start, restart, reload, a crash, a stop, and what can't be started."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dns.exception

from tests.bench.contenders import free_port
from tests.identities import USER, readable_directory, why_nobody
from tests.processtree import descendants, is_running
from tests.serving import PROGRAM, ROOT, Server, wait_until, write_zones

OLD, NEW = "192.0.2.1", "192.0.2.2"
SUPERVISORD, SUPERVISORCTL = [[sys.executable, "-m", f"supervisor.{name}"] for name in ("supervisord", "supervisorctl")]


def zone(address: str) -> dict[str, Any]:
    return {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [[address]]}}}


@dataclass
class Supervised:
    """A supervisord, the server below it, and where the two have their files."""

    directory: Path
    process: subprocess.Popen[str]
    server: Server

    def control(self, *words: str) -> str:
        """Run supervisorctl, and give what it says."""
        file = str(self.directory / "supervisord.conf")
        ended = subprocess.run(
            [*SUPERVISORCTL, "-c", file, *words], capture_output=True, text=True, timeout=60, check=False
        )
        return ended.stdout.strip()

    def state(self) -> str:
        """RUNNING, STOPPED, FATAL and so on."""
        return " ".join(self.control("status", "greendns").split()[1:2])

    def wait_running(self) -> None:
        """Wait until supervisord takes it for started, for which it must have lasted."""
        wait_until(lambda: "success: greendns entered RUNNING state" in self.told(), "a second")

    def pid(self) -> int:
        """The process that supervisord started last; 0 where none is there."""
        return int(self.control("pid", "greendns"))

    def values(self) -> list[str]:
        """The answer; none where nobody answers."""
        try:
            return self.server.values("www.example.com", timeout=1)
        except (dns.exception.Timeout, OSError):
            return []

    def told(self) -> str:
        """What supervisord logged."""
        log = self.directory / "log" / "supervisord.log"
        return log.read_text() if log.exists() else ""


def configuration(directory: Path, arguments: str) -> str:
    """The file that we deliver, with its paths in a directory, and a user that is there."""
    text = (ROOT / "conf" / "supervisord.conf").read_text()
    user = "" if why_nobody() else f" --user {USER}"
    program = shlex.join(PROGRAM)
    for delivered, ours in {
        "/var/log/greendns": str(directory / "log"),
        "/run/": f"{directory}/",
        "command = greendns serve --config /etc/greendns --user greendns --cache /var/cache/greendns": (
            f"command = {program} serve --config {directory}{user} --cache {directory / 'cache'} {arguments}"
        ),
    }.items():
        assert delivered in text
        text = text.replace(delivered, ours)
    assert "/var/" not in text
    return text


@contextmanager
def supervised(more: str = "") -> Iterator[Supervised]:
    """Run supervisord, and whatever it starts, until the block ends; `more` are arguments of the server."""
    with readable_directory() as directory:
        (directory / "log").mkdir()
        write_zones(directory / "zones", {"example.com": zone(OLD)})
        port, http = free_port(), free_port()
        file = directory / "supervisord.conf"
        file.write_text(
            configuration(directory, f"--listen 127.0.0.1:{port} --http 127.0.0.1:{http} --workers 2 {more}")
        )
        process = subprocess.Popen(
            [*SUPERVISORD, "-n", "-c", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
        )
        server = Server(process, directory / "log" / "greendns.log", directory / "zones", "127.0.0.1", port)
        server.http = f"http://127.0.0.1:{http}"
        try:
            yield Supervised(directory, process, server)
        finally:
            below = descendants(process.pid)
            process.terminate()
            process.wait(20)
            wait_until(lambda: not any(map(is_running, below)), "the end of all below")


def reloads(scene: Supervised) -> float:
    return scene.server.metric("greendns_reloads_total", result="ok")


def test_supervisord_starts_reloads_restarts_and_stops_it() -> None:
    """One process is its child, and answers; a stop ends it with status 0, and all that it forked."""
    with supervised() as scene:
        wait_until(lambda: scene.values() == [OLD], "answers")
        scene.wait_running()
        first = scene.pid()
        write_zones(scene.server.zones, {"example.com": zone(NEW)})
        assert scene.control("signal", "HUP", "greendns") == "greendns: signalled"
        wait_until(lambda: scene.values() == [NEW] and reloads(scene) == 1, "the reload")
        assert scene.pid() == first

        below = descendants(first)
        assert scene.control("restart", "greendns") == "greendns: stopped\ngreendns: started"
        assert scene.pid() != first
        assert not [pid for pid in (first, *below) if is_running(pid)]
        wait_until(lambda: scene.values() == [NEW], "answers")

        second = scene.pid()
        below = descendants(second)
        assert scene.control("stop", "greendns") == "greendns: stopped"
        assert scene.state() == "STOPPED"
        assert not [pid for pid in (second, *below) if is_running(pid)]
        assert scene.told().count("stopped: greendns (exit status 0)") == 2
        assert scene.values() == []


def test_a_crash_is_followed_by_a_start() -> None:
    """The process that supervisord knows is killed: the others leave, so the next one has the address."""
    with supervised() as scene:
        scene.wait_running()
        victim = scene.pid()
        below = descendants(victim)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: not any(map(is_running, below)), "the end of the others")
        wait_until(lambda: scene.values() == [OLD], "answers")
        assert scene.pid() != victim
        # Not one that tried, failed, and tried again.
        assert scene.told().count("spawned: 'greendns'") == 2


def test_what_is_wrong_in_the_configuration_is_no_loop() -> None:
    """A few tries, and then it is given up; the log says why."""
    with supervised("--user no-such-user") as scene:
        # Where Python takes more than a second to start, it was running, and is not started again.
        given_up = ("gave up: greendns entered FATAL state", "exited: greendns (exit status 2; expected)")
        wait_until(lambda: any(line in scene.told() for line in given_up), "the end of the tries", 60)
        assert scene.state() in ("FATAL", "EXITED")
        starts = scene.told().count("spawned: 'greendns'")
        assert starts <= 4
        assert scene.server.log_text().count("must be a user of this system") == starts
