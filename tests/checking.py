"""What loading a zone file finds wrong with it, as `greendns check` prints it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from greendns import loader
from greendns.errors import Problem


class Findings(NamedTuple):
    """Errors and warnings of one zone file, each as text behind the file's name."""

    errors: list[str]
    warnings: list[str]


NOTHING = Findings([], [])


def check_zone(directory: Path, document: object, name: str = "example.com") -> Findings:
    """Load a zone file and tell what is wrong with it.

    document   what the file holds: octets or text as they are, anything else as JSON
    """
    path = directory / f"{name}.json"
    text = document if isinstance(document, (str, bytes)) else json.dumps(document)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    [loaded] = loader.load_files([path])
    return Findings(_texts(path, loaded.errors), _texts(path, loaded.warnings))


def check_label(directory: Path, members: object, label: str = "www") -> Findings:
    """Load a zone with one label and tell what is wrong with it."""
    return check_zone(directory, {"data": {label: members}})


def _texts(path: Path, problems: tuple[Problem, ...]) -> list[str]:
    return [str(problem).removeprefix(f"{path}: ") for problem in problems]
