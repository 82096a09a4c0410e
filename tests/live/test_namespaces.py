"""Port 53 on addresses of its own, for a client at the other end of a cable: in networks that the test makes itself."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.identities import USER, as_user, identity_of, powerless, processes_of, readable_directory
from tests.live.openloop import questioning
from tests.networks import Network, cabled, ip, why_none
from tests.processtree import KEEPER, SIDE, WORKER, named
from tests.serving import PROGRAM, Server, run_command, serving, wait_until, write_zones

pytestmark = pytest.mark.skipif(bool(why_none()), reason=why_none() or "never")

OLD, NEW = "192.0.2.1", "192.0.2.2"
OURS = ("10.53.0.1", "10.53.0.2", "fd00:53::1", "fd00:53::2")
CLIENT, CLIENT6 = "10.53.0.9", "fd00:53::9"
WORKERS = 2


def zone(address: str) -> dict[str, Any]:
    return {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [[address]]}}}


@dataclass
class Scene:
    """A server's network, a client's, and a directory that everybody can read."""

    here: Network
    there: Network
    directory: Path

    def dig(self, address: str, *words: str) -> str:
        """What a client at the other end gets; dig takes no answer that comes from another address."""
        asked = ["dig", f"@{address}", "+short", "+tries=1", "+timeout=5", *(words or ("www.example.com", "A"))]
        with self.there:
            return subprocess.run(asked, capture_output=True, text=True, timeout=30, check=False).stdout.strip()

    def everywhere(self) -> set[tuple[str, str, str]]:
        """What each address answers over UDP and TCP."""
        return {
            (address, way, self.dig(address, way, "www.example.com", "A"))
            for address in OURS
            for way in ("+notcp", "+tcp")
        }


def all_answer(value: str) -> set[tuple[str, str, str]]:
    return {(address, way, value) for address in OURS for way in ("+notcp", "+tcp")}


def length_of(address: str) -> str:
    """An address as ip(8) takes it, with the length of its prefix; there is nobody who could have the same one."""
    return f"{address}/64 nodad" if ":" in address else f"{address}/24"


@pytest.fixture
def scene() -> Iterator[Scene]:
    with readable_directory() as directory, cabled("ours", "theirs") as (here, there):
        for network, name, addresses in ((here, "ours", OURS), (there, "theirs", (CLIENT, CLIENT6))):
            with network:
                ip("link set lo up")
                for address in addresses:
                    ip(
                        f"address add {address}/64 dev {name} nodad"
                        if ":" in address
                        else f"address add {address}/24 dev {name}"
                    )
        write_zones(directory / "zones", {"example.com": zone(OLD)})
        yield Scene(here, there, directory)


@contextmanager
def served(scene: Scene, *arguments: str, workers: int = WORKERS) -> Iterator[Server]:
    """A server on every address, port 53, started as root; the block stands in its network."""
    given = arguments or ("--user", USER)
    with scene.here, serving(scene.directory, {"example.com": zone(OLD)}, given, ("*:53",), workers=workers) as running:
        yield running


def is_whole(server: Server) -> bool:
    """Whether there is one generation, and all of it."""
    return [len(named(server.process.pid, name)) for name in (KEEPER, SIDE, WORKER)] == [1, 1, WORKERS]


def assert_powerless(server: Server) -> None:
    pids = processes_of(server)
    assert {pid: identity_of(pid) for pid in pids} == dict.fromkeys(pids, powerless())


@pytest.mark.parametrize("workers", [WORKERS, 0])
def test_every_address_answers_on_port_53_and_nobody_is_root(scene: Scene, workers: int) -> None:
    """IPv4 and IPv6, UDP and TCP, each answer from the address that was asked; `*` is loopback too."""
    with served(scene, workers=workers) as server:
        assert {host for host, _ in server.addresses} == {*OURS, "127.0.0.1", "::1"}
        assert {port for _, port in server.addresses} == {53}
        assert scene.everywhere() == all_answer(OLD)
        assert_powerless(server)


def test_a_change_on_port_53_loses_nothing(scene: Scene) -> None:
    """Loaded and handed over by a user who could bind nothing, under 500 queries a second from the other end."""
    with served(scene) as server, ExitStack() as stack:
        server.host = OURS[0]
        stack.enter_context(scene.there)
        with questioning(server, ["www.example.com"]) as report, scene.here:
            for value in (NEW, OLD, NEW):
                write_zones(server.zones, {"example.com": zone(value)})
                wait_until(lambda value=value: scene.dig(OURS[3]) == value, "the change")
            wait_until(lambda: is_whole(server), "the end of those before")
        with scene.here:
            assert_powerless(server)

    assert report.sent > 500
    assert report.lost == 0
    assert report.came("www.example.com") == {OLD, NEW}


@pytest.mark.parametrize("name", [WORKER, KEEPER, SIDE])
def test_what_is_killed_is_replaced_on_port_53(scene: Scene, name: str) -> None:
    """Every address goes on answering, and nobody is root again."""
    with served(scene) as server:
        victim, *_ = named(server.process.pid, name)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: is_whole(server) and victim not in named(server.process.pid, name), "the replacement")

        assert scene.everywhere() == all_answer(OLD)
        assert_powerless(server)
        write_zones(server.zones, {"example.com": zone(NEW)})
        wait_until(lambda: scene.dig(OURS[0]) == NEW, "a change after it")


def test_an_address_that_goes_takes_no_other_with_it(scene: Scene) -> None:
    """Its sockets stay: when it comes back, it answers again, with no start and no root."""
    gone = OURS[1]
    others = [each for each in OURS if each != gone]
    with served(scene) as server:
        workers = named(server.process.pid, WORKER)
        ip(f"address del {length_of(gone)} dev ours")
        assert scene.dig(gone) != OLD
        assert [scene.dig(each) for each in others] == [OLD] * len(others)
        write_zones(server.zones, {"example.com": zone(NEW)})
        wait_until(lambda: scene.dig(OURS[0]) == NEW, "a change without it")
        ip(f"address add {length_of(gone)} dev ours")
        wait_until(lambda: scene.dig(gone) == NEW, "its answer")
        server.wait_in_force(lambda: scene.everywhere() == all_answer(NEW), "the answers of all")
        assert not set(workers) & set(named(server.process.pid, WORKER))


def test_a_cable_that_is_pulled_may_be_put_back(scene: Scene) -> None:
    """With all addresses of IPv6, which the kernel takes away with it."""
    with served(scene) as server:
        ip("link set ours down")
        assert scene.dig(OURS[0]) != OLD
        assert server.health()["status"] == "ok"
        ip("link set ours up")
        for address in OURS[2:]:
            ip(f"address replace {length_of(address)} dev ours")
        wait_until(lambda: scene.everywhere() == all_answer(OLD), "the answers of all")


# -- who starts it


def test_root_is_refused_on_port_53(scene: Scene) -> None:
    """Nothing was bound."""
    with scene.here:
        ended = run_command("serve", "--zones", scene.directory / "zones", "--http", "off")
    assert ended.returncode == 2
    assert "server.user: must name a user to become" in ended.stderr


def test_root_serves_on_port_53_where_it_is_told_to(scene: Scene) -> None:
    """With everything that root may do, but for what a program could give; the log says so."""
    with served(scene, "--allow-root") as server:
        assert scene.everywhere() == all_answer(OLD)
        assert "serving as root" in server.log_text()
        told = identity_of(server.process.pid)
        assert told["Uid"] == "0 0 0 0"
        assert told["NoNewPrivs"] == "1"


def test_geodns_s_unit_file_starts_it_as_root(scene: Scene) -> None:
    """As geodns's was: it only warns."""
    flags = ["-config", str(scene.directory / "zones"), "-http", "127.0.0.1:8053"]
    (scene.directory / "zones" / "geodns.conf").write_text("")
    with scene.here, serving(scene.directory, {"example.com": zone(OLD)}, command=["geodns", *flags]) as server:
        assert scene.everywhere() == all_answer(OLD)
        assert "serving as root" in server.log_text()


def test_a_user_with_the_capability_starts_it(scene: Scene) -> None:
    """As conf/greendns.service does: never root, and once all is bound without the capability."""
    words = ["serve", "--config", str(scene.directory), "--http", "off", "--workers", str(WORKERS)]
    command = [*as_user(powers="+net_bind_service,+net_admin"), *PROGRAM, *words]
    kept = ("CapInh", "CapPrm", "CapEff", "CapAmb")
    with scene.here, subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("listening on ")
            assert scene.everywhere() == all_answer(OLD)
            pids = [process.pid, *named(process.pid, KEEPER), *named(process.pid, WORKER)]
            expected = {**powerless(capabilities=kept), "Groups": ""}
            assert {pid: identity_of(pid, kept) for pid in pids} == dict.fromkeys(pids, expected)
        finally:
            process.terminate()


def test_a_user_without_it_is_told(scene: Scene) -> None:
    """By the system, with the address and the transport."""
    words = ["serve", "--config", str(scene.directory), "--listen", f"{OURS[0]}:53"]
    with scene.here:
        ended = subprocess.run([*as_user(), *PROGRAM, *words], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert ended.stderr == (
        f"greendns: listen: {OURS[0]}:53: must be an address to listen on by UDP: Permission denied\n"
    )


# -- who asks


@pytest.mark.parametrize("debug", [[], [CLIENT], [f"{CLIENT6}/64"], ["0.0.0.0/0", "::/0"]])
def test_debug_names_are_for_whom_they_are_for(scene: Scene, debug: list[str]) -> None:
    """Besides loopback, the prefixes of access.debug; whoever else asks is told that there is no such name."""
    listed = ", ".join(f'"{each.replace("::9/64", "::/64")}"' for each in debug)
    (scene.directory / "greendns.toml").write_text(f"[access]\ndebug = [{listed}]\n")
    lets_in = {OURS[0]: bool(debug) and debug[0] in (CLIENT, "0.0.0.0/0"), OURS[2]: bool(debug) and ":" in debug[-1]}
    with served(scene, workers=0) as server:
        assert {address: bool(scene.dig(address, "_status.example.com", "TXT")) for address in lets_in} == lets_in
        assert server.values("_status.example.com", "TXT")
        assert scene.dig(OURS[0], "_country.example.com", "TXT")


def test_queries_are_for_whom_they_are_for(scene: Scene) -> None:
    """By the address of the packet, of either family."""
    (scene.directory / "greendns.toml").write_text('[access]\nqueries = ["fd00:53::/64", "127.0.0.1"]\n')
    with served(scene, workers=0):
        assert scene.dig(OURS[2]) == OLD
        assert scene.dig(OURS[0]) == ""
        assert scene.dig(OURS[0], "+noshort", "+comments", "www.example.com").count("status: REFUSED") == 1
