"""geodns's status files -> the state of each named check, as last read (G173). Loading side: reads files, no gevent.

`<directory>/<file>.json` is a flat object of check -> status; a record's `"health": "<file>/<check>"` names one.
2 is healthy, 1 is not, 0 and anything missing are unknown.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from .errors import ConfigError, UnreadError
from .found import printable
from .jsontext import parse_json
from .regularfile import UNREAD, Fingerprint, fingerprint, read_octets

log = logging.getLogger("greendns.health")


class HealthFiles:
    """The status files of one directory; `read` is called each second and reads only what changed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._files: dict[Path, tuple[Fingerprint, dict[str, int]]] = {}
        self._states: dict[str, int] | None = None

    def read(self) -> Mapping[str, int] | None:
        """The status of every check, by "file/check"; None before there ever was a directory.

        A broken file keeps what it said, and so do all where the directory can't be read; a removed file says nothing.
        """
        try:
            paths = sorted([path for path in self.directory.iterdir() if path.suffix == ".json"])
        except OSError:
            return self._states
        self._files = {path: self._read_file(path) for path in paths}
        self._states = {check: status for _, statuses in self._files.values() for check, status in statuses.items()}
        return self._states

    def _read_file(self, path: Path) -> tuple[Fingerprint, dict[str, int]]:
        """What a file says, read if it changed; told once if it says nothing that can be read."""
        looked_at, before = self._files.get(path, (None, {}))
        seen = fingerprint(path) or UNREAD
        if seen == looked_at:
            return seen, before
        try:
            return seen, dict(_statuses(parse_json(read_octets(path), printable(path)), path.stem))
        except ConfigError as error:
            log.error("%s (what it said before stays)", error)
        except OSError as error:
            log.error("%s (what it said before stays)", UnreadError(printable(path), error))
        return seen, before


def _statuses(document: object, file: str) -> Iterator[tuple[str, int]]:
    """Each check's status: a number, `1.0` like `1`, or an object that has one as `status`; others are unknown."""
    if not isinstance(document, dict):
        return
    for check, value in document.items():
        status = value.get("status") if isinstance(value, dict) else value
        if isinstance(status, (int, float)) and not isinstance(status, bool) and status in (0, 1, 2):
            yield f"{file}/{check}", int(status)
