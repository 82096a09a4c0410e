"""Networks that end in this machine: namespaces of the kernel's, joined by a cable (Linux, root).

    with cabled("v0", "v1") as (here, there):
        with here: ...      # sockets opened and programs started in this thread are at the end v0

A socket stays in the network in which it was opened. Nothing here reaches another network, or is reached from one.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

_CLONE_NEWNET = 0x40000000
_CURRENT = "/proc/thread-self/ns/net"

_libc = ctypes.CDLL(None, use_errno=True)


class Network:
    """A network of this test's; inside its block this thread is in it. Blocks may stand in one another."""

    def __init__(self) -> None:
        """Make one."""
        self._before: list[int] = []
        before = os.open(_CURRENT, os.O_RDONLY)
        try:
            _check(_libc.unshare(_CLONE_NEWNET))
            self.descriptor = os.open(_CURRENT, os.O_RDONLY)
            _check(_libc.setns(before, _CLONE_NEWNET))
        finally:
            os.close(before)

    def __enter__(self) -> None:
        self._before.append(os.open(_CURRENT, os.O_RDONLY))
        _check(_libc.setns(self.descriptor, _CLONE_NEWNET))

    def __exit__(self, *_: object) -> None:
        before = self._before.pop()
        _check(_libc.setns(before, _CLONE_NEWNET))
        os.close(before)

    def close(self) -> None:
        """Let it go, with all that is in it."""
        os.close(self.descriptor)


@contextmanager
def cabled(end: str, other: str) -> Iterator[tuple[Network, Network]]:
    """Two networks and a cable between them whose ends have these names: up, and without an address."""
    here, there = Network(), Network()
    try:
        lay_cable(here, end, there, other)
        yield here, there
    finally:
        here.close()
        there.close()


def lay_cable(here: Network, end: str, there: Network, other: str) -> None:
    """One more cable."""
    with here:
        ip(f"link add {end} type veth peer name {other}")
        ip(f"link set {other} netns /proc/{os.getpid()}/fd/{there.descriptor}")
    for network, name in ((here, end), (there, other)):
        with network:
            ip(f"link set {name} addrgenmode none")
            ip(f"link set {name} up")


def ip(words: str) -> str:
    """Run ip(8) in the network that this thread is in."""
    done = subprocess.run(["ip", *words.split()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {words}: {done.stderr}"
    return done.stdout


@cache
def why_none() -> str:
    """Why no network can be made here; empty where one can."""
    if os.geteuid() != 0 or not hasattr(_libc, "unshare"):
        return "only root can make a network of its own, on Linux"
    if shutil.which("ip") is None:
        return "a network of its own is set up with ip(8), of iproute2"
    try:
        Network().close()
    except OSError as error:
        return f"this system lets nobody make a network of its own: {error}"
    return ""


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
