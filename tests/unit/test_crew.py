"""Who works for a generation, as its keeper deals with them."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace
from typing import Any, NoReturn

from greendns.countertable import CounterTable
from greendns.crew import Crew
from tests.processtree import is_running


def stand_still(_: Any) -> NoReturn:
    """Be a process that reads nothing of what it is told."""
    while True:
        signal.pause()


def test_a_side_process_that_reads_nothing_holds_up_nobody() -> None:
    """Words to look are dropped once there are too many; a failure that can't be told ends it."""
    generation: Any = SimpleNamespace(config=SimpleNamespace(server=SimpleNamespace(worker_count=0)))
    crew = Crew(SimpleNamespace(table=CounterTable(1)), generation, bank=0, known={})  # type: ignore[arg-type]
    crew.fill_seats(stand_still)
    try:
        for _ in range(10_000):
            crew.have_look()
        crew.tell_failure()
        pid, status = os.waitpid(-1, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
        assert not is_running(pid)
        crew.bury(pid, status, is_leaving=False)
        assert crew.is_gone
    finally:
        crew.kill()
        crew.hang_up()
