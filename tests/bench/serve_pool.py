"""Serves the pool-shaped zone on one core and lets dnsperf ask from another: start-up time, memory, queries/s.

    python -m tests.bench.serve_pool [--rounds 3] [--seconds 5] [--geoip DIR] [--json]

The server is a process of its own, pinned with taskset. Nothing is asserted: the figures are this machine's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import greendns
from tests.bench.poolzone import ORIGIN, SERVERS, Pool, make_packets, write_pool
from tests.databases import WORLD, write_city
from tests.serving import PROGRAM

SERVER_CORE = 0
CLIENT_CORE = 1
WARM_UP_SECONDS = 2
START_SECONDS = 120.0
# How long one early question waits for its answer before it is asked again.
_ASK_SECONDS = 0.05
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
# What dnsperf is told to read: text makes packets without EDNS, the other file has EDNS and client subnets.
WORKLOADS = ("text", "packets")


class Missing(Exception):
    """A program that the benchmark needs is not installed."""


@dataclass(frozen=True)
class Round:
    """One run of dnsperf against the server.

    cpu_microseconds  of the server, per query answered
    core_share        of its core that the server had: well below 1, something else ran there
    """

    queries_per_second: float
    sent: int
    lost: int
    latency_milliseconds: float
    cpu_microseconds: float
    core_share: float


@dataclass(frozen=True)
class Figures:
    """What was measured; memory in megabytes of 10^6 octets, `load` the machine's before it began."""

    version: str
    python: str
    servers: int
    city_database: str
    load: float
    start_seconds: float
    resident_at_start: float
    resident_after: float
    resident_peak: float
    rounds: dict[str, list[Round]]


# -- the server


@dataclass(frozen=True)
class Running:
    """A server under measurement."""

    process: subprocess.Popen[str]
    port: int
    start_seconds: float

    def cpu_seconds(self) -> float:
        """What it has used so far, in its own code and in the kernel for it (proc(5), fields 14 and 15)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_A_SECOND

    def memory(self, key: str) -> float:
        """VmRSS or VmHWM, in megabytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        match = re.search(rf"^{key}:\s+(\d+) kB", status, re.MULTILINE)
        return int(match[1]) * 1024 / 1e6 if match else 0.0


@contextmanager
def running(pool: Pool, geoip: Path, log: Path) -> Iterator[Running]:
    """The server over the zone, until the block ends; entered after its first answer."""
    command = ["taskset", "-c", str(SERVER_CORE), *PROGRAM, "serve", "--config", str(log.parent)]
    command += ["--zones", str(pool.zones), "--geoip", str(geoip), "--listen", "127.0.0.1:0", "--http", "off"]
    command += ["--workers", "0"]
    started = time.monotonic()
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        port = _wait_port(process, log)
        _wait_answer(port, started)
        yield Running(process, port, time.monotonic() - started)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_port(process: subprocess.Popen[str], log: Path) -> int:
    """The port that the server tells."""
    assert process.stdout is not None
    for line in process.stdout:
        match = re.match(r"listening on .*:(\d+)$", line)
        if match:
            return int(match[1])
    raise SystemExit(f"the server ended before it listened:\n{log.read_text()}")


def _wait_answer(port: int, started: float) -> None:
    """Ask until the zone is answered."""
    (packet,) = make_packets([(ORIGIN, "A")], random.Random(1))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(_ASK_SECONDS)
        asking.connect(("127.0.0.1", port))
        while time.monotonic() < started + START_SECONDS:
            asking.send(packet)
            try:
                answer = asking.recv(4096)
            except (TimeoutError, ConnectionRefusedError):
                continue
            if answer[6:8] != b"\x00\x00":
                return
    raise SystemExit(f"no answer within {START_SECONDS} s")


# -- dnsperf


def find_program(name: str, package: str) -> str:
    """The path of a program; raises Missing with how to install it."""
    path = shutil.which(name)
    if path is None:
        raise Missing(f"{name} is not installed: apt-get install {package} (Debian, Ubuntu)")
    return path


def ask(port: int, pool: Pool, workload: str, seconds: int) -> dict[str, float]:
    """Run dnsperf; its statistics by name."""
    source = ["-B", "-d", str(pool.packets)] if workload == "packets" else ["-d", str(pool.text)]
    command = ["taskset", "-c", str(CLIENT_CORE), find_program("dnsperf", "dnsperf"), "-s", "127.0.0.1"]
    command += ["-p", str(port), "-l", str(seconds), "-t", "2", *source]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^\s*(Queries [\w ]+|Run time \(s\)|Average Latency \(s\)):\s+([\d.]+)", told, re.MULTILINE)
    return {name: float(number) for name, number in found}


def measure_round(server: Running, pool: Pool, workload: str, seconds: int) -> Round:
    """One round, and the processor time that the server spent on it."""
    before = server.cpu_seconds()
    told = ask(server.port, pool, workload, seconds)
    spent = server.cpu_seconds() - before
    return Round(
        queries_per_second=round(told["Queries per second"]),
        sent=int(told["Queries sent"]),
        lost=int(told["Queries lost"]),
        latency_milliseconds=round(told["Average Latency (s)"] * 1000, 2),
        cpu_microseconds=round(spent / max(told["Queries completed"], 1) * 1e6, 1),
        core_share=round(spent / told["Run time (s)"], 2),
    )


def measure(pool: Pool, geoip: Path, rounds: int, seconds: int, servers: int, log: Path) -> Figures:
    """Start the server once, warm it up, and ask in turns: each workload once in every round."""
    load = os.getloadavg()[0]
    with running(pool, geoip, log) as server:
        at_start = server.memory("VmRSS")
        for workload in WORKLOADS:
            ask(server.port, pool, workload, WARM_UP_SECONDS)
        turns = [
            {workload: measure_round(server, pool, workload, seconds) for workload in WORKLOADS} for _ in range(rounds)
        ]
        return Figures(
            version=greendns.__version__,
            python=platform.python_version(),
            servers=servers,
            city_database=_database_text(geoip),
            load=round(load, 2),
            start_seconds=round(server.start_seconds, 2),
            resident_at_start=round(at_start, 1),
            resident_after=round(server.memory("VmRSS"), 1),
            resident_peak=round(server.memory("VmHWM"), 1),
            rounds={workload: [turn[workload] for turn in turns] for workload in WORKLOADS},
        )


def _database_text(geoip: Path) -> str:
    sizes = [f"{path.name} {path.stat().st_size / 1e6:.1f} MB" for path in sorted(geoip.glob("*.mmdb"))]
    return ", ".join(sizes) or "none"


# -- telling


def tell(figures: Figures) -> str:
    """A table for people."""
    lines = [
        f"GreenDNS {figures.version}, Python {figures.python}, {figures.servers} servers, {figures.city_database}",
        f"load before            {figures.load:8.2f}",
        f"start to first answer  {figures.start_seconds:8.2f} s",
        f"resident after start   {figures.resident_at_start:8.1f} MB",
        f"resident after rounds  {figures.resident_after:8.1f} MB",
        f"resident at the peak   {figures.resident_peak:8.1f} MB",
        "",
        "workload  median q/s  CPU µs/query  core share  latency ms     sent  lost  all rounds (q/s)",
    ]
    return "\n".join([*lines, *[_row(workload, rounds) for workload, rounds in figures.rounds.items()]])


def _row(workload: str, rounds: Sequence[Round]) -> str:
    speed = median(each.queries_per_second for each in rounds)
    cpu = median(each.cpu_microseconds for each in rounds)
    share = median(each.core_share for each in rounds)
    latency = median(each.latency_milliseconds for each in rounds)
    sent, lost = sum(each.sent for each in rounds), sum(each.lost for each in rounds)
    every = " ".join([f"{each.queries_per_second:.0f}" for each in rounds])
    return f"{workload:8}  {speed:10.0f}  {cpu:12.1f}  {share:10.2f}  {latency:10.2f}  {sent:7}  {lost:4}  {every}"


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the server on a pool-shaped zone.")
    parser.add_argument("--servers", type=int, default=SERVERS, help="in the zone; default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="of the zone; default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--seconds", type=int, default=5, help="of each round; default: %(default)s")
    parser.add_argument("--geoip", type=Path, metavar="DIR", help="databases; default: a small made-up City database")
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print."""
    parsed = _parse(arguments)
    try:
        find_program("taskset", "util-linux")
        find_program("dnsperf", "dnsperf")
    except Missing as error:
        print(error, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        pool = write_pool(directory / "pool", parsed.servers, parsed.seed)
        geoip = parsed.geoip or directory
        if parsed.geoip is None:
            write_city(directory / "GeoLite2-City.mmdb", WORLD)
        figures = measure(pool, geoip, parsed.rounds, parsed.seconds, parsed.servers, directory / "server.log")
    print(json.dumps(asdict(figures), indent=2) if parsed.json else tell(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
