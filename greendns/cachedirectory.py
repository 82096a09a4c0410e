"""The cache directory: made and looked at at the start; files that are there whole or not at all.

Loading side. What stands there is trusted, so the directory must be ours, and nobody else's to write to: that is looked
at each time that it is opened, and by its descriptor, which no rename leads astray.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from .errors import CacheError, ConfigError, Problem
from .found import printable, shown
from .settings import Config

_MODE = 0o700
_FILE_MODE = 0o600
# What a file is called while it is written.
BEGUN = ".new"


def make_directory(settings: Config, uid: int, gid: int) -> None:
    """Make the cache directory, if it is not there, for the user that is to serve. Raises ConfigError."""
    path = settings.cache.find()
    if path is None:
        return
    try:
        path.mkdir(_MODE)
        # By its descriptor: somebody else's symbolic link in its place is not followed.
        made = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        os.fchown(made, uid, gid)
        os.close(made)
    except FileExistsError:
        return
    except OSError as error:
        raise _refusal(settings, f"must be a directory, or where one can be made: {error.strerror}") from error


def check_directory(settings: Config) -> None:
    """Raise ConfigError unless the cache directory can be used by who we are now, and written to by nobody else."""
    path = settings.cache.find()
    if path is None:
        return
    try:
        with opened(path):
            if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
                raise CacheError("must be a directory that the user who serves can write to")
    except CacheError as error:
        raise _refusal(settings, str(error)) from error
    except OSError as error:
        raise _refusal(settings, f"must be a directory that can be read: {error.strerror}") from error


def _refusal(settings: Config, claim: str) -> ConfigError:
    place = printable(settings.source or "command line")
    return ConfigError(Problem(place, "cache.directory", claim, shown(settings.cache.find())))


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """The descriptor of a directory that is ours alone. Raises OSError and CacheError."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _check_owner(os.fstat(directory))
        yield directory
    finally:
        os.close(directory)


def _check_owner(status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        raise CacheError(f"must belong to the user that serves (uid {os.geteuid()}), not to uid {status.st_uid}")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise CacheError(f"must be writable by its owner alone, not have mode {stat.S_IMODE(status.st_mode):04o}")


def wait_alone(directory: int) -> None:
    """Be the only writer, until the directory is closed."""
    fcntl.flock(directory, fcntl.LOCK_EX)


@contextmanager
def reading(directory: int, name: str) -> Iterator[BinaryIO]:
    """A file of the directory. Raises OSError."""
    with open(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory), "rb") as file:
        yield file


def write_whole(directory: int, name: str, parts: Iterable[bytes | memoryview]) -> None:
    """Put a file in its place once all of it is on the disk. Raises OSError; then what was there before still is."""
    begun = name + BEGUN
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(begun, flags, _FILE_MODE, dir_fd=directory), "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        os.rename(begun, name, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError:
        remove(directory, begun)
        raise
    # The name too.
    os.fsync(directory)


def remove(directory: int, name: str) -> None:
    """Have a file gone, if that is to be had."""
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=directory)
