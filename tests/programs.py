"""Copies of the program that a server can be started from and upgraded to, as an installer would replace it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import greendns
from tests.serving import ROOT

VERSION = greendns.__version__
# What is changed of a module: a piece of its text, and what stands there instead.
Edits = Mapping[str, tuple[str, str]]


class Program:
    """A program in a directory of its own; `command` runs it."""

    def __init__(self, directory: Path, python: str = sys.executable) -> None:
        self.directory = directory
        self.command = [python, str(directory / "scripts" / "greendns")]
        self.install(VERSION)

    def install(self, version: str, edits: Edits | None = None) -> None:
        """Put a version there in place of what is there, if anything is."""
        fresh = self.directory.with_name(f"{self.directory.name}-{version}")
        for part in ("greendns", "scripts"):
            shutil.copytree(ROOT / part, fresh / part)
        if not greendns.is_compiled():
            # Where the package is installed as it lies here, what a copy lacks would be looked for in the original.
            (fresh / "greendns" / "_datagrams.py").write_text('raise ImportError("nothing is compiled here")\n')
        for module, (old, new) in {"__init__": (f'"{VERSION}"', f'"{version}"'), **(edits or {})}.items():
            path = fresh / "greendns" / f"{module}.py"
            text = path.read_text()
            assert old in text
            path.write_text(text.replace(old, new, 1))
        self.remove()
        fresh.rename(self.directory)

    def remove(self) -> None:
        """Leave nothing there."""
        if self.directory.exists():
            shutil.rmtree(self.directory)
