"""Users to be served as, and what they can read; who else a process might be is told by /proc."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processtree import descendants, status_of
from tests.serving import Server

USER = "nobody"
_NOTHING = "0" * 16
_CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def why_nobody() -> str:
    """Why no server can be started here that becomes another user; empty where one can."""
    if os.geteuid() != 0 or not os.path.isdir("/proc/self"):
        return "only root can become another user, and only /proc (Linux) tells who a process is"
    return ""


def as_user(user: str = USER, powers: str = "") -> list[str]:
    """The words before a command that is to be run by a user with capabilities, such as "+net_bind_service".

    Whatever they are, it can read everything: Python itself may be where only root can read it.
    """
    powers = "+dac_read_search" + (f",{powers}" if powers else "")
    group = str(pwd.getpwnam(user).pw_gid)
    return [
        *("setpriv", "--reuid", user, "--regid", group, "--clear-groups"),
        *("--inh-caps", powers, "--ambient-caps", powers),
    ]


@contextmanager
def readable_directory() -> Iterator[Path]:
    """A new directory that every user can read, as pytest's own are not."""
    made = Path(tempfile.mkdtemp(prefix="greendns-test-"))
    try:
        made.chmod(0o755)
        yield made
    finally:
        shutil.rmtree(made)


def identity_of(pid: int, capabilities: tuple[str, ...] = _CAPABILITIES) -> dict[str, str]:
    """Who a process is, and what more it may."""
    told = status_of(pid)
    return {word: told.get(word, "") for word in ("Uid", "Gid", "Groups", "NoNewPrivs", *capabilities)}


def powerless(user: str = USER, capabilities: tuple[str, ...] = _CAPABILITIES) -> dict[str, str]:
    """What `identity_of` tells of a process that is this user for good, and nothing else."""
    entry = pwd.getpwnam(user)
    groups = sorted(os.getgrouplist(user, entry.pw_gid))
    return {
        "Uid": " ".join([str(entry.pw_uid)] * 4),
        "Gid": " ".join([str(entry.pw_gid)] * 4),
        "Groups": " ".join(map(str, groups)),
        "NoNewPrivs": "1",
        **dict.fromkeys(capabilities, _NOTHING),
    }


def processes_of(server: Server) -> list[int]:
    """The process that was started, and all below it."""
    return [server.process.pid, *sorted(descendants(server.process.pid))]
