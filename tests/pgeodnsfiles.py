"""Files of a pgeodns.conf in a temporary directory, and what GreenDNS reads in them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from greendns import convert, pgeodns
from greendns.errors import ConfigError

Write = Callable[..., Path]
NS = "ns ns1.example.net\n"


def writer(directory: Path) -> Write:
    """A function that writes one file below the directory; `mtime` in seconds."""

    def write(name: str, text: str | bytes, mtime: int | None = None) -> Path:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        if mtime is not None:
            os.utime(path, (mtime, mtime))
        return path

    return write


def read(path: Path) -> pgeodns.Pgeodns:
    """A configuration, relative names starting beside it."""
    return pgeodns.read(path, path.parent)


def document(path: Path, name: str = "example.com") -> dict[str, Any]:
    """The zone document of one base."""
    return convert.zone_documents(read(path))[name]


def problems(path: Path) -> list[str]:
    """What is wrong, without the directory of the test."""
    with pytest.raises(ConfigError) as caught:
        read(path)
    return [str(problem).replace(f"{path.parent}{os.sep}", "") for problem in caught.value.problems]
