"""As the first process of a container: what it does not handle is lost, and every orphan is its child."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.processtree import WORKER, children, named, status_of
from tests.serving import PROGRAM, Server, serving, wait_until, write_zones

ADDRESS = "192.0.2.1"
ZONE = {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [[ADDRESS]]}}}
APART = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]


@cache
def why_not() -> str:
    """Why no process can be the first of a namespace here; empty where one can."""
    if os.geteuid() != 0:
        return "only root can make a namespace of processes"
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        return "a namespace of processes is made with unshare(1), and entered with nsenter(1), of util-linux"
    done = subprocess.run([*APART, "true"], capture_output=True, text=True, timeout=60, check=False)
    return "" if done.returncode == 0 else f"this system lets nobody make a namespace of processes: {done.stderr}"


pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not() or "never")


@contextmanager
def contained(directory: Path, workers: int) -> Iterator[tuple[Server, int]]:
    """A server in a namespace of its own, and its pid out here; `process` is whoever waits for it."""
    program = [*APART, *PROGRAM]
    with serving(directory, {"example.com": ZONE}, workers=workers, program=program) as server:
        (first,) = children(server.process.pid)
        try:
            yield server, first
        finally:
            if server.process.poll() is None:
                os.kill(first, signal.SIGKILL)
                server.process.wait()


def make_orphan(first: int) -> int:
    """A process whose parent has ended, in the namespace of another; its pid out here."""
    before = children(first)
    orphaned = ["nsenter", "--target", str(first), "--pid", "sh", "-c", "sleep 1000 >/dev/null 2>&1 &"]
    subprocess.run(orphaned, timeout=60, check=True)
    (orphan,) = wait_until(lambda: children(first) - before, "the orphan")
    return orphan


@pytest.mark.parametrize("workers", [2, 0])
def test_orphans_are_reaped_and_a_stop_is_heard(tmp_path: Path, workers: int) -> None:
    """Whatever was started beside the server leaves nothing behind; TERM ends it with status 0."""
    with contained(tmp_path, workers) as (server, first):
        assert status_of(first)["NSpid"].split()[-1] == "1"
        orphan = make_orphan(first)
        os.kill(orphan, signal.SIGKILL)
        wait_until(lambda: not Path(f"/proc/{orphan}").exists(), "its end, to the last")
        assert server.values("www.example.com") == [ADDRESS]
        os.kill(first, signal.SIGTERM)
        assert server.process.wait(10) == 0


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    """And all end with the first process."""
    with contained(tmp_path, workers=2) as (server, first):
        victim, _ = named(first, WORKER)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: server.metric("greendns_worker_restarts_total") == 1, "the count")
        wait_until(lambda: server.metric("greendns_workers", state="alive") == 2, "the replacement")
        assert server.values("www.example.com") == [ADDRESS]


def test_a_stop_while_it_loads_is_heard(tmp_path: Path) -> None:
    """As by any other process, which the system ends."""
    labels = {f"n{number}": {"a": [[ADDRESS, 10]]} for number in range(20_000)}
    write_zones(tmp_path / "zones", {"example.com": {"data": labels}})
    pid_file = tmp_path / "pid"
    words = ["--zones", tmp_path / "zones", "--http", "off", "--listen", "127.0.0.1:0", "--pid-file", pid_file]
    command = [*APART, *PROGRAM, "serve", "--workers", "0", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            wait_until(lambda: pid_file.exists() and pid_file.read_text(), "the start")
            assert pid_file.read_text() == "1\n"
            (first,) = children(process.pid)
            os.kill(first, signal.SIGTERM)
            assert process.wait(10) == 128 + signal.SIGTERM
            assert process.communicate() == ("", None)
            assert not pid_file.exists()
        finally:
            process.kill()
