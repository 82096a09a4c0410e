"""A path -> the octets of the regular file there. Loading side: the one place where an operator's files are opened."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

# (mtime, ctime, size, inode): tells that a file may have changed, without reading it. Compared for difference, since a
# rollback is older; with ctime, since a change of permissions can make a file readable.
Fingerprint = tuple[int, int, int, int]
# Of a file that could not be read: differs from every real one, so that it is tried again.
UNREAD: Fingerprint = (0, 0, 0, 0)
# At once of a file that is not as long as it was said to be: it has grown since, or it is one of /proc.
_READ_OCTETS = 1 << 20


def read_octets(path: Path) -> bytes:
    """All octets of a regular file, links followed. Raises OSError for anything else."""
    return read_file(path)[0]


def read_file(path: Path) -> tuple[bytes, Fingerprint]:
    """All octets of a regular file, links followed, and what it looked like before. Raises OSError for anything else.

    A fifo would hold up its reader until somebody writes, a device might never end: neither is opened for long.
    """
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(opened)
        if stat.S_ISDIR(status.st_mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return _read_to_end(opened, status.st_size), _fingerprint(status)
    finally:
        os.close(opened)


def _read_to_end(opened: int, size: int) -> bytes:
    """All octets of an open file of, probably, so many. To make a file object takes as long as to read a small one."""
    octets = os.read(opened, size + 1)
    if len(octets) == size:
        return octets
    parts = [octets]
    while parts[-1]:
        parts.append(os.read(opened, _READ_OCTETS))
    return b"".join(parts)


def fingerprint(path: Path) -> Fingerprint | None:
    """What the file at a path looks like, links followed; None if it is not there."""
    try:
        return _fingerprint(path.stat())
    except OSError:
        return None


def _fingerprint(status: os.stat_result) -> Fingerprint:
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
