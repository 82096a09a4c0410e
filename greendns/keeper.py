"""One generation: loads, has its crew of workers and a side process, forks the next generation.

A keeper has no hub and never answers. It is forked by the keeper before it, whose generation it has in memory, so that
only what changed is read; the first one, and one after a keeper that died, by the arbiter. What a keeper does, in turn:
it loads; it forks workers on the sockets that the workers before are still reading; once all of them read, it tells the
arbiter, which has the generation before leave; once those have stopped reading, the change is in force, and told. Then
it waits: for a change, for a child that dies, for its own end.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import time
from dataclasses import dataclass, field
from typing import Literal, NoReturn

from . import __version__
from .countertable import SIDE
from .crew import START_SECONDS, Crew, Role
from .errors import ConfigError
from .generations import News, log_news, tell_change, tell_size
from .loaded import Generation
from .processes import (
    SignalQueue,
    die_with_parent,
    ending_text,
    exit_after,
    fork,
    give_memory_back,
    lead_group,
    outlive_parent,
    reap,
    yield_to_others,
)
from .regularfile import UNREAD
from .roles import Inheritance
from .saver import Saver
from .watcher import Change, Reading, read_state
from .worker import STOP_SECONDS

log = logging.getLogger("greendns")

# What a keeper tells the arbiter, with its pid: it loads, and who forked it; it serves, and what; nothing follows it,
# as it should have.
LOADING = "loading"
SERVING = "serving"
GAVE_UP = "gave-up"

REFUSED_STATUS = 2  # what the configuration names can't be used: see Succession.first
# A hand-over takes milliseconds: so often its state is looked at while it is under way.
_STEP_SECONDS = 0.005
# Workers before us that do not stop reading, because they are stopped themselves, say, hold nothing up any longer.
_RELIEF_SECONDS = 2.0
# Who has not left by then is stuck. The arbiter sees to it as well, but not where a generation gives itself up.
_LEAVE_SECONDS = STOP_SECONDS + 1.5
# So often it is looked whether they are gone then.
_TURN_SECONDS = 0.1
# At most so often does a generation follow another.
_PACE_SECONDS = 1.0


@dataclass(frozen=True)
class Predecessor:
    """What was in service before; `generation` is None for a keeper that has to load anew.

    bank   None: it is not known who reads for it
    known  how the files looked that the generation was loaded from
    """

    bank: int | None
    generation: Generation | None = None
    known: Reading = field(default_factory=dict)


Phase = Literal["starting", "relieving", "serving", "leaving"]


class Keeper:
    """The process of one generation. `run` returns another keeper in the process that is to be it."""

    def __init__(
        self, inheritance: Inheritance, parent: int, before: Predecessor | None, change: Change | None = None
    ) -> None:
        """Be forked by `parent`.

        before  what is in service; None at the very start
        change  what is to be loaded; None: everything
        """
        self._inheritance = inheritance
        self._parent = parent
        self._before = before
        self._change = change
        self._table = inheritance.table
        self._phase: Phase = "starting"
        self._status = 0
        self._news: list[News] | None = None
        self._successor = 0
        self._wanted: Change | None = None
        self._began = time.monotonic()
        self._saver = Saver(inheritance.succession.last_good)

    def run(self) -> Keeper | int:
        """Be a generation until told to leave; an exit status, or the keeper that this process is to be then."""
        lead_group()
        die_with_parent(self._parent)
        self._tell(LOADING, str(self._parent))
        self._bank = self._wait_bank()
        self._table.note_program(self._bank, __version__)
        try:
            if self._before is None:
                self._load()
            else:
                # Others answer meanwhile.
                yield_to_others(self._load)
        except ConfigError as error:
            self._tell_refusal(error)
            return REFUSED_STATUS
        self._phase_began = time.monotonic()
        give_memory_back()
        self._crew = Crew(self._inheritance, self._generation, self._bank, self._known)
        self._signals = SignalQueue((signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD))
        outlive_parent()
        while True:
            ending = self._turn()
            if ending is not None:
                return ending

    # -- the beginning

    def _load(self) -> None:
        succession, settings, before = self._inheritance.succession, self._inheritance.settings, self._before
        self._table.note_read(self._bank, self._find_request())
        if before is None or before.generation is None or self._change is None:
            self._known = read_state(settings, succession.start.sources)
            self._generation = succession.first(settings) if before is None else succession.anew(settings)
        else:
            self._known = {**before.known, **self._change.settled, **dict.fromkeys(self._change.unsettled, UNREAD)}
            self._generation = succession.following(before.generation, self._change.unsettled)
            self._news = list(tell_change(before.generation, self._generation))
            # What is replaced is let go of here: workers forked with it would keep it to their end.
            self._before = Predecessor(before.bank)
        logging.getLogger().setLevel(self._generation.config.server.log_level.upper())

    def _find_request(self) -> int:
        """The last of the reloads asked for that a load which begins now meets: what is left unread may be of any."""
        before = None if self._before is None else self._before.bank
        if before is None or self._change is None or not self._change.unsettled:
            return self._table.asked()
        return self._table.read_up_to(before)

    def _tell_refusal(self, error: ConfigError) -> None:
        """At the start the operator looks on; later there is the log, and what was in service stays."""
        if self._before is None:
            self._inheritance.refuse(error)
            return
        for problem in error.problems:
            log.error("%s", problem)

    def _wait_bank(self) -> int:
        """The bank that the arbiter gives."""
        while (bank := self._table.bank_of(os.getpid())) is None:
            # As everywhere, in poll(2): a library that sets the clock for tests breaks clock_nanosleep(2).
            select.poll().poll(1000 * _STEP_SECONDS)
        return bank

    def _tell(self, word: str, more: str = "") -> None:
        os.write(self._inheritance.to_arbiter, f"{word} {os.getpid()} {more}\n".encode())

    # -- one turn: wait for something, and do it

    def _turn(self) -> Keeper | int | None:
        poll = select.poll()
        for descriptor in (self._signals.fileno(), self._inheritance.lifeline, *self._crew.descriptors()):
            poll.register(descriptor, select.POLLIN)
        ready = {descriptor for descriptor, _ in poll.poll(self._patience())}
        if self._inheritance.lifeline in ready:
            return 1
        came = self._signals.take()
        if signal.SIGTERM in came:
            self._leave()
        if signal.SIGHUP in came:
            self._crew.have_look()
        self._reap()
        if self._phase == "leaving":
            if self._has_lasted(_LEAVE_SECONDS):
                self._crew.kill()
            return self._status if self._crew.is_gone else None
        if self._phase == "serving":
            self._crew.end_stuck()
        self._crew.fill_seats(self._be)
        self._advance()
        self._saver.fork_if_due(self._generation, self._be_saver)
        if ready.intersection(self._crew.descriptors()):
            self._wanted = self._crew.hear() or self._wanted
        return self._fork_successor() if self._is_successor_due() else None

    def _patience(self) -> int:
        """Milliseconds until there is something to do that nobody tells."""
        if self._phase in ("starting", "relieving"):
            return int(1000 * _STEP_SECONDS)
        if self._phase == "leaving":
            return int(1000 * max(_TURN_SECONDS, self._phase_began + _LEAVE_SECONDS - time.monotonic()))
        due = [self._crew.due()]
        if self._saver.due is not None:
            due.append(self._saver.due)
        if self._wanted is not None and not self._successor:
            due.append(self._began + _PACE_SECONDS)
        return max(0, int(1000 * (min(due) - time.monotonic())) + 1)

    def _leave(self) -> None:
        """Have the children finish, and let the sockets go; nobody is replaced any more."""
        self._enter("leaving")
        self._inheritance.sockets.close()
        self._crew.have_leave()

    def _be(self, role: Role) -> NoReturn:
        """In a child: be what it was forked for, and end; without a status all went well."""
        self._signals.close()
        os.close(self._inheritance.to_arbiter)
        self._crew.hang_up()
        exit_after(lambda: role() or 0)

    def _be_saver(self, role: Role) -> NoReturn:
        """The same, for who has no use for sockets: however long it takes, it keeps no address taken."""
        self._inheritance.sockets.close()
        self._be(role)

    def _reap(self) -> None:
        for pid, status in reap():
            self._saver.note_end(pid, status)
            if pid == self._successor:
                self._give_up_successor(f"the process that loads a change ended ({ending_text(status)})")
            self._crew.bury(pid, status, self._phase == "leaving")

    # -- the way into service

    def _advance(self) -> None:
        """Go on with the hand-over, or give it up."""
        if self._phase == "starting":
            if self._crew.is_up:
                self._enter("relieving")
                self._tell(SERVING, tell_size(self._generation))
            elif self._has_lasted(START_SECONDS):
                log.error("the workers did not come up: the generation is given up")
                self._status = 1
                self._leave()
        if self._phase == "relieving" and (self._is_relieved() or self._has_lasted(_RELIEF_SECONDS)):
            self._enter("serving")
            self._table.put_in_force(self._bank)
            self._tell_change()
            self._saver.ask()

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._phase_began = time.monotonic()

    def _has_lasted(self, seconds: float) -> bool:
        return time.monotonic() - self._phase_began > seconds

    def _is_relieved(self) -> bool:
        """Whether nobody reads for the generation before any more."""
        bank = None if self._before is None else self._before.bank
        return bank is None or not any(self._table.reader(bank, slot) for slot in range(SIDE, self._table.slots))

    def _tell_change(self) -> None:
        """Count and log what is in force from here on."""
        if self._news is not None:
            self._table.count_reload(self._bank, "error" if self._generation.errors() else "ok")
            log_news(self._news)

    # -- the next generation

    def _is_successor_due(self) -> bool:
        is_time = time.monotonic() - self._began >= _PACE_SECONDS
        return self._wanted is not None and self._phase == "serving" and not self._successor and is_time

    def _fork_successor(self) -> Keeper | None:
        """Fork the next keeper; in the child, return it."""
        parent, change, self._wanted = os.getpid(), self._wanted, None
        try:
            self._successor = fork("greendns-keeper")
        except OSError as error:
            self._give_up_successor(f"the process that loads a change can't be forked ({error.strerror})")
            return None
        if self._successor:
            return None
        self._signals.close()
        self._crew.hang_up()
        return Keeper(self._inheritance, parent, Predecessor(self._bank, self._generation, self._known), change)

    def _give_up_successor(self, why: str) -> None:
        """A successor that did not come to serve has changed nothing: what it was to load is tried again."""
        self._successor = 0
        if self._phase == "leaving":
            return
        log.error("%s: what was in service stays", why)
        self._table.count_reload(self._bank, "error")
        self._crew.tell_failure()
        self._tell(GAVE_UP)
