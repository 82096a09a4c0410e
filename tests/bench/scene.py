"""What every benchmark starts from: arguments, a temporary directory, the pool's zone and queries, databases, cores."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.bench import contenders
from tests.bench.geolite import find_geolite
from tests.bench.poolzone import Pool, write_pool
from tests.bench.processes import Cores, Missing, Others, choose_cores
from tests.load import openloop

_ONE_CORE = "one core only: server and client take each other's time, and no figure is of the server alone"


# More of a core than this used by others, and a figure is a matter of luck.
_OTHERS_CORES = 0.1


@dataclass(frozen=True)
class Scene:
    """`quick` and `rounds` are as asked for; `rounds` is 0 where nobody asked."""

    directory: Path
    geoip: Path
    cores: Cores
    quick: bool
    rounds: int
    seed: int
    geodns: Path | None
    others: Others

    @cached_property
    def pool(self) -> Pool:
        """The pool's zone and queries."""
        return write_pool(self.directory / "pool", seed=self.seed)

    @cached_property
    def sender(self) -> Path:
        """The open-loop sender. Raises Missing."""
        return openloop.build(self.directory)

    def gather(self) -> tuple[list[contenders.Contender], list[str]]:
        """The servers that can be compared, and what is to be said about it."""
        found, notes = contenders.gather(self.pool, self.geoip, self.cores.server, self.directory, self.geodns)
        return found, [*notes, *self.notes()]

    def fresh(self, name: str) -> Path:
        """A directory that nobody has used."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.directory))

    def notes(self) -> list[str]:
        """What is to be said about the machine."""
        return [_ONE_CORE] if self.cores.is_shared else []

    def aftermath(self) -> list[str]:
        """What is to be said once every server has ended: whether the machine was ours."""
        cores = self.others.cores()
        return [f"other programs used {cores:.2f} cores meanwhile: measure again"] if cores > _OTHERS_CORES else []


def parser(module: str, description: str) -> argparse.ArgumentParser:
    """The arguments that all benchmarks take."""
    made = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    made.add_argument("--quick", action="store_true", help="one short round: does everything work?")
    made.add_argument("--rounds", type=int, default=0, help="how often each takes its turn")
    made.add_argument("--seed", type=int, default=1, help="of the zone and the queries; default: %(default)s")
    made.add_argument("--geoip", type=Path, metavar="DIR", help="default: the package maxminddb-geolite2")
    made.add_argument("--geodns", type=Path, metavar="PROGRAM", help="a geodns to run in the same turns")
    made.add_argument("--json", type=Path, metavar="FILE", help="write every round there")
    return made


@contextmanager
def opened(parsed: argparse.Namespace) -> Iterator[Scene]:
    """A scene in a directory that goes when the block ends."""
    cores, usable = choose_cores(), os.sched_getaffinity(0)
    geoip, geodns = (parsed.geoip or find_geolite()).resolve(), parsed.geodns and parsed.geodns.resolve()
    # What is done here must not take the server's time.
    os.sched_setaffinity(0, {cores.client})
    try:
        with tempfile.TemporaryDirectory(prefix="greendns-bench-") as name:
            yield Scene(Path(name), geoip, cores, parsed.quick, parsed.rounds, parsed.seed, geodns, Others())
    finally:
        os.sched_setaffinity(0, usable)


def run(measure: Callable[[Sequence[str] | None], None]) -> int:
    """Run a benchmark's main; a program that is missing is asked for."""
    try:
        measure(None)
    except Missing as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def progress(line: str) -> None:
    """Tell whoever waits."""
    print(line, file=sys.stderr, flush=True)


def write_json(path: Path | None, told: dict[str, Any]) -> None:
    """Where a file was asked for."""
    if path is not None:
        path.write_text(json.dumps(told, indent=2) + "\n")
