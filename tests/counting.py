"""Counters in memory of a test's own."""

from __future__ import annotations

from collections.abc import Callable

from greendns.counters import ROW_OCTETS, Counters, Totals


def new_row() -> memoryview:
    """A row that nobody has written to."""
    return memoryview(bytearray(ROW_OCTETS))


def totals_of(*rows: memoryview) -> Totals:
    """What rows say, summed."""
    totals = Totals()
    for row in rows:
        totals.add(row)
    return totals


def new_counters() -> tuple[Counters, Callable[[], Totals]]:
    """Counters, and a function that reads them as they are then."""
    row = new_row()
    return Counters(row), lambda: totals_of(row)
