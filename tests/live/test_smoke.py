"""The thinnest way through: a zone file in, an answer out, over UDP and TCP."""

from __future__ import annotations

from pathlib import Path

from greendns import build_text
from tests.serving import run_command, serving

ZONE = {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [["192.0.2.1"]]}, "www.dk": {"a": [["192.0.2.2"]]}}}


def test_a_query_is_answered_over_udp_and_tcp(tmp_path: Path, world: Path) -> None:
    """The same record over both; another one for a client in Denmark."""
    with serving(tmp_path, {"example.com": ZONE}, ["--geoip", str(world)]) as server:
        assert server.values("www.example.com") == ["192.0.2.1"]
        assert server.values("www.example.com", tcp=True) == ["192.0.2.1"]
        assert server.values("www.example.com", subnet="192.0.2.0/24") == ["192.0.2.2"]


def test_servers_of_tests_are_of_the_build_under_test() -> None:
    """No test that is collected beside this one may have changed the environment that servers start in."""
    assert build_text() in run_command("--version").stdout
