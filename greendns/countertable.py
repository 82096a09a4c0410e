"""The memory that all processes of a server share: rows of counters, and who is reading from the sockets. No gevent.

It is made before any fork and lives as long as the server. A *bank* is what one generation writes to: a page of cells
of its keeper, and a row for each of its workers. The old and the new worker of a slot overlap during a hand-over, so
their generations have different banks; a bank is given to another generation only when all processes of the one before
are gone. So each cell has one writer, nothing is ever folded, and no sum ever falls.
"""

from __future__ import annotations

import mmap
import sys
from typing import Literal

from .counters import ROW_OCTETS, Counters, Totals, beats, forget_connections

# One generation in service, one that is coming, and those that still finish what they have: up to four seconds each,
# and at most one begins in a second. A generation that finds no bank waits for one.
BANKS = 6

_PAGE_OCTETS = 4096
_CELL_OCTETS = 8
# Swap is not set aside for what is hardly ever used: two rows in six, and of those the first pages.
_MAP_NORESERVE = 0x4000 if sys.platform == "linux" else 0

# The layout of the head: what stands there, then the owner of each bank.
_LAYOUT = int.from_bytes(b"GreenDN1", "big")
_HEAD_CELLS = (_LAYOUT, BANKS, ROW_OCTETS)
_FIRST_OWNER = 8
# The layout of a keeper's page: reloads, restarts, whether its rows were ever used, the beats of the side process, who
# reads: the side process and each worker.
_RELOADS = {"ok": 0, "error": 1}
_RESTARTS = 2
_IS_USED = 3
_SIDE_BEATS = 4
_FIRST_READER = 8
SIDE = -1  # the slot of the side process

Result = Literal["ok", "error"]


def shared_cells(count: int) -> memoryview:
    """So many cells of 64 bits, zero, that all processes forked from this one share; memory is used as they are."""
    return _share(count * _CELL_OCTETS).cast("Q")


def _share(octets: int) -> memoryview:
    flags = mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | _MAP_NORESERVE
    return memoryview(mmap.mmap(-1, octets, flags=flags))


class CounterTable:
    """Rows for `slots` workers in each of the banks.

    All but the owners of banks is written by the processes of the bank's generation alone; those by the arbiter.
    """

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._bank_octets = _PAGE_OCTETS + slots * ROW_OCTETS
        self._memory = _share(_PAGE_OCTETS + BANKS * self._bank_octets)
        self._head = self._memory[:_PAGE_OCTETS].cast("Q")
        for cell, value in enumerate((*_HEAD_CELLS, slots)):
            self._head[cell] = value
        self._pages = [self._page(bank) for bank in range(BANKS)]

    # -- rows

    def counters(self, bank: int, slot: int) -> Counters:
        """The row of a worker, to go on writing."""
        return Counters(self._row(bank, slot))

    def totals(self) -> Totals:
        """The sums over all rows that were ever given out."""
        totals = Totals()
        for bank in range(BANKS):
            if self._pages[bank][_IS_USED]:
                for slot in range(self.slots):
                    totals.add(self._row(bank, slot))
        return totals

    # -- what keepers count

    def count_reload(self, bank: int, result: Result) -> None:
        """Count a load of changed files."""
        self._pages[bank][_RELOADS[result]] += 1

    def count_restart(self, bank: int) -> None:
        """Count a worker that died and was replaced."""
        self._pages[bank][_RESTARTS] += 1

    def reloads(self, result: Result) -> int:
        """How many loads of changed files ended so."""
        return sum(page[_RELOADS[result]] for page in self._pages)

    def restarts(self) -> int:
        """How many workers died and were replaced."""
        return sum(page[_RESTARTS] for page in self._pages)

    # -- who reads

    def start_reading(self, bank: int, slot: int, pid: int) -> None:
        """From here on this process reads what comes to the slot."""
        self._pages[bank][_FIRST_READER + 1 + slot] = pid
        self._pages[bank][_IS_USED] = 1

    def stop_reading(self, bank: int, slot: int) -> None:
        """From here on it does not, whatever it still has to finish."""
        self._pages[bank][_FIRST_READER + 1 + slot] = 0

    def reader(self, bank: int, slot: int) -> int:
        """The process that reads for a slot; 0 if none does."""
        return self._pages[bank][_FIRST_READER + 1 + slot]

    def readers(self, bank: int) -> int:
        """How many workers of a bank read."""
        return sum(self.reader(bank, slot) != 0 for slot in range(self.slots))

    # -- who stirs

    def beat_side(self, bank: int) -> None:
        """The side process is not stuck: what a worker tells in its row."""
        self._pages[bank][_SIDE_BEATS] += 1

    def beats(self, bank: int, slot: int) -> int:
        """How often the process of a slot has shown that it is not stuck."""
        return self._pages[bank][_SIDE_BEATS] if slot == SIDE else beats(self._row(bank, slot))

    # -- whose a bank is

    def own(self, bank: int, pid: int) -> None:
        """Give a bank to the generation of a keeper."""
        self._head[_FIRST_OWNER + bank] = pid

    def free(self, bank: int) -> None:
        """Take a bank back: all processes of its generation are gone."""
        self._head[_FIRST_OWNER + bank] = 0
        for slot in range(SIDE, self.slots):
            self.stop_reading(bank, slot)
        for slot in range(self.slots):
            forget_connections(self._row(bank, slot))

    def bank_of(self, pid: int) -> int | None:
        """The bank of a keeper; None if it has none yet. With 0 the first that is free."""
        return next((bank for bank in range(BANKS) if self._head[_FIRST_OWNER + bank] == pid), None)

    def _page(self, bank: int) -> memoryview:
        start = _PAGE_OCTETS + bank * self._bank_octets
        return self._memory[start : start + _PAGE_OCTETS].cast("Q")

    def _row(self, bank: int, slot: int) -> memoryview:
        start = _PAGE_OCTETS + bank * self._bank_octets + _PAGE_OCTETS + slot * ROW_OCTETS
        return self._memory[start : start + ROW_OCTETS]
