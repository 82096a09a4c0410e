"""G170-G175: records with a failed health check are left out, by geodns's status files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import Server, run_command, serving, wait_until, write_zones

CHECKED = {"name": "pool", "type": "tcp"}
ZONE = {
    "max_hosts": 10,
    "data": {
        "": {"ns": ["ns1.example.net."]},
        "www": {
            "health": CHECKED,
            "a": [
                {"a": "192.0.2.1", "weight": 10, "health": "sites/up"},
                {"a": "192.0.2.2", "weight": 10, "health": "sites/down"},
                {"a": "192.0.2.3", "weight": 10, "health": "sites/unknown"},
                {"a": "192.0.2.4", "weight": 10, "health": "sites/missing"},
            ],
            "mx": [{"mx": "mail.example.net.", "health": "sites/down"}],
        },
        "bare": {"health": CHECKED, "a": [["192.0.2.9"]]},
        "unasked": {"a": [{"a": "192.0.2.2", "health": "sites/down"}]},
        "fallen": {"a": [["192.0.2.7"]]},
        "fallen.dk": {"health": CHECKED, "a": [{"a": "192.0.2.2", "health": "sites/down"}]},
        "gone": {"health": CHECKED, "a": [{"a": "192.0.2.2", "health": "sites/down"}]},
        "loaded": {"health": CHECKED, "a": [{"a": "192.0.2.8", "health": "sites/loaded"}]},
    },
}
STATUS = {"up": 2, "down": 1, "unknown": 0, "loaded": {"status": 2, "load": 0.35}}
DANE = "192.0.2.0/24"


@pytest.fixture
def status_file(tmp_path: Path) -> Path:
    """The status file that the server reads."""
    directory = tmp_path / "health"
    directory.mkdir()
    file = directory / "sites.json"
    file.write_text(json.dumps(STATUS))
    return file


@pytest.fixture
def server(tmp_path: Path, world: Path, status_file: Path) -> Iterator[Server]:
    """A server that has read the status file."""
    (tmp_path / "greendns.toml").write_text(f'[health]\ndirectory = "{status_file.parent}"\n')
    with serving(tmp_path, {"example.com": ZONE}, ["--geoip", str(world)], workers=0) as running:
        wait_until(lambda: running.values("gone.example.com") == [], "the status file is read")
        yield running


def test_G170_only_labels_with_a_check_are_filtered(server: Server) -> None:
    """A record's own check is ignored where the label has no health object."""
    assert server.values("unasked.example.com") == ["192.0.2.2"]


def test_G171_only_healthy_records_are_answered(server: Server) -> None:
    """Unhealthy, unknown and missing ones are left out; a status of 2 in an object counts too."""
    assert server.values("www.example.com") == ["192.0.2.1"]
    assert server.values("loaded.example.com") == ["192.0.2.8"]


def test_G172_a_record_without_a_check_of_its_own_is_up(server: Server) -> None:
    """geodns looks for a check of the record's address, finds none, and answers nothing."""
    assert server.values("bare.example.com") == ["192.0.2.9"]


def test_G173_a_changed_status_is_in_force_within_seconds(server: Server, status_file: Path) -> None:
    """A number and its decimal form are the same; broken JSON keeps what was; a removed file makes all unknown."""
    status_file.write_text('{"up": 1.0, "down": 2.0}')
    wait_until(lambda: server.values("www.example.com") == ["192.0.2.2"], "the change is in force", 3)

    status_file.write_text('{"up": 2,')
    wait_until(lambda: "what it said before stays" in server.log_text(), "the broken file is noticed", 3)
    assert server.values("www.example.com") == ["192.0.2.2"]

    status_file.unlink()
    wait_until(lambda: server.values("www.example.com") == [], "the checks are unknown", 3)


def test_G173_a_hand_over_never_answers_what_is_down(tmp_path: Path) -> None:
    """Fresh workers know the states before their first packet."""
    (tmp_path / "health").mkdir()
    (tmp_path / "health" / "sites.json").write_text('{"up": 2, "down": 1}')
    (tmp_path / "greendns.toml").write_text('[health]\ndirectory = "health"\n')
    records = [{"a": "192.0.2.1", "health": "sites/up"}, {"a": "192.0.2.2", "health": "sites/down"}]
    www = {"health": {"type": "file"}, "a": records}

    def zone(serial: int) -> dict[str, object]:
        return {"serial": serial, "data": {"": {"ns": ["ns1.example.net."]}, "www": www}}

    with serving(tmp_path, {"example.com": zone(1)}) as server:
        for serial in (2, 3):
            write_zones(server.zones, {"example.com": zone(serial)})
            told = f"serial {serial}"
            while told not in server.log_text():
                assert server.values("www.example.com") == ["192.0.2.1"]


def test_G174_all_types_are_filtered_and_an_empty_target_falls_through(server: Server) -> None:
    """The MX is down as well; a Dane whose own records are all down gets everybody's."""
    assert server.values("www.example.com", "MX") == []
    assert server.values("fallen.example.com", subnet=DANE) == ["192.0.2.7"]


def test_G120_all_unhealthy_is_nodata(server: Server) -> None:
    """With the SOA, like any other name without the type."""
    answer = server.ask("gone.example.com")
    assert (answer.rcode(), answer.answer, len(answer.authority)) == (0, [], 1)


def test_without_a_directory_every_record_is_up(tmp_path: Path) -> None:
    """Where nobody reads states, none is down."""
    with serving(tmp_path, {"example.com": ZONE}, workers=0) as server:
        assert sorted(server.values("www.example.com")) == [f"192.0.2.{last}" for last in (1, 2, 3, 4)]


def test_G175_keys_of_geodns_checks_are_accepted(tmp_path: Path) -> None:
    """They pass the check without an error or a warning."""
    check = {"type": "tcp", "port": 443, "frequency": 30, "retry_time": 5, "timeout": 5, "retries": 3}
    write_zones(tmp_path, {"example.com": {"data": {"www": {"health": check, "a": [["192.0.2.1"]]}}}})

    checked = run_command("check", tmp_path / "example.com.json")

    assert (checked.returncode, checked.stdout) == (0, "1 zone, 0 errors, 0 warnings\n")
