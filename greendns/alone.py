"""One process does everything: it answers, watches the files, loads in a thread, and serves its pages (workers = 0)."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable

import gevent
from gevent.event import Event

from . import __version__
from .control import ControlApp
from .countertable import CounterTable, make_accounts
from .generations import Start, Succession, log_news, server_options, tell_change, tell_size
from .lastgood import last_good
from .listeners import Sockets, log_small_buffers
from .loaded import Generation
from .logbook import reopen_log
from .notify import ServiceManager
from .processes import reap
from .saver import RETRY_SECONDS, save
from .settings import Config
from .side import Pages
from .watcher import Change, Watcher, in_thread, read_state
from .worker import BEAT_SECONDS, Worker, stop_signal

log = logging.getLogger("greendns")

_BANK = 0
_SLOT = 0


class Alone:
    """Serves until told to stop."""

    def __init__(self, start: Start, settings: Config, sockets: Sockets) -> None:
        """Load everything. Raises ConfigError for what the operator must mend first."""
        self.sockets = sockets
        # Before anything is loaded: what changes from here on is seen by the watcher.
        known = read_state(settings, start.sources)
        self.succession = Succession(start, server_options(settings, sockets.dns), last_good=last_good(settings))
        self.generation = self.succession.first(settings)
        self.table = CounterTable(slots=1)
        self.table.start_reading(_BANK, _SLOT, 1)
        accounts = make_accounts(settings.rate_limit.accounts)
        self.worker = Worker(self.generation, sockets.dns, (_SLOT,), self.table.counters(_BANK, _SLOT), accounts)
        self.table.own(_BANK, os.getpid())
        self.table.note_state(_BANK, "serving")
        self.table.note_program(_BANK, __version__)
        control = ControlApp(self.table, _BANK, os.getpid(), self._wake)
        self.pages = Pages(self.generation, sockets, self.table, control)
        self.watcher = Watcher(self.generation, start.sources, known, self._reload)
        self._manager = ServiceManager(os.environ, os.getpid())
        self._unsaved = Event()

    def run(self, report: Callable[[str], None]) -> None:
        """Serve until SIGTERM, SIGINT or SIGQUIT; `report` is told each address once it is served."""
        log_small_buffers(self.sockets, self.generation.config.server.receive_buffer_octets)
        stopping = stop_signal(signal.SIGTERM, signal.SIGINT)
        quitting = stop_signal(signal.SIGQUIT)
        gevent.signal_handler(signal.SIGHUP, self._wake)
        # It has no children, but as the first process of a container it is given orphans.
        signal.signal(signal.SIGCHLD, lambda *_: list(reap()))
        gevent.signal_handler(signal.SIGUSR1, reopen_log)
        gevent.signal_handler(signal.SIGUSR2, log.warning, "upgrade: only with server.workers: restart the server")
        for part in (self.worker, self.pages, self.watcher):
            part.start()
        for line in self.sockets.told():
            report(line)
        telling = gevent.spawn(self._keep_telling)
        self._unsaved.set()
        saving = gevent.spawn(self._keep_saving)
        gevent.wait((stopping, quitting), count=1)
        gevent.killall([telling, saving], block=False)
        self._manager.stop()
        self.sockets.close()
        for part in (self.worker, self.pages):
            part.stop_reading()
        finished = gevent.spawn(self._wait_finished)
        gevent.wait((finished, quitting), count=1)

    def _wait_finished(self) -> None:
        """Finish what was begun."""
        gevent.joinall([gevent.spawn(part.wait_finished) for part in (self.worker, self.pages)])

    def _wake(self) -> None:
        """Look for changes now, as a signal says."""
        self.table.ask_reload()
        self._manager.reload(self.table.asked())
        self.watcher.wake()

    def _keep_telling(self) -> None:
        """Tell the service manager how we are; a greenlet of its own."""
        while True:
            status = f"{tell_size(self.generation)}, one process"
            self._manager.look(time.monotonic(), self.table.in_force(_BANK), status, True)
            wait = BEAT_SECONDS if self._manager.due is None else self._manager.due - time.monotonic()
            gevent.sleep(min(max(0.0, wait), BEAT_SECONDS))

    def _keep_saving(self) -> None:
        """Have what is served kept, each time that it is another; a greenlet of its own."""
        while self.succession.last_good is not None:
            self._unsaved.wait()
            self._unsaved.clear()
            if not in_thread(save, self.succession.last_good, self.generation):
                gevent.sleep(RETRY_SECONDS)
                self._unsaved.set()

    def _reload(self, change: Change) -> Generation:
        """Load what changed, in a thread, and swap it in; runs in the watcher's greenlet."""
        previous, request = self.generation, self.table.asked()
        try:
            loaded: Generation = in_thread(self.succession.following, previous, change.unsettled)
        except Exception:
            self._manager.give_up_reload()
            raise
        # First of all: no log that can't be written may hold it back.
        self._hand_over(loaded)
        if not change.unsettled:
            self.table.note_read(_BANK, request)
            self.table.put_in_force(_BANK)
        elif self.table.is_behind(_BANK):
            self.watcher.wake()
        self.table.count_reload(_BANK, "error" if loaded.errors() else "ok")
        log_news(tell_change(previous, loaded))
        return loaded

    def _hand_over(self, generation: Generation) -> None:
        self.generation = generation
        self._unsaved.set()
        self.worker.take(generation)
        self.pages.take(generation)
        logging.getLogger().setLevel(generation.config.server.log_level.upper())
