"""G030-G039: which files are zones, and what happens when they change, break, roll back or go away.

Every test has a directory of its own and changes files in it under a running server.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dns.flags
import dns.rcode
import pytest

from tests.serving import Server, serving, wait_until, write_zones

IN_FORCE_SECONDS = 3.0


def zone(text: str, serial: int | None = None) -> dict[str, Any]:
    """A zone with one TXT at www, by which its versions are told apart."""
    document: dict[str, Any] = {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"txt": text}}}
    return document if serial is None else {"serial": serial, **document}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of example.com, version one, and of example.net."""
    with serving(tmp_path, {"example.com": zone("one"), "example.net": zone("net")}, workers=0) as running:
        yield running


def within_three_seconds(claim: Callable[[], Any], what: str) -> Any:
    return wait_until(claim, what, IN_FORCE_SECONDS)


def text_of(server: Server, origin: str = "example.com") -> str | None:
    """Which version answers; None while no zone does."""
    answer = server.ask(f"www.{origin}", "TXT")
    return answer.answer[0][0].to_text().strip('"') if answer.answer else None


def rcode_of(server: Server, name: str) -> str:
    return dns.rcode.to_text(server.ask(name).rcode())


def serial_of(server: Server, origin: str = "example.com") -> int:
    serial: int = server.ask(origin, "SOA").answer[0][0].serial
    return serial


def loads(server: Server) -> float:
    """How many loads there have been since the start."""
    return server.metric("greendns_reloads_total", result="ok") + server.metric(
        "greendns_reloads_total", result="error"
    )


def zone_file(server: Server, origin: str = "example.com") -> Path:
    return server.zones / f"{origin}.json"


def test_G030_only_json_files_of_the_directory_itself_are_zones(tmp_path: Path) -> None:
    """The suffix in any case; no dotfiles, no directories, nothing from below."""
    zones = tmp_path / "zones"
    write_zones(zones, {"json.example.com": zone("json"), ".hidden.example.com": zone("hidden")})
    write_zones(zones / "below", {"below.example.com": zone("below")})
    (zones / "directory.example.com.json").mkdir()
    (zones / "upper.example.com.JSON").write_text(json.dumps(zone("upper")))
    (zones / "text.example.com.txt").write_text(json.dumps(zone("text")))
    (zones / "backup.example.com.json~").write_text(json.dumps(zone("backup")))

    with serving(tmp_path, workers=0) as server:
        served = {name: text_of(server, f"{name}.example.com") for name in ("json", "upper")}
        ignored = ["hidden", "below", "directory", "text", "backup"]

        assert served == {"json": "json", "upper": "upper"}
        assert {rcode_of(server, f"www.{name}.example.com") for name in ignored} == {"REFUSED"}
        assert server.health() == {**server.health(), "status": "ok", "zones": 2, "errors": []}


def test_G030_a_new_file_is_served_within_three_seconds(server: Server) -> None:
    """A file that comes while the server runs is found by polling."""
    assert rcode_of(server, "www.example.org") == "REFUSED"

    write_zones(server.zones, {"example.org": zone("org")})

    within_three_seconds(lambda: text_of(server, "example.org") == "org", "the new zone answers")


def test_G030_a_new_dotfile_is_no_zone(server: Server) -> None:
    """What editors and rsync write beside a file is not looked at, and doesn't disturb the others."""
    write_zones(server.zones, {".example.com.json.Xy12": "{", ".example.org": zone("dot")})
    write_zones(server.zones, {"example.org": zone("org")})

    within_three_seconds(lambda: text_of(server, "example.org") == "org", "the real file answers")
    assert server.health()["errors"] == []


def test_G031_the_zone_is_named_by_the_file(tmp_path: Path) -> None:
    """Everything before the last dot is the name, as it is; an `origin` in the file counts for nothing."""
    reverse = {"data": {"7": {"ptr": [["host.example.com."]]}}}
    zones = {"2.0.192.in-addr.arpa": reverse, "Mixed.Example": zone("mixed")}

    with serving(tmp_path, {**zones, "example.com": {"origin": "example.org", **zone("file")}}, workers=0) as server:
        assert server.values("7.2.0.192.in-addr.arpa", "PTR") == ["host.example.com."]
        assert text_of(server, "mixed.example") == "mixed"
        assert text_of(server) == "file"
        assert rcode_of(server, "www.example.org") == "REFUSED"


def test_G032_a_newer_file_is_noticed(server: Server) -> None:
    """Written in place, with a newer time."""
    write_zones(server.zones, {"example.com": zone("two")})

    within_three_seconds(lambda: text_of(server) == "two", "the newer version answers")


def test_G032_a_rollback_with_an_older_time_is_noticed(server: Server) -> None:
    """An older time is a difference too: geodns misses what rsync -t or a restore puts there."""
    file = zone_file(server)
    earlier = file.stat().st_mtime - 86400

    file.write_text(json.dumps(zone("old")))
    os.utime(file, (earlier, earlier))

    within_three_seconds(lambda: text_of(server) == "old", "the older version answers")


def test_G032_a_replaced_file_with_the_same_time_and_size_is_noticed(server: Server) -> None:
    """A rename can bring other content of the same length and keep the time."""
    file = zone_file(server)
    before = file.stat()
    written = file.with_name(".written")
    written.write_text(json.dumps(zone("two")))
    os.utime(written, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert written.stat().st_size == before.st_size

    written.replace(file)

    within_three_seconds(lambda: text_of(server) == "two", "the other version answers")


def test_G032_the_file_behind_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    """A zone file may be a link: what it points to is what is looked at."""
    releases = tmp_path / "releases"
    write_zones(releases, {"one": zone("one"), "two": zone("two")})
    (tmp_path / "zones").mkdir()
    link = tmp_path / "zones" / "example.com.json"
    link.symlink_to(releases / "one.json")

    with serving(tmp_path, workers=0) as server:
        assert text_of(server) == "one"
        (tmp_path / "next").symlink_to(releases / "two.json")
        (tmp_path / "next").replace(link)

        within_three_seconds(lambda: text_of(server) == "two", "the link's new file answers")


def test_G033_the_same_content_is_not_loaded_again(server: Server) -> None:
    """A touched file keeps the zone as it is, its serial by the earlier time included."""
    serial = serial_of(server)
    age = server.metric("greendns_zone_age_seconds", zone="example.com")
    before = loads(server)

    later = zone_file(server).stat().st_mtime + 3600
    os.utime(zone_file(server), (later, later))
    within_three_seconds(lambda: loads(server) > before, "the touched file was looked at")

    assert serial_of(server) == serial
    assert server.metric("greendns_zone_age_seconds", zone="example.com") > age
    assert "example.com.json: serial" not in server.log_text()


def test_G033_a_change_leaves_the_other_zones_alone(server: Server) -> None:
    """Only what did change is loaded again."""
    age = server.metric("greendns_zone_age_seconds", zone="example.net")

    write_zones(server.zones, {"example.com": zone("two")})
    within_three_seconds(lambda: text_of(server) == "two", "the newer version answers")

    assert server.metric("greendns_zone_age_seconds", zone="example.net") > age
    assert "example.net.json: serial" not in server.log_text()


def test_G034_a_broken_file_keeps_the_last_good_zone(server: Server) -> None:
    """It is logged, told on /health as degraded with the file's name, and counted."""
    file = str(zone_file(server))
    write_zones(server.zones, {"example.com": '{"data": {"www": {"txt": "two"}'})

    report = within_three_seconds(lambda: server.health()["errors"] and server.health(), "the broken file is told")

    assert text_of(server) == "one"
    assert report["status"] == "degraded"
    assert [error.startswith(f"{file}: line 1 column ") for error in report["errors"]] == [True]
    assert server.get("/health")[0] == 200
    assert server.metric("greendns_file_errors", file=file) == 1
    assert server.metric("greendns_reloads_total", result="error") == 1
    assert f"ERROR greendns: {report['errors'][0]}" in server.log_text()


def test_G034_a_mended_file_is_served_and_nothing_is_degraded_any_more(server: Server) -> None:
    """Broken, then mended: the mended version answers."""
    write_zones(server.zones, {"example.com": "{"})
    within_three_seconds(lambda: server.health()["status"] == "degraded", "the broken file is told")

    write_zones(server.zones, {"example.com": zone("mended")})

    within_three_seconds(lambda: text_of(server) == "mended", "the mended version answers")
    assert server.health() == {**server.health(), "status": "ok", "errors": []}
    assert server.metric("greendns_file_errors", file=str(zone_file(server))) == 0


def test_G034_a_broken_file_rolled_back_to_what_is_served_is_mended(server: Server) -> None:
    """The same content as the last good load needs no load to be good again."""
    write_zones(server.zones, {"example.com": "{"})
    within_three_seconds(lambda: server.health()["status"] == "degraded", "the broken file is told")

    write_zones(server.zones, {"example.com": zone("one")})

    within_three_seconds(lambda: server.health()["status"] == "ok", "nothing is degraded any more")
    assert text_of(server) == "one"


def test_G034_a_broken_file_is_not_tried_again_until_it_changes(server: Server) -> None:
    """Other files may come and go: the broken one is told once."""
    write_zones(server.zones, {"example.com": '{"ttl": "ten"}'})
    within_three_seconds(lambda: server.health()["status"] == "degraded", "the broken file is told")

    write_zones(server.zones, {"example.net": zone("two")})
    within_three_seconds(lambda: text_of(server, "example.net") == "two", "the other zone's change answers")

    assert server.log_text().count("ttl must be an integer") == 1
    assert text_of(server) == "one"
    assert server.health()["status"] == "degraded"


def test_G035_a_removed_file_removes_its_zone(server: Server) -> None:
    """Its names are REFUSED then, without AA; the other zone stays."""
    zone_file(server).unlink()

    within_three_seconds(lambda: rcode_of(server, "www.example.com") == "REFUSED", "the zone is gone")
    assert not server.ask("www.example.com").flags & dns.flags.AA
    assert text_of(server, "example.net") == "net"
    assert server.health() == {**server.health(), "status": "ok", "zones": 1}


def test_G035_a_removed_subzone_leaves_its_names_to_the_parent(tmp_path: Path) -> None:
    """Only where no other zone of ours ends the name is it REFUSED."""
    with serving(tmp_path, {"example.com": zone("parent"), "sub.example.com": zone("child")}, workers=0) as server:
        zone_file(server, "sub.example.com").unlink()

        within_three_seconds(lambda: rcode_of(server, "www.sub.example.com") == "NXDOMAIN", "the parent answers")


def test_G036_the_zone_pgeodns_is_always_there(tmp_path: Path) -> None:
    """Without any zone file: a SOA at its apex, and the debug names in it."""
    with serving(tmp_path, workers=0) as server:
        soa = server.ask("pgeodns", "SOA")

        assert [rrset.to_text() for rrset in soa.answer] == [
            "pgeodns. 1200 IN SOA ns. hostmaster.pgeodns. 0 5400 5400 1209600 3600"
        ]
        assert soa.flags & dns.flags.AA
        assert server.values("pgeodns", "NS") == []
        assert rcode_of(server, "www.pgeodns") == "NXDOMAIN"
        assert set(json.loads(server.ask("_status.pgeodns", "TXT").answer[0][0].strings[0])) == {"h", "id", "up", "v"}
        assert server.values("_health.pgeodns", "TXT") == ['"{}"']
        assert len(server.ask("_country.pgeodns", "TXT").answer[0][0].strings) == 7


def test_G036_the_zone_pgeodns_outlives_all_others(server: Server) -> None:
    """It has no file and so is never removed, even when the last zone goes: /health then is 503."""
    zone_file(server).unlink()
    zone_file(server, "example.net").unlink()

    within_three_seconds(lambda: server.get("/health")[0] == 503, "no zone is served")
    assert rcode_of(server, "www.example.com") == "REFUSED"
    assert serial_of(server, "pgeodns") == 0


def test_G037_a_failing_zone_does_not_stop_the_others_at_the_start(tmp_path: Path) -> None:
    """The broken one is REFUSED, since it has never been good; the others answer."""
    zones = {"broken.example": '{"data": {"": null}}', "example.com": zone("one"), "torn.example": "{"}

    with serving(tmp_path, zones, workers=0) as server:
        assert text_of(server) == "one"
        assert rcode_of(server, "www.broken.example") == "REFUSED"
        assert rcode_of(server, "www.torn.example") == "REFUSED"
        assert server.health()["status"] == "degraded"
        assert len(server.health()["errors"]) == 2

        write_zones(server.zones, {"torn.example": zone("whole")})
        within_three_seconds(lambda: text_of(server, "torn.example") == "whole", "the mended zone answers")


def test_G037_a_failing_zone_does_not_stop_the_others_at_a_reload(server: Server) -> None:
    """Three files change at once, one of them for the worse."""
    write_zones(server.zones, {"example.com": "[]", "example.net": zone("two"), "example.org": zone("new")})

    within_three_seconds(lambda: text_of(server, "example.net") == "two", "the changed zone answers")
    assert text_of(server, "example.org") == "new"
    assert text_of(server) == "one"


def test_G038_counters_survive_a_reload(server: Server) -> None:
    """What has been counted for a zone goes on counting when its file changes."""
    labels = {"zone": "example.net", "qtype": "TXT", "rcode": "NOERROR"}
    for _ in range(5):
        text_of(server, "example.net")
    before = server.metric("dns_queries_total", **labels)

    write_zones(server.zones, {"example.net": zone("two", serial=2)})
    within_three_seconds(lambda: serial_of(server, "example.net") == 2, "the new version is in service")
    text_of(server, "example.net")

    assert before == 5
    assert server.metric("dns_queries_total", **labels) == 6


def test_G039_zones_outlive_a_directory_that_cannot_be_read(server: Server) -> None:
    """Renamed away it is an error that is told, and the zones stay; back again all is well."""
    away = server.zones.with_name("away")
    server.zones.rename(away)

    within_three_seconds(lambda: server.health()["status"] == "degraded", "the directory is missed")
    assert str(server.zones) in server.health()["errors"][0]
    assert str(server.zones) in server.log_text()
    assert (text_of(server), text_of(server, "example.net")) == ("one", "net")

    write_zones(away, {"example.com": zone("two")})
    away.rename(server.zones)
    within_three_seconds(lambda: text_of(server) == "two", "what was changed meanwhile answers")
    assert server.health()["status"] == "ok"


def test_G039_a_directory_switched_by_its_symbolic_link_is_taken_whole(tmp_path: Path) -> None:
    """As deploy tools do it: the link is replaced, and with it every zone, new, changed and removed."""
    write_zones(tmp_path / "releases" / "1", {"example.com": zone("one"), "gone.example": zone("one")})
    write_zones(tmp_path / "releases" / "2", {"example.com": zone("two"), "new.example": zone("two")})
    (tmp_path / "current").symlink_to(tmp_path / "releases" / "1")

    with serving(tmp_path, arguments=["--zones", str(tmp_path / "current")], workers=0) as server:
        assert text_of(server) == "one"
        (tmp_path / "next").symlink_to(tmp_path / "releases" / "2")
        (tmp_path / "next").replace(tmp_path / "current")

        within_three_seconds(lambda: text_of(server) == "two", "the new release answers")
        assert text_of(server, "new.example") == "two"
        assert rcode_of(server, "www.gone.example") == "REFUSED"

        (tmp_path / "next").symlink_to(tmp_path / "releases" / "1")
        (tmp_path / "next").replace(tmp_path / "current")
        within_three_seconds(lambda: text_of(server) == "one", "the release before answers again")
        assert rcode_of(server, "www.new.example") == "REFUSED"
