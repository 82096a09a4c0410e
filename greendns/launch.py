"""A server is started: it binds, becomes its user, serves. Or a program goes on in the place of the one before it."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace

from .activation import take_passed
from .alone import Alone
from .arbiter import Arbiter
from .beforehand import import_all
from .cachedirectory import check_directory, make_directory
from .controlsocket import bind_control, control_path
from .errors import ConfigError, Problem
from .generations import Start
from .listeners import Sockets, bind_sockets
from .logbook import start_logging, start_logging_anyway
from .pidfile import PidFile, pid_file_held
from .privileges import Account, drop_privileges, find_account, refuse_root, serves_as_root
from .settings import Config
from .trial import is_trial, try_out
from .upgrade import Holdings, handed_settings, hold, read_handover, take_over

log = logging.getLogger("greendns")

Refuse = Callable[[ConfigError], None]


def run_server(start: Start, refuse: Refuse, notices: Sequence[Problem] = (), warns_root: bool = False) -> int:
    """Serve until told to stop, and return the exit status. Raises ConfigError.

    refuse      is told, in another process, why a server does not start
    notices     of the command line
    warns_root  whether root may serve on low ports, with a warning
    """
    import_all()
    handover = read_handover()
    if handover is None:
        return _begin(start, refuse, notices, warns_root)
    settings = handed_settings(handover)
    if is_trial():
        start_logging(settings.server.log_level)
        return try_out(start, take_over(handover))
    start_logging_anyway(settings.server.log_level, settings.server.log_file)
    return _go_on(start, refuse, take_over(handover))


def _go_on(start: Start, refuse: Refuse, holdings: Holdings) -> int:
    """Serve on in the place of the program before, with all that it had."""
    try:
        return Arbiter(start, holdings).run(_report, refuse)
    finally:
        holdings.sockets.remove()
        if holdings.pid_file is not None:
            holdings.pid_file.remove()


def _begin(start: Start, refuse: Refuse, notices: Sequence[Problem], warns_root: bool) -> int:
    # Until there is something to do, and a log: by default these would end the start.
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)
    settings = start.read()
    settings = replace(settings, notices=(*settings.notices, *notices))
    with pid_file_held(settings.server.pid_file) as pid_file:
        return _run_as(start, refuse, settings, pid_file, warns_root)


def _run_as(start: Start, refuse: Refuse, settings: Config, pid_file: PidFile | None, warns_root: bool) -> int:
    """Bind all there is to bind, as who we are, become who we are to be, and serve. Raises ConfigError."""
    account = find_account(settings)
    if not warns_root:
        refuse_root(settings)
    sockets = _bind(settings, account)
    try:
        uid, gid = (os.geteuid(), os.getegid()) if account is None else (account.uid, account.gid)
        make_directory(settings, uid, gid)
        drop_privileges(account)
        check_directory(settings)
        if account is not None:
            # What this user can't read now, no reload could: better told now.
            start.read()
        report = _begin_log(settings)
        if settings.server.worker_count == 0:
            Alone(start, settings, sockets).run(report)
            return 0
        return Arbiter(start, hold(settings, sockets, settings.server.slots, pid_file)).run(report, refuse)
    finally:
        sockets.remove()


def _bind(settings: Config, account: Account | None) -> Sockets:
    sockets = bind_sockets(settings, settings.server.slots, take_passed(os.environ, os.getpid()))
    path = control_path(settings.control.socket, os.environ)
    # After the others: a second server of the same addresses does not come that far.
    return sockets if path is None else replace(sockets, control=bind_control(path, account))


def _begin_log(settings: Config) -> Callable[[str], None]:
    """Log from here on: a file is to be the user's, who begins it anew when it was moved away. Returns what reports."""
    start_logging(settings.server.log_level, settings.server.log_file)
    for notice in settings.notices:
        log.warning("%s", notice)
    if serves_as_root(settings):
        log.warning("serving as root: what breaks in has the machine (docs/operations.md tells the other ways)")
    return _report_and_log if settings.server.log_file else _report


def _report(line: str) -> None:
    print(line, flush=True)


def _report_and_log(line: str) -> None:
    """With a log file nobody may look at standard output."""
    _report(line)
    log.info("%s", line)
