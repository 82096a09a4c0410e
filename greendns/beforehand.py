"""Code that is imported only when it is first used, imported now: for who serves as a user that can't read it.

Python's own directory may be root's alone. And what one process has imported, all that are forked from it share.
"""

from __future__ import annotations

import contextlib
import importlib

from gevent import config

# What the hub is made of, by the names that gevent is configured with (GEVENT_LOOP and the like).
_PARTS_OF_THE_HUB = ("loop", "resolver", "threadpool", "format_context")
_USED_LATER = ("concurrent.futures.thread", "encodings.idna", "gevent.util", "inotify_simple")


def import_all() -> None:
    """Have all imported that serving may need, and make no hub: each process has its own."""
    for part in _PARTS_OF_THE_HUB:
        getattr(config, part)
    for name in _USED_LATER:
        with contextlib.suppress(ImportError):  # inotify_simple is for Linux alone
            importlib.import_module(name)
    _find_libc()


def _find_libc() -> None:
    """inotify_simple looks for the C library when first used, with the help of another program: once, for all forks."""
    with contextlib.suppress(ImportError, OSError):
        import inotify_simple

        inotify_simple.INotify().close()
