"""The cache directory: made and looked at at the start; files that are there whole or not at all.

Loading side. What stands there is trusted, so the directory must be ours, and nobody else's to write to: that is looked
at each time that it is opened, and by its descriptor, which no rename leads astray.
"""

from __future__ import annotations

import contextlib
import errno
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


def make_again(path: Path) -> None:
    """Make the directory where somebody has removed it since the start. Raises OSError."""
    if not os.path.lexists(path):
        path.mkdir(_MODE)


@contextmanager
def reading(directory: int, name: str) -> Iterator[BinaryIO]:
    """A file of the directory. Raises OSError, and CacheError for anything but a regular file."""
    with open(_open_regular(directory, name), "rb") as file:
        yield file


def _open_regular(directory: int, name: str) -> int:
    # A fifo would hold up its reader until somebody writes.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        file = os.open(name, flags, dir_fd=directory)
    except OSError as error:
        # A symbolic link; a socket.
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise CacheError("is not a regular file") from error
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise CacheError("is not a regular file")
    return file


def write_whole(directory: int, name: str, parts: Iterable[bytes | memoryview]) -> None:
    """Put a file in its place once all of it is on the disk. Raises OSError; then what was there before still is."""
    begun = name + BEGUN
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    remove(directory, begun)
    try:
        with open(os.open(begun, flags, _FILE_MODE, dir_fd=directory), "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        _remove_directory(directory, name)
        os.rename(begun, name, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError:
        remove(directory, begun)
        raise
    # The name too.
    os.fsync(directory)


def remove(directory: int, name: str) -> None:
    """Have a file gone, or an empty directory, if that is to be had."""
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=directory)
    _remove_directory(directory, name)


def _remove_directory(directory: int, name: str) -> None:
    """Have an empty directory gone: no file can be put in its place."""
    with contextlib.suppress(OSError):
        os.rmdir(name, dir_fd=directory)
