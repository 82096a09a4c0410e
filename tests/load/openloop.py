"""openloop.c, compiled when it is needed, and what it tells of a run."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.processes import find_program, on_cores

SOURCE = Path(__file__).with_name("openloop.c")
# More queries than this share leaving 1 ms late, and the figures speak of the sender.
LATE_SHARE = 0.01


@dataclass(frozen=True)
class Sent:
    """One run. Latencies are from when a query was due, in milliseconds, of what was answered in time.

    late       queries that left more than 1 ms after they were due
    own_drops  answers that the sender itself was too slow to take
    rcodes     rcode -> answers
    truncated  answers with TC set
    sent_octets, octets  of all queries, and of all answers
    slowest_rate  answers that came in the worst 100 ms, as a rate per second; 0 where the run was shorter
    """

    sent: int
    answered: int
    lost: int
    seconds: float
    cpu_seconds: float
    late: int
    p50: float
    p99: float
    p999: float
    longest: float
    own_drops: int
    rcodes: dict[int, int]
    truncated: int = 0
    sent_octets: int = 0
    octets: int = 0
    slowest_rate: int = 0

    @property
    def lost_share(self) -> float:
        """Of all queries."""
        return self.lost / max(self.sent, 1)

    @property
    def queries_per_second(self) -> float:
        """Answered ones; of a closed loop, what the server can do."""
        return self.answered / self.seconds

    @property
    def is_sender_late(self) -> bool:
        """Whether the sender did not keep its own schedule."""
        return self.late > LATE_SHARE * self.sent


def build(directory: Path) -> Path:
    """Compile the sender into a directory. Raises Missing."""
    program = directory / "openloop"
    compiler = find_program("cc", "build-essential")
    subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(program), str(SOURCE)], check=True)
    return program


def send(
    program: Path, port: int, packets: Path, cores: list[int] | None = None, source: str = "", **options: float
) -> Sent:
    """Run the sender; options are its own, such as rate=20_000, seconds=2, or total=150_000.

    source  the address that the queries come from; empty: whichever the system chooses
    """
    return finish(start(program, port, packets, cores, source, **options))


def start(
    program: Path, port: int, packets: Path, cores: list[int] | None = None, source: str = "", **options: float
) -> subprocess.Popen[str]:
    """Start the sender, to be finished."""
    command = [str(program), *[f"--{name}={value:.15g}" for name, value in options.items()]]
    command += [f"--source={source}"] if source else []
    command += ["127.0.0.1", str(port), str(packets)]
    words = on_cores(cores, command) if cores else command
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(process: subprocess.Popen[str]) -> Sent:
    """Have the sender send no more, and read what it tells."""
    process.terminate()
    return finish(process)


def finish(process: subprocess.Popen[str]) -> Sent:
    """Wait for the sender's end, and read what it tells."""
    told, errors = process.communicate()
    if process.returncode:
        raise SystemExit(errors.strip())
    return parse(json.loads(told))


def parse(told: dict[str, Any]) -> Sent:
    """The sender's own words as figures."""
    latency = told["latency_us"]
    return Sent(
        sent=told["sent"],
        answered=told["answered"],
        lost=told["lost"],
        seconds=told["seconds"],
        cpu_seconds=told["cpu_seconds"],
        late=told["late_sends"],
        p50=latency["p50"] / 1000,
        p99=latency["p99"] / 1000,
        p999=latency["p99.9"] / 1000,
        longest=latency["max"] / 1000,
        own_drops=told["own_drops"],
        rcodes={int(rcode): count for rcode, count in told["rcodes"].items()},
        truncated=told["truncated"],
        sent_octets=told["sent_octets"],
        octets=told["octets"],
        slowest_rate=told["slowest_rate"],
    )
