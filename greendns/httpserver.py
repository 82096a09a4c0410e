"""pywsgi with limits: how large a request may be, how long it may take, and how many may be at it.

Nobody is waited for longer than geodns would, however it drips. When all places are taken, the connection whose last
step lies longest back makes room: who holds many connections open loses them, and who asks is answered.
"""

from __future__ import annotations

import io
import logging
import socket
from collections.abc import Callable, Iterable
from contextlib import suppress
from email.message import Message
from types import TracebackType
from typing import Any, Protocol

from gevent import Timeout
from gevent.pywsgi import LoggingLogAdapter, WSGIHandler, WSGIServer

from .server import to_gevent

log = logging.getLogger("greendns.http")

# As geodns (G223): how long a request may take to arrive, the next one to begin, an answer to leave.
READ_SECONDS = 5.0
IDLE_SECONDS = 10.0
WRITE_SECONDS = 10.0
# A scrape, a probe and some people; each is a greenlet, a descriptor and at most HEADER_OCTETS of memory.
CONNECTIONS_MAX = 64
# What a scraper sends has a dozen, and 500 octets in all.
HEADERS_MAX = 64
HEADER_OCTETS = 16384

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
_END = "Connection: close\r\nContent-Length: 0\r\n\r\n"
_BAD_REQUEST = "400", f"HTTP/1.1 400 Bad Request\r\n{_END}".encode()
_TOO_LARGE = "431", f"HTTP/1.1 431 Request Header Fields Too Large\r\n{_END}".encode()
# It has hung up, or does not take its answer.
_PEER_IS_GONE = (BrokenPipeError, ConnectionResetError, TimeoutError)


class Application(Protocol):
    """A WSGI application (PEP 3333)."""

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]: ...


class _TooLargeError(ValueError):
    """More headers, or longer ones, than any client of ours sends."""


class _Handler(WSGIHandler):  # type: ignore[misc]
    """Serves one connection. What its client does wrong is for debugging: anybody could fill the log with it."""

    def handle(self) -> None:
        self.server.enter(self)
        try:
            super().handle()
        except _PEER_IS_GONE as error:
            log.debug("%s: %s", self.client_address, error)
        finally:
            self.server.leave(self)

    def read_requestline(self) -> str | None:
        is_first = self.environ is None
        with Timeout(READ_SECONDS if is_first else IDLE_SECONDS, False):
            line: str = super().read_requestline()
            self.server.note_step(self)
            return line
        return None

    def read_request(self, raw_requestline: str) -> bool:
        if not raw_requestline.endswith("\n"):
            return False
        with Timeout(READ_SECONDS, False):
            return (
                bool(super().read_request(raw_requestline)) and self.request_version != "HTTP/0.9" and self._is_whole()
            )
        return False

    def _is_whole(self) -> bool:
        """No page takes a body: whoever sends one, however slowly, is let go without reading it."""
        return self.headers.get("Content-Length", "0") == "0" and "Transfer-Encoding" not in self.headers

    def MessageClass(self, lines: io.BufferedReader, *_: object) -> Message:
        """Read the headers as pywsgi does, but of so many octets only."""
        head = _read_head(lines)
        message: Message = super().MessageClass(io.BytesIO(head))
        return message

    def handle_one_response(self) -> None:
        self.server.note_step(self)
        self.socket.settimeout(WRITE_SECONDS)
        super().handle_one_response()

    def handle_error(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, _PEER_IS_GONE):
            # The peer does not take its answer: its right, and nothing to log.
            self.close_connection = True
            return
        super().handle_error(kind, error, trace)

    def _handle_client_error(self, error: Exception) -> tuple[str, bytes]:
        log.debug("%s: %s: %s", self.client_address, type(error).__name__, error)
        return _TOO_LARGE if isinstance(error, _TooLargeError) else _BAD_REQUEST

    def let_go(self) -> None:
        """End the connection, whatever it waits for."""
        with suppress(OSError, AttributeError):  # it has ended by itself
            self.socket.shutdown(socket.SHUT_RDWR)


def _read_head(lines: io.BufferedReader) -> bytes:
    """The header lines of a request, the empty one included."""
    head: list[bytes] = []
    octets = 0
    while True:
        line = lines.readline(HEADER_OCTETS + 1)
        head.append(line)
        octets += len(line)
        if octets > HEADER_OCTETS or len(head) > HEADERS_MAX + 1:
            raise _TooLargeError(f"more than {HEADERS_MAX} headers or {HEADER_OCTETS} octets")
        if line in (b"\r\n", b"\n"):
            return b"".join(head)
        if not line.endswith(b"\n"):
            raise ValueError("the request ended within its headers")


class HttpServer(WSGIServer):  # type: ignore[misc]
    """A server on a bound socket."""

    def __init__(self, listening: socket.socket, app: Application) -> None:
        # In the order of their last steps, the one furthest back first.
        self._connections: dict[_Handler, None] = {}
        errors = LoggingLogAdapter(log, logging.DEBUG)
        waiting_on = to_gevent(listening)
        super().__init__(waiting_on, app, log=None, error_log=errors, handler_class=_Handler, spawn=CONNECTIONS_MAX)

    def enter(self, handler: _Handler) -> None:
        """A connection begins; the last place is for who comes next."""
        self._connections[handler] = None
        if len(self._connections) >= CONNECTIONS_MAX:
            oldest = next(iter(self._connections))
            self.leave(oldest)
            oldest.let_go()

    def note_step(self, handler: _Handler) -> None:
        """A request goes on."""
        if self._connections.pop(handler, self) is None:
            self._connections[handler] = None

    def leave(self, handler: _Handler) -> None:
        """A connection ends."""
        self._connections.pop(handler, None)
