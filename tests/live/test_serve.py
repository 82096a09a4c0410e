"""`greendns serve`: where it listens, what it refuses to start with, what a reload takes, how it ends."""

from __future__ import annotations

import base64
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.serving import Server, run_command, serving, wait_until, write_zones

ZONE = {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [["192.0.2.1"]]}}}
OTHER_ZONE = {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [["192.0.2.2"]]}}}
QUICK_SECONDS = 2.0


def serve_ended(directory: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `greendns serve`, which must end by itself."""
    standard = ("--config", directory, "--geoip", directory, "--http", "off")
    return run_command("serve", *standard, *arguments, seconds=10)


def refusal(directory: Path, *arguments: str | Path) -> str:
    """The one line that a server ends with at its start."""
    ended = serve_ended(directory, *arguments)
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    return line


# -- settings


def test_the_file_tells_what_the_arguments_do_not(tmp_path: Path) -> None:
    """A greendns.toml alone is enough; its relative paths begin beside it."""
    settings = '[server]\nlisten = ["127.0.0.1:0", "[::1]:0"]\nidentifier = "filed"\n[zones]\ndirectory = "there"\n'
    (tmp_path / "greendns.toml").write_text(f'{settings}[http]\nlisten = "127.0.0.1:0"\n')
    write_zones(tmp_path / "there", {"example.com": ZONE})
    with serving(tmp_path, command=("serve", "--config", str(tmp_path / "greendns.toml"))) as server:
        assert [host for host, _ in server.addresses] == ["127.0.0.1", "::1"]
        assert server.values("www.example.com") == ["192.0.2.1"]
        assert server.nsid() == "filed"


def test_arguments_win_over_the_file(tmp_path: Path) -> None:
    """Each of them."""
    (tmp_path / "greendns.toml").write_text(
        '[server]\nlisten = ["192.0.2.77:1"]\nidentifier = "filed"\nlog_level = "error"\nworkers = 3\n'
        '[zones]\ndirectory = "nosuch"\n[geoip]\ndirectory = "nosuch"\n[http]\nlisten = "192.0.2.77:1"\n'
    )
    arguments = ["--zones", str(tmp_path / "zones"), "--identifier", "told,group", "--log-level", "warning"]
    with serving(tmp_path, {"example.com": ZONE}, arguments) as server:
        assert server.values("www.example.com") == ["192.0.2.1"]
        assert server.metric("geodns_instance_info", ID="told", Group="group") == 1
        # A warning, which the file's level would have hidden.
        assert "no GeoIP database" in server.log_text()
        assert server.metric("greendns_workers", state="configured") == 2


def test_no_configuration_is_needed(tmp_path: Path) -> None:
    """Where the zones are is enough."""
    write_zones(tmp_path / "zones", {"example.com": ZONE})
    listen = ("--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
    with serving(tmp_path, command=("serve", "--zones", str(tmp_path / "zones"), *listen)) as server:
        assert server.values("www.example.com") == ["192.0.2.1"]


def test_help_tells_when_a_setting_takes_effect() -> None:
    """Every setting of the file, and whether a reload takes it."""
    told = run_command("--help").stdout

    for setting in ("server.listen", "zones.directory", "http.user", "dns.udp_payload_octets", "tcp.idle_seconds"):
        assert setting in told
    assert "Only a restart takes it." in " ".join(told.split())
    assert "A reload takes it." in " ".join(told.split())


# -- addresses


def test_every_address_answers_by_udp_and_tcp(tmp_path: Path) -> None:
    """A line tells each; port 0 is one free port for both transports."""
    with serving(tmp_path, {"example.com": ZONE}, listen=("127.0.0.1:0", "127.0.0.2:0", "[::1]:0")) as server:
        assert [host for host, _ in server.addresses] == ["127.0.0.1", "127.0.0.2", "::1"]
        for address in server.addresses:
            server.host, server.port = address
            assert server.port > 0
            for tcp in (False, True):
                assert server.values("www.example.com", tcp=tcp) == ["192.0.2.1"]


def test_ipv6_leaves_ipv4_alone(tmp_path: Path) -> None:
    """[::] takes no IPv4 (IPV6_V6ONLY): both can be bound to one port."""
    with serving(tmp_path, {"example.com": ZONE}, listen=("[::]:0",)) as server:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            other.bind(("0.0.0.0", server.port))
        server.host = "::1"
        assert server.values("www.example.com") == ["192.0.2.1"]


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM], ids=["udp", "tcp"])
def test_a_port_in_use_is_refused(tmp_path: Path, kind: socket.SocketKind) -> None:
    """One line with the address, whichever transport is taken."""
    write_zones(tmp_path / "zones", {"example.com": ZONE})
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        line = refusal(tmp_path, "--listen", "127.0.0.1:0", "--listen", address)

    assert address in line
    assert ("UDP" if kind == socket.SOCK_DGRAM else "TCP") in line
    assert "Address already in use" in line


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_a_second_server_on_the_same_port_is_refused(tmp_path: Path, host: str) -> None:
    """And the first one goes on."""
    with serving(tmp_path, {"example.com": ZONE}, listen=(f"{host}:0",)) as server:
        assert f"{host}:{server.port}" in refusal(tmp_path, "--listen", f"{host}:{server.port}")
        assert server.values("www.example.com") == ["192.0.2.1"]
        assert server.values("www.example.com", tcp=True) == ["192.0.2.1"]


def test_an_http_port_in_use_is_refused(tmp_path: Path) -> None:
    """One line with the address."""
    with serving(tmp_path, {"example.com": ZONE}) as server:
        address = server.http.removeprefix("http://")
        assert address in refusal(tmp_path, "--listen", "127.0.0.1:0", "--http", address)


def test_a_port_is_free_again_after_a_restart(tmp_path: Path) -> None:
    """Connections of the one before may linger."""
    with serving(tmp_path, {"example.com": ZONE}) as server:
        port = server.port
        connection = socket.create_connection((server.host, port))
    with connection, serving(tmp_path, {"example.com": ZONE}, listen=(f"127.0.0.1:{port}",)) as server:
        assert server.values("www.example.com", tcp=True) == ["192.0.2.1"]


# -- what ends a start


def test_a_missing_zone_directory_ends_the_start(tmp_path: Path) -> None:
    """One line names it."""
    assert "nosuch: must be a directory" in refusal(tmp_path, "--listen", "127.0.0.1:0", "--zones", tmp_path / "nosuch")


def make_file(path: Path) -> None:
    path.touch()


def make_loop(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("make", [make_file, make_loop])
def test_a_zone_directory_that_cannot_be_read_ends_the_start(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """One line names it."""
    make(tmp_path / "odd")
    assert "odd: must be a directory" in refusal(tmp_path, "--listen", "127.0.0.1:0", "--zones", tmp_path / "odd")


@pytest.mark.parametrize("content", [b"", b"not a database", b"\xab\xcd\xefMaxMind.com"])
def test_a_broken_database_ends_the_start(tmp_path: Path, content: bytes) -> None:
    """One line names it."""
    write_zones(tmp_path / "zones", {"example.com": ZONE})
    (tmp_path / "GeoLite2-City.mmdb").write_bytes(content)

    assert "GeoLite2-City.mmdb: must be a MaxMind City database" in refusal(tmp_path, "--listen", "127.0.0.1:0")


def test_every_wrong_setting_is_told_at_the_start(tmp_path: Path) -> None:
    """A line each with file, place, expectation and value."""
    (tmp_path / "greendns.toml").write_text(
        "[server]\nworkers = -1\nnosuch = 1\n[dns]\nudp_payload_octets = 100\n"
        '[http]\nlisten = "nonsense"\n[tcp]\nidle_seconds = "10"\n[odd]\nx = 1\n'
    )
    ended = serve_ended(tmp_path, "--listen", "127.0.0.1:0")

    assert ended.returncode == 2
    lines = [line.removeprefix(f"greendns: {tmp_path}/greendns.toml: ") for line in ended.stderr.splitlines()]
    assert lines[0] == 'server.workers: must be an integer from 0 to 256, or "auto", found -1'
    assert lines[1].startswith("server.nosuch: must be one of the settings listen, ")
    assert lines[2] == "dns.udp_payload_octets: must be an integer from 512 to 4096, found 100"
    assert lines[3] == 'http.listen: must be ADDRESS:PORT, such as "*:53" or "[::1]:53", found "nonsense"'
    assert lines[4] == 'tcp.idle_seconds: must be a number of seconds > 0, found "10"'
    assert lines[5].startswith("odd: must be one of the sections server, ")


def test_what_is_no_toml_ends_the_start(tmp_path: Path) -> None:
    """One line with file and line."""
    (tmp_path / "greendns.toml").write_text("[server]\nworkers\n")

    assert f"{tmp_path}/greendns.toml: line 2: must be TOML" in refusal(tmp_path, "--listen", "127.0.0.1:0")


def test_every_wrong_argument_is_told_at_the_start(tmp_path: Path) -> None:
    """A line each with what was found."""
    arguments = ("--listen", "::1:53", "--workers", "many", "--log-level", "loud", "--zones", "")
    ended = serve_ended(tmp_path, *arguments)

    assert ended.returncode == 2
    lines = [line.removeprefix("greendns: command line: ") for line in ended.stderr.splitlines()]
    for setting, found in (
        ("server.listen", '"::1:53"'),
        ("server.workers", '"many"'),
        ("server.log_level", '"loud"'),
        ("zones.directory", '""'),
    ):
        assert [line for line in lines if line.startswith(f"{setting}: must ") and line.endswith(f"found {found}")]


def test_a_configuration_that_is_not_there_ends_the_start(tmp_path: Path) -> None:
    """One line names it."""
    assert "nosuch: must be a file or a directory" in refusal(tmp_path, "--config", tmp_path / "nosuch")


def test_two_configurations_in_one_directory_end_the_start(tmp_path: Path) -> None:
    """Both are named."""
    for name in ("greendns.toml", "pgeodns.conf"):
        (tmp_path / name).touch()

    assert "greendns.toml and pgeodns.conf" in refusal(tmp_path, "--listen", "127.0.0.1:0")


def test_an_unknown_argument_is_told_with_the_usage() -> None:
    """Status 2."""
    ended = run_command("serve", "--nosuch")

    assert ended.returncode == 2
    assert ended.stderr.startswith("usage: greendns")
    assert "--nosuch" in ended.stderr


# -- what does not


@pytest.mark.parametrize("zones", [{}, {"example.com": "{"}], ids=["empty", "broken"])
def test_without_a_usable_zone_everything_is_refused(tmp_path: Path, zones: dict[str, str]) -> None:
    """/health says so with 503, until there is one."""
    with serving(tmp_path, zones) as server:
        assert server.ask("www.example.com").rcode().name == "REFUSED"
        assert server.get("/health")[0] == 503
        assert server.health()["status"] == "unavailable"
        write_zones(server.zones, {"example.com": ZONE})
        wait_until(lambda: server.get("/health")[0] == 200, "a zone")
        wait_until(lambda: server.values("www.example.com") == ["192.0.2.1"], "its answer")


def test_a_broken_zone_leaves_the_others(tmp_path: Path) -> None:
    """/health is degraded and names the file; so does the log."""
    with serving(tmp_path, {"example.com": ZONE, "example.net": "{"}) as server:
        assert server.values("www.example.com") == ["192.0.2.1"]
        assert server.get("/health")[0] == 200
        assert server.health()["status"] == "degraded"
        assert "example.net.json: line 1 column 2: must be JSON" in server.health()["errors"][0]
        assert "example.net.json: line 1 column 2" in server.log_text()


def test_without_a_database_answers_go_by_everybody(tmp_path: Path) -> None:
    """Which the log tells."""
    zone = {"data": {"www": {"a": [["192.0.2.1"]]}, "www.dk": {"a": [["192.0.2.2"]]}}}
    with serving(tmp_path, {"example.com": zone}) as server:
        assert server.values("www.example.com", subnet="192.0.2.0/24") == ["192.0.2.1"]
        assert "no GeoIP database" in server.log_text()


# -- reload


# One process swaps generations in its place, several hand over to others.
alone_and_together = pytest.mark.parametrize("workers", [0, 2])


class Reloading:
    """A server and its greendns.toml."""

    def __init__(self, server: Server, file: Path) -> None:
        self.server = server
        self.file = file
        self.reloads = 0

    def write(self, text: str) -> None:
        """Change the configuration, and wait until it was loaded, good or bad."""
        before = self._loads()
        self.file.write_text(text)
        wait_until(lambda: self._loads() > before, "the reload")

    def _loads(self) -> float:
        return sum(self.server.metric("greendns_reloads_total", result=result) for result in ("ok", "error"))


@contextmanager
def reloading(directory: Path, text: str = "", workers: int = 2) -> Iterator[Reloading]:
    (directory / "greendns.toml").write_text(text)
    with serving(directory, {"example.com": ZONE}, workers=workers) as server:
        yield Reloading(server, directory / "greendns.toml")


@alone_and_together
def test_a_reload_takes_dns_settings(tmp_path: Path, workers: int) -> None:
    """The size offered to clients, and counting by label."""
    with reloading(tmp_path, workers=workers) as running:
        assert running.server.ask("www.example.com").payload == 1232
        running.write("[dns]\nudp_payload_octets = 1400\ndetailed_metrics = true\n")
        assert running.server.ask("www.example.com").payload == 1400
        assert running.server.metric("dns_queries_total", zone="example.com", qname="www") == 1


@alone_and_together
def test_a_reload_takes_the_http_user(tmp_path: Path, workers: int) -> None:
    """From then on everybody is asked."""
    with reloading(tmp_path, workers=workers) as running:
        running.file.write_text('[http]\nuser = "someone"\n')
        running.server.wait_in_force(lambda: running.server.get("/health")[0] == 401, "the user")
        assert running.server.get("/metrics")[0] == 401
        known = {"Authorization": "Basic " + base64.b64encode(b"someone:").decode()}
        assert running.server.get("/health", known)[0] == 200


def is_closed(connection: socket.socket, seconds: float) -> bool:
    """Whether the peer closes the connection within a time."""
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False


@alone_and_together
def test_a_reload_takes_the_patience_with_tcp(tmp_path: Path, workers: int) -> None:
    """A new connection is held as long as the new setting says."""
    with reloading(tmp_path, workers=workers) as running:
        running.write("[tcp]\nfirst_seconds = 0.2\n")
        with socket.create_connection((running.server.host, running.server.port)) as connection:
            assert is_closed(connection, QUICK_SECONDS)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_reload_takes_the_number_of_connections(tmp_path: Path, workers: int) -> None:
    """One that had to make room for another one has its place beside it once there is more."""
    with reloading(tmp_path, "[tcp]\nmax_connections = 1\n", workers=workers) as running:
        server = running.server
        assert is_turned_out(server)
        running.write("[tcp]\nmax_connections = 2\n")
        assert not is_turned_out(server)


def is_turned_out(server: Server) -> bool:
    """Whether a connection is closed as soon as another one is made, where all come to the same process."""
    with socket.create_connection((server.host, server.port)) as first:
        assert server.values("www.example.com", tcp=True) == ["192.0.2.1"]
        return is_closed(first, 0.1)


@alone_and_together
def test_a_reload_takes_the_log_level(tmp_path: Path, workers: int) -> None:
    """What is less grave is not logged any more, and then is again."""
    with reloading(tmp_path, workers=workers) as running:
        server = running.server
        running.write('[server]\nlog_level = "error"\n')
        write_zones(server.zones, {"example.com": {**OTHER_ZONE, "serial": 5}})
        server.wait_in_force(lambda: server.values("www.example.com") == ["192.0.2.2"], "the zone")
        assert "serial 5" not in server.log_text()
        running.write("")
        write_zones(server.zones, {"example.com": {**ZONE, "serial": 6}})
        wait_until(lambda: "serial 6" in server.log_text(), "the line")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("[server]\nworkers = 0\n", "server.workers"),
        ('[zones]\ndirectory = "elsewhere"\n', "zones.directory"),
    ],
)
def test_a_reload_tells_what_only_a_restart_takes(tmp_path: Path, text: str, name: str) -> None:
    """And takes the rest of the file; it tells once."""
    (tmp_path / "greendns.toml").touch()
    write_zones(tmp_path / "zones", {"example.com": ZONE})
    listen = ("--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
    with serving(tmp_path, command=("serve", "--config", str(tmp_path), *listen)) as server:
        running = Reloading(server, tmp_path / "greendns.toml")
        running.write(f"{text}[dns]\nudp_payload_octets = 1400\n")
        assert server.ask("www.example.com").payload == 1400
        assert server.values("www.example.com") == ["192.0.2.1"]
        running.write(f"{text}[dns]\nudp_payload_octets = 1300\n")
        assert server.ask("www.example.com").payload == 1300
        assert server.log_text().count(f"only a restart takes {name}") == 1


def test_a_broken_configuration_keeps_the_old_one(tmp_path: Path) -> None:
    """The log and /health tell; mended, it counts."""
    with reloading(tmp_path, "[dns]\nudp_payload_octets = 1400\n") as running:
        server = running.server
        running.write("[dns]\nudp_payload_octets = 1300\nnosuch = 1\n")
        assert server.ask("www.example.com").payload == 1400
        assert server.health()["status"] == "degraded"
        assert f"{running.file}: dns.nosuch: must be one of" in server.health()["errors"][0]
        assert f"{running.file}: dns.nosuch: must be one of" in server.log_text()
        assert server.metric("greendns_reloads_total", result="error") == 1
        running.write("[dns]\nudp_payload_octets = 1300\n")
        assert server.ask("www.example.com").payload == 1300
        assert server.health() == {**server.health(), "status": "ok", "errors": []}


def test_a_broken_configuration_holds_up_no_zone(tmp_path: Path) -> None:
    """Zones are taken all the same, and the error stays on /health."""
    with reloading(tmp_path) as running:
        server = running.server
        running.write("[nosuch]\n")
        write_zones(server.zones, {"example.com": OTHER_ZONE})
        wait_until(lambda: server.values("www.example.com") == ["192.0.2.2"], "the zone")
        wait_until(lambda: server.health()["status"] == "degraded", "the status on /health")
        assert server.log_text().count("greendns.toml: nosuch: ") == 1


def test_a_configuration_that_comes_later_is_taken(tmp_path: Path) -> None:
    """There was none at the start."""
    with serving(tmp_path, {"example.com": ZONE}) as server:
        Reloading(server, tmp_path / "greendns.toml").write("[dns]\nudp_payload_octets = 1400\n")
        assert server.ask("www.example.com").payload == 1400


# -- signals


@alone_and_together
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_quickly(tmp_path: Path, number: signal.Signals, workers: int) -> None:
    """Status 0, without a word."""
    with serving(tmp_path, {"example.com": ZONE}, workers=workers) as server:
        before = server.log_text()
        began = time.monotonic()
        server.process.send_signal(number)
        assert server.process.wait(10) == 0
        assert time.monotonic() - began < QUICK_SECONDS
        assert server.log_text() == before


@alone_and_together
def test_sighup_looks_at_once_and_loads(tmp_path: Path, workers: int) -> None:
    """Also if nothing looks changed."""
    with serving(tmp_path, {"example.com": ZONE}, workers=workers) as server:
        server.process.send_signal(signal.SIGHUP)
        wait_until(lambda: server.metric("greendns_reloads_total", result="ok") == 1, "the load", QUICK_SECONDS)
        assert server.values("www.example.com") == ["192.0.2.1"]
