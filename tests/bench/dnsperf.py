"""dnsperf as a client on one core: packets and a port -> what it tells of a run.

dnsperf waits for answers before it asks on: a server that stalls is asked less. So this is for queries per second at
saturation and for a fixed rate that the server can hold; for bursts there is tests.bench.openloop.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.bench.processes import find_program, on_cores

# How many sockets ask, and how many questions they have out together: more than dnsperf's own 1 and 100, so that a
# server with a batch in its hands has the next one waiting.
CLIENTS = 8
OUTSTANDING = 200
# A query without an answer for so long is lost.
_PATIENCE_SECONDS = 2

_LINE = re.compile(r"^\s*(Queries [\w ]+|Run time \(s\)|Average Latency \(s\)|Response codes):\s+(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Told:
    """One run, in dnsperf's words; `codes` are the rcodes and their shares."""

    sent: int
    completed: int
    lost: int
    seconds: float
    codes: str

    @property
    def queries_per_second(self) -> float:
        """Answered ones."""
        return self.completed / self.seconds


def ask(
    port: int,
    packets: Path,
    seconds: float,
    core: int,
    *,
    rate: int | None = None,
    transport: str = "udp",
    clients: int = CLIENTS,
    outstanding: int = OUTSTANDING,
) -> Told:
    """Ask for so long; `rate` is queries per second at most. Raises Missing."""
    command = [find_program("dnsperf", "dnsperf"), "-s", "127.0.0.1", "-p", str(port), "-B", "-d", str(packets)]
    command += ["-l", str(seconds), "-t", str(_PATIENCE_SECONDS), "-m", transport]
    command += ["-c", str(clients), "-q", str(outstanding), *(["-Q", str(rate)] if rate else [])]
    done = subprocess.run(on_cores([core], command), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"dnsperf failed: {done.stderr.strip()}")
    return parse(done.stdout)


def parse(text: str) -> Told:
    """The statistics that dnsperf ends with."""
    found = dict(_LINE.findall(text))
    return Told(
        sent=_first_number(found["Queries sent"]),
        completed=_first_number(found["Queries completed"]),
        lost=_first_number(found["Queries lost"]),
        seconds=float(found["Run time (s)"]),
        codes=found.get("Response codes", ""),
    )


def _first_number(text: str) -> int:
    return int(text.split()[0])
