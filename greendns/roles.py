"""What a process forked by a keeper is: a worker, or the side process. Both have a hub, and leave with the arbiter."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass

from .control import ControlApp
from .countertable import SIDE, Accounts, CounterTable
from .errors import ConfigError
from .generations import Succession
from .listeners import Sockets
from .loaded import Generation
from .settings import Config
from .side import Pages, Side
from .watcher import Reading
from .worker import Worker, keep_beating, leave_with, stop_signal


@dataclass
class Inheritance:
    """What all processes of a server have from the arbiter.

    settings    of the start: what only a restart takes
    accounts    of the rate limiter
    arbiter     its pid: whom to signal
    lifeline    readable once the arbiter has ended
    to_arbiter  where a keeper tells what it does
    refuse      tells why a server does not start
    """

    settings: Config
    sockets: Sockets
    table: CounterTable
    accounts: Accounts
    succession: Succession
    arbiter: int
    lifeline: int
    to_arbiter: int
    refuse: Callable[[ConfigError], None]


def be_worker(inheritance: Inheritance, generation: Generation, bank: int, slot: int) -> None:
    """Be the worker of this number, from 0, of a generation, and answer until told to leave."""
    counters = inheritance.table.counters(bank, slot)
    # Fewer workers than there are sockets for share them out: none may go unread.
    slots = range(slot, inheritance.table.slots, generation.config.server.worker_count)
    worker = Worker(generation, inheritance.sockets.dns, slots, counters, inheritance.accounts)
    # The worker has its own copies; these would keep an address taken while it finishes.
    inheritance.sockets.close()
    _serve(inheritance, bank, slot, worker)


def be_side(inheritance: Inheritance, generation: Generation, bank: int, known: Reading, line: socket.socket) -> None:
    """Serve pages, and watch over the files of a generation for the keeper at the other end of `line`."""
    table, arbiter = inheritance.table, inheritance.arbiter
    control = ControlApp(table, bank, arbiter, lambda: os.kill(arbiter, signal.SIGHUP))
    pages = Pages(generation, inheritance.sockets, table, control, bank)
    side = Side(inheritance.succession.start, generation, known, line)
    side.start()
    if table.is_behind(bank):
        # Told to a side process before this one, or not yet.
        side.look()
    # Threads wait for slow disks; the hub that stops is stuck.
    kept = keep_beating(table.beat_side, bank)
    _serve(inheritance, bank, SIDE, pages)
    del kept


def _serve(inheritance: Inheritance, bank: int, slot: int, part: Worker | Pages) -> None:
    """Do a part's work until told to leave, and tell in the table whether it reads."""
    stopping = stop_signal(signal.SIGTERM)
    kept = leave_with(inheritance.lifeline)
    part.start()
    inheritance.table.start_reading(bank, slot, os.getpid())
    stopping.wait()
    part.stop_reading()
    inheritance.table.stop_reading(bank, slot)
    part.wait_finished()
    del kept
