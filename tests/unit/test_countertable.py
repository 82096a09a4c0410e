"""The shared memory: written here, read there; banks that are given and taken back."""

from __future__ import annotations

import os
import sys

import pytest

from greendns.countertable import BANKS, SIDE, CounterTable, make_accounts
from greendns.outcome import Outcome


def test_what_a_child_counts_is_read_by_its_parent() -> None:
    """Also after its end, from its row and its keeper's page."""
    table = CounterTable(slots=2)
    table.start_reading(1, 1, 77)
    pid = os.fork()
    if pid == 0:
        table.counters(1, 1).count(Outcome("dropped", 0), False, False)
        table.count_restart(1)
        table.count_reload(1, "ok")
        os._exit(0)
    os.waitpid(pid, 0)

    assert +table.totals().outcomes == {("udp", "dropped"): 1}
    assert (table.restarts(), table.reloads("ok"), table.reloads("error")) == (1, 1, 0)


def test_sums_go_over_all_banks_and_slots() -> None:
    """Also over those that nobody writes to any more."""
    table = CounterTable(slots=3)
    for bank in range(BANKS):
        for slot in range(3):
            table.start_reading(bank, slot, 77)
            table.counters(bank, slot).count_unsent(1)
        table.count_reload(bank, "error")
        table.free(bank)

    assert table.totals().unsent == 3 * BANKS
    assert table.reloads("error") == BANKS


def test_rows_do_not_touch_each_other() -> None:
    """Each slot of each bank has its own."""
    table = CounterTable(slots=2)
    table.counters(0, 0).count_unsent(1)
    table.counters(0, 1).count_unsent(10)
    table.counters(1, 0).count_unsent(100)
    table.start_reading(0, 0, 77)

    assert table.totals().unsent == 11


def test_who_reads_is_told() -> None:
    """The side process is no worker."""
    table = CounterTable(slots=2)
    table.start_reading(3, SIDE, 76)
    table.start_reading(3, 0, 77)
    table.start_reading(3, 1, 78)
    table.stop_reading(3, 0)

    assert [table.reader(3, slot) for slot in (SIDE, 0, 1)] == [76, 0, 78]
    assert table.readers(3) == 1
    table.free(3)
    assert [table.reader(3, slot) for slot in (SIDE, 0, 1)] == [0, 0, 0]


def test_a_bank_belongs_to_one_generation() -> None:
    """The first free one is given next; without one, none."""
    table = CounterTable(slots=1)
    for bank in range(BANKS):
        assert table.bank_of(0) == bank
        table.own(bank, 1000 + bank)
    assert table.bank_of(0) is None
    assert table.bank_of(1002) == 2
    table.free(2)

    assert table.bank_of(1002) is None
    assert table.bank_of(0) == 2


# -- what outlives the program that made it

has_descriptors = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has memory with a descriptor")


def handed(descriptor: int | None) -> int:
    """A copy of a descriptor, as another program is handed it."""
    assert descriptor is not None
    return os.dup(descriptor)


def copies(descriptor: int | None) -> int:
    """How many descriptors of this process lead to the same memory."""
    assert descriptor is not None
    wanted = os.fstat(descriptor).st_ino
    return sum(os.stat(f"/proc/self/fd/{each}").st_ino == wanted for each in open_here())


def open_here() -> list[str]:
    return [each for each in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{each}")]


@has_descriptors
def test_a_table_is_taken_over_with_all_that_it_counted() -> None:
    """And written on: rows, pages, banks that are given, upgrades."""
    table = CounterTable(slots=2)
    table.start_reading(3, 1, 77)
    table.counters(3, 1).count_unsent(5)
    table.count_reload(3, "ok")
    table.own(3, 1003)
    table.count_upgrade("error")
    taken = CounterTable(2, handed(table.descriptor))
    taken.counters(3, 1).count_unsent(1)

    assert taken.is_adopted
    assert not table.is_adopted
    assert (taken.totals().unsent, table.totals().unsent) == (6, 6)
    assert (taken.reader(3, 1), taken.reloads("ok"), taken.bank_of(1003)) == (77, 1, 3)
    assert (taken.upgrades("ok"), taken.upgrades("error")) == (0, 1)


@has_descriptors
@pytest.mark.parametrize("spoil", ["slots", "layout", "size"])
def test_a_table_of_another_layout_is_begun_anew(spoil: str) -> None:
    """And the descriptor that was handed over is closed."""
    table = CounterTable(slots=2)
    table.start_reading(0, 0, 77)
    table.counters(0, 0).count_unsent(5)
    held = copies(table.descriptor)
    descriptor = handed(table.descriptor)
    if spoil == "layout":
        os.pwrite(descriptor, b"another", 0)
    if spoil == "size":
        os.ftruncate(descriptor, os.fstat(descriptor).st_size + 4096)
    taken = CounterTable(3 if spoil == "slots" else 2, descriptor)

    assert not taken.is_adopted
    assert taken.totals().unsent == 0
    assert copies(table.descriptor) == held


@has_descriptors
def test_accounts_are_taken_over_where_they_are_as_many() -> None:
    """Otherwise all networks begin with nothing owed."""
    accounts = make_accounts(1024)
    accounts.cells[1023] = 7

    assert make_accounts(1024, handed(accounts.descriptor)).cells[1023] == 7
    assert max(make_accounts(2048, handed(accounts.descriptor)).cells) == 0
