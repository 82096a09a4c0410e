"""Loading: from the start of the process to the first answer, and the memory that it takes.

    python -m tests.bench.loading [--quick] [--rounds 3] [--pure] [--geodns PROGRAM] [--json FILE]

A zone in the shape of the pool's, one zone file of 1,000,000 weighted A records in 100,000 names (26 MB), and 10,000
small zones; each from its files, and from what was kept of them in a cache directory. On one core, with no MaxMind
database unless --geoip names a directory of them.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from greendns.lastgood import INDEX
from tests.bench import contenders, report, scene
from tests.bench.contenders import Running
from tests.bench.growthzones import (
    ORIGIN,
    large_name,
    write_large_zone,
    write_packets,
    write_small_zones,
    zone_name,
    zone_packets,
)
from tests.bench.poolzone import ORIGIN as POOL_ORIGIN
from tests.bench.poolzone import make_packet
from tests.load import openloop

ROUNDS = 3
NAMES, RECORDS_A_NAME = 100_000, 10
ZONES = 10_000
_QUESTIONS = 10_000


@dataclass(frozen=True)
class Work:
    """What is to be loaded, the name that is asked for first, and questions to be asked then."""

    name: str
    zones: Path
    question: str
    packets: Path


@dataclass(frozen=True)
class Load:
    """One load. Memory of all processes together, in megabytes of 10^6 octets.

    cpu       seconds of all processes until the first answer
    resident  after the first answer
    after     after 10,000 more, of names all over
    """

    seconds: float
    cpu: float
    resident: float
    after: float
    peak: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = scene.parser("tests.bench.loading", "Load much.")
    parser.add_argument("--pure", action="store_true", help="GreenDNS as Python")
    parsed = parser.parse_args(arguments)
    where = report.machine()
    with scene.opened(parsed) as here:
        empty = here.directory / "no-databases"
        empty.mkdir()
        found = measure(here, make_work(here), parsed.geoip or empty, parsed.pure)
        notes = [*here.notes(), *here.aftermath()]
    rows = [
        [
            name,
            report.spread(load.seconds for load in loads).text(2),
            report.spread(load.cpu for load in loads).text(2),
            report.spread(load.resident for load in loads).text(1),
            report.spread(load.after for load in loads).text(1),
            report.spread(load.peak for load in loads).text(1),
        ]
        for name, loads in found.items()
    ]
    head = ["", "seconds to first answer", "CPU seconds", "resident MB", f"after {_QUESTIONS:,} queries", "peak MB"]
    print("\n".join([report.machine_text(where), "", *report.columns(head, rows), *notes]))
    told = {name: [asdict(load) for load in loads] for name, loads in found.items()}
    scene.write_json(parsed.json, {"machine": asdict(where), "loads": told})


def make_work(here: scene.Scene) -> list[Work]:
    """The files, and questions for them."""
    draw = random.Random(here.seed)
    names, zones = (NAMES // 10, ZONES // 10) if here.quick else (NAMES, ZONES)
    asked = [f"{large_name(draw.randrange(names))}.{ORIGIN}" for _ in range(_QUESTIONS)]
    return [
        Work("the pool's zone", here.pool.zones, POOL_ORIGIN, here.pool.packets),
        Work(
            f"{names * RECORDS_A_NAME:,} records in {names:,} names",
            write_large_zone(here.directory / "large", names, RECORDS_A_NAME),
            asked[0],
            write_packets(here.directory / "large.bin", (make_packet(name, "A") for name in asked)),
        ),
        Work(
            f"{zones:,} zones",
            write_small_zones(here.directory / "small", zones),
            f"n1.{zone_name(zones - 1)}",
            write_packets(here.directory / "small.bin", zone_packets(zones, _QUESTIONS, draw)),
        ),
    ]


def measure(here: scene.Scene, work: Sequence[Work], geoip: Path, pure: bool) -> dict[str, list[Load]]:
    """Each in turns, by GreenDNS, from the files and from what was kept, and, where there is one, by geodns."""
    found: dict[str, list[Load]] = {}
    caches = {each.name: _fill_cache(here, each, geoip, pure) for each in work}
    rounds = here.rounds or (1 if here.quick else ROUNDS)
    for number in range(rounds):
        for each in work:
            for way, starting in _starts(here, each, geoip, pure, caches[each.name]):
                load = _load(here, each, starting)
                found.setdefault(f"{way}, {each.name}", []).append(load)
                scene.progress(f"round {number + 1}/{rounds}  {way}, {each.name}: {load.seconds:.2f} s")
    return found


def _fill_cache(here: scene.Scene, work: Work, geoip: Path, pure: bool) -> Path:
    """A directory in which a server has kept what it serves."""
    cache, log = here.fresh("cache"), here.fresh("greendns") / "log"
    with contenders.greendns(
        work.zones, geoip, [here.cores.server], log, pure=pure, question=(work.question, "A"), cache=cache
    ):
        deadline = time.monotonic() + contenders.START_SECONDS
        while not (cache / INDEX).exists():
            if time.monotonic() > deadline:
                raise SystemExit(f"nothing was kept in {cache}:\n{log.read_text()}")
            time.sleep(0.1)
    return cache


def _starts(
    here: scene.Scene, work: Work, geoip: Path, pure: bool, cache: Path
) -> Iterator[tuple[str, AbstractContextManager[Running]]]:
    core, question = here.cores.server, (work.question, "A")
    ours = contenders.COMPILED if contenders.is_compiled(pure) else contenders.PURE
    for way, kept in (("from files", None), ("from the cache", cache)):
        log = here.fresh("greendns") / "log"
        starting = contenders.greendns(work.zones, geoip, [core], log, pure=pure, question=question, cache=kept)
        yield f"{ours} {way}", starting
    if here.geodns is not None:
        starting = contenders.geodns(here.geodns, work.zones, geoip, core, here.fresh("geodns"), question)
        yield contenders.GEODNS, starting


def _load(here: scene.Scene, work: Work, starting: AbstractContextManager[Running]) -> Load:
    with starting as server:
        resident = server.tree.memory()
        openloop.send(here.sender, server.port, work.packets, [here.cores.client], total=_QUESTIONS, outstanding=100)
        load = Load(server.start_seconds, server.start_cpu, resident, server.tree.memory(), server.start_peak)
        return Load(**{key: round(value, 2) for key, value in asdict(load).items()})


if __name__ == "__main__":
    sys.exit(scene.run(main))
