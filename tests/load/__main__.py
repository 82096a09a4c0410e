"""What changes cost under load: each act under 20,000 queries a second on a fixed schedule, two workers.

    python -m tests.load [--quick] [--only ACT,...] [--rate 20000] [--json FILE]

The sender waits for nothing (openloop.c); latency counts from when a query was due, an answer after 2 s is none. All
processes of the server may use both cores; the sender takes most of one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from greendns.processes import yield_to_others
from tests.bench import report, scene
from tests.load.acts import ACTS, QUICK, terminate
from tests.load.openloop import Sent
from tests.load.stage import RATE, load, opened


@dataclass(frozen=True)
class Found:
    """What an act did, and what became of the queries meanwhile.

    is_end  whether nobody was there to answer afterwards
    """

    act: str
    sent: Sent
    is_end: bool = False


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = scene.parser("tests.load", "Change, kill and upgrade under load.")
    parser.add_argument("--only", metavar="ACT,...", help=f"of {', '.join(ACTS)}; default: all")
    parser.add_argument("--rate", type=int, default=RATE, help="queries per second; default: %(default)s")
    parsed = parser.parse_args(arguments)
    names = parsed.only.split(",") if parsed.only else list(ACTS)
    unknown = [name for name in names if name not in ACTS]
    if unknown:
        parser.error(f"--only: there is no act {unknown[0]}")
    where = report.machine()
    with scene.opened(parsed) as here:
        found = [measure(here, name, parsed.rate) for name in names]
        notes = [*here.notes(), *here.aftermath()]
    print(to_text(where, parsed.rate, found, notes))
    scene.write_json(parsed.json, {"machine": asdict(where), "notes": notes, "acts": [asdict(each) for each in found]})


def measure(here: scene.Scene, name: str, rate: int) -> Found:
    """One act, on a server of its own."""
    act, count = ACTS[name]
    told: list[str] = []
    with opened(here) as stage, load(stage, rate) as sent:
        # Who plays is on the sender's core.
        yield_to_others(lambda: told.append(act(stage, min(count, QUICK) if here.quick else count)))
    scene.progress(f"{told[0]}: {sent[0].lost} of {sent[0].sent:,} lost")
    return Found(told[0], sent[0], act is terminate)


def to_text(where: report.Machine, rate: int, found: Sequence[Found], notes: Sequence[str]) -> str:
    """A row for each act."""
    head = ["", "seconds", "sent", "lost", "worst 100 ms, answers/s", "p50 ms", "p99", "p99.9", "worst", "left late"]
    rows = [
        [
            each.act,
            f"{each.sent.seconds:.0f}",
            f"{each.sent.sent:,}",
            "-" if each.is_end else f"{each.sent.lost:,}",
            "-" if each.is_end else f"{each.sent.slowest_rate:,}",
            f"{each.sent.p50:.2f}",
            f"{each.sent.p99:.2f}",
            f"{each.sent.p999:.2f}",
            f"{each.sent.longest:.1f}",
            f"{each.sent.late:,}",
        ]
        for each in found
    ]
    late = [f"{each.act}: the sender was late itself" for each in found if each.sent.is_sender_late]
    title = f"{rate:,} queries a second on a fixed schedule, two workers"
    return "\n".join([report.machine_text(where), title, "", *report.columns(head, rows), "", *late, *notes])


if __name__ == "__main__":
    sys.exit(scene.run(main))
