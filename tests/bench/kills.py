"""SIGKILL to one of two workers, again and again, under a fixed schedule of queries: what is lost in all.

    python -m tests.bench.kills [--quick] [--rate 20000] [--json FILE]

The sender keeps its schedule whatever comes back (openloop.c), on a core of its own. Each time the older of the two is
killed, once both have lived for long enough to be replaced at once. Queries that are lost are those that the killed one
had read and not answered yet; what waited for it in the kernel is answered by the next one.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from greendns.seats import WELL_SECONDS
from tests.bench import contenders, openloop, report, scene
from tests.bench.contenders import Running
from tests.bench.openloop import Sent
from tests.processtree import WORKER, age_seconds, named
from tests.serving import wait_until

KILLS = 100
RATE = 20_000
WORKERS = 2
# The older of two that are killed in turns is twice as old as this, when it dies.
_PACE_SECONDS = 0.6 * WELL_SECONDS


@dataclass(frozen=True)
class Found:
    """What became of the queries while so many workers were killed."""

    kills: int
    rate: int
    sent: Sent

    @property
    def lost_per_kill(self) -> float:
        return self.sent.lost / max(self.kills, 1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = scene.parser("tests.bench.kills", "Kill workers under load.")
    parser.add_argument("--rate", type=int, default=RATE, help="queries per second; default: %(default)s")
    parsed = parser.parse_args(arguments)
    where = report.machine()
    with scene.opened(parsed) as here:
        found = measure(here, parsed.rate)
        notes = [*here.notes(), *here.aftermath()]
    print(to_text(where, found, notes))
    scene.write_json(parsed.json, {"machine": asdict(where), "notes": notes, **asdict(found)})


def measure(here: scene.Scene, rate: int) -> Found:
    """One server of two workers, killed in turns from before the first query to after the last one."""
    wanted = 5 if here.quick else KILLS
    log = here.fresh("greendns") / "log"
    with contenders.greendns(here.pool.zones, here.geoip, [here.cores.server], log, workers=WORKERS) as server:
        killing = Killing(server, wanted)
        killing.start()
        options = {"rate": rate, "seconds": (wanted + 2) * _PACE_SECONDS}
        sent = openloop.send(here.sender, server.port, here.pool.packets, [here.cores.client], **options)
        killing.join()
    return Found(killing.kills, rate, sent)


class Killing(threading.Thread):
    """Kills the older of a server's workers at a fixed pace."""

    def __init__(self, server: Running, wanted: int) -> None:
        super().__init__(daemon=True)
        self.kills = 0
        self._root = server.tree.root
        self._wanted = wanted

    def run(self) -> None:
        due = time.monotonic() + _PACE_SECONDS
        while self.kills < self._wanted:
            time.sleep(max(due - time.monotonic(), 0))
            due += _PACE_SECONDS
            os.kill(self._oldest(), signal.SIGKILL)
            self.kills += 1

    def _oldest(self) -> int:
        """The older one of two; not while one of them has yet to be replaced."""
        return max(wait_until(self._both, "two workers that live"), key=age_seconds)

    def _both(self) -> list[int]:
        found = named(self._root, WORKER)
        return found if len(found) == WORKERS and max(map(age_seconds, found)) > WELL_SECONDS else []


def to_text(where: report.Machine, found: Found, notes: Sequence[str]) -> str:
    """One row."""
    sent = found.sent
    head = [f"{found.kills} kills at {found.rate:,}/s", "sent", "lost", "lost a kill", "p99.9 ms", "longest ms", "late"]
    row = [
        f"{WORKERS} workers, one core",
        f"{sent.sent:,}",
        f"{sent.lost:,}",
        f"{found.lost_per_kill:.2f}",
        f"{sent.p999:.2f}",
        f"{sent.longest:.1f}",
        f"{sent.late:,}",
    ]
    late = ["the sender was late itself: what is lost or slow may be its own"] if sent.is_sender_late else []
    return "\n".join([report.machine_text(where), "", *report.columns(head, [row]), "", *late, *notes])


if __name__ == "__main__":
    sys.exit(scene.run(main))
