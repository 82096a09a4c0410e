"""The PID file and the signals of the process that was started."""

from __future__ import annotations

import os
import resource
import signal
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.identities import USER, readable_directory, why_nobody
from tests.processtree import descendants, is_running
from tests.serving import Server, run_command, serving, wait_until

ZONE = {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [["192.0.2.1"]]}}}
each_kind = pytest.mark.parametrize("workers", [2, 0])
needs_root = pytest.mark.skipif(bool(why_nobody()), reason=why_nobody() or "never")


@contextmanager
def running(directory: Path, workers: int, arguments: Sequence[str] = ()) -> Iterator[tuple[Server, Path]]:
    """A server, and its PID file."""
    file = directory / "greendns.pid"
    with serving(directory, {"example.com": ZONE}, ["--pid-file", str(file), *arguments], workers=workers) as server:
        yield server, file


def refused(*arguments: str | Path, **options: Any) -> str:
    """What is said by a server that does not start."""
    ended = run_command("serve", "--listen", "127.0.0.1:0", "--http", "off", *arguments, **options)
    assert ended.returncode == 2, ended.stderr
    (line,) = ended.stderr.splitlines()
    return line


# -- the PID file


@each_kind
def test_the_pid_file_tells_the_process_to_signal(tmp_path: Path, workers: int) -> None:
    """As long as it serves, and not a moment longer."""
    with running(tmp_path, workers) as (server, file):
        assert file.read_text() == f"{server.process.pid}\n"
        server.process.terminate()
        assert server.process.wait(10) == 0
        assert not file.exists()


@each_kind
def test_a_second_server_with_the_same_pid_file_ends(tmp_path: Path, workers: int) -> None:
    """With one line; the first serves on, its file untouched."""
    with running(tmp_path, workers) as (server, file):
        line = refused("--zones", server.zones, "--pid-file", file)
        assert line == (
            f"greendns: pid file: {file}: must not be another server's: process {server.process.pid} has it"
        )
        assert file.read_text() == f"{server.process.pid}\n"
        assert server.values("www.example.com") == ["192.0.2.1"]


def test_the_pid_file_of_a_killed_server_is_taken_over(tmp_path: Path) -> None:
    """Nobody has its lock; processes that it had forked never had."""
    with running(tmp_path, 2) as (server, file):
        server.process.kill()
        server.process.wait()
        assert file.read_text() == f"{server.process.pid}\n"
        with running(tmp_path, 2) as (other, _):
            assert file.read_text() == f"{other.process.pid}\n"


@needs_root
def test_a_pid_file_in_root_s_directory_is_emptied(tmp_path: Path) -> None:
    """Written before root becomes somebody else, who can't remove it."""
    with readable_directory() as directory:
        with running(directory, 2, ["--user", USER]) as (server, file):
            assert file.read_text() == f"{server.process.pid}\n"
            assert file.owner() == "root"
        assert file.read_text() == ""


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("nosuch/pid", "must be a file that can be written: No such file or directory"),
        (".", "must be a file that can be written: Is a directory"),
        ("link", "must be a file that can be written: Too many levels of symbolic links"),
        ("fifo", "must be a file"),
        ("text", "must be a PID file: what is there now is no number"),
    ],
)
def test_a_pid_file_that_can_t_be_had_is_no_start(tmp_path: Path, name: str, claim: str) -> None:
    """One line, and what was there stays: a slip of the finger empties nobody's file."""
    (tmp_path / "zones").mkdir()
    (tmp_path / "text").write_text("root:x:0:0\n")
    (tmp_path / "link").symlink_to("text")
    os.mkfifo(tmp_path / "fifo")
    path = tmp_path / name
    assert refused("--zones", tmp_path / "zones", "--pid-file", path) == f"greendns: pid file: {path}: {claim}"
    assert (tmp_path / "text").read_text() == "root:x:0:0\n"


def test_a_pid_file_without_room_for_it_is_no_start(tmp_path: Path) -> None:
    """One line, and nothing is left of it: here no file may have any octets."""
    path = tmp_path / "greendns.pid"
    (tmp_path / "zones").mkdir()
    line = refused(
        *("--zones", tmp_path / "zones", "--pid-file", path),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )
    assert line == f"greendns: pid file: {path}: must be a file that can be written: File too large"
    assert not path.exists()


# -- signals


@each_kind
def test_quit_ends_all_at_once(tmp_path: Path, workers: int) -> None:
    """With exit status 0, whoever is being served; nothing is left behind."""
    with running(tmp_path, workers) as (server, file):
        below = descendants(server.process.pid)
        with socket.create_connection((server.host, server.port)) as client:
            client.sendall(b"\0")
            server.process.send_signal(signal.SIGQUIT)
            assert server.process.wait(10) == 0
        wait_until(lambda: not any(map(is_running, below)), "the end of all")
        assert not file.exists()


@each_kind
def test_usr1_begins_the_log_file_anew(tmp_path: Path, workers: int) -> None:
    """At once, where nothing is to be logged as well, and no process minds the signal."""
    log = tmp_path / "greendns.log"
    with running(tmp_path, workers, ["--log-file", str(log), "--log-level", "error"]) as (server, _):
        log.rename(tmp_path / "greendns.log.1")
        below = descendants(server.process.pid)
        for pid in (*below, server.process.pid):
            os.kill(pid, signal.SIGUSR1)
        wait_until(lambda: log.exists() and log.read_text(), "the log file")
        assert descendants(server.process.pid) == below
        assert server.values("www.example.com") == ["192.0.2.1"]
