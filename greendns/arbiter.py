"""The process that is there from start to end: binds every socket, forks keepers, and waits. Never serves, never loads.

Its pid is what a service manager knows. Inside a load Python notices nothing for seconds: so it does not load. It holds
the sockets, the counters and the lifeline (a pipe that nobody else can write to: when it closes, all others leave), and
knows for each generation how far it is; which process is a worker's only its keeper knows.

A generation is a process group. It is *loading* until its keeper tells that it serves; then all generations before it
are *leaving*: told to finish, and killed if they do not within STOP_SECONDS. Where the keeper in service dies, its
workers serve on, and another one is forked that loads everything anew. So it is too after an upgrade, when what serves
is of the program before: see `upgrade`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import time
from collections.abc import Callable

from .errors import ConfigError
from .generations import Start, Succession
from .keeper import GAVE_UP, LOADING, REFUSED_STATUS, SERVING, Keeper, Predecessor
from .keepergroup import KeeperGroup
from .lastgood import last_good
from .listeners import log_small_buffers
from .logbook import reopen_log
from .notify import ServiceManager
from .processes import (
    HANDLED,
    SignalQueue,
    adopt_orphans,
    ending_text,
    exit_after,
    fork,
    is_gone,
    is_group_gone,
    reap,
)
from .roles import Inheritance
from .seats import Seat
from .upgrade import Holdings
from .upgrading import Upgrading

log = logging.getLogger("greendns")

FAULT_STATUS = 1
_STEP_SECONDS = 0.05
# Without a system that gives us orphans, nobody tells when one has ended.
_LOOK_SECONDS = 1.0


class Arbiter:
    """Runs a server of several processes until told to stop."""

    def __init__(self, start: Start, holdings: Holdings) -> None:
        self._holdings = holdings
        self._settings = holdings.settings
        self._sockets = holdings.sockets
        self._table = holdings.table
        self._generations = holdings.generations
        self._succession = Succession(
            start, holdings.options, holdings.table.slots, last_good(holdings.settings), collects=True
        )
        self._upgrading = Upgrading(holdings)
        # Where the keeper sits that is in service, or is to be at the start and after one that died. One of a program
        # before ours never does.
        self._seat = Seat(slot=0)
        self._before = Predecessor(holdings.bank) if holdings.before else None
        self._manager = ServiceManager(os.environ, os.getpid())
        self._is_stopping = False
        self._status: int | None = None
        self._said = b""

    def run(self, report: Callable[[str], None], refuse: Callable[[ConfigError], None]) -> int:
        """Serve until SIGTERM, SIGINT or SIGQUIT, and return the exit status.

        report  is told each address once it is served
        refuse  is told, in another process, why a server does not start
        """
        self._report = report
        lifeline, self._lifeline_holder = self._holdings.lifeline
        self._from_keepers, to_arbiter = self._holdings.keepers
        accounts = self._holdings.accounts
        self._inheritance = Inheritance(
            *(self._settings, self._sockets, self._table, accounts, self._succession),
            *(os.getpid(), lifeline, to_arbiter, refuse),
        )
        self._adopts_orphans = adopt_orphans()
        if not self._adopts_orphans:
            log.info("no orphans are to be had from this system: the death of a keeper may go unnoticed for a second")
        self._signals = SignalQueue(HANDLED)
        # The program before us may have had them wait for us.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        while True:
            self._turn()
            if self._status is not None:
                return self._status
            self._wait()

    def _turn(self) -> None:
        """Do all there is to do now."""
        for number in self._signals.take():
            self._obey(number)
        self._hear()
        for pid, status in reap():
            self._upgrading.note_end(pid, status)
            if pid in self._generations:
                self._note_headless(self._generations[pid], ending_text(status), status)
            else:
                # A worker whose keeper has ended: nobody else notes that it reads no more.
                self._table.forget_reader(pid)
        now = time.monotonic()
        for generation in list(self._generations.values()):
            self._check(generation, now)
        self._upgrading.check(now)
        if self._is_stopping:
            self._status = None if self._generations else 0
        elif self._upgrading.is_ready and self._is_quiet():
            self._upgrading.become_next()
        elif self._seat.is_due(now) and not self._is_anybody_coming():
            self._fork_keeper(now)
        if not self._is_stopping:
            self._tell_manager(now)

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._signals.fileno(), select.POLLIN)
        poll.register(self._from_keepers, select.POLLIN)
        poll.poll(self._patience())

    def _patience(self) -> int | None:
        """Milliseconds until there may be something to do that nobody tells; None: nothing."""
        seconds = [] if self._adopts_orphans else [_LOOK_SECONDS]
        if self._manager.is_waiting or any(each.needs_looks for each in self._generations.values()):
            seconds.append(_STEP_SECONDS)
        if self._upgrading.due is not None:
            seconds.append(max(_STEP_SECONDS, self._upgrading.due - time.monotonic()))
        if self._seat.due is not None:
            seconds.append(max(_STEP_SECONDS, self._seat.due - time.monotonic()))
        if self._manager.due is not None:
            seconds.append(max(_STEP_SECONDS, self._manager.due - time.monotonic()))
        return int(1000 * min(seconds)) if seconds else None

    # -- what is told

    def _obey(self, number: int) -> None:
        """Act on a signal."""
        if number == signal.SIGHUP:
            self._table.ask_reload()
            self._manager.reload(self._table.asked())
            self._have_look()
        elif number == signal.SIGUSR1:
            reopen_log()
        elif number == signal.SIGUSR2 and not self._is_stopping:
            self._upgrading.begin(is_serving=self._before is not None)
        elif number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            self._stop(at_once=self._is_stopping or number == signal.SIGQUIT)

    def _have_look(self) -> None:
        """Have the generation in service look at all files; who is loading anew anyway need not be told."""
        for each in self._generations.values():
            if each.state == "serving" and not each.is_headless:
                # One that has just ended, and that its own parent has reaped, is noted as headless in this turn.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(each.pid, signal.SIGHUP)

    def _stop(self, at_once: bool) -> None:
        """Have all finish what they have, or end."""
        now = time.monotonic()
        if not self._is_stopping:
            self._is_stopping = True
            self._manager.stop()
            self._upgrading.give_up()
            self._sockets.close()
            for generation in self._generations.values():
                generation.have_leave(now)
        if at_once:
            for generation in self._generations.values():
                generation.killed_at = now

    def _hear(self) -> None:
        """Read what keepers tell."""
        try:
            self._said += os.read(self._from_keepers, 1 << 16)
        except BlockingIOError:
            return
        *lines, self._said = self._said.split(b"\n")
        for line in lines:
            word, pid, text = line.decode().split(" ", 2)
            if word == LOADING:
                self._note_loading(int(pid), parent=int(text))
            elif word == GAVE_UP:
                self._manager.give_up_reload()
            elif word == SERVING and int(pid) in self._generations:
                self._generations[int(pid)].holds = text
                self._put_into_service(self._generations[int(pid)])

    def _note_loading(self, pid: int, parent: int) -> None:
        """Note a keeper that was forked by another one; one whose parent leaves comes too late, and leaves as well."""
        if pid in self._generations:
            return
        forker = self._generations.get(parent)
        self._generations[pid] = successor = KeeperGroup(pid, is_ours=forker is None or forker.is_ours)
        if forker is None or forker.state == "leaving" or not self._has_banks(successor):
            successor.have_leave(time.monotonic())

    def _has_banks(self, generation: KeeperGroup) -> bool:
        """Whether a generation reads its bank from our table: one of another program may have brought its own."""
        return generation.is_ours or self._table.is_adopted

    def _put_into_service(self, generation: KeeperGroup) -> None:
        """From here on this generation is the one; all before it leave. What our program loads is after any other's."""
        if self._is_stopping or generation.state != "loading":
            return
        assert generation.bank is not None
        now = time.monotonic()
        for other in self._generations.values():
            is_after = other.is_ours and other.state == "loading" and not generation.is_ours
            if other is not generation and other.state != "leaving" and not is_after:
                other.have_leave(now)
        generation.state = "serving"
        if self._before is None:
            log_small_buffers(self._sockets, self._settings.server.receive_buffer_octets)
            for line in self._sockets.told():
                self._report(line)
        self._holdings.bank = generation.bank
        self._before = Predecessor(generation.bank)
        if generation.is_ours:
            self._upgrading.note_served()
            self._seat.take(generation.pid, now)
        if self._table.is_behind(generation.bank):
            # Asked for while it was reading, of the one before it.
            self._have_look()

    def _tell_manager(self, now: float) -> None:
        """Tell the service manager how we are."""
        is_read = any(map(self._readers, self._generations.values()))
        serving = self._generations.get(self._seat.pid)
        if serving is None or serving.state != "serving" or serving.bank is None:
            self._manager.look(now, None, "loading", is_read or self._before is None)
            return
        status = f"{serving.holds}, {self._readers(serving)} workers"
        self._manager.look(now, self._table.in_force(serving.bank), status, is_read)

    def _readers(self, generation: KeeperGroup) -> int:
        if not self._has_banks(generation):
            return self._table.slots  # as far as can be known here
        return 0 if generation.bank is None else self._table.readers(generation.bank)

    # -- who lives

    def _check(self, generation: KeeperGroup, now: float) -> None:
        """See to what a generation needs, and whether it is still there."""
        if not generation.is_headless and is_gone(generation.pid):
            self._note_headless(generation, "somebody else knows how")
        if generation.is_headless and is_group_gone(generation.pid):
            if generation.bank is not None:
                self._table.free(generation.bank)
            del self._generations[generation.pid]
        elif generation.bank is None and generation.state == "loading":
            self._give_bank(generation)
        elif generation.bank is not None:
            self._table.note_state(generation.bank, generation.state)
        generation.kill_if_due(now)

    def _give_bank(self, generation: KeeperGroup) -> None:
        """Give a generation the first bank that is free; without one it waits for those that are leaving."""
        bank = self._table.bank_of(0)
        if bank is not None:
            generation.bank = bank
            self._table.own(bank, generation.pid)

    def _note_headless(self, generation: KeeperGroup, how: str, status: int = 0) -> None:
        """Note that a keeper has ended, and how."""
        generation.is_headless = True
        if self._is_stopping or generation.state == "leaving" or generation.pid != self._seat.pid:
            return
        if self._before is None:
            # What the first one could not do, another one can't.
            self._status = status or FAULT_STATUS
            if status != REFUSED_STATUS:
                log.error("the process that loads ended (%s)", how)
                self._status = FAULT_STATUS
            return
        pause = self._seat.bury(time.monotonic())
        told = f"the keeper (process {generation.pid}) ended ({how})"
        log.error("%s: its workers serve on, all is loaded anew %s", told, f"in {pause:.1f} s" if pause else "now")

    def _is_anybody_coming(self) -> bool:
        return any(each.state == "loading" and not each.is_headless for each in self._generations.values())

    def _is_quiet(self) -> bool:
        """Whether nobody is on the way, and no word of a keeper half read."""
        return not self._is_anybody_coming() and not self._said

    def _fork_keeper(self, now: float) -> None:
        """Fork a keeper that loads everything anew."""
        parent = os.getpid()
        try:
            pid = fork("greendns-keeper")
        except OSError as error:
            self._seat.take(0, now)
            pause = self._seat.bury(now)
            log.error("a keeper can't be forked (%s): tried again in %.1f s", error.strerror, pause)
            return
        if pid == 0:
            exit_after(lambda: self._be_keepers(parent))
        self._seat.take(pid, now)
        self._generations[pid] = KeeperGroup(pid)

    def _be_keepers(self, parent: int) -> int:
        """In a child: be a keeper, and in its children's children the one that follows."""
        self._signals.close()
        self._upgrading.close()
        os.close(self._lifeline_holder)
        os.close(self._from_keepers)
        keeper: Keeper | int = Keeper(self._inheritance, parent, self._before)
        while isinstance(keeper, Keeper):
            keeper = keeper.run()
        return keeper
