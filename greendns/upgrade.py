"""What an arbiter holds for all processes of its server, and how a program hands it over to the one that replaces it.

The process stays, with its pid, its children and its descriptors; the program in it is another one after execve(2).
What that one must know is a document in a memfd, whose number is in the environment. What stands there, and what
keepers tell the arbiter, is one format: programs of different formats do not follow each other in place.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from . import __version__, config
from .controlsocket import ControlSocket
from .countertable import Accounts, CounterTable, make_accounts
from .errors import ConfigError, Problem
from .generations import server_options
from .keepergroup import KeeperGroup
from .listeners import Listener, Sockets
from .pidfile import PidFile
from .privileges import close_to_tracing, is_closed_to_tracing
from .processes import HANDLED
from .settinglist import restart_settings
from .settings import Config
from .snapshot import ServerOptions

log = logging.getLogger("greendns")

FORMAT = 1
VARIABLE = "GREENDNS_HANDOVER"
# The process replaces itself where the memory that it shares outlives that.
IS_POSSIBLE = sys.platform == "linux"

# What answers say of the server, and must go on saying.
_IDENTITY = ("identifier", "address", "hostname", "started")
_LOG_LEVEL = "server.log_level"
_WORKERS = "server.workers"

Pipe = tuple[int, int]


@dataclass
class Holdings:
    """What an arbiter has from the start to the end of its server, through all upgrades.

    settings     of the start: what only a restart takes
    options      who the server is
    lifeline     both ends of a pipe: the first is readable once the arbiter has ended, the other is the arbiter's alone
    keepers      both ends of a pipe, in which keepers tell the arbiter what they do
    generations  all there are, by the pids of their keepers
    bank         of the generation that came into service last; None where there is none, or in a table that is not ours
    before       the version of the program that all this was taken over from; empty where this one began
    """

    settings: Config
    options: ServerOptions
    sockets: Sockets
    table: CounterTable
    accounts: Accounts
    lifeline: Pipe
    keepers: Pipe
    pid_file: PidFile | None
    generations: dict[int, KeeperGroup] = field(default_factory=dict)
    bank: int | None = None
    before: str = ""


def hold(settings: Config, sockets: Sockets, slots: int, pid_file: PidFile | None) -> Holdings:
    """What a server has that starts."""
    return Holdings(
        settings,
        server_options(settings, sockets.dns),
        sockets,
        CounterTable(slots),
        make_accounts(settings.rate_limit.accounts),
        lifeline=os.pipe2(os.O_CLOEXEC),
        keepers=os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK),
        pid_file=pid_file,
    )


@dataclass(frozen=True)
class Handover:
    """The document, all of it of types that JSON has; a descriptor is a number.

    version      of the program that hands over
    source       the configuration file, if there was one
    settings     that only a restart takes, the level of the log and the number of workers, by name
    identity     what answers say of the server
    secrets      for cookies, hexadecimal
    control      the control socket's path, the device and number of its file, its descriptor, if there is one
    pid_file     its path and its descriptor, if there is one
    listeners    of each: host, port, descriptors for UDP, descriptors for TCP
    generations  of each: the fields of KeeperGroup but for `is_ours`; `killed_at` is in seconds from now
    is_closed    whether nobody but root may trace the process
    """

    version: str
    source: str | None
    settings: dict[str, Any]
    identity: dict[str, Any]
    secrets: list[str]
    slots: int
    listeners: list[tuple[str, int, list[int], list[int]]]
    http: int | None
    control: tuple[str, tuple[int, int], int] | None
    pid_file: tuple[str, int] | None
    table: int
    accounts: int
    lifeline: Pipe
    keepers: Pipe
    generations: list[dict[str, Any]]
    bank: int | None
    is_closed: bool
    format: int = FORMAT

    def descriptors(self) -> list[int]:
        """All that the next program is to have."""
        found = [each for _, _, udp, tcp in self.listeners for each in (*udp, *tcp)]
        found += [self.table, self.accounts, *self.lifeline, *self.keepers]
        if self.http is not None:
            found.append(self.http)
        if self.control is not None:
            found.append(self.control[2])
        if self.pid_file is not None:
            found.append(self.pid_file[1])
        return found


# -- the program that hands over


def describe(holdings: Holdings) -> Handover:
    """What there is to hand over."""
    now = time.monotonic()
    settings, options, sockets, pid_file = holdings.settings, holdings.options, holdings.sockets, holdings.pid_file
    control = sockets.control
    assert holdings.table.descriptor is not None
    assert holdings.accounts.descriptor is not None
    told = {name: value for name, value in restart_settings(settings).items() if value is not None}
    return Handover(
        version=__version__,
        source=None if settings.source is None else str(settings.source),
        settings={**told, _LOG_LEVEL: settings.server.log_level, _WORKERS: settings.server.worker_count},
        identity={name: getattr(options, name) for name in _IDENTITY},
        secrets=[secret.hex() for secret in options.cookie_secrets],
        slots=holdings.table.slots,
        listeners=[
            (each.host, each.port, [udp.fileno() for udp in each.udp], [tcp.fileno() for tcp in each.tcp])
            for each in sockets.dns
        ],
        http=None if sockets.http is None else sockets.http.fileno(),
        control=None if control is None else (str(control.path), control.file, control.listening.fileno()),
        pid_file=None if pid_file is None else (str(pid_file.path), pid_file.descriptor),
        table=holdings.table.descriptor,
        accounts=holdings.accounts.descriptor,
        lifeline=holdings.lifeline,
        keepers=holdings.keepers,
        generations=[_describe_group(each, now) for each in holdings.generations.values()],
        bank=holdings.bank,
        is_closed=is_closed_to_tracing(),
    )


def _describe_group(group: KeeperGroup, now: float) -> dict[str, Any]:
    told = asdict(group)
    del told["is_ours"]
    if group.killed_at is not None:
        told["killed_at"] = group.killed_at - now
    return told


@contextlib.contextmanager
def document_of(handover: Handover) -> Iterator[tuple[int, list[int]]]:
    """A memfd with the document, until the end: its descriptor, and all that another program needs, it included."""
    with open(os.memfd_create("greendns-handover"), "w") as document:
        json.dump(asdict(handover), document, default=str)
        document.flush()
        yield document.fileno(), [*handover.descriptors(), document.fileno()]


def program() -> list[str]:
    """The command that this server was started with: what lies there now is run by it."""
    return [sys.executable, *sys.orig_argv[1:]]


def become_next(holdings: Holdings) -> OSError:
    """Replace this program by the one that lies there now; returns only where that fails, with nothing changed.

    Signals that come meanwhile wait until the next one has its handlers: by default they would end the process.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    try:
        with document_of(describe(holdings)) as (document, descriptors), _inheritable(descriptors):
            os.execve(program()[0], program(), {**os.environ, VARIABLE: str(document)})
    except OSError as error:
        return error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextlib.contextmanager
def _inheritable(descriptors: list[int]) -> Iterator[None]:
    try:
        for each in descriptors:
            os.set_inheritable(each, True)
        yield
    finally:
        for each in descriptors:
            os.set_inheritable(each, False)


# -- the program that takes over


def read_handover() -> Handover | None:
    """What was handed over to this program; None where it was started. Raises ConfigError."""
    number = os.environ.pop(VARIABLE, "")
    if not number:
        return None
    try:
        with open(int(number)) as document:
            document.seek(0)
            told = json.load(document)
    except (OSError, ValueError) as error:
        raise ConfigError(Problem("upgrade", VARIABLE, f"must be a document that can be read: {error}")) from error
    if told.get("format") != FORMAT or told.keys() != {each.name for each in fields(Handover)}:
        raise ConfigError(
            Problem("upgrade", "format", f"must be {FORMAT}: only a restart gets here", repr(told.get("format")))
        )
    return Handover(**told)


def handed_settings(handover: Handover) -> Config:
    """The settings that only a restart takes, as they were; the others as they are by default. Raises ConfigError."""
    source = None if handover.source is None else Path(handover.source)
    return replace(config.restored(handover.settings), source=source)


def handed_options(handover: Handover, settings: Config) -> ServerOptions:
    """Who the server is, as it was."""
    known = {name: value for name, value in handover.identity.items() if name in _IDENTITY}
    secrets = tuple([bytes.fromhex(secret) for secret in handover.secrets])
    return replace(server_options(settings, []), **known, cookie_secrets=secrets)


def take_over(handover: Handover) -> Holdings:
    """Have all that was handed over, and go on with it."""
    for descriptor in handover.descriptors():
        os.set_inheritable(descriptor, False)
    if handover.is_closed:
        close_to_tracing()
    settings = handed_settings(handover)
    table = CounterTable(handover.slots, handover.table)
    if not table.is_adopted:
        log.warning("upgrade: the counters of %s are laid out otherwise: all begin anew", handover.version)
    return Holdings(
        settings,
        handed_options(handover, settings),
        _take_sockets(handover),
        table,
        make_accounts(settings.rate_limit.accounts, handover.accounts),
        lifeline=(handover.lifeline[0], handover.lifeline[1]),
        keepers=(handover.keepers[0], handover.keepers[1]),
        pid_file=None if handover.pid_file is None else PidFile(Path(handover.pid_file[0]), handover.pid_file[1]),
        generations={told["pid"]: _take_group(told, table.is_adopted) for told in handover.generations},
        bank=handover.bank if table.is_adopted else None,
        before=handover.version,
    )


def _take_sockets(handover: Handover) -> Sockets:
    listeners = [
        Listener(host, port, tuple(map(_take_socket, udp)), tuple(map(_take_socket, tcp)))
        for host, port, udp, tcp in handover.listeners
    ]
    http = None if handover.http is None else socket.socket(fileno=handover.http)
    return Sockets(listeners, http, None if handover.control is None else _take_control(*handover.control))


def _take_control(path: str, file: Sequence[int], descriptor: int) -> ControlSocket:
    device, number = file
    return ControlSocket(Path(path), _take_socket(descriptor), (device, number))


def _take_socket(descriptor: int) -> socket.socket:
    taken = socket.socket(fileno=descriptor)
    taken.setblocking(False)
    return taken


def _take_group(told: dict[str, Any], has_bank: bool) -> KeeperGroup:
    taken = KeeperGroup(**told, is_ours=False)
    if taken.killed_at is not None:
        taken.killed_at += time.monotonic()
    if not has_bank:
        taken.bank = None
    return taken
