"""Two workers against one on two cores, the client sharing them: what the client leaves, and how much of it is used.

    python -m tests.bench.workers [--quick] [--rounds 5] [--pure] [--json FILE]

Server and client may both run on both cores, as a closed loop (openloop.c). A query costs the server s and the client c
of processor time, so two cores can't do more than 2 / (s + c) queries per second, and one worker, which has only one
core to itself, not more than 1 / s either. How much of that is reached is told beside the queries per second.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from statistics import median

from tests.bench import contenders, report, scene
from tests.bench.contenders import Running
from tests.bench.rounds import rotated
from tests.load import openloop

ROUNDS = 5
WORKERS = (1, 2)
_OUTSTANDING = 400


@dataclass(frozen=True)
class Turn:
    """One run; processor time in seconds per second, which is cores, and in microseconds per query answered."""

    queries_per_second: float
    server_cores: float
    client_cores: float
    server_cpu: float
    client_cpu: float

    def limit(self, workers: int, cores: int) -> float:
        """The queries per second that these costs and cores allow."""
        together = cores / (self.server_cpu + self.client_cpu) * 1e6
        return min(together, workers / self.server_cpu * 1e6)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = scene.parser("tests.bench.workers", "Compare one worker with two on two cores.")
    parser.add_argument("--pure", action="store_true", help="GreenDNS as Python")
    parsed = parser.parse_args(arguments)
    where = report.machine()
    with scene.opened(parsed) as here:
        cores = sorted({here.cores.server, here.cores.client})
        found = measure(here, cores, parsed.pure)
        print(to_text(where, found, len(cores), [*here.notes(), *here.aftermath()]))
    told = {str(workers): [asdict(turn) for turn in turns] for workers, turns in found.items()}
    scene.write_json(parsed.json, {"machine": asdict(where), "workers": told})


def measure(here: scene.Scene, cores: list[int], pure: bool) -> dict[int, list[Turn]]:
    """One worker and two in turns."""
    rounds = here.rounds or (1 if here.quick else ROUNDS)
    seconds = 1 if here.quick else 4
    found: dict[int, list[Turn]] = {workers: [] for workers in WORKERS}
    with ExitStack() as stack:
        running: list[Running] = []
        by_port: dict[int, int] = {}
        for workers in WORKERS:
            log = here.fresh("greendns") / "log"
            starting = contenders.greendns(here.pool.zones, here.geoip, cores, log, pure=pure, workers=workers)
            running.append(stack.enter_context(starting))
            by_port[running[-1].port] = workers
        for number in range(rounds):
            for server in rotated(running, number):
                _turn(here, server, cores, 0.5)
                workers, turn = by_port[server.port], _turn(here, server, cores, seconds)
                found[workers].append(turn)
                told = f"{turn.queries_per_second:,.0f} queries/s"
                scene.progress(f"round {number + 1}/{rounds}  workers {workers}: {told}")
    return found


def _turn(here: scene.Scene, server: Running, cores: list[int], seconds: float) -> Turn:
    before = server.tree.cpu_seconds()
    options = {"outstanding": _OUTSTANDING, "seconds": seconds}
    sent = openloop.send(here.sender, server.port, here.pool.packets, cores, **options)
    spent = server.tree.cpu_seconds() - before
    return Turn(
        queries_per_second=round(sent.queries_per_second),
        server_cores=round(spent / sent.seconds, 2),
        client_cores=round(sent.cpu_seconds / sent.seconds, 2),
        server_cpu=round(spent / max(sent.answered, 1) * 1e6, 2),
        client_cpu=round(sent.cpu_seconds / max(sent.answered, 1) * 1e6, 2),
    )


def to_text(where: report.Machine, found: dict[int, list[Turn]], cores: int, notes: Sequence[str]) -> str:
    """A row for one worker, one for two, and their ratio."""
    rows = [
        [
            f"{workers} worker{'s' if workers > 1 else ''}",
            report.spread(turn.queries_per_second for turn in turns).text(),
            f"{median([turn.server_cores for turn in turns]):.2f}",
            f"{median([turn.client_cores for turn in turns]):.2f}",
            f"{median([turn.server_cpu for turn in turns]):.1f}",
            f"{median([turn.client_cpu for turn in turns]):.1f}",
            f"{median([turn.limit(workers, cores) for turn in turns]):,.0f}",
            f"{median([turn.queries_per_second / turn.limit(workers, cores) for turn in turns]):.2f}",
        ]
        for workers, turns in found.items()
    ]
    one, two = (found[workers] for workers in WORKERS)
    ratio = report.spread(
        more.queries_per_second / less.queries_per_second for more, less in zip(two, one, strict=True)
    )
    # One worker leaves the rest of its core to the client; two can gain what the cores hold beyond its limit.
    hoped = median([more.limit(2, cores) / less.limit(1, cores) for more, less in zip(two, one, strict=True)])
    head = [
        f"on {cores} cores",
        "queries/s",
        "server's cores",
        "client's cores",
        "server µs",
        "client µs",
        "limit",
        "reached",
    ]
    summary = f"two workers / one, round by round: {ratio.text(2)}; the client leaves room for {hoped:.2f}"
    return "\n".join([report.machine_text(where), "", *report.columns(head, rows), "", summary, *notes])


if __name__ == "__main__":
    sys.exit(scene.run(main))
