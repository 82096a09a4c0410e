"""Log records -> lines of printable characters, to standard error or to a file. No gevent.

What is logged may name a file, a zone or what a packet had in it, and goes to terminals and to programs that read
lines: no control character, no line that was made up, gets there. Escaping is done here, once for all that is logged.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import sys
from pathlib import Path

from .errors import ConfigError, Problem
from .found import printable

log = logging.getLogger("greendns")

_FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class PrintableFormatter(logging.Formatter):
    """One line for a message; those of a traceback are indented behind it, so that none looks like a record."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        return printable(super().formatMessage(record))

    def formatException(self, ei: object) -> str:
        told = super().formatException(ei)  # type: ignore[arg-type]
        return "\n".join([f"  {printable(line)}" for line in told.split("\n")])


class _LogFile(logging.handlers.WatchedFileHandler):
    """A log file that is followed by its name: one that was moved away or removed is begun anew (G012).

    It is opened for appending: one that was cut short in its place goes on at its new end.
    """

    def emit(self, record: logging.LogRecord) -> None:
        try:
            super().emit(record)
        except OSError:
            # The directory is gone, say. What is logged must not stop who logs it.
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError, ValueError):  # standard error may be gone, or on the same full disk
            told = printable(f"{self.baseFilename}: {sys.exc_info()[1]}: {record.getMessage()}")
            print(f"greendns: {told}", file=sys.stderr)


def _handler(file: Path | None) -> logging.Handler:
    """To a file, or to standard error without one. Raises ConfigError."""
    try:
        return _LogFile(file) if file else logging.StreamHandler()
    except OSError as error:
        claim = f"must be a file that can be written: {error.strerror}"
        raise ConfigError(Problem("log file", str(file), claim)) from error


def start_logging_anyway(level: str, file: Path | None = None) -> None:
    """`start_logging` in a server that serves: where the file can't be written, to standard error."""
    try:
        start_logging(level, file)
    except ConfigError as error:
        start_logging(level)
        log.error("%s", error)


def start_logging(level: str, file: Path | None = None) -> None:
    """Have all that is logged from here on written, as grave as `level` or graver. Raises ConfigError."""
    handler = _handler(file)
    handler.setFormatter(PrintableFormatter(_FORM))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


def reopen_log() -> None:
    """Begin a log file anew that was moved away, with a line, however few are wanted; it is followed by its name."""
    told = "asked to begin the log file anew"
    root = logging.getLogger()
    root.handle(root.makeRecord("greendns", logging.INFO, "", 0, told, (), None))
