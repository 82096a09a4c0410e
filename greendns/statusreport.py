"""What a server tells of itself over its control socket: one report, for programs as it is. No gevent.

Times are seconds that have passed, by the monotonic clock; those of zones since 1970 too, by the one on the wall.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from . import __version__, build_text
from .countertable import CounterTable
from .loaded import Generation

Report = dict[str, Any]

# Rates are over so many seconds.
RATE_SECONDS = 10


class Rate:
    """How fast a count grows, over the last RATE_SECONDS if `sample` is called each second."""

    def __init__(self, count: Callable[[], int]) -> None:
        self._count = count
        self._samples: deque[tuple[float, int]] = deque(maxlen=RATE_SECONDS)
        self.sample()

    def sample(self) -> None:
        """Note the count as it is now."""
        self._samples.append((time.monotonic(), self._count()))

    @property
    def seconds(self) -> float:
        """How far the samples go back."""
        return time.monotonic() - self._samples[0][0]

    def per_second(self) -> float:
        """The growth since the first sample that is kept, which must not be now."""
        since, before = self._samples[0]
        return (self._count() - before) / (time.monotonic() - since)


def make_report(table: CounterTable, bank: int, pid: int, generation: Generation, rate: Rate) -> Report:
    """All there is to tell.

    bank  of the generation that tells
    pid   of the process to signal
    """
    configured = generation.config.server.worker_count
    return {
        "status": generation.health(),
        "version": __version__,
        "build": build_text(),
        "pid": pid,
        "uptime_seconds": round(table.uptime(), 3),
        "workers": {"configured": configured, "reading": table.readers(bank), "restarts": table.restarts()},
        "generations": _generations(table),
        "queries": table.packets(),
        "queries_per_second": round(rate.per_second(), 1),
        "reloads": {"ok": table.reloads("ok"), "error": table.reloads("error"), "asked": table.asked()},
        "upgrades": {"ok": table.upgrades("ok"), "error": table.upgrades("error")},
        "zones": _zones(generation),
        "last_good": [loaded.told for loaded in generation.last_good()],
        **_errors(generation),
    }


def reload_report(table: CounterTable, bank: int, generation: Generation) -> Report:
    """Up to which request reloads are in force, and what is wrong with what is."""
    return {"in_force": table.in_force(bank), "zones": len(generation.serving()), **_errors(generation)}


def _errors(generation: Generation) -> Report:
    return {"errors": [str(problem) for problem in generation.errors()]}


def _generations(table: CounterTable) -> list[Report]:
    """Every generation that there is, as they came."""
    told: list[Report] = [
        {
            "keeper": table.owner(bank),
            "state": table.state(bank),
            "seconds": round(table.state_seconds(bank), 3),
            "version": table.program(bank),
            "workers": table.readers(bank),
        }
        for bank in table.banks_in_use()
    ]
    return sorted(told, key=lambda each: -each["seconds"])


def _zones(generation: Generation) -> list[Report]:
    """The zones in service, by name."""
    now = time.time()
    told: list[Report] = [
        {
            "zone": loaded.zone.text,
            "file": loaded.file,
            "serial": loaded.zone.serial,
            "loaded": loaded.loaded,
            "age_seconds": round(now - loaded.loaded, 3),
            "errors": len(loaded.errors),
        }
        for loaded in generation.serving()
        if loaded.zone is not None
    ]
    return sorted(told, key=lambda each: str(each["zone"]))
