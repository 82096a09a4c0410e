"""What was served last is what the next start begins with, as far as its files say the same or nothing at all."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import stat
from array import array
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from greendns import cachefile, lastgood
from greendns.answer import answer
from greendns.cachedirectory import BEGUN
from greendns.errors import CacheError
from greendns.image import fill_anew
from greendns.lastgood import INDEX, SCATTERED, LastGood
from greendns.loaded import Generation
from greendns.loader import load
from greendns.outcome import Peer
from greendns.settings import Config, GeoipSettings, ZonesSettings
from greendns.snapshot import ServerOptions, Snapshot, State
from tests.databases import WORLD, write_city
from tests.pgeodnsfiles import NS, writer
from tests.serving import write_zones
from tests.twin.corpus import ODD_ZONES, SENDERS, plain_packets
from tests.twin.questions import HEALTH, NOW

OPTIONS = ServerOptions(started=NOW)
BROKEN = '{"data": {"www": {"a": [["192.0'


def zone(serial: int = 1, **more: Any) -> dict[str, Any]:
    return {"serial": serial, "data": {"www": {"a": [["192.0.2.1"]]}}, **more}


class Server:
    """What a server does with its zones, and the directory in which it keeps them."""

    def __init__(self, directory: Path) -> None:
        self.zones = directory / "zones"
        self.cache = directory / "cache"
        self.cache.mkdir(0o700)
        self.geoip = directory / "geoip"
        self.geoip.mkdir()
        write_city(self.geoip / "GeoLite2-City.mmdb", WORLD)
        self.config = Config(zones=ZonesSettings(directory=self.zones), geoip=GeoipSettings(directory=self.geoip))

    def start(self) -> Generation:
        """A start: from what was kept."""
        return load(self.config, OPTIONS, kept=LastGood(self.cache).read(self.config))

    def change(self, previous: Generation) -> Generation:
        """A change while it runs."""
        return load(self.config, OPTIONS, previous)

    def save(self, generation: Generation) -> Generation:
        LastGood(self.cache).save(generation)
        return generation

    def write(self, **zones: object) -> None:
        """Zone files, dots written as underscores."""
        write_zones(self.zones, {name.replace("_", "."): document for name, document in zones.items()})

    def images(self) -> dict[str, os.stat_result]:
        return {path.name: path.stat() for path in self.cache.iterdir() if path.name != INDEX}

    def index(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads((self.cache / INDEX).read_bytes().partition(b"\n")[2])
        return body

    def write_index(self, **changes: object) -> None:
        """Its index as somebody would have written it who meant it."""
        body = json.dumps({**self.index(), **changes}).encode()
        (self.cache / INDEX).write_bytes(cachefile.digest_of([body]).encode() + b"\n" + body)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def serials(generation: Generation) -> dict[str, int]:
    return {Path(key).stem: each.zone.serial for key, each in generation.zones.items() if each.zone is not None}


def broken(generation: Generation) -> list[str]:
    return [Path(key).stem for key, loaded in generation.zones.items() if loaded.errors]


def is_kept(generation: Generation, before: Generation, name: str) -> bool:
    """Whether a zone was not made anew: when it was loaded is when that was."""
    key = next(key for key in generation.zones if Path(key).stem == name)
    return generation.zones[key].loaded == before.zones[key].loaded


# -- a start


def answers(snapshot: Snapshot) -> list[bytes | None]:
    """What is answered to every name with every type, from everywhere."""
    draw = random.Random(1).randrange
    packets = list(plain_packets(ODD_ZONES))[::5]
    return [
        answer(wire, Peer(*SENDERS[number % len(SENDERS)]), NOW, snapshot, State(health=HEALTH), draw)[0]
        for number, wire in enumerate(packets)
    ]


def test_what_was_kept_answers_as_what_was_read(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kind of record, variant, alias, check and choice; in a process with other hashes."""

    def scramble_and_fill(cells: array[int], octets: bytes, table: int) -> None:
        slots = slice(table + 1, table + 2 + cells[table])
        cells[slots] = array("q", sorted(cells[slots]))
        fill_anew(cells, octets, table)

    write_zones(server.zones, ODD_ZONES)
    before = server.save(server.change(server.start()))
    monkeypatch.setattr(cachefile, "fill_anew", scramble_and_fill)

    after = server.start()

    assert all(is_kept(after, before, name) for name in ODD_ZONES)
    assert len(answers(after.snapshot)) > 1000
    assert answers(after.snapshot) == answers(before.snapshot)


def test_each_file_says_what_is_served(server: Server) -> None:
    """The same: as kept; another: that; broken: as kept, and it is told; gone: nothing."""
    server.write(same=zone(1), other=zone(1), broken=zone(1), gone=zone(1), new_and_broken=BROKEN)
    before = server.save(server.start())
    server.write(other=zone(2), broken=BROKEN)
    (server.zones / "gone.json").unlink()

    after = server.start()

    assert serials(after) == {"same": 1, "other": 2, "broken": 1}
    assert sorted(broken(after)) == ["broken", "new.and.broken"]
    assert is_kept(after, before, "same")
    assert not is_kept(after, before, "other")
    assert [Path(loaded.file).stem for loaded in after.last_good()] == ["broken"]
    assert after.unread() == frozenset()


def test_a_broken_file_stays_kept_from_start_to_start(server: Server) -> None:
    """And is served from its file as soon as that is good."""
    server.write(a=zone(1), b=zone(1))
    server.save(server.start())
    server.write(a=BROKEN)
    for _ in range(3):
        assert serials(server.save(server.start())) == {"a": 1, "b": 1}
    server.write(a=zone(2))

    assert serials(server.change(server.start())) == {"a": 2, "b": 1}


def test_G041_a_zone_without_a_serial_is_made_anew_when_its_file_is_of_another_time(server: Server) -> None:
    """As a start without a cache would make it; one with a serial is not."""
    server.write(dated={"data": {}}, told=zone(5))
    for name in ("dated", "told"):
        os.utime(server.zones / f"{name}.json", (1_000, 1_000))
    before = server.save(server.start())
    assert is_kept(server.start(), before, "dated")
    for name in ("dated", "told"):
        os.utime(server.zones / f"{name}.json", (2_000, 2_000))

    after = server.start()

    assert serials(after) == {"dated": 2_000, "told": 5}
    assert is_kept(after, before, "told")


def test_a_directory_that_is_out_of_reach_takes_no_zone_away(server: Server) -> None:
    """What is wrong is told, and every file is to be tried again."""
    server.write(a=zone(1), b=zone(2))
    server.save(server.start())
    server.zones.rename(server.zones.with_name("elsewhere"))

    after = server.save(server.start())

    assert serials(after) == {"a": 1, "b": 2}
    assert after.directory_errors
    assert len(after.last_good()) == len(after.unread()) == 2
    assert serials(server.start()) == {"a": 1, "b": 2}


def test_the_bases_of_a_broken_pgeodns_conf_are_kept(server: Server, tmp_path: Path) -> None:
    """And so is what it includes: that is where it may be mended."""
    write = writer(tmp_path)
    main = write("pgeodns.conf", f"{NS}include hosts.conf\n")
    write("hosts.conf", "base example.com\nserial 5\nh1 192.0.2.1 www\n")
    server.config = Config(
        geoip=GeoipSettings(directory=server.geoip), source=main, zone_format="pgeodns", zones=ZonesSettings(tmp_path)
    )
    before = server.save(server.start())
    assert is_kept(server.start(), before, f"{main.name}#example")
    write("hosts.conf", "base example.com\nh1 192.0.2.x www\n")

    after = server.start()

    assert after.directory_errors
    assert after.files == before.files
    assert {loaded.zone.text: loaded.zone.serial for loaded in after.serving() if loaded.zone} == {
        loaded.zone.text: loaded.zone.serial for loaded in before.serving() if loaded.zone
    }


# -- what is written


def test_a_small_change_is_a_small_write(server: Server) -> None:
    """Of a thousand zones one is written, and the index; what was there is not touched. What is gone is removed."""
    server.write(**{f"z{number}": zone(1) for number in range(1000)})
    generation = server.save(server.start())
    (shared,) = server.images().values()
    server.write(z7=zone(2))

    generation = server.save(server.change(generation))

    added = {name: status for name, status in server.images().items() if status.st_ino != shared.st_ino}
    assert len(added) == 1
    assert sum(status.st_size for status in added.values()) < shared.st_size / 100
    assert (server.cache / INDEX).stat().st_size < 50 * 1000
    server.write(z7=zone(3))
    server.save(server.change(generation))
    assert len(server.images()) == 2
    assert not added.keys() & server.images().keys()
    assert serials(server.start()) == {f"z{number}": 3 if number == 7 else 1 for number in range(1000)}


def test_nothing_is_written_where_nothing_changed(server: Server) -> None:
    """But that it was looked at."""
    server.write(a=zone(1), b=zone(1))
    server.save(server.start())
    before = {path: (path.stat().st_ino, path.read_bytes()) for path in server.cache.iterdir()}
    os.utime(server.cache / INDEX, (0, 0))

    server.save(server.start())

    assert {path: (path.stat().st_ino, path.read_bytes()) for path in server.cache.iterdir()} == before
    assert (server.cache / INDEX).stat().st_mtime > 0


@pytest.mark.parametrize("at", ["fsync", "rename"])
def test_a_writer_that_is_killed_leaves_what_was(server: Server, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """At any of its steps; the next one goes on, and clears up."""
    server.write(a=zone(1), b=zone(1))
    generation = server.save(server.start())
    server.write(a=zone(2))
    generation = server.change(generation)
    step = 0
    while die_at_step(lambda: server.save(generation), monkeypatch, at, step):
        server.write(a=BROKEN)
        # The change is not there before all of it is; then it is.
        assert serials(server.start()) in ({"a": 1, "b": 1}, {"a": 2, "b": 1})
        step += 1
    assert step > 1
    server.save(generation)
    assert serials(server.start()) == {"a": 2, "b": 1}
    assert len(server.images()) == 2


def die_at_step(work: Callable[[], object], monkeypatch: pytest.MonkeyPatch, name: str, step: int) -> bool:
    """Work in a child that is killed when it is about to do something of `os` for the step-th time; whether it was."""
    real = getattr(os, name)
    done = 0

    def die_or_do(*arguments: Any, **more: Any) -> Any:
        nonlocal done
        if done == step:
            os.kill(os.getpid(), signal.SIGKILL)
        done += 1
        return real(*arguments, **more)

    pid = os.fork()
    if pid == 0:
        monkeypatch.setattr(os, name, die_or_do)
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL


# -- what can't be used


def is_ignored(server: Server, caplog: pytest.LogCaptureFixture, why: str) -> bool:
    """Whether a start does without what was kept, says so once, and writes it anew."""
    caplog.clear()
    generation = server.start()
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    server.save(generation)
    caplog.clear()
    server.start()
    return len(warnings) == 1 and why in warnings[0] and not caplog.records


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"format": 0}, "its format is 0"),
        ({"byteorder": "middle"}, "another kind of machine"),
        ({"source": "/elsewhere"}, "it is of /elsewhere"),
    ],
)
def test_what_another_kind_of_server_wrote_is_ignored(
    server: Server, caplog: pytest.LogCaptureFixture, changes: dict[str, object], why: str
) -> None:
    """However good it is: its zones would be others, or could not be read."""
    server.write(a=zone(1))
    before = server.save(server.start())
    server.write_index(**changes)

    assert not is_kept(server.start(), before, "a")
    assert is_ignored(server, caplog, why)


def test_a_broken_index_is_ignored(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever became of it."""
    server.write(a=zone(1))
    server.save(server.start())
    octets = (server.cache / INDEX).read_bytes()
    for copy in (b"", octets[:-1], octets.replace(b"zones", b"Zones"), octets[64:], b"\xff\n" + octets):
        (server.cache / INDEX).write_bytes(copy)
        assert is_ignored(server, caplog, "its index is not as it was written")


def test_of_a_broken_image_the_others_are_used(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """It is told, made anew from the files, and written again."""
    server.write(a=zone(1), b=zone(1))
    generation = server.start()
    server.write(b=zone(2))
    before = server.save(server.change(generation))
    image = next(name for name, (_, zones) in server.index()["images"].items() if "a.json" in zones)
    octets = (server.cache / image).read_bytes()
    for copy in (octets[:-1] + b"?", octets[:-1], b"", None):
        (server.cache / image).unlink()
        if copy is not None:
            (server.cache / image).write_bytes(copy)
        after = server.start()
        assert (is_kept(after, before, "a"), is_kept(after, before, "b")) == (False, True)
        if copy is not None:
            (server.cache / image).write_bytes(copy)
        assert is_ignored(server, caplog, f"1 of its 2 images: {image}")
        (image,) = [name for name, (_, zones) in server.index()["images"].items() if "a.json" in zones]
        octets = (server.cache / image).read_bytes()


def in_the_way(path: Path, kind: str) -> None:
    """Put something in the place of a file."""
    path.unlink(missing_ok=True)
    if kind == "link":
        path.symlink_to("elsewhere")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.touch()
        os.truncate(path, 1 << 40)


@pytest.mark.parametrize("kind", ["link", "fifo", "directory", "huge"])
def test_whatever_is_in_the_place_of_a_file_makes_room(
    server: Server, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """It holds nothing up and costs no memory: it is told once, and the file written anew."""
    server.write(a=zone(1))
    server.save(server.start())
    (image,) = server.images()

    in_the_way(server.cache / INDEX, kind)
    in_the_way(server.cache / f"{INDEX}{BEGUN}", kind)
    assert is_ignored(server, caplog, "its index has more than" if kind == "huge" else "is not a regular file")

    (image,) = server.images()
    in_the_way(server.cache / image, kind)
    assert is_ignored(server, caplog, "is not as long as it was" if kind == "huge" else "is not a regular file")
    assert len(server.images()) == 1


def test_an_image_that_can_not_be_read_now_is_there_later(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """No descriptor is left, or the disk does not answer: the last good copy of a broken file stays."""
    server.write(a=zone(1))
    before = server.save(server.start())
    server.write(a=BROKEN)

    def fail(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        patch.setattr(cachefile, "read", fail)
        assert broken(server.start()) == ["a"]

    assert is_kept(server.start(), before, "a")


def test_a_directory_that_was_removed_is_made_again(server: Server) -> None:
    server.write(a=zone(1))
    generation = server.save(server.start())
    shutil.rmtree(server.cache)

    server.save(generation)

    assert stat.S_IMODE(server.cache.stat().st_mode) == 0o700
    assert is_kept(server.start(), generation, "a")


def test_what_is_kept_of_another_source_stays_while_nothing_is_served(server: Server, tmp_path: Path) -> None:
    """As where the directory of zones is not mounted, and another one is taken for it; until there is a zone."""
    server.write(a=zone(1))
    kept = server.save(server.start())
    other = tmp_path / "other"
    other.mkdir()
    mounted, server.config = server.config, replace(server.config, zones=ZonesSettings(directory=other))
    generation = server.save(server.start())
    assert serials(generation) == {}

    server.config = mounted
    assert is_kept(server.start(), kept, "a")

    server.config = generation.config
    write_zones(other, {"b": zone(1)})
    server.save(server.change(generation))
    (server.zones / "a.json").write_text(BROKEN)
    server.config = mounted
    assert broken(server.start()) == ["a"]
    assert serials(server.start()) == {}


def test_another_program_makes_zones_anew_where_it_can(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may make something else of the same file; of a broken one it makes nothing."""
    server.write(a=zone(1), b=zone(1))
    before = server.save(server.start())
    theirs = server.images()
    monkeypatch.setattr(lastgood, "_PROGRAM", "another")
    after = server.save(server.start())
    assert not is_kept(after, before, "a")
    assert not theirs.keys() & server.images().keys()
    assert is_kept(server.start(), after, "a")
    monkeypatch.setattr(lastgood, "_PROGRAM", "a third one")
    server.write(b=BROKEN)

    last = server.save(server.start())

    assert serials(last) == {"a": 1, "b": 1}
    assert (is_kept(last, after, "a"), is_kept(last, after, "b")) == (False, True)
    assert serials(server.start()) == {"a": 1, "b": 1}


def test_a_directory_that_others_can_write_to_is_not_believed(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """Nor written to, whenever that came about."""
    server.write(a=zone(1))
    before = server.save(server.start())
    server.cache.chmod(0o777)

    assert not is_kept(server.start(), before, "a")
    assert "must be writable by its owner alone" in caplog.text
    with pytest.raises(CacheError):
        server.save(before)


# -- images that have become old


def test_zones_that_changed_one_by_one_share_an_image_again(server: Server) -> None:
    """From a number on at which it matters; those that did not change are not made anew."""
    names = [f"z{number}" for number in range(3 * SCATTERED)]
    server.write(**{name: zone(1) for name in names})
    before = server.start()
    for serial, changed in enumerate((names[: SCATTERED - 1], names[SCATTERED - 1 : SCATTERED]), 2):
        server.write(**{name: zone(serial) for name in changed})
        before = server.save(server.change(before))
        after = server.start()
        assert is_kept(after, before, names[0]) == (serial == 2)
        assert is_kept(after, before, names[-1])
    server.save(after)

    assert len(server.images()) == 2
    assert is_kept(server.start(), after, names[0])
    assert serials(server.start()) == serials(before)


def test_an_image_that_is_mostly_others_is_made_anew(server: Server) -> None:
    """Its zones that are left: what is not served any more need not stay in memory."""
    server.write(a=zone(1), b=zone(1), c=zone(1))
    before = server.save(server.start())
    for name, kept in (("c", True), ("b", False)):
        (server.zones / f"{name}.json").unlink()
        before = server.save(server.change(before))
        after = server.start()
        assert is_kept(after, before, "a") == kept
    (octets,) = [status.st_size for status in server.images().values()]
    server.save(after)

    assert max(status.st_size for status in server.images().values()) < octets
    assert is_kept(server.start(), after, "a")
