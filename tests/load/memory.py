"""Memory of all processes of a server together, before and after many reloads, with 1, 2 and 4 workers.

    python -m tests.load.memory [--quick] [--reloads 50] [--json FILE]

The pool's zone, of which each reload takes another version; and a zone of 1,000,000 records, where one of ten reloads
takes another version of that and the others one of a small zone beside it. Memory is the proportional set size, in
which pages that several processes share count once, after 10,000 queries each time.
"""

from __future__ import annotations

import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench import report, scene
from tests.bench.growthzones import ORIGIN as LARGE
from tests.bench.growthzones import large_name, write_large_zone, write_packets
from tests.bench.poolzone import ORIGIN, make_packet
from tests.load import openloop
from tests.load.stage import Stage, opened
from tests.processtree import KEEPER, named

RELOADS = 50
WORKERS = (1, 2, 4)
_QUERIES = 10_000
_NAMES, _RECORDS_A_NAME = 100_000, 10
_LARGE_EACH = 10
_SMALL = "small.example"


@dataclass(frozen=True)
class Work:
    """Zones, the queries about them, and which file each reload changes, in turns."""

    name: str
    zones: Path
    packets: Path
    changed: Sequence[str]


@dataclass(frozen=True)
class Found:
    """Megabytes of 10^6 octets, before and after."""

    work: str
    workers: int
    reloads: int
    before: float
    after: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = scene.parser("tests.load.memory", "Reload again and again, and look at the memory.")
    parser.add_argument("--reloads", type=int, help=f"default: {RELOADS}")
    parsed = parser.parse_args(arguments)
    where = report.machine()
    with scene.opened(parsed) as here:
        reloads = parsed.reloads or (3 if here.quick else RELOADS)
        found = [measure(here, work, workers, reloads) for work in make_work(here) for workers in WORKERS]
    head = ["", "workers", "reloads", "MB before", "MB after", "difference"]
    rows = [
        [
            each.work,
            str(each.workers),
            str(each.reloads),
            f"{each.before:.1f}",
            f"{each.after:.1f}",
            f"{each.after - each.before:+.1f}",
        ]
        for each in found
    ]
    print("\n".join([report.machine_text(where), "", *report.columns(head, rows)]))
    scene.write_json(parsed.json, {"machine": asdict(where), "found": [asdict(each) for each in found]})


def make_work(here: scene.Scene) -> Iterator[Work]:
    """What is served."""
    yield Work("pool zone", here.pool.zones, here.pool.packets, [ORIGIN])
    names = _NAMES // 100 if here.quick else _NAMES
    zones = write_large_zone(here.directory / "large", names, _RECORDS_A_NAME)
    (zones / f"{_SMALL}.json").write_text('{"serial": 1, "data": {"www": {"a": [["192.0.2.1"]]}}}')
    draw = random.Random(here.seed)
    questions = (make_packet(f"{large_name(draw.randrange(names))}.{LARGE}", "A") for _ in range(_QUERIES))
    packets = write_packets(here.directory / "large.bin", questions)
    yield Work(f"{names * _RECORDS_A_NAME:,} records", zones, packets, [LARGE, *[_SMALL] * (_LARGE_EACH - 1)])


def measure(here: scene.Scene, work: Work, workers: int, reloads: int) -> Found:
    """One server."""
    with opened(here, workers, work.zones, f"{large_name(0)}.{LARGE}" if LARGE in work.changed else ORIGIN) as stage:
        # The first change of each file takes it from the image that all zones of a start share to one of its own.
        for name in dict.fromkeys(work.changed):
            change(stage, name, 1_000)
        before = asked_memory(stage, work)
        for number in range(1, reloads + 1):
            change(stage, work.changed[number % len(work.changed)], 1_000 + number)
        found = Found(work.name, workers, reloads, before, asked_memory(stage, work))
    scene.progress(f"{work.name}, {workers} workers: {found.before:.1f} MB, {found.after:.1f} MB")
    return found


def change(stage: Stage, name: str, serial: int) -> None:
    """Have another version of a zone in service."""
    path = stage.zones / f"{name}.json"
    text = re.sub(r'"serial": \d+, ', "", path.read_text(), count=1)
    stage.replace(path, text.replace("{", f'{{"serial": {serial}, ', 1).encode())
    stage.wait_logged(rf"{name}\.json: serial {serial} is in service")


def asked_memory(stage: Stage, work: Work) -> float:
    """Of all processes of one generation, once they have answered."""
    stage.wait(lambda: len(named(stage.tree.root, KEEPER)) == 1, "one generation")
    cores = [stage.here.cores.client]
    openloop.send(stage.here.sender, stage.port, work.packets, cores, total=_QUERIES, outstanding=100)
    return round(stage.tree.memory(), 1)


if __name__ == "__main__":
    sys.exit(scene.run(main))
