"""What happens to a server under load: each act a function of a stage, which says in a line what it did."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack

from greendns import __version__
from greendns.seats import WELL_SECONDS
from tests.bench.growthzones import large_name, small_zone, zone_name
from tests.bench.poolzone import OPT, ORIGIN, make_packet
from tests.load.stage import WORKERS, Stage
from tests.processtree import WORKER, age_seconds, is_running, named
from tests.serving import wait_until

ZONE_CHANGES, OTHER_CHANGES, KILLS, HANG_UPS, UPGRADES, CONNECTIONS = 200, 20, 100, 120, 20, 20
QUICK = 5
_SMALL_ZONES = 20
_FAILING_EACH = 10
_LARGE_NAMES = 100_000
# One of so many changes is of the pool's own zone: 4,500 servers, 27,744 records.
_POOL_EACH = 4
# The older of two workers that are killed in turns is twice as old as this, when it dies.
_KILL_PACE_SECONDS = 0.6 * WELL_SECONDS
_HANG_UP_PACE_SECONDS = 0.5

Act = Callable[[Stage, int], str]


def change_zones(stage: Stage, count: int) -> str:
    """Small zones and the pool's own in turns, one after the other; in the middle one of 100,000 names comes."""
    large = max(1, count // 2)
    for number in range(1, count + 1):
        if number == large:
            name, document = "large.example", _large_zone(number)
        elif number % _POOL_EACH == 0:
            name, document = ORIGIN, {**json.loads(stage.pool_file.read_text()), "serial": number}
        else:
            name, document = zone_name(number % _SMALL_ZONES), {**small_zone(), "serial": number}
        stage.replace(stage.zones / f"{name}.json", json.dumps(document).encode())
        stage.wait_logged(rf"{name}\.json: serial {number} is in service")
    return f"{count} changes of zones, one of {_LARGE_NAMES:,} names"


def _large_zone(serial: int) -> dict[str, object]:
    addresses = (f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}" for number in range(_LARGE_NAMES))
    return {"serial": serial, "data": {large_name(at): {"a": [[each, 10]]} for at, each in enumerate(addresses)}}


def change_settings_and_databases(stage: Stage, count: int) -> str:
    """The configuration and the full-size City database in turns."""
    (city,) = stage.geoip.glob("*City*.mmdb")
    octets = city.read_bytes()
    for number in range(1, count + 1):
        if number % 2:
            size = 1232 + number
            stage.settings.write_text(f"[dns]\nudp_payload_octets = {size}\n")
            stage.wait(lambda size=size: _payload(stage.port) == size, "the new size in answers")
        else:
            stage.replace(city, octets)
            stage.wait_logged("is in service as the City database", number // 2)
    return f"{count} changes of configuration and GeoIP database"


def _payload(port: int) -> int:
    """The UDP payload size that the OPT of an answer tells (RFC 6891 section 6.1.2); 0 without an answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(1)
        asking.sendto(make_packet("no-such-name.invalid", "A", OPT + b"\0\0"), ("127.0.0.1", port))
        try:
            told = asking.recv(4096)
        except TimeoutError:
            return 0
    return int.from_bytes(told[told.rindex(b"\x00\x00\x29") + 3 :][:2], "big")


def kill_workers(stage: Stage, count: int) -> str:
    """The older of the two, at a fixed pace, once both have lived for long enough to be replaced at once."""
    due = time.monotonic() + _KILL_PACE_SECONDS
    for _ in range(count):
        time.sleep(max(due - time.monotonic(), 0))
        due += _KILL_PACE_SECONDS
        os.kill(max(wait_until(lambda: _well(stage), "workers that are well"), key=age_seconds), signal.SIGKILL)
    wait_until(lambda: len(named(stage.tree.root, WORKER)) == WORKERS, "the last replacement")
    return f"{count} workers killed"


def _well(stage: Stage) -> list[int]:
    """Both workers, where the older one has lived for long enough."""
    found = named(stage.tree.root, WORKER)
    return found if len(found) == WORKERS and max(map(age_seconds, found)) > WELL_SECONDS else []


def hang_up(stage: Stage, count: int) -> str:
    """HUP, twice a second."""
    due = time.monotonic()
    for _ in range(count):
        stage.signal(signal.SIGHUP)
        due += _HANG_UP_PACE_SECONDS
        time.sleep(max(due - time.monotonic(), 0))
    return f"{count} times HUP, two a second"


def upgrade(stage: Stage, count: int) -> str:
    """USR2, each time with another version on the disk; of ten one is a program that fails at its start."""
    text = stage.package.read_text()
    failing = [number for number in range(1, count + 1) if number % _FAILING_EACH == _FAILING_EACH // 2]
    for number in range(1, count + 1):
        version = f"0.1.0.dev{number}"
        broken = "raise SystemExit('broken')\n" if number in failing else ""
        stage.replace(stage.package, (text.replace(__version__, version) + broken).encode())
        stage.signal(signal.SIGUSR2)
        if broken:
            stage.wait_logged("did not say that it is ready: nothing changes", failing.index(number) + 1)
        else:
            stage.wait_logged(f"upgrade: {version} is in service")
    return f"{count} times USR2, {len(failing)} of them to a program that fails"


def terminate(stage: Stage, count: int) -> str:
    """TERM while connections have asked; the end, and the answers that came before it."""
    with ExitStack() as stack:
        connections = [
            stack.enter_context(socket.create_connection(("127.0.0.1", stage.port), timeout=10)) for _ in range(count)
        ]
        query = make_packet(ORIGIN, "A")
        for each in connections:
            # The first half, so that none of them is answered yet.
            each.sendall(len(query).to_bytes(2, "big") + query[:10])
        began = time.monotonic()
        stage.signal(signal.SIGTERM)
        for each in connections:
            each.sendall(query[10:])
        answered = sum(_is_answered(each) for each in connections)
        stage.wait(lambda: not is_running(stage.tree.root), "its end")
        return f"TERM: {answered} of {count} TCP queries answered, gone after {time.monotonic() - began:.1f} s"


def _is_answered(connection: socket.socket) -> bool:
    try:
        return len(connection.recv(4096)) > 2
    except OSError:
        return False


def do_nothing(stage: Stage, count: int) -> str:
    """For comparison: what the schedule comes to where nothing happens."""
    time.sleep(count)
    return f"nothing, {count} s"


ACTS: dict[str, tuple[Act, int]] = {
    "nothing": (do_nothing, 30),
    "zones": (change_zones, ZONE_CHANGES),
    "others": (change_settings_and_databases, OTHER_CHANGES),
    "kills": (kill_workers, KILLS),
    "hup": (hang_up, HANG_UPS),
    "upgrades": (upgrade, UPGRADES),
    "term": (terminate, CONNECTIONS),
}
