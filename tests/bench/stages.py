"""What each stage of an answer costs: parse, match, targets, find, pick, encode, and the whole answer, on both builds.

    python -m tests.bench.stages [--quick] [--json FILE]

Measured by pyperf in processes of their own, one core; nanoseconds per packet.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench import contenders, report, scene
from tests.bench.processes import on_cores
from tests.bench.stagebench import STAGES
from tests.serving import ROOT

# stage -> seconds per packet, one for each of pyperf's values
Values = dict[str, list[float]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parsed = scene.parser("tests.bench.stages", "Measure each stage of an answer.").parse_args(arguments)
    where = report.machine()
    with scene.opened(parsed) as here:
        builds = {contenders.PURE: True} | ({contenders.COMPILED: False} if contenders.is_compiled() else {})
        found = {name: measure(here, pure) for name, pure in builds.items()}
        print("\n".join([to_text(where, found), *here.aftermath()]))
    scene.write_json(parsed.json, {"machine": asdict(where), "builds": found})


def measure(here: scene.Scene, pure: bool) -> dict[str, list[float]]:
    """One build."""
    scene.progress(f"stages, {contenders.PURE if pure else contenders.COMPILED}")
    output = here.fresh("stages") / "values.json"
    words = [sys.executable, "-m", "tests.bench.stagebench", "--quiet", "-o", str(output)]
    words += ["--inherit-environ=GREENDNS_PURE", "--processes=1" if here.quick else "--processes=3"]
    words += ["--values=3" if here.quick else "--values=10", "--warmups=1", "--min-time=0.05"]
    words += ["--zones", str(here.pool.zones), "--geoip", str(here.geoip), "--packets", str(here.pool.packets)]
    environment = {**os.environ, **({"GREENDNS_PURE": "1"} if pure else {})}
    subprocess.run(
        on_cores([here.cores.server], words), cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
    )
    return read_values(output)


def read_values(path: Path) -> Values:
    """pyperf's own file: the values of all runs of each benchmark."""
    told: dict[str, Any] = json.loads(path.read_text())
    shared = told["metadata"].get("name")
    return {
        each.get("metadata", {}).get("name", shared): [value for run in each["runs"] for value in run.get("values", [])]
        for each in told["benchmarks"]
    }


def to_text(where: report.Machine, found: dict[str, Values]) -> str:
    """A row for each stage."""
    rows = []
    for stage in STAGES:
        spreads = [report.spread([value * 1e9 for value in values[stage]]) for values in found.values()]
        rows.append([stage, *[spread.text() for spread in spreads], *_factor([spread.median for spread in spreads])])
    for_both = ["as Python / compiled"] if len(found) > 1 else []
    head = ["ns per packet", *found, *for_both]
    return "\n".join([report.machine_text(where), "", *report.columns(head, rows)])


def _factor(medians: Sequence[float]) -> list[str]:
    return [f"{medians[0] / medians[1]:.1f}"] if len(medians) > 1 else []


if __name__ == "__main__":
    sys.exit(scene.run(main))
