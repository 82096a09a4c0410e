"""Zones and databases change under a fixed schedule of queries: none is lost, each change is in force within 3 s."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.databases import WORLD, city, write_city
from tests.live.openloop import QUERIES_PER_SECOND, Report, questioning
from tests.serving import Server, serving, wait_until

IN_FORCE_SECONDS = 3.0
OLD, NEW = "192.0.2.1", "192.0.2.2"


def zone(address: str, **settings: Any) -> dict[str, Any]:
    """A zone whose www has one address."""
    return {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [[address]]}}, **settings}


def write(path: Path, document: object) -> None:
    """Write a file in its place, as an editor or `cp` does."""
    path.write_text(json.dumps(document))


def rename_into(path: Path, document: object) -> None:
    """Write a file beside it and rename it over the old one, as rsync does."""
    beside = path.with_name(f".{path.name}.new")
    write(beside, document)
    beside.rename(path)


def in_force(claim: Callable[[], Any], what: str) -> None:
    """Wait until a change shows, no longer than it may take.

    For some milliseconds both generations answer, on the HTTP side too: what is asked next may come from the old one.
    """
    wait_until(claim, what, IN_FORCE_SECONDS)


@contextmanager
def nothing_lost(server: Server, names: list[str], subnet: str | None = None) -> Iterator[Report]:
    """Queries on a schedule while the block runs; every one of them is answered."""
    with questioning(server, names, subnet) as report:
        yield report
    assert report.sent > 0
    assert report.lost == 0


def test_the_sender_sees_a_stall(tmp_path: Path) -> None:
    """A server that stands still for a while: queries go on leaving on schedule, and their wait is counted in full."""
    with (
        serving(tmp_path, {"example.com": zone(OLD)}, workers=0) as server,
        questioning(server, ["www.example.com"]) as report,
    ):
        server.process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        wait_until(lambda: time.monotonic() > began + 0.5, "half a second has gone by")
        server.process.send_signal(signal.SIGCONT)

    assert report.sent >= 0.5 * QUERIES_PER_SECOND
    assert report.lost == 0
    assert report.latency(1) >= 0.4


# -- zone files: one server for all, a zone of its own for each test


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with one zone that nobody touches."""
    with serving(tmp_path_factory.mktemp("shared"), {"still.example.com": zone(OLD)}) as server:
        yield server


class Stage:
    """One zone of a running server."""

    def __init__(self, server: Server, origin: str) -> None:
        self.server = server
        self.name = f"www.{origin}"
        self.path = server.zones / f"{origin}.json"

    def values(self) -> list[str]:
        return self.server.values(self.name)

    def answers(self, *addresses: str) -> Callable[[], bool]:
        return lambda: self.values() == list(addresses)

    def errors(self) -> list[str]:
        """What /health says of this file."""
        return [error for error in self.server.health()["errors"] if str(self.path) in error]


@pytest.fixture
def stage(shared: Server, request: pytest.FixtureRequest) -> Stage:
    """A zone of this test alone, in service with the OLD address."""
    stage = Stage(shared, f"{request.node.name.replace('_', '-')[-50:].strip('-')}.example.com".lower())
    write(stage.path, zone(OLD))
    in_force(stage.answers(OLD), "a new zone")
    return stage


def test_a_new_zone(shared: Server) -> None:
    """It was REFUSED before, and is answered from then on."""
    stage = Stage(shared, "brand-new.example.com")
    with nothing_lost(shared, [stage.name, "www.still.example.com"]) as report:
        write(stage.path, zone(NEW))
        in_force(stage.answers(NEW), "a new zone")

    assert report.came("www.still.example.com") == {OLD}
    assert report.came(stage.name) <= {"REFUSED", NEW}


@pytest.mark.parametrize("save", [write, rename_into])
def test_an_edited_zone(stage: Stage, save: Callable[[Path, object], None]) -> None:
    """Each query gets the old answer or the new one; saved in its place or by a rename."""
    with nothing_lost(stage.server, [stage.name]) as report:
        save(stage.path, zone(NEW))
        in_force(stage.answers(NEW), "the edit")

    assert report.came(stage.name) <= {OLD, NEW}


def test_a_zone_of_the_same_time_and_size(stage: Stage) -> None:
    """A rename keeps the time of the file that it puts there: the difference is still seen."""
    before = stage.path.stat()
    with nothing_lost(stage.server, [stage.name]):
        beside = stage.path.with_suffix(".new")
        write(beside, zone(NEW))
        os.utime(beside, ns=(before.st_atime_ns, before.st_mtime_ns))
        beside.rename(stage.path)
        in_force(stage.answers(NEW), "the rename")

    assert stage.path.stat().st_mtime_ns == before.st_mtime_ns


def test_a_zone_rolled_back(stage: Stage) -> None:
    """An older file is taken like a newer one."""
    with nothing_lost(stage.server, [stage.name]) as report:
        rename_into(stage.path, zone(NEW))
        os.utime(stage.path, (0, 1_000_000_000))
        in_force(stage.answers(NEW), "an older file")

    assert report.came(stage.name) <= {OLD, NEW}


def test_a_zone_broken_and_mended(stage: Stage) -> None:
    """While it is broken its last good version is answered, and /health names the file; then the new one is."""
    with nothing_lost(stage.server, [stage.name]) as report:
        stage.path.write_text('{"data": ')
        in_force(stage.errors, "the broken file on /health")
        in_force(lambda: stage.server.health()["status"] == "degraded", "the status on /health")
        assert stage.values() == [OLD]
        write(stage.path, zone(NEW))
        in_force(stage.answers(NEW), "the mended file")
        in_force(lambda: not stage.errors(), "no error on /health")

    assert report.came(stage.name) <= {OLD, NEW}


def test_a_zone_broken_and_put_back(stage: Stage) -> None:
    """The very same content again is no news for answers, but the end of the error."""
    good = stage.path.read_text()
    with nothing_lost(stage.server, [stage.name]) as report:
        stage.path.write_text(good[:-1])
        in_force(stage.errors, "the broken file on /health")
        stage.path.write_text(good)
        in_force(lambda: not stage.errors(), "no error on /health")

    assert report.came(stage.name) == {OLD}


def test_a_zone_removed(stage: Stage) -> None:
    """It is REFUSED from then on, and others are untouched."""
    with nothing_lost(stage.server, [stage.name, "www.still.example.com"]) as report:
        stage.path.unlink()
        in_force(lambda: stage.server.ask(stage.name).rcode().name == "REFUSED", "the removal")

    assert report.came(stage.name) <= {OLD, "REFUSED"}
    assert report.came("www.still.example.com") == {OLD}


def write_in_two_steps(path: Path, document: object) -> None:
    """Let a file grow in two writes half a second apart."""
    text = json.dumps(document)
    # Closed in between, so that the watcher is awake in the middle of it, and not only if its poll happens to be then.
    path.write_text(text[: len(text) // 2])
    # Half a second is the case itself, and not a wait for something.
    time.sleep(0.5)
    with path.open("a") as file:
        file.write(text[len(text) // 2 :])


def test_a_half_written_zone(stage: Stage) -> None:
    """The first half is not taken for an error: not in an answer, not in the log."""
    with nothing_lost(stage.server, [stage.name]) as report:
        write_in_two_steps(stage.path, zone(NEW))
        in_force(stage.answers(NEW), "the whole file")

    assert report.came(stage.name) <= {OLD, NEW}
    assert f"{stage.path}: line" not in stage.server.log_text()


def test_a_new_zone_half_written(shared: Server) -> None:
    """So it is for a zone that was not there before."""
    stage = Stage(shared, "growing.example.com")
    with nothing_lost(shared, ["www.still.example.com"]):
        write_in_two_steps(stage.path, zone(NEW))
        in_force(stage.answers(NEW), "the whole file")

    assert f"{stage.path}: line" not in shared.log_text()


def test_a_zone_that_is_always_being_written_holds_up_no_other(stage: Stage) -> None:
    """One file changes all the time, as in a long copy of many; another one is in force in time all the same."""
    restless = Stage(stage.server, "restless.example.com")
    done = threading.Event()

    def scribble() -> None:
        serial = 0
        while not done.wait(0.1):
            serial += 1
            write(restless.path, zone(OLD, serial=serial))

    writer = threading.Thread(target=scribble)
    writer.start()
    try:
        wait_until(restless.path.exists, "the writer")
        with nothing_lost(stage.server, [stage.name]):
            write(stage.path, zone(NEW))
            in_force(stage.answers(NEW), "the other file")
    finally:
        done.set()
        writer.join()
    in_force(restless.answers(OLD), "the file once it is left alone")


# -- the zone directory itself


def test_a_zone_directory_that_is_a_link_switched(tmp_path: Path) -> None:
    """Deploy tools switch the link at once: all zones follow together, and so do changes after that."""
    releases = [tmp_path / "release-1", tmp_path / "release-2"]
    for directory, address in zip(releases, (OLD, NEW), strict=True):
        directory.mkdir()
        write(directory / "example.com.json", zone(address))
    link, beside = tmp_path / "zones", tmp_path / "zones.new"
    beside.symlink_to(releases[1])
    link.symlink_to(releases[0])
    with serving(tmp_path) as server:
        stage = Stage(server, "example.com")
        with nothing_lost(server, [stage.name]) as report:
            beside.rename(link)
            in_force(stage.answers(NEW), "the switch")
            write(releases[1] / "example.com.json", zone("192.0.2.3"))
            in_force(stage.answers("192.0.2.3"), "a change behind the new link")

    assert report.came(stage.name) <= {OLD, NEW, "192.0.2.3"}


def test_a_zone_directory_that_is_gone_for_a_while(tmp_path: Path) -> None:
    """No zone is lost with it; /health tells, and what stands there when it is back is in force."""
    with serving(tmp_path, {"example.com": zone(OLD)}) as server:
        stage = Stage(server, "example.com")
        away = tmp_path / "away"
        with nothing_lost(server, [stage.name]) as report:
            server.zones.rename(away)
            in_force(lambda: server.health()["errors"], "the missing directory on /health")
            assert stage.values() == [OLD]
            write(away / "example.com.json", zone(NEW))
            away.rename(server.zones)
            in_force(stage.answers(NEW), "the directory's return")
            in_force(lambda: server.health()["status"] == "ok", "no error on /health")

    assert report.came(stage.name) <= {OLD, NEW}


# -- GeoIP databases

CLIENT = "192.0.2.0/24"
ANYBODY, DENMARK, SWEDEN = "198.51.100.1", "198.51.100.2", "198.51.100.3"
GEO_ZONE = {
    "data": {
        "www": {"a": [[ANYBODY]]},
        "www.dk": {"a": [[DENMARK]]},
        "www.se": {"a": [[SWEDEN]]},
    }
}
MOVED_WORLD = {**WORLD, "192.0.2.0/24": city("SE")}


class GeoStage:
    """A server with one City database, which says that the client is in Denmark."""

    def __init__(self, server: Server, path: Path) -> None:
        self.server = server
        self.path = path

    def answers(self, address: str) -> Callable[[], bool]:
        return lambda: self.server.values("www.example.com", subnet=CLIENT) == [address]

    def errors(self) -> list[str]:
        return [error for error in self.server.health()["errors"] if str(self.path) in error]

    def replace(self, networks: dict[str, Any]) -> None:
        """Put another database in its place by a rename, as geoipupdate does."""
        write_city(self.path.with_suffix(".new"), networks).rename(self.path)


@pytest.fixture
def geo(tmp_path: Path) -> Iterator[GeoStage]:
    path = write_city(tmp_path / "GeoLite2-City.mmdb", WORLD)
    with serving(tmp_path, {"example.com": GEO_ZONE}) as server:
        stage = GeoStage(server, path)
        assert stage.answers(DENMARK)()
        yield stage


@contextmanager
def geo_nothing_lost(geo: GeoStage, *allowed: str) -> Iterator[None]:
    with nothing_lost(geo.server, ["www.example.com"], CLIENT) as report:
        yield
    assert report.came("www.example.com") <= set(allowed)


def test_a_database_edited_and_rolled_back(geo: GeoStage) -> None:
    """A newer one is in force in time, and so is the older one when it comes back with its old time."""
    old = shutil.copy2(geo.path, geo.path.with_suffix(".old"))
    os.utime(old, (0, 1_000_000_000))
    with geo_nothing_lost(geo, DENMARK, SWEDEN):
        geo.replace(MOVED_WORLD)
        in_force(geo.answers(SWEDEN), "the new database")
        Path(old).rename(geo.path)
        in_force(geo.answers(DENMARK), "the old database")


def test_a_database_broken_and_mended(geo: GeoStage) -> None:
    """The last good one answers until it is mended; /health names the file meanwhile."""
    good = geo.path.read_bytes()
    with geo_nothing_lost(geo, DENMARK, SWEDEN):
        geo.path.write_bytes(good[: len(good) // 2])
        in_force(geo.errors, "the broken database on /health")
        in_force(lambda: geo.server.health()["status"] == "degraded", "the status on /health")
        assert geo.answers(DENMARK)()
        geo.replace(MOVED_WORLD)
        in_force(geo.answers(SWEDEN), "the mended database")
        in_force(lambda: not geo.errors(), "no error on /health")


def test_a_database_removed_and_put_back(geo: GeoStage) -> None:
    """Without one everybody is anybody; one that comes is taken, as at the start (G104)."""
    away = geo.path.with_suffix(".away")
    with geo_nothing_lost(geo, DENMARK, ANYBODY):
        geo.path.rename(away)
        in_force(geo.answers(ANYBODY), "the removal")
        away.rename(geo.path)
        in_force(geo.answers(DENMARK), "the return")


# -- pgeodns.conf


@contextmanager
def serving_pgeodns(directory: Path) -> Iterator[Server]:
    """A server of the base example.com, whose hosts stand in an included file."""
    (directory / "pgeodns.conf").write_text("ns ns1.example.net\nttl 60\nbase example.com\ninclude hosts.conf\n")
    (directory / "hosts.conf").write_text(f"host1 {OLD} www\n")
    with serving(directory) as server:
        yield server


def test_an_edited_pgeodns_conf(tmp_path: Path) -> None:
    """It is served through its conversion, and read again when it changes (P26, P42)."""
    with serving_pgeodns(tmp_path) as server:
        stage = Stage(server, "example.com")
        assert stage.values() == [OLD]
        with nothing_lost(server, [stage.name]) as report:
            (tmp_path / "pgeodns.conf").write_text(f"ns ns1.example.net\nbase example.com\nhost2 {NEW} www\n")
            in_force(stage.answers(NEW), "the edit")

    assert report.came(stage.name) <= {OLD, NEW}


def test_an_edited_file_that_pgeodns_conf_includes(tmp_path: Path) -> None:
    """So is a file that it includes, also one that it did not include at first."""
    with serving_pgeodns(tmp_path) as server:
        stage = Stage(server, "example.com")
        with nothing_lost(server, [stage.name]):
            (tmp_path / "more.conf").write_text(f"host2 {NEW} www\n")
            (tmp_path / "hosts.conf").write_text("include more.conf\n")
            in_force(stage.answers(NEW), "the edit")
            (tmp_path / "more.conf").write_text("host3 192.0.2.3 www\n")
            in_force(stage.answers("192.0.2.3"), "the edit of the file included later")


def test_a_broken_pgeodns_conf(tmp_path: Path) -> None:
    """Any error keeps everything as it was (P26), until it is mended."""
    with serving_pgeodns(tmp_path) as server:
        stage = Stage(server, "example.com")
        with nothing_lost(server, [stage.name]) as report:
            (tmp_path / "hosts.conf").write_text(f"host1 {NEW}\n")
            in_force(lambda: "hosts.conf" in "".join(server.health()["errors"]), "the error on /health")
            assert stage.values() == [OLD]
            (tmp_path / "hosts.conf").write_text(f"host1 {NEW} www\n")
            in_force(stage.answers(NEW), "the mended file")
            in_force(lambda: server.health()["status"] == "ok", "no error on /health")

    assert report.came(stage.name) <= {OLD, NEW}
