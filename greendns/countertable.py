"""What all processes of a server share: rows of counters, who is reading from the sockets, accounts. No gevent.

The memory is made before any fork and lives as long as the server, through all programs that it is upgraded to. A
*bank* is what one generation writes to: a page of cells of its keeper, and a row for each of its workers. The old and
the new worker of a slot overlap during a hand-over, so their generations have different banks; a bank is given to
another generation only when all processes of the one before are gone. So each cell has one writer, nothing is ever
folded, and no sum ever falls.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Literal

from .counters import ROW_OCTETS, Counters, Totals, beats, forget_connections, packets
from .sharedmemory import CELL_OCTETS, PAGE_OCTETS, SharedMemory
from .siphash import KEY_OCTETS, Secret

# One generation in service, one that is coming, and those that still finish what they have: up to four seconds each,
# and at most one begins in a second. A generation that finds no bank waits for one.
BANKS = 6

# The layout of the head: what stands there, then the owner of each bank, the upgrades, the reloads asked for. What
# another program would read otherwise, of rows and pages too, has another number.
_LAYOUT = int.from_bytes(b"GreenDN1", "big")
_FIRST_OWNER = 8
_UPGRADES = {"ok": 16, "error": 17}
_ASKED = 18
_STARTED = 19  # milliseconds, by the monotonic clock
_FIRST_STATE, _FIRST_SINCE = 24, 32
# The layout of a keeper's page: reloads, restarts, whether its rows were ever used, the beats of the side process, the
# request up to which it has read and that of them in force, who reads: the side process and each worker.
_RELOADS = {"ok": 0, "error": 1}
_RESTARTS = 2
_IS_USED = 3
_SIDE_BEATS = 4
_READ = 5
_IN_FORCE = 6
_FIRST_READER = 8
# The version of the program, at the end of the page: behind the readers of as many workers as there may be.
_PROGRAM_OCTETS = 64
SIDE = -1  # the slot of the side process

Result = Literal["ok", "error"]
State = Literal["loading", "serving", "leaving"]
_STATES: tuple[State, ...] = ("loading", "serving", "leaving")


_ACCOUNTS_LAYOUT = int.from_bytes(b"GreenRL1", "big")
_FIRST_KEY = 8  # behind the layout


@dataclass(frozen=True)
class Accounts:
    """The rate limiter's accounts: cells that all workers write to.

    secret      by which they are found
    descriptor  of their memory; None where it has none
    """

    cells: memoryview
    secret: Secret
    descriptor: int | None


def make_accounts(count: int, handed: int | None = None) -> Accounts:
    """So many accounts: those behind a descriptor, if they are as many, or new ones."""
    memory = SharedMemory((_ACCOUNTS_LAYOUT, count), count * CELL_OCTETS, handed)
    key = memory.head[_FIRST_KEY : _FIRST_KEY + KEY_OCTETS // CELL_OCTETS].cast("B")
    if not memory.is_adopted:
        key[:] = secrets.token_bytes(KEY_OCTETS)
    return Accounts(memory.body.cast("Q"), Secret(bytes(key)), memory.descriptor)


class CounterTable:
    """Rows for `slots` workers in each of the banks.

    All but the head is written by the processes of the bank's generation alone; that by the arbiter.
    """

    def __init__(self, slots: int, handed: int | None = None) -> None:
        """Go on in the table behind a descriptor, if it is laid out like ours, or begin a new one."""
        self.slots = slots
        self._bank_octets = PAGE_OCTETS + slots * ROW_OCTETS
        memory = SharedMemory((_LAYOUT, BANKS, ROW_OCTETS, slots), BANKS * self._bank_octets, handed)
        self.descriptor, self.is_adopted = memory.descriptor, memory.is_adopted
        self._head, self._banks = memory.head, memory.body
        self._pages = [self._page(bank) for bank in range(BANKS)]
        if not self.is_adopted:
            self._head[_STARTED] = _milliseconds()

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

    def packets(self) -> int:
        """How many packets were read."""
        used = [bank for bank in range(BANKS) if self._pages[bank][_IS_USED]]
        return sum(packets(self._row(bank, slot)) for bank in used for slot in range(self.slots))

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

    # -- what the arbiter counts

    def count_upgrade(self, result: Result) -> None:
        """Count another program that came into service, or did not."""
        self._head[_UPGRADES[result]] += 1

    def upgrades(self, result: Result) -> int:
        """How many upgrades ended so."""
        return self._head[_UPGRADES[result]]

    # -- reloads that are asked for, by number

    def ask_reload(self) -> None:
        """Count another request."""
        self._head[_ASKED] += 1

    def asked(self) -> int:
        """The number of the last request; what is asked for after this was called has a higher one."""
        return self._head[_ASKED]

    def note_read(self, bank: int, request: int) -> None:
        """Note that all was looked at that lay there when a request was made."""
        self._pages[bank][_READ] = request

    def read_up_to(self, bank: int) -> int:
        """The last request that a generation has met."""
        return self._pages[bank][_READ]

    def is_behind(self, bank: int) -> bool:
        """Whether more was asked for than a generation has met."""
        return self.read_up_to(bank) < self.asked()

    def put_in_force(self, bank: int) -> None:
        """Note that a generation answers, and no other."""
        self._pages[bank][_IN_FORCE] = self._pages[bank][_READ]

    def in_force(self, bank: int) -> int:
        """The last request that a generation has met which answers; 0 for another one."""
        return self._pages[bank][_IN_FORCE]

    # -- who reads

    def start_reading(self, bank: int, slot: int, pid: int) -> None:
        """From here on this process reads what comes to the slot."""
        self._pages[bank][_FIRST_READER + 1 + slot] = pid
        self._pages[bank][_IS_USED] = 1

    def stop_reading(self, bank: int, slot: int) -> None:
        """From here on it does not, whatever it still has to finish."""
        self._pages[bank][_FIRST_READER + 1 + slot] = 0

    def forget_reader(self, pid: int) -> None:
        """A process has ended: it reads no more, if ever it did."""
        for bank in range(BANKS):
            for slot in range(SIDE, self.slots):
                if self.reader(bank, slot) == pid:
                    self.stop_reading(bank, slot)

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
        self.note_state(bank, "loading")

    def free(self, bank: int) -> None:
        """Take a bank back: all processes of its generation are gone."""
        self._head[_FIRST_OWNER + bank] = self._head[_FIRST_STATE + bank] = 0
        self._program(bank)[:] = bytes(_PROGRAM_OCTETS)
        self._pages[bank][_READ] = self._pages[bank][_IN_FORCE] = 0
        for slot in range(SIDE, self.slots):
            self.stop_reading(bank, slot)
        for slot in range(self.slots):
            forget_connections(self._row(bank, slot))

    def bank_of(self, pid: int) -> int | None:
        """The bank of a keeper; None if it has none yet. With 0 the first that is free."""
        return next((bank for bank in range(BANKS) if self._head[_FIRST_OWNER + bank] == pid), None)

    # -- what is told of a generation

    def uptime(self) -> float:
        """For how many seconds there has been a server."""
        return (_milliseconds() - self._head[_STARTED]) / 1000

    def banks_in_use(self) -> list[int]:
        """Those that belong to a generation."""
        return [bank for bank in range(BANKS) if self.owner(bank)]

    def owner(self, bank: int) -> int:
        """The keeper that a bank was given to; 0 if it is free."""
        return self._head[_FIRST_OWNER + bank]

    def note_state(self, bank: int, state: State) -> None:
        """Note what a generation does; for how long is counted from the first time."""
        number = 1 + _STATES.index(state)
        if self._head[_FIRST_STATE + bank] != number:
            self._head[_FIRST_STATE + bank], self._head[_FIRST_SINCE + bank] = number, _milliseconds()

    def state(self, bank: int) -> State:
        """What the generation of a bank does."""
        return _STATES[max(1, self._head[_FIRST_STATE + bank]) - 1]

    def state_seconds(self, bank: int) -> float:
        """For how long it has been doing that."""
        return (_milliseconds() - self._head[_FIRST_SINCE + bank]) / 1000

    def note_program(self, bank: int, version: str) -> None:
        """Note the program of a generation; of a longer text the beginning."""
        self._program(bank)[:] = version.encode()[:_PROGRAM_OCTETS].ljust(_PROGRAM_OCTETS, b"\0")

    def program(self, bank: int) -> str:
        """The version of a generation's program; empty for one that has not begun."""
        return bytes(self._program(bank)).rstrip(b"\0").decode(errors="replace")

    def _program(self, bank: int) -> memoryview:
        end = bank * self._bank_octets + PAGE_OCTETS
        return self._banks[end - _PROGRAM_OCTETS : end]

    def _page(self, bank: int) -> memoryview:
        start = bank * self._bank_octets
        return self._banks[start : start + PAGE_OCTETS].cast("Q")

    def _row(self, bank: int, slot: int) -> memoryview:
        start = bank * self._bank_octets + PAGE_OCTETS + slot * ROW_OCTETS
        return self._banks[start : start + ROW_OCTETS]


def _milliseconds() -> int:
    """Of the monotonic clock, which is the same for all processes and programs."""
    return time.monotonic_ns() // 1_000_000
