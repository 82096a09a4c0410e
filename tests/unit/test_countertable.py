"""The shared memory: written here, read there; banks that are given and taken back."""

from __future__ import annotations

import os

from greendns.countertable import BANKS, SIDE, CounterTable
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
