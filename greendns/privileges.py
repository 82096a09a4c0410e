"""Who the processes are once everything is bound: a user that can do nothing but serve, for good. No gevent.

What only root may do is done at the start: sockets are bound for every worker that there will ever be, and given their
room. After that nothing is kept, not even CAP_NET_BIND_SERVICE: no setting of addresses or workers is taken by a
reload, so there is nothing left to bind. Only one process is there yet, so what is forked later never had more.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import sys
from dataclasses import dataclass

from .errors import ConfigError, Problem
from .found import printable, shown
from .processes import call_prctl, prctl
from .settings import LOW_PORTS, Config

# Linux (linux/prctl.h, linux/capability.h).
_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION = 0x20080522
_CAPABILITIES = 64  # bits in two words; more than there are


@dataclass(frozen=True)
class Account:
    """A user to become, and its groups, those beside its own one included."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]


def find_account(settings: Config) -> Account | None:
    """Whom to become; None to stay who one is. Raises ConfigError for a user that is not there or can't be had."""
    name = settings.server.user
    if not name:
        return None
    try:
        entry = pwd.getpwnam(name)
    except KeyError as error:
        raise ConfigError(
            Problem(_place(settings), "server.user", "must be a user of this system", shown(name))
        ) from error
    if os.geteuid() not in (0, entry.pw_uid):
        claim = "must be the user that starts the server, or empty: only root can become another one"
        raise ConfigError(Problem(_place(settings), "server.user", claim, shown(name)))
    return Account(name, entry.pw_uid, entry.pw_gid, tuple(os.getgrouplist(name, entry.pw_gid)))


def serves_as_root(settings: Config) -> bool:
    """Whether root is to answer on a port that only root may bind: as others use it, not for trying things out."""
    http = settings.http.address
    ports = [port for _, port in (*settings.server.addresses, *([http] if http else []))]
    return _is_root_to_be(settings) and any(0 < port < LOW_PORTS for port in ports)


def _is_root_to_be(settings: Config) -> bool:
    account = find_account(settings)
    return (os.geteuid() if account is None else account.uid) == 0


def refuse_root(settings: Config) -> None:
    """Raise ConfigError where root would serve without having been told that it may."""
    if serves_as_root(settings) and not settings.server.allow_root:
        claim = "must name a user to become: root serves on low ports only with server.allow_root or --allow-root"
        raise ConfigError(Problem(_place(settings), "server.user", claim, shown(settings.server.user)))


def _place(settings: Config) -> str:
    return printable(settings.source or "command line")


def drop_privileges(account: Account | None) -> None:
    """Become the user, and let go of all that could lead back; whoever is root and stays it keeps what root may do."""
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if account is not None and os.geteuid() == 0 and account.uid != 0:
        _empty_bounding_set()
        os.setgroups(account.groups)
        os.setgid(account.gid)
        os.setuid(account.uid)
    if os.geteuid() != 0:
        _clear_capabilities()
        _try_to_return()


def is_closed_to_tracing() -> bool:
    """Whether nobody but root may trace this process: so it is for who was root. A new program opens it again."""
    return call_prctl(_PR_GET_DUMPABLE, 0) != 1


def close_to_tracing() -> None:
    """Let nobody but root trace this process."""
    prctl(_PR_SET_DUMPABLE, 0)


def _empty_bounding_set() -> None:
    """Leave no capability that a program could give; without CAP_SETPCAP, nobody has any new privileges anyway."""
    for capability in range(_CAPABILITIES):
        prctl(_PR_CAPBSET_DROP, capability)


def _clear_capabilities() -> None:
    """Give back what a service manager gave for binding: permitted, effective, inheritable and ambient ones."""
    if sys.platform != "linux":
        return
    prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    if ctypes.CDLL(None, use_errno=True).capset(header, (ctypes.c_uint32 * 6)()) != 0:
        raise _not_dropped(f"capabilities can't be given back ({os.strerror(ctypes.get_errno())})")


def _try_to_return() -> None:
    """What was dropped must not be had back: better no server than one that only believes it."""
    # A group of 0 is root's, and may be had without being root.
    for identity, attempt in ((os.geteuid(), os.setuid), (os.getegid(), os.setgid)):
        with contextlib.suppress(PermissionError):
            if identity != 0:
                attempt(0)
                raise _not_dropped("root can be had back")


def _not_dropped(why: str) -> ConfigError:
    return ConfigError(Problem("privileges", "", f"must be dropped: {why}"))
