"""Memory that all processes of a server share, and that outlives a program which replaces itself by exec. No gevent.

On Linux it is a file without a name (memfd_create(2)): whoever has its descriptor can map it. Elsewhere it is
anonymous, and only processes that are forked share it. It begins with a page that tells its layout, so that a program
that is handed a descriptor knows whether it understands what is there.
"""

from __future__ import annotations

import mmap
import os
import sys

PAGE_OCTETS = 4096
CELL_OCTETS = 8
# Swap is not set aside for what is hardly ever used; a memfd never does (shmem).
_MAP_NORESERVE = 0x4000 if sys.platform == "linux" else 0


class SharedMemory:
    """A page with the layout in its first cells, and `octets` behind it: zero in the beginning, and used as needed.

    descriptor  of the memory; None where it has none
    is_adopted  whether it was there before, with what is in it
    head        the first page, in cells of 64 bits; the cells behind the layout are free for use
    """

    def __init__(self, layout: tuple[int, ...], octets: int, handed: int | None = None) -> None:
        """Take over the memory behind a descriptor where it has this layout and size, or else make new memory."""
        size = PAGE_OCTETS + octets
        self.is_adopted = handed is not None and _has_layout(handed, layout, size)
        if handed is not None and not self.is_adopted:
            os.close(handed)
        self.descriptor = handed if self.is_adopted else _create(size)
        self._memory = memoryview(_map(self.descriptor, size))
        self.head = self._memory[:PAGE_OCTETS].cast("Q")
        if not self.is_adopted:
            for cell, value in enumerate(layout):
                self.head[cell] = value

    @property
    def body(self) -> memoryview:
        """All behind the first page."""
        return self._memory[PAGE_OCTETS:]


def _has_layout(descriptor: int, layout: tuple[int, ...], size: int) -> bool:
    if os.fstat(descriptor).st_size != size:
        return False
    told = os.pread(descriptor, len(layout) * CELL_OCTETS, 0)
    return tuple(memoryview(told).cast("Q")) == layout


def _create(size: int) -> int | None:
    if sys.platform != "linux":
        return None
    descriptor = os.memfd_create("greendns")
    os.ftruncate(descriptor, size)
    return descriptor


def _map(descriptor: int | None, size: int) -> mmap.mmap:
    if descriptor is None:
        return mmap.mmap(-1, size, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | _MAP_NORESERVE)
    return mmap.mmap(descriptor, size, flags=mmap.MAP_SHARED)
