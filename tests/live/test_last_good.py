"""A server is started again while something is broken: it serves what was served last, and says so."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from greendns.lastgood import INDEX
from tests.identities import USER, readable_directory, why_nobody
from tests.processtree import KEEPER, named
from tests.serving import Server, run_command, serving, wait_until, write_zones

needs_root = pytest.mark.skipif(bool(why_nobody()), reason=why_nobody() or "never")
OLD, NEW = "192.0.2.1", "192.0.2.2"
NAMES = [f"n{number}" for number in range(200)]


def zone(address: str, serial: int = 1) -> dict[str, Any]:
    """A zone of many names: each is to be found, whatever the hashes of a process are."""
    return {
        "serial": serial,
        "data": {"": {"ns": ["ns1.example.net."]}, **{name: {"a": [[address]]} for name in NAMES}},
    }


ZONES = {"example.com": zone(OLD), "example.net": zone(OLD)}


@contextmanager
def started(
    directory: Path,
    zones: dict[str, Any] | None = None,
    arguments: Sequence[str] = (),
    workers: int = 2,
    **options: Any,
) -> Iterator[Server]:
    """A server that keeps what it serves in `directory`/cache."""
    cache = ["--cache", str(directory / "cache"), "--zones", str(directory / "zones")]
    with serving(directory, zones, [*cache, *arguments], workers=workers, **options) as running:
        yield running


def saved(server: Server) -> float:
    return server.metric("greendns_cache_saved_timestamp_seconds")


def serve_once(directory: Path, **options: Any) -> None:
    """Serve until it is kept."""
    with started(directory, ZONES, **options) as server:
        wait_until(lambda: saved(server), "what is served to be kept")


def assert_serves(server: Server, origin: str, address: str) -> None:
    """Every name has this address."""
    assert {name: server.values(f"{name}.{origin}") for name in NAMES} == {name: [address] for name in NAMES}


def test_a_restart_with_a_half_copied_file_serves_what_was(tmp_path: Path) -> None:
    """And says so on /health, in the metrics and in the log, also when all is loaded anew; a good file ends it."""
    serve_once(tmp_path)
    path = tmp_path / "zones" / "example.com.json"
    whole = path.read_text()
    path.write_text(whole[: len(whole) // 2])
    write_zones(tmp_path / "zones", {"example.net": zone(NEW, 2)})
    with started(tmp_path) as server:
        assert_serves(server, "example.com", OLD)
        assert server.values("n1.example.net") == [NEW]
        health = server.health()
        assert (health["status"], health["zones"], len(health["errors"])) == ("degraded", 2, 1)
        (told,) = health["last_good"]
        assert told.startswith(f"{path}: serial 1, loaded at 2")
        assert f"WARNING greendns: the last good version serves: {told}" in server.log_text()
        assert server.metric("greendns_file_errors", file=str(path)) == 1

        (keeper,) = named(server.process.pid, KEEPER)
        os.kill(keeper, signal.SIGKILL)
        wait_until(lambda: named(server.process.pid, KEEPER) not in ([keeper], []), "another keeper")
        server.wait_in_force(lambda: server.log_text().count("the last good version serves") == 2, "what it loaded")
        assert_serves(server, "example.com", OLD)

        path.write_text(whole.replace(OLD, NEW))
        server.wait_in_force(lambda: server.values("n1.example.com") == [NEW], "the whole file")
        assert {**server.health(), "status": "ok", "errors": [], "last_good": []} == server.health()


def test_one_process_keeps_what_it_serves_too(tmp_path: Path) -> None:
    """Each change of it."""
    with started(tmp_path, ZONES, workers=0) as server:
        wait_until(lambda: saved(server), "what is served to be kept")
        first = saved(server)
        write_zones(server.zones, {"example.com": zone(NEW, 2)})
        wait_until(lambda: server.values("n1.example.com") == [NEW] and saved(server) > first, "the change to be kept")
    write_zones(tmp_path / "zones", {"example.com": "{", "example.net": "["})
    with started(tmp_path, workers=0) as server:
        assert_serves(server, "example.com", NEW)
        assert_serves(server, "example.net", OLD)
        assert len(server.health()["last_good"]) == 2


def test_a_restart_without_the_directory_of_zones_serves_what_was(tmp_path: Path) -> None:
    """And takes it up when it is there again."""
    mounted, away = tmp_path / "mounted", tmp_path / "away"
    write_zones(mounted, ZONES)
    serve_once(tmp_path, arguments=["--zones", str(mounted)])
    mounted.rename(away)
    with started(tmp_path, arguments=["--zones", str(mounted)]) as server:
        assert_serves(server, "example.com", OLD)
        health = server.health()
        assert (health["status"], len(health["last_good"])) == ("degraded", 2)
        assert health["errors"] == [f"{mounted}: must be a directory that can be read: No such file or directory"]
        assert server.log_text().count("the last good version serves") == 2
        write_zones(away, {"example.com": zone(NEW, 2)})
        away.rename(mounted)
        server.wait_in_force(lambda: server.values("n1.example.com") == [NEW], "the directory")
        assert {**server.health(), "status": "ok", "last_good": []} == server.health()


@pytest.mark.parametrize("part", ["an image", "the index"])
def test_a_broken_cache_is_ignored_and_written_anew(tmp_path: Path, part: str) -> None:
    """With one warning; the next start has it again."""
    serve_once(tmp_path)
    cache = tmp_path / "cache"
    (image,) = [path for path in cache.iterdir() if path.name != INDEX]
    victim = cache / INDEX if part == "the index" else image
    octets = bytearray(victim.read_bytes())
    octets[len(octets) // 2] ^= 1
    victim.write_bytes(octets)
    os.utime(cache / INDEX, (0, 0))
    with started(tmp_path) as server:
        assert_serves(server, "example.com", OLD)
        assert server.log_text().count("what was served last can't be used") == 1
        assert server.health()["status"] == "ok"
        wait_until(lambda: saved(server), "what is served to be kept")
    write_zones(tmp_path / "zones", {"example.com": "{"})
    with started(tmp_path) as server:
        assert_serves(server, "example.com", OLD)
        assert "can't be used" not in server.log_text()


def test_a_full_disk_is_nothing_to_an_answer(tmp_path: Path) -> None:
    """What was kept stays, and the log tells. A file that may not grow is to its writer what a full disk is."""
    with started(tmp_path, ZONES) as server:
        wait_until(lambda: saved(server), "what is served to be kept")
        before = {path: path.read_bytes() for path in (tmp_path / "cache").iterdir()}
        (keeper,) = named(server.process.pid, KEEPER)
        resource.prlimit(keeper, resource.RLIMIT_FSIZE, (8192, 8192))
        write_zones(server.zones, {"example.com": zone(NEW, 2)})
        wait_until(lambda: "what is served can't be kept (File too large)" in server.log_text(), "the warning")
        assert_serves(server, "example.com", NEW)
        assert {**server.health(), "status": "ok", "errors": []} == server.health()
        assert {path: path.read_bytes() for path in (tmp_path / "cache").iterdir()} == before


def test_a_service_manager_s_directory_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first that it made, without any setting (systemd.exec(5)); but not where that is off."""
    for name in ("made", "another"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("CACHE_DIRECTORY", f"{tmp_path / 'made'}:{tmp_path / 'another'}")
    with serving(tmp_path, ZONES) as server:
        wait_until(lambda: saved(server), "what is served to be kept")
    assert (tmp_path / "made" / INDEX).exists()
    (tmp_path / "greendns.toml").write_text('[cache]\ndirectory = "off"\n')
    write_zones(tmp_path / "zones", {"example.com": "{"})
    with serving(tmp_path) as server:
        assert server.health()["zones"] == 1
        assert "greendns_cache" not in server.get("/metrics")[1]


def test_check_looks_at_the_files_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are what is to be mended."""
    serve_once(tmp_path)
    monkeypatch.setenv("CACHE_DIRECTORY", str(tmp_path / "cache"))
    write_zones(tmp_path / "zones", {"example.com": "{"})

    done = run_command("check", "--config", tmp_path)

    assert done.returncode == 1
    assert "1 zone, 1 error" in done.stdout


# -- whose the directory is


def refused(directory: Path, *arguments: str) -> str:
    """What a start says that ends at once."""
    write_zones(directory / "zones", ZONES)
    done = run_command("serve", "--config", directory, "--listen", "127.0.0.1:0", "--http", "off", *arguments)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("greendns: command line: cache.directory: ")
    return line


def test_a_directory_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    """By a group as well as by everybody."""
    for mode in (0o720, 0o702, 0o777):
        (tmp_path / "cache").mkdir(exist_ok=True)
        (tmp_path / "cache").chmod(mode)
        assert f"must be writable by its owner alone, not have mode {mode:04o}" in refused(
            tmp_path, "--cache", str(tmp_path / "cache")
        )


def test_a_path_where_no_directory_can_be_is_refused(tmp_path: Path) -> None:
    """A file, and what is below one."""
    (tmp_path / "file").write_text("")

    assert "must be a directory that can be read" in refused(tmp_path, "--cache", str(tmp_path / "file"))
    assert "where one can be made" in refused(tmp_path, "--cache", str(tmp_path / "file" / "cache"))


@needs_root
def test_the_directory_is_the_user_s(tmp_path: Path) -> None:
    """Made as that, when root starts; another one's, root's too, is refused."""
    with readable_directory() as directory:
        serve_once(directory, arguments=["--user", USER])
        cache = directory / "cache"
        assert (cache.owner(), cache.stat().st_mode & 0o777) == (USER, 0o700)
        assert {(path.owner(), path.stat().st_mode & 0o777) for path in cache.iterdir()} == {(USER, 0o600)}

        told = refused(directory, "--cache", str(cache))
        assert "must belong to the user that serves (uid 0)" in told
        os.chown(cache, 0, 0)
        cache.chmod(0o755)
        assert "must belong to the user that serves" in refused(directory, "--user", USER, "--cache", str(cache))
