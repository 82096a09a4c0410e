"""G001-G012: `greendns geodns` with geodns's own flags, as an existing unit file starts it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.serving import Server, run_command, serving, wait_until

ZONE = {"serial": 1, "data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [["192.0.2.1"]]}}}
GEO_ZONE = {"targeting": "@ country", "data": {"www": {"a": [["192.0.2.1"]]}, "www.dk": {"a": [["192.0.2.2"]]}}}
BROKEN = '{"data": '
LOOPBACK = ("-interface", "127.0.0.1", "-port", "0", "-http", "127.0.0.1:0")


@contextmanager
def geodns(directory: Path, flags: Sequence[str] = LOOPBACK, zone: object = ZONE, conf: str = "") -> Iterator[Server]:
    """Run `greendns geodns` with -config and `flags` over one zone and a geodns.conf."""
    zones = directory / "zones"
    zones.mkdir(exist_ok=True)
    if not (zones / "geodns.conf").exists():
        (zones / "geodns.conf").write_text(conf)
    with serving(directory, {"example.com": zone}, command=("geodns", "-config", str(zones), *flags)) as server:
        yield server


def geodns_ended(*flags: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `greendns geodns` to its end."""
    return run_command("geodns", *flags)


def zone_directory(directory: Path, zone: object = ZONE, conf: str | None = "") -> Path:
    """A -config directory with one zone; no configuration file if `conf` is None."""
    directory.mkdir(exist_ok=True)
    (directory / "example.com.json").write_text(zone if isinstance(zone, str) else json.dumps(zone))
    if conf is not None:
        (directory / "geodns.conf").write_text(conf)
    return directory


# -- the flags


def test_G001_the_flags_and_their_defaults_are_told() -> None:
    """-help names every flag of geodns with its default."""
    told = geodns_ended("-help")

    assert told.returncode == 0
    for line in (
        '(default "./dns/")',
        '(default "geodns.conf")',
        '(default "*")',
        '(default "53")',
        '(default ":8053")',
    ):
        assert line in told.stderr
    names = (
        "checkconfig config configfile cpuprofile cpus http identifier interface log logfile memprofile port version"
    )
    assert [line.split()[0] for line in told.stderr.splitlines() if line.startswith("  -")] == [
        f"-{name}" for name in names.split()
    ]


def test_G001_every_flag_is_taken(tmp_path: Path) -> None:
    """A unit file that sets every flag starts; what does nothing here is told."""
    files = ("-logfile", "", "-cpuprofile", str(tmp_path / "cpu"), "-memprofile", str(tmp_path / "memory"))
    flags = (*LOOPBACK, "-configfile", "geodns.conf", "-identifier", "id", "-log", "-cpus", "4", *files)
    with geodns(tmp_path, (*flags, "-checkconfig=false", "-version=false")) as server:
        assert server.values("www.example.com") == ["192.0.2.1"]
        for flag in ("-cpus", "-cpuprofile", "-memprofile"):
            assert f"{flag}: has no effect" in server.log_text()


def test_G001_an_empty_http_flag_is_off(tmp_path: Path) -> None:
    """No HTTP side, but answers."""
    with geodns(tmp_path, ("-interface", "127.0.0.1", "-port", "0", "-http", "")) as server:
        assert server.http == ""
        assert server.values("www.example.com") == ["192.0.2.1"]


def test_G001_http_without_a_host_is_every_address(tmp_path: Path) -> None:
    """As the default ":8053": IPv4 and IPv6, on one port."""
    with geodns(tmp_path, ("-interface", "127.0.0.1", "-port", "0", "-http", ":0")) as server:
        port = int(server.http.rpartition(":")[2])
        for host in ("127.0.0.1", "::1"):
            with socket.create_connection((host, port), timeout=5) as connection:
                connection.sendall(b"GET /version HTTP/1.0\r\n\r\n")
                assert connection.recv(64).startswith(b"HTTP/1.")


def test_G002_flags_as_go_reads_them(tmp_path: Path) -> None:
    """One dash or two, `=` or a blank."""
    with geodns(tmp_path, ("--interface=127.0.0.1", "-port=0", "--http", "127.0.0.1:0", "--log=false")) as server:
        assert server.values("www.example.com") == ["192.0.2.1"]


def test_G002_a_wrong_flag_ends_with_status_2() -> None:
    """Go's message, and the flags that there are."""
    refused = geodns_ended("-nosuch")

    assert refused.returncode == 2
    assert refused.stderr.startswith("flag provided but not defined: -nosuch\n")
    assert "-interface string" in refused.stderr


# -- the configuration file


def test_G003_a_relative_configfile_begins_at_config(tmp_path: Path) -> None:
    """It is read from there, whatever the working directory."""
    zones = zone_directory(tmp_path / "zones", conf=None)
    (zones / "other.conf").write_text("[http]\nuser = someone\n")
    with geodns(tmp_path, (*LOOPBACK, "-configfile", "other.conf")) as server:
        assert server.get("/version")[0] == 401


def test_G003_an_absolute_configfile_is_taken_as_it_is(tmp_path: Path) -> None:
    """It need not be in the directory of zones."""
    conf = tmp_path / "elsewhere.conf"
    conf.write_text("[http]\nuser = someone\n")
    with geodns(tmp_path, (*LOOPBACK, "-configfile", str(conf))) as server:
        assert server.get("/version")[0] == 401
        assert server.values("www.example.com") == ["192.0.2.1"]


@pytest.mark.parametrize("more", [(), ("-checkconfig",)])
@pytest.mark.parametrize("conf", [None, "[nosuch]\n", "[http\n"])
def test_G004_an_unusable_configuration_ends_with_status_2(
    tmp_path: Path, conf: str | None, more: tuple[str, ...]
) -> None:
    """Missing or unparsable; one line names the file."""
    zones = zone_directory(tmp_path / "zones", conf=conf)
    ended = geodns_ended("-config", zones, *LOOPBACK, *more)

    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert "geodns.conf" in line


# -- who the server is


def test_G005_identifier_and_groups(tmp_path: Path) -> None:
    """The first item is the ID, the second is the group that the instance metric shows."""
    with geodns(tmp_path, (*LOOPBACK, "-identifier", "edge1,anycast,test")) as server:
        assert server.nsid() == "edge1"
        assert server.metric("geodns_instance_info", ID="edge1", Group="anycast") == 1


def test_G006_the_first_address_that_is_not_127_0_0_1_is_the_identity(tmp_path: Path) -> None:
    """ID and IP, where there is no identifier."""
    with geodns(tmp_path, ("-interface", "127.0.0.1,127.0.0.2", *LOOPBACK[2:])) as server:
        assert server.nsid() == "127.0.0.2"
        assert server.metric("geodns_instance_info", ID="127.0.0.2", IP="127.0.0.2") == 1


def test_G006_without_such_an_address_the_host_name_is_the_id(tmp_path: Path) -> None:
    """And the IP is empty."""
    with geodns(tmp_path) as server:
        assert server.nsid() == socket.gethostname()
        assert server.metric("geodns_instance_info", ID=socket.gethostname(), IP="") == 1


def test_G006_an_identifier_on_loopback_has_no_ip(tmp_path: Path) -> None:
    """The IP is empty beside the identifier too."""
    with geodns(tmp_path, (*LOOPBACK, "-identifier", "testid")) as server:
        assert server.metric("geodns_instance_info", ID="testid", IP="") == 1


# -- where it listens


def ask_at(server: Server, address: tuple[str, int], tcp: bool = False) -> list[str]:
    """The answer of one of the server's addresses."""
    server.host, server.port = address
    return server.values("www.example.com", tcp=tcp)


@pytest.mark.parametrize("flags", [("-interface", "*", "-port", "0"), ("-port", "0")], ids=["asked", "default"])
def test_G007_a_star_is_every_address(tmp_path: Path, flags: tuple[str, ...]) -> None:
    """127.0.0.1 and ::1 answer on the same port by UDP and TCP; no link-local address is listened on."""
    with geodns(tmp_path, (*flags, "-http", "127.0.0.1:0")) as server:
        addresses = dict(server.addresses)
        assert len(set(addresses.values())) == 1
        assert not [host for host in addresses if host.startswith(("fe80", "169.254"))]
        for host in ("127.0.0.1", "::1"):
            for tcp in (False, True):
                assert ask_at(server, (host, addresses[host]), tcp) == ["192.0.2.1"]


def test_G007_a_list_of_addresses(tmp_path: Path) -> None:
    """With a port of their own or without, IPv6 in brackets; each by UDP and TCP."""
    with geodns(tmp_path, ("-interface", "127.0.0.1,127.0.0.2:0,[::1]:0", *LOOPBACK[2:])) as server:
        assert [host for host, _ in server.addresses] == ["127.0.0.1", "127.0.0.2", "::1"]
        for address in list(server.addresses):
            for tcp in (False, True):
                assert ask_at(server, address, tcp) == ["192.0.2.1"]


def test_G007_what_is_no_address_ends_with_status_2(tmp_path: Path) -> None:
    """One line names it."""
    zones = zone_directory(tmp_path / "zones")
    ended = geodns_ended("-config", zones, "-interface", "nonsense", "-port", "0", "-http", "")

    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert "nonsense:0" in line


# -- runs that end


def test_G008_version() -> None:
    """`geodns` and the version, on one line, and nothing else happens."""
    told = geodns_ended("-version", "-config", "/nonexistent")

    assert told.returncode == 0
    assert told.stdout.startswith("geodns ")
    assert len(told.stdout.splitlines()) == 1


@pytest.mark.parametrize("zone", [BROKEN, {"targeting": "nowhere"}])
def test_G009_checkconfig_of_a_broken_zone(tmp_path: Path, zone: object) -> None:
    """Status 2, and the zone's file is named."""
    ended = geodns_ended("-config", zone_directory(tmp_path / "zones", zone), "-checkconfig")

    assert ended.returncode == 2
    assert "example.com.json" in ended.stderr


def test_G009_checkconfig_of_a_geo_zone_makes_no_noise(tmp_path: Path, world: Path) -> None:
    """Status 0 and not a word, with databases and without."""
    without = zone_directory(tmp_path / "without", GEO_ZONE)
    with_databases = zone_directory(tmp_path / "with", GEO_ZONE, conf=f"[geoip]\ndirectory = {world}\n")
    for zones in (without, with_databases):
        ended = geodns_ended("-config", zones, "-checkconfig")
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_G009_checkconfig_of_a_broken_database(tmp_path: Path) -> None:
    """The databases are loaded too: one that is broken is status 2."""
    (tmp_path / "GeoLite2-City.mmdb").write_bytes(b"not a database")
    ended = geodns_ended(
        "-config", zone_directory(tmp_path / "zones", conf=f"[geoip]\ndirectory = {tmp_path}\n"), "-checkconfig"
    )

    assert ended.returncode == 2
    assert "GeoLite2-City.mmdb" in ended.stderr


def test_G009_checkconfig_opens_no_sockets(tmp_path: Path) -> None:
    """It passes beside a running server on the very same addresses."""
    with geodns(tmp_path) as server:
        http = server.http.removeprefix("http://")
        ended = geodns_ended(
            "-config", server.zones, "-checkconfig", "-interface", f"127.0.0.1:{server.port}", "-http", http
        )

    assert ended.returncode == 0


def test_G010_a_start_with_a_broken_zone_goes_on(tmp_path: Path) -> None:
    """The others are served, and the log names the broken one."""
    zone_directory(tmp_path / "zones").joinpath("broken.example.json").write_text(BROKEN)
    with geodns(tmp_path) as server:
        assert server.values("www.example.com") == ["192.0.2.1"]
        assert server.ask("broken.example", "SOA").rcode().name == "REFUSED"
        assert "broken.example.json" in server.log_text()


# -- the end

STOP_SECONDS = 5.0


def stopped_within(server: Server, number: signal.Signals) -> float:
    """Seconds from a signal to the end; the status is 0."""
    began = time.monotonic()
    server.process.send_signal(number)
    assert server.process.wait(3 * STOP_SECONDS) == 0
    return time.monotonic() - began


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_G011_a_signal_ends_the_server(tmp_path: Path, number: signal.Signals) -> None:
    """At once, if nothing is under way, and without a complaint."""
    with geodns(tmp_path) as server:
        assert stopped_within(server, number) < STOP_SECONDS / 2
        assert "Traceback" not in server.log_text()


def test_G011_open_connections_do_not_hold_the_server(tmp_path: Path) -> None:
    """Clients that keep connections open, idle or in the middle of a query, are cut off after 3 s."""
    with geodns(tmp_path) as server:
        address = (server.host, server.port)
        with socket.create_connection(address) as idle, socket.create_connection(address) as halfway:
            halfway.sendall(b"\x00")
            assert server.values("www.example.com", tcp=True) == ["192.0.2.1"]
            assert stopped_within(server, signal.SIGTERM) < STOP_SECONDS
            idle.settimeout(1)
            assert idle.recv(1) == b""


# -- the log file


def logged(file: Path, word: str) -> None:
    """Wait until the file has a word in it; geodns looks after its file every 5 s."""
    wait_until(lambda: file.exists() and word in file.read_text(), f"{word} in {file.name}", 5)


def change_zone(server: Server, serial: int) -> str:
    """Put another serial into service; returns what the log says of it."""
    (server.zones / "example.com.json").write_text(json.dumps({**ZONE, "serial": serial}))
    return f"serial {serial} is in service"


def test_G012_logfile(tmp_path: Path) -> None:
    """Output goes there; a file that is moved away, removed or cut short is begun anew."""
    file = tmp_path / "geodns.log"
    with geodns(tmp_path, (*LOOPBACK, "-logfile", str(file))) as server:
        logged(file, "listening on 127.0.0.1:")
        assert server.log_text() == ""

        moved = file.rename(tmp_path / "geodns.log.1")
        logged(file, change_zone(server, 2))
        assert "serial 2" not in moved.read_text()

        file.unlink()
        logged(file, change_zone(server, 3))

        with file.open("w") as opened:
            opened.truncate()
        logged(file, change_zone(server, 4))
        assert "\0" not in file.read_text()
        assert "serial 3" not in file.read_text()


def test_G012_a_log_directory_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    """What cannot be logged goes to standard error, changes are taken all the same, and the file comes back."""
    directory = tmp_path / "log"
    directory.mkdir()
    with geodns(tmp_path, (*LOOPBACK, "-logfile", str(directory / "geodns.log"))) as server:
        away = directory.rename(tmp_path / "away")
        told = change_zone(server, 2)
        server.wait_in_force(lambda: told in server.log_text(), "the line on standard error", 5)
        assert server.ask("example.com", "SOA").answer[0][0].serial == 2
        away.rename(directory)
        logged(directory / "geodns.log", change_zone(server, 3))


def test_G012_a_logfile_that_cannot_be_opened(tmp_path: Path) -> None:
    """One line, status 2."""
    zones = zone_directory(tmp_path / "zones")
    ended = geodns_ended("-config", zones, *LOOPBACK, "-logfile", tmp_path / "nosuch" / "geodns.log")

    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert "log file" in line
    assert "nosuch" in line
