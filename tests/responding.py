"""A responder of this process over a small zone, to put behind a socket or to ask by itself."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from greendns.counters import Totals
from greendns.loader import load_files
from greendns.responder import Responder
from greendns.snapshot import ServerOptions, Snapshot
from greendns.zonedb import ZoneDB
from tests.counting import new_counters
from tests.packets import ZONE, header
from tests.serving import write_zones

CHAOS_QUESTION = b"\x07version\x04bind\x00\x00\x10\x00\x03"
# Weighted, and of more than max_hosts: answering it draws.
DRAWN_QUESTION = b"\x04many\x07example\x03com\x00\x00\x01\x00\x01"


@dataclass(frozen=True)
class Responding:
    """A responder, what it has counted by now, and the faults it told of."""

    responder: Responder
    totals: Callable[[], Totals]
    faults: list[Exception]

    def outcomes(self, transport: str) -> dict[str, int]:
        """What became of the packets of a transport, by kind."""
        return {kind: count for (over, kind), count in (+self.totals().outcomes).items() if over == transport}


def load_snapshot(directory: Path) -> Snapshot:
    """The zone that tests of packets are about."""
    write_zones(directory, {"example.com": ZONE})
    (loaded,) = load_files([directory / "example.com.json"])
    assert loaded.zone is not None
    return Snapshot(ZoneDB([loaded.zone]), options=ServerOptions(identifier="testid", version="1"))


def respond_with(snapshot: Snapshot, draw: Callable[[int], int] | None = None) -> Responding:
    """A responder that has counted nothing yet."""
    counters, totals = new_counters()
    faults: list[Exception] = []
    return Responding(Responder(snapshot, counters, draw or random.Random(1).randrange, faults.append), totals, faults)


def numbered(number: int, question: bytes) -> bytes:
    """A query that is told from others by its ID."""
    return number.to_bytes(2, "big") + header()[2:] + question
