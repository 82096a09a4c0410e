"""One server under a fixed schedule of queries, on which acts are played: changes, kills, signals."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import contenders
from tests.bench.poolzone import ORIGIN
from tests.bench.processes import Tree
from tests.bench.scene import Scene
from tests.load import openloop
from tests.load.openloop import Sent
from tests.programs import Program
from tests.serving import wait_until

RATE = 20_000
WORKERS = 2
# What is told of a change comes late where the machine is busy; no act waits for longer.
PATIENCE_SECONDS = 60.0
_WARM_UP = {"rate": RATE / 4, "seconds": 1}
# More than any act takes: the sender is told to end.
_FOR_EVER = 3600


@dataclass(frozen=True)
class Stage:
    """A running server, and the files that it reads: all of them copies that an act may change."""

    here: Scene
    directory: Path
    port: int
    tree: Tree

    @property
    def zones(self) -> Path:
        return self.directory / "zones"

    @property
    def geoip(self) -> Path:
        return self.directory / "geoip"

    @property
    def pool_file(self) -> Path:
        return self.zones / f"{ORIGIN}.json"

    @property
    def package(self) -> Path:
        """The first file of the program that is read."""
        return self.directory / "program" / "greendns" / "__init__.py"

    @property
    def settings(self) -> Path:
        return self.directory / "greendns.toml"

    def log_text(self) -> str:
        """All that the server has said so far."""
        return (self.directory / "log").read_text()

    def signal(self, number: signal.Signals) -> None:
        """Send one to the process that a service manager knows."""
        os.kill(self.tree.root, number)

    def wait_logged(self, pattern: str, times: int = 1) -> None:
        """Wait until the log has this so often."""
        found = re.compile(pattern)
        self.wait(lambda: len(found.findall(self.log_text())) >= times, f"{pattern}, {times} times, in the log")

    def wait(self, claim: Callable[[], object], what: str) -> None:
        """Wait until something is so."""
        wait_until(claim, what, PATIENCE_SECONDS)

    def replace(self, path: Path, octets: bytes) -> None:
        """Put a file in another one's place, as whoever loses nothing does: by a rename."""
        beside = path.with_name(f".{path.name}.new")
        beside.write_bytes(octets)
        beside.rename(path)


@contextmanager
def opened(here: Scene, workers: int = WORKERS, zones: Path | None = None, name: str = ORIGIN) -> Iterator[Stage]:
    """A server of the pool's zone, or of others, on both cores, of which the sender takes most of one.

    name  what is asked for first
    """
    directory = here.fresh("stage")
    shutil.copytree(zones or here.pool.zones, directory / "zones")
    shutil.copytree(here.geoip, directory / "geoip", ignore=shutil.ignore_patterns("__pycache__"))
    (directory / "greendns.toml").touch()
    cores = [here.cores.server, here.cores.client]
    start = contenders.greendns(
        directory / "zones",
        directory / "geoip",
        cores,
        directory / "log",
        workers=workers,
        question=(name, "A"),
        program=Program(directory / "program").command,
    )
    with start as server:
        yield Stage(here, directory, server.port, server.tree)


@contextmanager
def load(stage: Stage, rate: int = RATE) -> Iterator[list[Sent]]:
    """Queries of the pool's mix, on schedule, as long as the block takes; what became of them is in the list then."""
    here, sent = stage.here, list[Sent]()
    openloop.send(here.sender, stage.port, here.pool.packets, [here.cores.client], **_WARM_UP)
    process = _start(stage, rate)
    try:
        time.sleep(0.5)
        yield sent
        time.sleep(0.5)
        sent.append(openloop.end(process))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _start(stage: Stage, rate: int) -> subprocess.Popen[str]:
    here = stage.here
    return openloop.start(here.sender, stage.port, here.pool.packets, [here.cores.client], rate=rate, seconds=_FOR_EVER)
