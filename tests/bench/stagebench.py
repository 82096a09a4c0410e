"""The stages of an answer, each alone, as pyperf measures them: run by tests.bench.stages, once for each build.

Each stage gets what the stage before made of the same packets of the pool, so that what a stage costs is seen for the
mix that it meets. One value is the time of all packets by their number: some 30 ns of it are the loop's.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyperf

from greendns import config, loader
from greendns.answer import answer
from greendns.chance import Uniform
from greendns.client import locate_client
from greendns.filters import choose
from greendns.onename import find_name
from greendns.outcome import Peer
from greendns.query import Query, parse
from greendns.response import ANSWER, FLAG_AA, Response, encode_opt
from greendns.snapshot import ServerOptions, Snapshot, State
from greendns.targeting import Location
from greendns.zone import Match, Zone, blank_match, find_first

STAGES = ("parse", "match", "targets", "find", "pick", "encode", "answer")
PACKETS = 512
_UDP_OCTETS = 1232
_OPT_OCTETS = 11
# The time of day decides nothing: no packet of the pool has a cookie.
_NOW = 1_700_000_000.0


@dataclass(frozen=True)
class Picked:
    """Everything that the stages make of one packet whose name exists; the last has records to write."""

    wire: bytes
    query: Query
    zone: Zone
    location: Location
    name: int
    match: Match
    indexes: list[int]


class Stages:
    """One function for each stage: each does it for every packet."""

    def __init__(self, snapshot: Snapshot, wires: Sequence[bytes]) -> None:
        self.snapshot = snapshot
        self.state = State()
        self.peer = Peer(bytes((127, 0, 0, 1)), 40_000, is_tcp=False)
        self.draw = Uniform(random.Random(1).randbytes)
        self.wires = wires
        self.picked = [picked for picked in map(self._walk, wires) if picked is not None]

    def _walk(self, wire: bytes) -> Picked | None:
        query = parse(wire)
        assert query is not None
        zone = self.snapshot.zones.match(query.qname, query.qtype)
        assert zone is not None
        location = locate_client(query, self.peer, zone, self.snapshot)
        name, _ = find_name(zone, _relative(query, zone), self.snapshot.zones)
        match = blank_match()
        if not name or not find_first(zone.image, name, query.qtype, location.targets, match):
            return None
        indexes = choose(match, location, self.snapshot, self.state, self.draw, _UDP_OCTETS)
        return Picked(wire, query, zone, location, name, match, indexes)

    def parse(self) -> None:
        """bytes -> Query."""
        for wire in self.wires:
            parse(wire)

    def match(self) -> None:
        """qname -> Zone."""
        zones = self.snapshot.zones
        for each in self.picked:
            zones.match(each.query.qname, each.query.qtype)

    def targets(self) -> None:
        """client -> Location."""
        peer, snapshot = self.peer, self.snapshot
        for each in self.picked:
            locate_client(each.query, peer, each.zone, snapshot)

    def find(self) -> None:
        """Zone, qname, targets -> the best match."""
        zones = self.snapshot.zones
        match = blank_match()
        for each in self.picked:
            name, _ = find_name(each.zone, _relative(each.query, each.zone), zones)
            find_first(each.zone.image, name, each.query.qtype, each.location.targets, match)

    def pick(self) -> None:
        """Match -> indexes."""
        snapshot, state, draw = self.snapshot, self.state, self.draw
        for each in self.picked:
            choose(each.match, each.location, snapshot, state, draw, _UDP_OCTETS)

    def encode(self) -> None:
        """Records -> bytes."""
        for each in self.picked:
            query = each.query
            response = Response(query.question, _UDP_OCTETS, _OPT_OCTETS)
            response.add(ANSWER, query.qname_sent, each.match.rrset, each.indexes)
            response.encode(query.id, FLAG_AA, 0, encode_opt(_UDP_OCTETS, 0, False, ()))

    def answer(self) -> None:
        """bytes -> bytes: all of it, NODATA and NXDOMAIN too."""
        peer, snapshot, state, draw = self.peer, self.snapshot, self.state, self.draw
        for wire in self.wires:
            answer(wire, peer, _NOW, snapshot, state, draw)

    def stage(self, name: str) -> tuple[Callable[[], None], int]:
        """The function of a stage, and for how many packets it does it."""
        function: Callable[[], None] = getattr(self, name)
        return function, len(self.wires if name in ("parse", "answer") else self.picked)


def _relative(query: Query, zone: Zone) -> bytes:
    return query.qname[: len(query.qname) - len(zone.origin)]


def load(zones: Path, geoip: Path) -> Snapshot:
    """What a server would serve from."""
    settings = config.load(None, {"zones.directory": str(zones), "geoip.directory": str(geoip)})
    return loader.load(settings, ServerOptions()).snapshot


def read_packets(path: Path, count: int) -> list[bytes]:
    """The first packets of a file for dnsperf -B."""
    octets = path.read_bytes()
    wires: list[bytes] = []
    at = 0
    while at < len(octets) and len(wires) < count:
        end = at + 2 + int.from_bytes(octets[at : at + 2], "big")
        wires.append(octets[at + 2 : end])
        at = end
    return wires


def _pass_on(command: list[str], arguments: argparse.Namespace) -> None:
    """pyperf starts a process for each benchmark: they want to know the files too."""
    command += ["--zones", arguments.zones, "--geoip", arguments.geoip, "--packets", arguments.packets]


def main() -> None:
    """Measure every stage."""
    runner = pyperf.Runner(add_cmdline_args=_pass_on, program_args=("-m", "tests.bench.stagebench"))
    for option in ("--zones", "--geoip", "--packets"):
        runner.argparser.add_argument(option, required=True)
    arguments = runner.parse_args()
    stages = Stages(load(Path(arguments.zones), Path(arguments.geoip)), read_packets(Path(arguments.packets), PACKETS))
    for name in STAGES:
        function, count = stages.stage(name)
        runner.bench_func(name, function, inner_loops=count)


if __name__ == "__main__":
    main()
