"""The table: GreenDNS, gdnsd, NSD and geodns in turns on one core, with the pool's zone and queries.

    python -m tests.bench [--quick] [--rounds 5] [--geodns PROGRAM] [--geoip DIR] [--json FILE] [--svg FILE]

About five minutes; --quick less than one. Nothing is asserted: the figures are this machine's.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.bench import contenders, plot, report
from tests.bench.geolite import find_geolite
from tests.bench.poolzone import SERVERS, write_pool
from tests.bench.processes import Missing, choose_cores, find_program
from tests.bench.rounds import QUICK, Plan, Rounds, measure

ONE_CORE = "one core only: server and client take each other's time, and no figure is of the server alone"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write what was asked for."""
    parsed = _parse(arguments)
    plan = QUICK if parsed.quick else Plan()
    plan = replace(plan, rounds=parsed.rounds or plan.rounds)
    try:
        find_program("taskset", "util-linux")
        find_program("dnsperf", "dnsperf")
    except Missing as error:
        print(error, file=sys.stderr)
        return 2
    cores = choose_cores()
    where = report.machine()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        pool = write_pool(directory / "pool", SERVERS, parsed.seed)
        geoip = parsed.geoip or find_geolite()
        found, notes = contenders.gather(pool, geoip, cores.server, directory, parsed.geodns)
        notes += [ONE_CORE] if cores.is_shared else []
        rounds = measure(found, pool.packets, plan, cores, lambda line: print(line, file=sys.stderr, flush=True))
    versions = {contender.name: contender.version for contender in found}
    print(report.to_text(where, versions, rounds, notes, plan.rate))
    if parsed.json:
        parsed.json.write_text(json.dumps(report.to_json(where, versions, rounds, notes), indent=2) + "\n")
    if parsed.svg:
        parsed.svg.write_text(picture(rounds, where, plan.rate))
    return 0


def picture(rounds: Rounds, where: report.Machine, rate: int) -> str:
    """Queries per second, and processor time per query, as bars."""
    groups = [
        _group("queries/s at saturation, one core (longer is better)", rounds, "queries_per_second", 0),
        _group(f"CPU µs per query at {rate:,} queries/s (shorter is better)", rounds, "fixed_cpu", 1),
    ]
    return plot.draw(f"GreenDNS and others on one core: {report.machine_text(where)}", groups)


def _group(title: str, rounds: Rounds, key: str, digits: int) -> plot.Group:
    bars = []
    for name, turns in rounds.items():
        each = report.figure(turns, key)
        text = f"{each.median:,.{digits}f}"
        bars.append(plot.Bar(name, each.median, each.low, each.high, text, is_own=name.startswith("GreenDNS")))
    return plot.Group(title, bars)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Compare servers on the pool's zone.")
    parser.add_argument("--quick", action="store_true", help="one short round: does everything work?")
    parser.add_argument("--rounds", type=int, help=f"default: {Plan().rounds}")
    parser.add_argument("--seed", type=int, default=1, help="of the zone and the queries; default: %(default)s")
    parser.add_argument("--geodns", type=Path, metavar="PROGRAM", help="a geodns to run in the same turns")
    parser.add_argument("--geoip", type=Path, metavar="DIR", help="default: the package maxminddb-geolite2")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round there")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write a plot there")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
