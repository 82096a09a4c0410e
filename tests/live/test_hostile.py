"""What must not bring the server down: greedy clients, odd files, logs that can't be written."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import pytest

from greendns.healthfiles import HealthFiles
from tests.serving import Server, run_command, serving, wait_until, write_zones

ZONE = {"serial": 1, "data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [["192.0.2.1", 10]]}}}
OTHER = {"serial": 2, "data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [["192.0.2.2", 10]]}}}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of its own for each test."""
    with serving(tmp_path, {"example.com": ZONE}) as running:
        yield running


def framed(name: str) -> bytes:
    wire = dns.message.make_query(name, "A").to_wire()
    return struct.pack("!H", len(wire)) + wire


def test_a_client_that_pipelines_without_end_leaves_a_turn_to_the_others(server: Server) -> None:
    """While one connection sends and reads as fast as it can, each UDP question is answered."""
    with socket.create_connection((server.host, server.port)) as greedy:
        stop = threading.Event()

        def drain() -> None:
            with contextlib.suppress(OSError):
                while not stop.is_set() and greedy.recv(65536):
                    pass

        def pump() -> None:
            with contextlib.suppress(OSError):
                while not stop.is_set():
                    greedy.sendall(framed("www.example.com") * 500)

        threads = [threading.Thread(target=work, daemon=True) for work in (drain, pump)]
        for thread in threads:
            thread.start()
        try:
            answers = [server.ask("www.example.com", timeout=2) for _ in range(30)]
        finally:
            stop.set()
            greedy.shutdown(socket.SHUT_RDWR)
    assert [answer.rcode() for answer in answers] == [dns.rcode.NOERROR] * 30


def test_a_request_with_a_body_is_let_go_unread(server: Server) -> None:
    """However slowly its body would come: 400, and the connection ends."""
    host, _, port = server.http.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as client:
        client.sendall(b"GET /version HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        told = b"".join(iter(lambda: client.recv(1000), b""))
    assert told.startswith(b"HTTP/1.1 400 ")


def test_what_is_no_regular_file_holds_up_no_other(server: Server) -> None:
    """A fifo, a link that is too long and a link to a device are errors of their own; a new zone is taken."""
    os.mkfifo(server.zones / "fifo.json")
    (server.zones / "long.json").symlink_to("a" * 300)
    (server.zones / "zero.json").symlink_to("/dev/zero")
    write_zones(server.zones, {"example.net": OTHER})

    wait_until(lambda: server.values("www.example.net") == ["192.0.2.2"], "the new zone", 5)
    errors = wait_until(lambda: server.health()["errors"], "the errors on /health", 5)

    told = " ".join(errors)
    assert "fifo.json: must be a file that can be read: not a regular file" in told
    assert "zero.json: must be a file that can be read: not a regular file" in told
    assert "long.json: must be a file that can be read: File name too long" in told
    checked = run_command("check", "--zones", server.zones, "--geoip", server.zones)
    assert checked.returncode == 1


def test_a_file_name_that_is_no_utf8_is_told_and_breaks_no_page(server: Server) -> None:
    """Its octets are escaped in messages and metrics."""
    Path(os.fsdecode(os.fsencode(server.zones) + b"/\xff\xfe.json")).write_text("{")

    errors = wait_until(lambda: server.health()["errors"], "the broken file", 5)

    assert "udcff" in errors[0]
    assert server.get("/metrics")[0] == 200


def test_logs_that_cannot_be_written_stop_no_change(tmp_path: Path) -> None:
    """With the log file and standard error on a full disk, a new zone is still taken."""
    (tmp_path / "geodns.conf").write_text("")
    write_zones(tmp_path, {"example.com": ZONE})
    command = ["geodns", "-config", str(tmp_path), "-interface", "127.0.0.1", "-port", "0", "-http", "127.0.0.1:0"]
    with serving(tmp_path, command=[*command, "-logfile", "/dev/full"]) as running:
        write_zones(tmp_path, {"example.com": OTHER})
        wait_until(lambda: running.values("www.example.com") == ["192.0.2.2"], "the changed zone", 5)
        write_zones(tmp_path, {"example.com": ZONE})
        wait_until(lambda: running.values("www.example.com") == ["192.0.2.1"], "the zone changed back", 5)


def test_health_states_outlive_their_directory(tmp_path: Path) -> None:
    """None before there ever was one; what was said last once it is gone; odd entries say nothing."""
    files = HealthFiles(tmp_path / "health")
    assert files.read() is None
    (tmp_path / "health").mkdir()
    (tmp_path / "health" / "sites.json").write_text('{"up": 2}')
    (tmp_path / "health" / "directory.json").mkdir()
    assert files.read() == {"sites/up": 2}
    (tmp_path / "health").rename(tmp_path / "away")
    assert files.read() == {"sites/up": 2}


def test_a_delegation_with_a_cname_beside_it_is_still_a_referral(tmp_path: Path, world: Path) -> None:
    """The authority section of a referral has NS and nothing else (RFC 1034 section 4.3.2)."""
    data = {
        "": {"ns": ["ns1.example.net."]},
        "ns1.sub": {"a": [["192.0.2.53"]]},
        "ns1.sub.us": {"cname": "www"},
        "sub.us": {"cname": "www"},
        "www": {"a": [["192.0.2.1"]]},
    }
    zone = {"data": {**data, "sub": {"ns": ["ns1.sub.example.com."]}}}
    with serving(tmp_path, {"example.com": zone}, ["--geoip", str(world)]) as running:
        answer = running.ask("x.sub.example.com", subnet="203.0.113.0/26")
        assert not answer.flags & dns.flags.AA
        assert [rrset.to_text() for rrset in answer.authority] == ["sub.example.com. 86400 IN NS ns1.sub.example.com."]
        assert [rrset.to_text() for rrset in answer.additional] == ["ns1.sub.example.com. 120 IN A 192.0.2.53"]


def test_a_wildcard_does_not_reach_below_another_zone_of_ours(tmp_path: Path) -> None:
    """`b` exists through `a.b`, so `*` stops there (RFC 4592 section 3.3.1)."""
    apex = {"": {"ns": ["ns1.example.net."]}}
    zones = {
        "example.com": {"data": {**apex, "*": {"a": [["192.0.2.1"]]}}},
        "a.b.example.com": {"data": apex},
    }
    with serving(tmp_path, zones) as running:
        assert running.values("x.example.com") == ["192.0.2.1"]
        assert running.ask("x.b.example.com").rcode() == dns.rcode.NXDOMAIN
