"""The PID file: tells which process to signal, and is locked by it, so that a second server with the same one ends.

The lock (fcntl(2)) is of the process: no fork has it, a program that replaces it by exec keeps it as long as the
descriptor is open, and the system takes it back from whoever is killed. A file without a lock is a stale one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .errors import ConfigError, Problem

_OPEN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MODE = 0o644
# A number and the end of its line; whatever is longer is somebody's file.
_OCTETS_MAX = 32


@dataclass(frozen=True)
class PidFile:
    """A PID file that this process has; nobody else may close `descriptor` in it."""

    path: Path
    descriptor: int

    def remove(self) -> None:
        """Give it up. Where its directory is not ours any more the file stays, and says nothing."""
        with contextlib.suppress(OSError):
            os.ftruncate(self.descriptor, 0)
            if _is_at(self.path, self.descriptor):
                self.path.unlink()
        os.close(self.descriptor)


@contextmanager
def pid_file_held(path: Path | None) -> Iterator[PidFile | None]:
    """Have the PID file of this process at `path` until the end; None: without one.

    Raises ConfigError where another server has it, and where it can't be written.
    """
    held = None if path is None else _take(path.absolute())
    try:
        yield held
    finally:
        if held is not None:
            held.remove()


def _take(path: Path) -> PidFile:
    while True:
        descriptor = _open(path)
        try:
            _lock(path, descriptor)
            # Whoever had the lock before us may have removed the file since we opened it.
            if _is_at(path, descriptor):
                _write(path, descriptor)
                return PidFile(path, descriptor)
        except ConfigError:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, _OPEN, _MODE)
    except OSError as error:
        raise _unusable(path, f"must be a file that can be written: {error.strerror}") from error


def _lock(path: Path, descriptor: int) -> None:
    """Have the file for ourselves."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise _unusable(path, "must be a file")
    told = os.pread(descriptor, _OCTETS_MAX + 1, 0).strip()
    if told and not (told.isdigit() and len(told) <= _OCTETS_MAX):
        raise _unusable(path, "must be a PID file: what is there now is no number")
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = f"process {told.decode()} has it" if told else "it is locked"
        raise _unusable(path, f"must not be another server's: {owner}") from error


def _write(path: Path, descriptor: int) -> None:
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink()
        raise _unusable(path, f"must be a file that can be written: {error.strerror}") from error


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether the file is still the one of this name."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except OSError:
        return False


def _unusable(path: Path, claim: str) -> ConfigError:
    return ConfigError(Problem("pid file", str(path), claim))
