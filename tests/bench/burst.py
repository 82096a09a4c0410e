"""Bursts: 150,000 queries within 2 s to each server in turns, and steady rates; what is lost, how long it takes.

    python -m tests.bench.burst [--quick] [--rounds 3] [--geodns PROGRAM] [--json FILE]

The sender keeps its schedule whatever comes back (openloop.c), and latency counts from when a query was due.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from statistics import median

from tests.bench import report, scene
from tests.bench.rounds import rotated
from tests.load import openloop
from tests.load.openloop import Sent

ROUNDS = 3
_WARM_UP = {"rate": 5_000, "seconds": 1}


@dataclass(frozen=True)
class Load:
    """So many queries at such a rate."""

    name: str
    rate: int
    total: int


LOADS = (
    Load("20,000/s", 20_000, 60_000),
    Load("60,000/s", 60_000, 180_000),
    Load("150,000 within 2 s", 75_000, 150_000),
)
QUICK_LOADS = (Load("20,000/s", 20_000, 10_000), LOADS[2])

# server -> load -> rounds
Found = dict[str, dict[str, list[Sent]]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parsed = scene.parser("tests.bench.burst", "Send bursts on a fixed schedule.").parse_args(arguments)
    where = report.machine()
    with scene.opened(parsed) as here:
        found, notes = measure(here)
        notes += here.aftermath()
    print(to_text(where, found, notes))
    told = {name: {load: [asdict(each) for each in sent] for load, sent in by.items()} for name, by in found.items()}
    scene.write_json(parsed.json, {"machine": asdict(where), "notes": notes, "servers": told})


def measure(here: scene.Scene) -> tuple[Found, list[str]]:
    """Every load to every server in turns."""
    contenders, notes = here.gather()
    loads = QUICK_LOADS if here.quick else LOADS
    rounds = here.rounds or (1 if here.quick else ROUNDS)
    found: Found = {each.name: {load.name: [] for load in loads} for each in contenders}
    cores = [here.cores.client]
    with ExitStack() as stack:
        servers = [stack.enter_context(contender.start()) for contender in contenders]
        for number in range(rounds):
            for server in rotated(servers, number):
                openloop.send(here.sender, server.port, here.pool.packets, cores, **_WARM_UP)
                for load in loads:
                    options = {"rate": load.rate, "total": load.total}
                    sent = openloop.send(here.sender, server.port, here.pool.packets, cores, **options)
                    found[server.name][load.name].append(sent)
                    scene.progress(
                        f"round {number + 1}/{rounds}  {server.name}, {load.name}: lost {sent.lost_share:.2%}"
                    )
    return found, notes


def to_text(where: report.Machine, found: Found, notes: Sequence[str]) -> str:
    """A row for each server and load."""
    rows = [_row(f"{name}, {load}", sent) for name, by in found.items() for load, sent in by.items()]
    late = [
        f"{name}, {load}: the sender was late itself: what is lost or slow there may be its own"
        for name, by in found.items()
        for load, sent in by.items()
        if median([each.late for each in sent]) > openloop.LATE_SHARE * sent[0].sent
    ]
    head = ["server, load", "lost (lowest-highest) %", "p50 ms", "p99 ms", "p99.9 ms (lowest-highest)", "late sends"]
    return "\n".join([report.machine_text(where), "", *report.columns(head, rows), "", *late, *notes])


def _row(name: str, rounds: Sequence[Sent]) -> list[str]:
    return [
        name,
        report.spread(each.lost_share * 100 for each in rounds).text(2),
        f"{median([each.p50 for each in rounds]):.2f}",
        f"{median([each.p99 for each in rounds]):.2f}",
        report.spread(each.p999 for each in rounds).text(2),
        f"{median([each.late for each in rounds]):,.0f}",
    ]


if __name__ == "__main__":
    sys.exit(scene.run(main))
