"""What many rounds come to: medians, how far they spread, and ratios round by round -> text and JSON."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.contenders import GDNSD, GEODNS, NSD
from tests.bench.rounds import Figures, Rounds

BASES = (GDNSD, NSD, GEODNS)
# Somebody else computes here: what a server has of its core is then a matter of luck.
BUSY_LOAD = 1.0


@dataclass(frozen=True)
class Spread:
    """What a figure came to in all rounds: the middle, the least and the most."""

    median: float
    low: float
    high: float

    def text(self, digits: int = 0) -> str:
        """For people: `1,234 (1,200-1,300)`."""
        return f"{self.median:,.{digits}f} ({self.low:,.{digits}f}-{self.high:,.{digits}f})"


def spread(values: Iterable[float]) -> Spread:
    """Of at least one value."""
    values = list(values)
    return Spread(median(values), min(values), max(values))


def figure(rounds: Sequence[Figures], key: str) -> Spread:
    """One figure of a server, over its rounds."""
    return spread(getattr(each, key) for each in rounds)


def ratio(rounds: Sequence[Figures], base: Sequence[Figures], key: str) -> Spread:
    """One figure of a server by that of another, round by round: both met the machine in the same mood."""
    return spread(getattr(mine, key) / getattr(its, key) for mine, its in zip(rounds, base, strict=True))


@dataclass(frozen=True)
class Machine:
    """Where and when; `load` is the average of the minute before."""

    date: str
    processor: str
    cores: int
    kernel: str
    python: str
    load: float


def machine() -> Machine:
    """This one, now."""
    model = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return Machine(
        date=datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        processor=model[1] if model else platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        kernel=platform.release(),
        python=platform.python_version(),
        load=round(os.getloadavg()[0], 2),
    )


def machine_text(where: Machine) -> str:
    """One line."""
    return (
        f"{where.date}, {where.processor}, {where.cores} cores, Linux {where.kernel}, Python {where.python}, "
        f"load before {where.load}{' (busy: figures mean little)' if where.load > BUSY_LOAD else ''}"
    )


def to_json(where: Machine, versions: Mapping[str, str], rounds: Rounds, notes: Sequence[str]) -> dict[str, Any]:
    """Everything: each round, and what they come to."""
    return {
        "machine": asdict(where),
        "notes": list(notes),
        "servers": {
            name: {
                "version": versions[name],
                "medians": {key: asdict(figure(turns, key)) for key in asdict(turns[0])},
                "ratios": {
                    base: {
                        key: asdict(ratio(turns, rounds[base], key))
                        for key in ("queries_per_second", "saturated_cpu", "fixed_cpu")
                    }
                    for base in BASES
                    if base in rounds and base != name
                },
                "rounds": [asdict(turn) for turn in turns],
            }
            for name, turns in rounds.items()
        },
    }


def to_text(where: Machine, versions: Mapping[str, str], rounds: Rounds, notes: Sequence[str], rate: int) -> str:
    """Two tables, and what there is to say about them."""
    count = len(next(iter(rounds.values())))
    lines = [machine_text(where), f"median (lowest-highest) of {count} rounds; one core for each server", ""]
    lines += columns(
        ["server", "queries/s", "core used", "CPU µs/query", f"CPU µs/query at {rate:,}/s", "lost", "memory MB"],
        [_row(f"{name} {versions[name]}", turns) for name, turns in rounds.items()],
    )
    ratios = [_ratio_row(name, base, rounds) for base in BASES for name in rounds if base in rounds and name != base]
    if ratios:
        lines += ["", "ratios, round by round"]
        lines += columns(["", "queries/s", "CPU", f"CPU at {rate:,}/s"], ratios)
    return "\n".join([*lines, "", *_remarks(rounds, rate), *notes])


def _row(name: str, turns: Sequence[Figures]) -> list[str]:
    sent, lost = sum(turn.sent for turn in turns), sum(turn.lost for turn in turns)
    return [
        name,
        figure(turns, "queries_per_second").text(),
        f"{figure(turns, 'core_share').median:.2f}",
        f"{figure(turns, 'saturated_cpu').median:.1f}",
        figure(turns, "fixed_cpu").text(1),
        f"{lost / max(sent, 1):.3%}",
        f"{figure(turns, 'memory').high:.1f}",
    ]


def _ratio_row(name: str, base: str, rounds: Rounds) -> list[str]:
    keys = ("queries_per_second", "saturated_cpu", "fixed_cpu")
    return [f"{name} / {base}", *[ratio(rounds[name], rounds[base], key).text(2) for key in keys]]


def _remarks(rounds: Rounds, rate: int) -> list[str]:
    """Where a figure does not say what its column claims."""
    remarks = []
    for name, turns in rounds.items():
        share, held = figure(turns, "core_share").median, figure(turns, "fixed_rate").median
        if share < 0.9:
            remarks.append(f"{name}: used {share:.2f} of its core: the client, or something else there, was the limit")
        if held < 0.98 * rate:
            remarks.append(f"{name}: answered {held:,.0f}/s of {rate:,}/s")
    return remarks


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table: the first column to the left, the others to the right."""
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    return ["  ".join(_justified(row, widths)) for row in (head, *rows)]


def _justified(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [row[0].ljust(widths[0]), *[cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]]
