"""TCP: dnsperf over 100 connections that are kept, with 100 and with 1,000 queries outstanding, servers in turns.

python -m tests.bench.tcp [--quick] [--rounds 3] [--geodns PROGRAM] [--json FILE]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from statistics import median

from tests.bench import dnsperf, report, scene
from tests.bench.contenders import Running
from tests.bench.rounds import rotated

ROUNDS = 3
CONNECTIONS = 100
OUTSTANDING = (100, 1000)


@dataclass(frozen=True)
class Turn:
    """One run against one server; processor time in microseconds of the server per query answered."""

    queries_per_second: float
    cpu: float
    core_share: float
    lost: int


# server -> queries outstanding -> rounds
Found = dict[str, dict[int, list[Turn]]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parsed = scene.parser("tests.bench.tcp", "Ask over TCP.").parse_args(arguments)
    where = report.machine()
    with scene.opened(parsed) as here:
        found, notes = measure(here)
        notes += here.aftermath()
    print(to_text(where, found, notes))
    told = {
        name: {str(outstanding): [asdict(turn) for turn in turns] for outstanding, turns in by.items()}
        for name, by in found.items()
    }
    scene.write_json(parsed.json, {"machine": asdict(where), "notes": notes, "servers": told})


def measure(here: scene.Scene) -> tuple[Found, list[str]]:
    """Every server in turns, in each round with few and with many queries outstanding."""
    contenders, notes = here.gather()
    rounds = here.rounds or (1 if here.quick else ROUNDS)
    seconds = 2 if here.quick else 5
    found: Found = {each.name: {outstanding: [] for outstanding in OUTSTANDING} for each in contenders}
    with ExitStack() as stack:
        servers = [stack.enter_context(contender.start()) for contender in contenders]
        for number in range(rounds):
            for server in rotated(servers, number):
                for outstanding in OUTSTANDING:
                    turn = _turn(here, server, outstanding, seconds)
                    found[server.name][outstanding].append(turn)
                    told = f"{server.name}, {outstanding} outstanding: {turn.queries_per_second:,.0f} queries/s"
                    scene.progress(f"round {number + 1}/{rounds}  {told}")
    return found, notes


def _turn(here: scene.Scene, server: Running, outstanding: int, seconds: float) -> Turn:
    before = server.tree.cpu_seconds()
    told = dnsperf.ask(
        server.port,
        here.pool.packets,
        seconds,
        here.cores.client,
        transport="tcp",
        clients=CONNECTIONS,
        outstanding=outstanding,
    )
    spent = server.tree.cpu_seconds() - before
    return Turn(
        queries_per_second=round(told.queries_per_second),
        cpu=round(spent / max(told.completed, 1) * 1e6, 2),
        core_share=round(spent / told.seconds, 2),
        lost=told.lost,
    )


def to_text(where: report.Machine, found: Found, notes: Sequence[str]) -> str:
    """A row for each server and number outstanding."""
    rows = [
        [
            f"{name}, {outstanding:,} outstanding",
            report.spread(turn.queries_per_second for turn in turns).text(),
            f"{median([turn.core_share for turn in turns]):.2f}",
            report.spread(turn.cpu for turn in turns).text(1),
            f"{sum([turn.lost for turn in turns])}",
        ]
        for name, by in found.items()
        for outstanding, turns in by.items()
    ]
    head = [f"TCP, {CONNECTIONS} connections", "queries/s", "core used", "CPU µs/query", "lost"]
    return "\n".join([report.machine_text(where), "", *report.columns(head, rows), "", *notes])


if __name__ == "__main__":
    sys.exit(scene.run(main))
