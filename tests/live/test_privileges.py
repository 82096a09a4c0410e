"""Started as root, served as nobody: all that needs root is done at the start, and nothing is kept for later."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands import run_here
from tests.identities import USER, as_user, identity_of, powerless, processes_of, readable_directory, why_nobody
from tests.processtree import KEEPER, SIDE, WORKER, named
from tests.serving import PROGRAM, Server, run_command, serving, wait_until, write_zones

needs_root = pytest.mark.skipif(bool(why_nobody()), reason=why_nobody() or "never")
OLD, NEW = "192.0.2.1", "192.0.2.2"
WORKERS = 2


def zone(address: str) -> dict[str, Any]:
    return {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [[address]]}}}


@pytest.fixture
def directory() -> Iterator[Path]:
    with readable_directory() as made:
        yield made


@pytest.fixture
def server(directory: Path) -> Iterator[Server]:
    """Started as root, with two workers, and a user to become."""
    with serving(directory, {"example.com": zone(OLD)}, ["--user", USER], workers=WORKERS) as running:
        yield running


def reloads(server: Server, result: str = "ok") -> float:
    return server.metric("greendns_reloads_total", result=result)


def is_whole(server: Server) -> bool:
    """Whether there is one generation, and all of it."""
    return [len(named(server.process.pid, name)) for name in (KEEPER, SIDE, WORKER)] == [1, 1, WORKERS]


def assert_powerless(server: Server) -> None:
    pids = processes_of(server)
    assert {pid: identity_of(pid) for pid in pids} == dict.fromkeys(pids, powerless())


# -- who they are


@needs_root
@pytest.mark.parametrize("workers", [WORKERS, 0])
def test_every_process_is_the_user_and_nothing_else(directory: Path, workers: int) -> None:
    """Real, effective, saved and file system IDs, groups, every set of capabilities; no program can give any more."""
    with serving(directory, {"example.com": zone(OLD)}, ["--user", USER], workers=workers) as running:
        assert len(processes_of(running)) == (3 + WORKERS if workers else 1)
        assert_powerless(running)
        assert running.values("www.example.com") == [OLD]


@needs_root
@pytest.mark.parametrize("name", [WORKER, SIDE, KEEPER])
def test_what_dies_is_replaced_by_the_same_user(server: Server, name: str) -> None:
    """The sockets are there, the files can be read, and nobody needs root again."""
    victims = named(server.process.pid, name)
    os.kill(victims[0], signal.SIGKILL)

    wait_until(lambda: is_whole(server) and victims[0] not in named(server.process.pid, name), "the replacement")
    assert server.values("www.example.com") == [OLD]
    assert server.health()["status"] == "ok"
    assert_powerless(server)


@needs_root
def test_a_change_is_taken_over_by_the_same_user(server: Server) -> None:
    """A hand-over on the sockets that root bound."""
    write_zones(server.zones, {"example.com": zone(NEW)})

    wait_until(lambda: server.values("www.example.com") == [NEW], "the change")
    wait_until(lambda: is_whole(server), "the end of those before")
    assert_powerless(server)


@needs_root
def test_the_arbiter_s_death_is_the_end_of_all(server: Server) -> None:
    """The lifeline and the parent's death signal work for another user as well: the addresses are free at once."""
    below = processes_of(server)[1:]
    assert len(below) == 2 + WORKERS
    server.process.kill()
    assert server.process.wait() == -signal.SIGKILL

    wait_until(lambda: not any(identity_of(each)["Uid"] for each in below), "the end of the others")


@needs_root
def test_a_process_can_still_look_at_itself(server: Server) -> None:
    """After a change of user /proc/self is root's: what /metrics tells of the process is to be had all the same."""
    assert server.metric("process_open_fds") > 3
    assert server.metric("process_resident_memory_bytes") > 1_000_000


@needs_root
def test_no_code_is_read_after_the_start(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user may not be able to: Python's own directory may be root's alone."""
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    control = str(directory / "control.sock")
    arguments = ["--user", USER, "--control", control]
    with serving(directory, {"example.com": zone(OLD)}, arguments, workers=WORKERS) as running:
        write_zones(running.zones, {"example.com": zone(NEW)})
        wait_until(lambda: running.values("www.example.com") == [NEW], "the change")
        for tcp in (False, True):
            assert running.ask("_status.example.com", "TXT", tcp=tcp).answer
        assert running.get("/nowhere")[0] == 404
        assert [run_here(command, "--control", control).returncode for command in ("reload", "status")] == [0, 0]
        imported, loading, later = running.log_text().partition("no GeoIP database")
    assert loading
    assert "import time:" in imported
    assert "import time:" not in later


# -- what root could read


@needs_root
def test_a_zone_that_only_root_can_read_is_told(server: Server) -> None:
    """As a file's error: what it said before stays."""
    path = server.zones / "example.com.json"
    write_zones(server.zones, {"other.example": zone(NEW)})
    path.write_text(path.read_text().replace(OLD, NEW))
    path.chmod(0o600)

    server.wait_in_force(lambda: server.health()["status"] == "degraded", "the error")
    assert server.values("www.example.com") == [OLD]
    assert server.health()["errors"] == [f"{path}: must be a file that can be read: Permission denied"]


@needs_root
def test_a_configuration_that_only_root_can_read_is_no_start(directory: Path) -> None:
    """No reload could read it: so the start says it, and not the first reload, weeks later."""
    write_zones(directory / "zones", {"example.com": zone(OLD)})
    file = directory / "greendns.toml"
    file.write_text(f'[server]\nuser = "{USER}"\nlisten = ["127.0.0.1:0"]\n[http]\nlisten = "off"\n')
    file.chmod(0o600)

    ended = run_command("serve", "--config", directory)
    assert (ended.returncode, ended.stderr) == (2, f"greendns: {file}: must be readable: Permission denied\n")


@needs_root
def test_zones_that_only_root_can_read_are_no_start(directory: Path) -> None:
    """The first load is done as the user."""
    write_zones(directory / "zones", {"example.com": zone(OLD)})
    (directory / "zones").chmod(0o700)

    ended = run_command(
        "serve", "--zones", directory / "zones", "--listen", "127.0.0.1:0", "--http", "off", "--user", USER
    )
    assert ended.returncode == 2
    assert f"{directory / 'zones'}: " in ended.stderr
    assert "Permission denied" in ended.stderr


@needs_root
def test_a_log_file_is_the_user_s(directory: Path) -> None:
    """So that the user can begin it anew once it was moved away; the directory has to be the user's as well."""
    logs = directory / "logs"
    logs.mkdir()
    os.chown(logs, *[int(powerless()[word].split()[0]) for word in ("Uid", "Gid")])
    (directory / "greendns.toml").write_text(f'[server]\nuser = "{USER}"\nlisten = ["127.0.0.1:0"]\n')
    write_zones(directory / "zones", {"example.com": zone(OLD)})
    file = logs / "greendns.log"
    flags = ["-config", str(directory / "zones"), "-configfile", str(directory / "greendns.toml")]
    more = ["-interface", "127.0.0.1", "-port", "0", "-http", "127.0.0.1:0", "-logfile", str(file)]
    with serving(directory, {"example.com": zone(OLD)}, command=["geodns", *flags, *more]) as running:
        wait_until(lambda: "listening" in file.read_text(), "the log")
        assert file.owner() == USER
        file.rename(logs / "greendns.log.1")
        write_zones(running.zones, {"example.com": zone(NEW)})
        wait_until(lambda: file.exists() and "is in service" in file.read_text(), "the new log")
        assert file.owner() == USER


# -- who may not serve


def refused(*arguments: str | Path, **options: Any) -> str:
    """What is said by a server that does not start."""
    ended = run_command("serve", *arguments, **options)
    assert ended.returncode == 2, ended.stderr
    return ended.stderr


ROOT_REFUSED = (
    "greendns: command line: server.user: must name a user to become: root serves on low ports only with "
    'server.allow_root or --allow-root, found ""\n'
)


@needs_root
@pytest.mark.parametrize(
    ("listen", "http"), [("127.0.0.1:53", "off"), ("127.0.0.1:1023", "off"), ("127.0.0.1:0", "127.0.0.1:80")]
)
def test_root_does_not_serve_on_a_low_port(directory: Path, listen: str, http: str) -> None:
    """Without a user and without being told to: refused before anything is bound."""
    assert refused("--zones", directory, "--listen", listen, "--http", http) == ROOT_REFUSED


@needs_root
def test_root_by_name_is_root(directory: Path) -> None:
    """`--user root` is no way around."""
    told = refused("--zones", directory, "--listen", "127.0.0.1:53", "--http", "off", "--user", "root")
    assert told == ROOT_REFUSED.replace('""', '"root"')


@needs_root
def test_root_serves_on_high_ports(directory: Path) -> None:
    """For trying things out, and without a word."""
    with serving(directory, {"example.com": zone(OLD)}, workers=0) as running:
        assert running.values("www.example.com") == [OLD]
        assert "root" not in running.log_text()


def test_a_user_that_is_not_there_is_told(directory: Path) -> None:
    """With its setting."""
    told = refused("--zones", directory, "--listen", "127.0.0.1:0", "--user", "no-such-user")
    assert told == 'greendns: command line: server.user: must be a user of this system, found "no-such-user"\n'


@needs_root
def test_only_root_can_become_somebody_else(directory: Path) -> None:
    """Who is not root is told so; its own name is taken."""
    arguments = ["serve", "--zones", str(directory), "--listen", "127.0.0.1:0", "--http", "off", "--user", "root"]
    ended = subprocess.run([*as_user(), *PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert ended.stderr == (
        "greendns: command line: server.user: must be the user that starts the server, or empty: only root can become "
        'another one, found "root"\n'
    )


@needs_root
def test_who_is_no_root_keeps_nothing_either(directory: Path) -> None:
    """Capabilities that a service manager gave for binding are given back once that is done."""
    write_zones(directory / "zones", {"example.com": zone(OLD)})
    server = ["serve", "--zones", str(directory / "zones"), "--listen", "127.0.0.1:0", "--http", "off", "--user", USER]
    kept = ("CapInh", "CapPrm", "CapEff", "CapAmb")
    with subprocess.Popen(
        [*as_user(powers="+net_bind_service,+net_admin"), *PROGRAM, *server], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("listening on ")
            assert identity_of(process.pid, kept) == {**powerless(capabilities=kept), "Groups": ""}
        finally:
            process.terminate()
