"""G020-G026: geodns.conf as it lies beside the zone files, under a running server."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from greendns import config
from tests.commands import run_here
from tests.serving import Server, serving, wait_until

ZONE = {
    "data": {
        "": {"ns": ["ns1.example.net."]},
        "www": {"a": [["192.0.2.1"]]},
        "www.dk": {"a": [["192.0.2.2"]]},
        "checked": {
            "health": {"type": "file"},
            "a": [{"ip": "192.0.2.1", "health": "pool/up"}, {"ip": "192.0.2.2", "health": "pool/down"}],
        },
    }
}


@contextmanager
def geodns(directory: Path, conf: str) -> Iterator[Server]:
    """Run `greendns geodns` over one zone and a geodns.conf."""
    zones = directory / "zones"
    zones.mkdir()
    (zones / "geodns.conf").write_text(conf)
    flags = ("-config", str(zones), "-interface", "127.0.0.1", "-port", "0", "-http", "127.0.0.1:0")
    with serving(directory, {"example.com": ZONE}, command=("geodns", *flags)) as server:
        yield server


def status_with(server: Server, user: str, password: str, path: str = "/version") -> int:
    """The status of a page for a client that authenticates itself."""
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return server.get(path, {"Authorization": f"Basic {token}"})[0]


# -- [dns]


@pytest.mark.parametrize(("conf", "label"), [("", "_"), ("[dns]\ndetailedmetrics = true\n", "www")])
def test_G020_detailedmetrics(tmp_path: Path, conf: str, label: str) -> None:
    """Off by default; on, queries are counted by label too."""
    with geodns(tmp_path, conf) as server:
        server.ask("www.example.com")
        assert server.metric("dns_queries_total", zone="example.com", qtype="A", qname=label) == 1


@pytest.mark.parametrize(
    ("conf", "expected"),
    [("", False), ("[dns]\npublicdebugqueries=true\n", True), ("[DNS]\nPublicDebugQueries\n", True)],
)
def test_G020_publicdebugqueries(tmp_path: Path, conf: str, expected: bool) -> None:
    """Off by default. A client on loopback may always ask: here only the setting can be seen."""
    (tmp_path / "geodns.conf").write_text(conf)

    assert config.load(tmp_path).dns.public_debug_queries == expected


# -- [geoip]


def test_G021_the_directory_of_databases(tmp_path: Path, world: Path) -> None:
    """The one that is set is read."""
    with geodns(tmp_path, f"[geoip]\ndirectory={world}\n") as server:
        assert server.values("www.example.com", subnet="192.0.2.0/24") == ["192.0.2.2"]


# -- [http]


def test_G022_a_user_must_authenticate_everywhere(tmp_path: Path) -> None:
    """Nothing is told without the right name and password, not even what pages there are."""
    with geodns(tmp_path, "[http]\nuser = someone\npassword = secret\n") as server:
        for path in ("/metrics", "/health", "/version", "/nosuch"):
            assert server.get(path)[0] == 401
            for user, password in (("someone", "wrong"), ("other", "secret"), ("someone", "")):
                assert status_with(server, user, password, path) == 401
            assert status_with(server, "someone", "secret", path) != 401


def test_G022_the_realm(tmp_path: Path) -> None:
    """A browser shows which password is wanted."""
    with geodns(tmp_path, "[http]\nuser = someone\n") as server:
        with pytest.raises(HTTPError) as refused:
            urlopen(f"{server.http}/version", timeout=10)
        assert refused.value.headers["WWW-Authenticate"] == 'Basic realm="GeoDNS Status"'


def test_G022_a_password_without_a_user_protects_nothing(tmp_path: Path) -> None:
    """Only a user switches it on; that the password does nothing is told."""
    with geodns(tmp_path, "[http]\npassword = secret\n") as server:
        assert server.get("/version")[0] == 200
        assert "http.password" in server.log_text()
        assert "secret" not in server.log_text()


# -- [querylog], [avrolog], [health], [nodeping], [pingdom]

LOGS = "[querylog]\npath = {0}/queries.log\nmaxsize = 100\nkeep = 2\n[avrolog]\npath = {0}\nmaxsize=1\nmaxtime = 10s\n"
MONITORS = (
    "[nodeping]\ntoken = t\n"
    "[pingdom]\nusername = u\npassword = secret\naccountemail = a@example.com\nappkey = k\nstatemap = m\n"
)


def test_G023_G024_G025_every_section_is_taken(tmp_path: Path) -> None:
    """A file with all of them starts; what is read and does nothing is told, and no password with it."""
    with geodns(tmp_path, LOGS.format(tmp_path) + MONITORS) as server:
        assert server.values("www.example.com") == ["192.0.2.1"]
        told = server.log_text()
        for name in ("querylog.path", "avrolog.path", "nodeping.token", "pingdom.username"):
            assert name in told
        assert "secret" not in told


@pytest.mark.parametrize("line", ["[querylog]\nmaxsize = many\n", "[avrolog]\nnosuch = 1\n", "[health]\ndirectory\n"])
def test_G023_G024_G025_a_wrong_value_ends_the_start(tmp_path: Path, line: str) -> None:
    """With its line, and status 2."""
    (tmp_path / "geodns.conf").write_text(line)
    ended = run_here("geodns", "-config", tmp_path, "-checkconfig")

    assert ended.returncode == 2
    assert f"{tmp_path}/geodns.conf: line 2" in ended.stderr


def test_G025_the_health_directory(tmp_path: Path) -> None:
    """Records whose check in it doesn't say healthy are left out."""
    (tmp_path / "health").mkdir()
    (tmp_path / "health" / "pool.json").write_text(json.dumps({"up": 2, "down": 1}))
    with geodns(tmp_path, f"[health]\ndirectory = {tmp_path}/health\n") as server:
        wait_until(lambda: server.values("checked.example.com") == ["192.0.2.1"], "the states are read")


# -- a change of the file


def test_G026_user_and_password_take_effect_live(tmp_path: Path) -> None:
    """Both, and their removal."""
    with geodns(tmp_path, "[http]\nuser = someone\npassword = old\n") as server:
        conf = server.zones / "geodns.conf"
        conf.write_text("[http]\nuser = someone\npassword = new\n")
        server.wait_in_force(lambda: status_with(server, "someone", "new") == 200, "the new password")
        assert status_with(server, "someone", "old") == 401
        conf.write_text("")
        wait_until(lambda: server.get("/version")[0] == 200, "no password")


def test_G026_a_broken_file_keeps_the_old_values(tmp_path: Path) -> None:
    """It is named by the log and on /health; mended, it counts again."""
    with geodns(tmp_path, "[http]\nuser = someone\npassword = old\n") as server:
        conf = server.zones / "geodns.conf"
        conf.write_text("[http]\nuser = other\nnosuch\n")
        server.wait_in_force(lambda: f"{conf}: line 3" in server.log_text(), "the error in the log")
        assert status_with(server, "someone", "old") == 200
        assert status_with(server, "other", "") == 401
        conf.write_text("[http]\nuser = other\n")
        wait_until(lambda: status_with(server, "other", "") == 200, "the mended file")


def test_G026_a_file_that_is_gone_keeps_the_old_values(tmp_path: Path) -> None:
    """The password does not go with it; what is there later counts."""
    with geodns(tmp_path, "[http]\nuser = someone\npassword = old\n") as server:
        conf = server.zones / "geodns.conf"
        conf.unlink()
        server.wait_in_force(lambda: str(conf) in server.log_text(), "the error in the log")
        assert server.get("/version")[0] == 401
        assert status_with(server, "someone", "old") == 200
        conf.write_text("")
        wait_until(lambda: server.get("/version")[0] == 200, "the file's return")
