"""The table: GreenDNS, gdnsd, NSD and geodns in turns on one core, with the pool's zone and queries.

    python -m tests.bench [--quick] [--rounds 5] [--geodns PROGRAM] [--geoip DIR] [--json FILE] [--svg FILE]

About five minutes; --quick less than one. Nothing is asserted: the figures are this machine's.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.bench import plot, report, scene
from tests.bench.processes import find_program
from tests.bench.rounds import QUICK, Plan, Rounds, measure


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write what was asked for."""
    parser = scene.parser("tests.bench", "Compare servers on the pool's zone.")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write a plot there")
    parsed = parser.parse_args(arguments)
    plan = QUICK if parsed.quick else Plan()
    plan = replace(plan, rounds=parsed.rounds or plan.rounds)
    find_program("dnsperf", "dnsperf")
    where = report.machine()
    with scene.opened(parsed) as here:
        found, notes = here.gather()
        rounds = measure(found, here.pool.packets, plan, here.cores, scene.progress)
        notes += here.aftermath()
    versions = {contender.name: contender.version for contender in found}
    print(report.to_text(where, versions, rounds, notes, plan.rate))
    scene.write_json(parsed.json, report.to_json(where, versions, rounds, notes))
    if parsed.svg:
        parsed.svg.write_text(picture(rounds, where, plan.rate))


def picture(rounds: Rounds, where: report.Machine, rate: int) -> str:
    """Queries per second, and processor time per query, as bars."""
    groups = [
        _group("queries/s at saturation, one core (longer is better)", rounds, "queries_per_second", 0),
        _group(f"CPU µs per query at {rate:,} queries/s (shorter is better)", rounds, "fixed_cpu", 1),
    ]
    count = len(next(iter(rounds.values())))
    there = f"{where.date}, {where.processor}, {where.cores} cores, load before {where.load}"
    caption = f"median, lowest and highest of {count} rounds in turns; {there}"
    return plot.draw("GreenDNS and other servers on one core", groups, caption)


def _group(title: str, rounds: Rounds, key: str, digits: int) -> plot.Group:
    bars = []
    for name, turns in rounds.items():
        each = report.figure(turns, key)
        text = f"{each.median:,.{digits}f}"
        bars.append(plot.Bar(name, each.median, each.low, each.high, text, is_own=name.startswith("GreenDNS")))
    return plot.Group(title, bars)


if __name__ == "__main__":
    sys.exit(scene.run(main))
