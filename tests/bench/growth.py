"""What must not cost more when there is more of it: records of a name, zones, client subnets, names that don't exist.

    python -m tests.bench.growth [--quick] [--rounds 5] [--queries 5000000] [--pure] [--json FILE]

First memory, before and after millions of queries of each case. Then each case is asked in turns with the one it is
compared with, by the sender as a closed loop (openloop.c), and ratios are taken within each round.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench import contenders, report, scene
from tests.bench.contenders import Running
from tests.bench.growthzones import (
    MANY,
    growth_zone,
    label,
    names_packets,
    subnet_packets,
    write_packets,
    write_small_zones,
    zone_name,
    zone_packets,
)
from tests.bench.growthzones import ORIGIN as GROWTH
from tests.bench.poolzone import make_questions, make_servers
from tests.bench.processes import Tree
from tests.load import openloop

ROUNDS = 5
QUERIES = 5_000_000
ZONES = 10_000
_OUTSTANDING = 200
# The files are looked at each second, and what could not be read again after ten.
_SETTLE_SECONDS = 13
# Random subnets in the file: as many as there can be before its making is felt; they come again after so many queries.
_SUBNETS = 500_000
_POOL_SERVERS = 4500


@dataclass(frozen=True)
class Ask:
    """A server, the packets to send it, and whether their first labels are made unique."""

    server: Running
    packets: Path
    is_unique: bool = False


@dataclass(frozen=True)
class Case:
    """What has grown, what it is compared with, and what of its speed must be left."""

    name: str
    grown: Ask
    base: Ask
    aim: float


@dataclass(frozen=True)
class Turn:
    """Queries per second, and processor time of the server per query, of both sides of a case in one round."""

    grown: float
    base: float
    grown_cpu: float
    base_cpu: float


@dataclass(frozen=True)
class Memory:
    """Megabytes of 10^6 octets, before and after so many queries."""

    queries: int
    before: float
    after: float


class Unique:
    """Numbers for names that must be different: each run of the sender goes on where the last one ended."""

    def __init__(self) -> None:
        self._next = 0

    def options(self, ask: Ask) -> dict[str, float]:
        """The sender's option, where the names are made unique."""
        return {"unique": self._next} if ask.is_unique else {}

    def used(self, ask: Ask, queries: int) -> None:
        """Those numbers are gone."""
        self._next += queries if ask.is_unique else 0


class Measuring:
    """Asks with one sender, on one core."""

    def __init__(self, here: scene.Scene) -> None:
        self._sender = here.sender
        self._cores = [here.cores.client]
        self._unique = Unique()

    def send(self, ask: Ask, **options: float) -> openloop.Sent:
        """As fast as answers come."""
        options |= {"outstanding": _OUTSTANDING, **self._unique.options(ask)}
        sent = openloop.send(self._sender, ask.server.port, ask.packets, self._cores, **options)
        self._unique.used(ask, sent.sent)
        return sent

    def speed(self, ask: Ask, seconds: float) -> tuple[float, float]:
        """Queries per second, and microseconds of the server per query."""
        before = ask.server.tree.cpu_seconds()
        sent = self.send(ask, seconds=seconds)
        return sent.queries_per_second, (ask.server.tree.cpu_seconds() - before) / max(sent.answered, 1) * 1e6

    def turn(self, case: Case, seconds: float) -> Turn:
        """Both sides, one after the other."""
        grown, grown_cpu = self.speed(case.grown, seconds)
        base, base_cpu = self.speed(case.base, seconds)
        return Turn(round(grown), round(base), round(grown_cpu, 2), round(base_cpu, 2))

    def memory(self, case: Case, queries: int) -> Memory:
        """Of the server that has grown, warm from what it is compared with."""
        self.send(Ask(case.grown.server, case.base.packets), total=queries // 100)
        before = _settled_memory(case.grown.server.tree)
        sent = self.send(case.grown, total=queries)
        return Memory(sent.answered, round(before, 1), round(case.grown.server.tree.memory(), 1))


def _settled_memory(tree: Tree) -> float:
    """Megabytes, once a server that has just come up has looked at its files: that has nothing to do with queries."""
    time.sleep(_SETTLE_SECONDS)
    return tree.memory()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = scene.parser("tests.bench.growth", "Ask more of the same: records, zones, subnets, absent names.")
    parser.add_argument("--queries", type=int, help=f"for memory, of each case; default: {QUERIES:,}")
    parser.add_argument("--pure", action="store_true", help="GreenDNS as Python")
    parsed = parser.parse_args(arguments)
    queries = parsed.queries or (20_000 if parsed.quick else QUERIES)
    where = report.machine()
    with scene.opened(parsed) as here:
        with ExitStack() as stack:
            cases = make_cases(here, parsed.pure, stack)
            measuring = Measuring(here)
            # Memory first: what a case leaves behind must not have been there before.
            memory = {case.name: _told(case, measuring.memory(case, queries)) for case in cases}
            rounds = here.rounds or (1 if here.quick else ROUNDS)
            turns = measure(cases, measuring, rounds, 0.5 if here.quick else 2)
        build, notes = cases[0].grown.server.name, [*here.notes(), *here.aftermath()]
    print(to_text(where, build, cases, turns, memory, notes))
    told = {
        case.name: {"memory": asdict(memory[case.name]), "rounds": [asdict(turn) for turn in turns[case.name]]}
        for case in cases
    }
    scene.write_json(parsed.json, {"machine": asdict(where), "build": build, "cases": told})


def _told(case: Case, memory: Memory) -> Memory:
    scene.progress(f"memory, {case.name}: {memory.after - memory.before:+.1f} MB after {memory.queries:,} queries")
    return memory


def measure(cases: Sequence[Case], measuring: Measuring, rounds: int, seconds: float) -> dict[str, list[Turn]]:
    """All cases in turns."""
    turns: dict[str, list[Turn]] = {case.name: [] for case in cases}
    for number in range(rounds):
        for case in cases:
            turn = measuring.turn(case, seconds)
            turns[case.name].append(turn)
            scene.progress(f"round {number + 1}/{rounds}  {case.name}: {turn.grown / turn.base:.2f}")
    return turns


def make_cases(here: scene.Scene, pure: bool, stack: ExitStack) -> list[Case]:
    """Three servers: one with the pool's zone and long names, one with one small zone, one with many."""
    draw = random.Random(here.seed)
    count = 10_000 if here.quick else 100_000
    (here.pool.zones / f"{GROWTH}.json").write_text(json.dumps(growth_zone()))

    def start(name: str, zones: Path, question: str) -> Running:
        log = here.fresh(name) / "log"
        cores = [here.cores.server]
        return stack.enter_context(
            contenders.greendns(zones, here.geoip, cores, log, pure=pure, question=(question, "A"))
        )

    def packets(name: str, made: object) -> Path:
        return write_packets(here.directory / f"{name}.bin", made)  # type: ignore[arg-type]

    zones = {name: write_small_zones(here.directory / f"{name}-zones", size) for name, size in _SIZES.items()}
    large = start("pool-server", here.pool.zones, f"{label('many', 0)}.{GROWTH}")
    one = start("one-server", zones["one"], f"n1.{zone_name(0)}")
    many = start("many-server", zones["many"], f"n1.{zone_name(ZONES - 1)}")
    few = packets("few", names_packets("few"))
    questions = list(make_questions(count, make_servers(_POOL_SERVERS, random.Random(here.seed)), draw))
    subnets = questions * (_SUBNETS // len(questions)) if not here.quick else questions
    return [
        Case(f"{MANY:,} records / 50", Ask(large, packets("many", names_packets("many"))), Ask(large, few), 0.9),
        Case(
            f"{ZONES:,} zones / 1",
            Ask(many, packets("many-zones", zone_packets(ZONES, count, draw))),
            Ask(one, packets("one-zone", zone_packets(1, count, draw))),
            0.9,
        ),
        Case(
            "random subnets / none",
            Ask(large, packets("subnets", subnet_packets(subnets, draw))),
            Ask(large, packets("plain", subnet_packets(questions, None))),
            0.8,
        ),
        Case("absent names / existing", Ask(large, few, is_unique=True), Ask(large, few), 0.9),
    ]


_SIZES = {"one": 1, "many": ZONES}


def to_text(
    where: report.Machine,
    build: str,
    cases: Sequence[Case],
    turns: dict[str, list[Turn]],
    memory: dict[str, Memory],
    notes: Sequence[str],
) -> str:
    """A row for each case."""
    rows = [
        [
            case.name,
            report.spread(turn.grown / turn.base for turn in turns[case.name]).text(2),
            f"{case.aim}",
            report.spread(turn.grown_cpu / turn.base_cpu for turn in turns[case.name]).text(2),
            report.spread(turn.grown for turn in turns[case.name]).text(),
            f"{memory[case.name].before:.1f}",
            f"{memory[case.name].after - memory[case.name].before:+.1f}",
            f"{memory[case.name].queries:,}",
        ]
        for case in cases
    ]
    head = ["case", "queries/s, ratio", "aim", "CPU/query, ratio", "queries/s", "MB before", "MB more", "after queries"]
    return "\n".join([report.machine_text(where), build, "", *report.columns(head, rows), *notes])


if __name__ == "__main__":
    sys.exit(scene.run(main))
