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


def read_octets(path: Path) -> bytes:
    """All octets of a regular file, links followed. Raises OSError for anything else.

    A fifo would hold up its reader until somebody writes, a device might never end: neither is opened for long.
    """
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(opened, "rb") as file:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return file.read()


def fingerprint(path: Path) -> Fingerprint | None:
    """What the file at a path looks like, links followed; None if it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
