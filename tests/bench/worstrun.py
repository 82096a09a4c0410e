"""Answer packets in this process, telling callgrind which: run by `tests.bench.worst`, under valgrind.

python -m tests.bench.worstrun DIRECTORY
"""

from __future__ import annotations

import ctypes
import random
import sys
from pathlib import Path

from greendns.chance import Uniform
from greendns.config import Config
from greendns.loader import load
from greendns.outcome import Peer
from greendns.responder import Responder
from greendns.settings import GeoipSettings, ZonesSettings
from greendns.snapshot import ServerOptions
from tests.bench.worst import PACKETS, ROUNDS
from tests.bench.worstpackets import OVER_TCP
from tests.checks.checkzone import ORIGIN, PLACES, ZONE
from tests.counting import new_counters
from tests.databases import write_city
from tests.serving import write_zones

_NOW = 1_700_000_000.0
# So often before it is counted: tables are filled and memory is there.
_WARM_ROUNDS = 5


def main(directory: Path) -> None:
    marks = ctypes.CDLL(str(directory / "marks.so"))
    responder = make_responder(directory)
    for number, (what, wire) in enumerate(PACKETS.items()):
        peer = Peer(bytes((127, 0, 0, 1)), 40_000, is_tcp=what in OVER_TCP)
        for _ in range(_WARM_ROUNDS):
            responder.respond(wire, peer, _NOW)
        marks.begin_counting()
        for _ in range(ROUNDS):
            responder.respond(wire, peer, _NOW)
        marks.end_counting(str(number).encode())


def make_responder(directory: Path) -> Responder:
    """Of the zone of the checks, in its world."""
    write_zones(directory / "zones", {ORIGIN: ZONE})
    write_city(directory / "GeoLite2-City.mmdb", PLACES)
    config = Config(zones=ZonesSettings(directory=directory / "zones"), geoip=GeoipSettings(directory=directory))
    generation = load(config, ServerOptions(identifier="testid", version="1"))
    return Responder(generation.snapshot, new_counters()[0], Uniform(random.Random(1).randbytes), _fail)


def _fail(error: Exception) -> None:
    raise SystemExit(f"a packet failed: {error!r}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
