"""Asks a server over its control socket: what `greendns status` and `greendns reload` do. No gevent."""

from __future__ import annotations

import http.client
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import GreenDNSError

# What a server needs for a report on many zones, and to begin a connection while it hands over.
ANSWER_SECONDS = 10.0
_STEP_SECONDS = 0.1
_STATUSES = (http.client.OK, http.client.ACCEPTED)
_STRANGER = "is no control socket of a GreenDNS server"


class UnreachableError(GreenDNSError):
    """No server answers at a control socket."""


class LateError(GreenDNSError):
    """A reload was asked for, and is not in force in time."""


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=ANSWER_SECONDS)
        self._path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def find_control(paths: list[Path]) -> Path:
    """The first of these that is there, else the last one."""
    return next((path for path in paths if os.path.exists(path)), paths[-1])


def ask(path: Path, method: str, page: str) -> dict[str, Any]:
    """What the server at a control socket says. Raises UnreachableError."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            return _ask_once(path, method, page)
        except (http.client.HTTPException, ConnectionResetError, BrokenPipeError, BlockingIOError) as error:
            # The process that had taken the connection has ended: another one is there, or the server is gone. Or
            # (BlockingIOError) so many ask that there is no place to wait at.
            if time.monotonic() > deadline:
                raise UnreachableError(f"{path}: the server does not answer: {error}") from error
            time.sleep(_STEP_SECONDS)
        except TimeoutError as error:
            raise UnreachableError(f"{path}: the server does not answer within {ANSWER_SECONDS:.0f} s") from error
        except OSError as error:
            raise UnreachableError(f"{path}: no server can be reached: {error.strerror or error}") from error


def _ask_once(path: Path, method: str, page: str) -> dict[str, Any]:
    connection = _UnixConnection(path)
    try:
        connection.request(method, page, headers={"Connection": "close"})
        response = connection.getresponse()
        answer = response.read()
    finally:
        connection.close()
    if response.status not in _STATUSES:
        raise UnreachableError(f"{path}: {_STRANGER}: {response.status}")
    with reading_report(path):
        report: dict[str, Any] = json.loads(answer)
    return report


@contextmanager
def reading_report(path: Path) -> Iterator[None]:
    """Raise UnreachableError where a report does not say what a server's would."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise UnreachableError(f"{path}: {_STRANGER}: its report can't be read") from error


def reload(path: Path, seconds: float) -> dict[str, Any]:
    """Have everything looked at and loaded, and wait until it is in force; returns what is said of it then.

    Raises UnreachableError, and LateError after so many seconds.
    """
    deadline = time.monotonic() + seconds
    request = ask(path, "POST", "/reload")["request"]
    while True:
        report = ask(path, "GET", "/reload")
        if report["in_force"] >= request:
            return report
        if time.monotonic() > deadline:
            raise LateError(f"{path}: not in force within {seconds:g} s: the log of the server tells what it does")
        time.sleep(_STEP_SECONDS)
