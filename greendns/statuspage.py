"""The HTTP side: /metrics, /health and /version on gevent's pywsgi, with basic auth where a user is set (G022)."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import logging
import socket
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

from gevent import Timeout
from gevent.pywsgi import LoggingLogAdapter, WSGIHandler, WSGIServer
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry

from . import __version__
from .loader import Generation
from .metrics import render
from .server import to_gevent
from .settings import HttpSettings

log = logging.getLogger("greendns.http")

# As geodns (G223): how long a request may take to arrive, the next one to begin, an answer to leave.
READ_SECONDS = 5.0
IDLE_SECONDS = 10.0
WRITE_SECONDS = 10.0
REALM = "GeoDNS Status"
_PROBLEMS_SHOWN = 100

StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Page = tuple[str, str, bytes]


class StatusApp:
    """The WSGI application; `generation` and `settings` follow what is in service."""

    def __init__(self, registry: CollectorRegistry, generation: Generation, settings: HttpSettings) -> None:
        self.registry = registry
        self.generation = generation
        self.settings = settings

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if not self._is_authorized(environ.get("HTTP_AUTHORIZATION", "")):
            challenge = ("WWW-Authenticate", f'Basic realm="{REALM}"')
            start_response("401 Unauthorized", [challenge, ("Content-Length", "0")])
            return [b""]
        status, content_type, body = self._page(environ)
        start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

    def _is_authorized(self, header: str) -> bool:
        """Compare in constant time: how long it takes tells nothing of the password."""
        if not self.settings.user:
            return True
        scheme, _, encoded = header.partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            return False
        expected = f"{self.settings.user}:{self.settings.password}".encode()
        return scheme.lower() == "basic" and hmac.compare_digest(given, expected)

    def _page(self, environ: dict[str, Any]) -> Page:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return "405 Method Not Allowed", "text/plain", b"GET only\n"
        path = environ["PATH_INFO"]
        if path == "/metrics":
            return "200 OK", CONTENT_TYPE_LATEST, render(self.registry)
        if path == "/health":
            return self._health()
        if path == "/version" and not environ.get("QUERY_STRING"):
            # geodns ends the line with a backslash and an n, and takes no query string (G220).
            return "200 OK", "text/plain", f"GreenDNS {__version__}\\n".encode()
        return "404 Not Found", "text/plain", b"404 page not found\n"

    def _health(self) -> Page:
        report = health_report(self.generation)
        status = "503 Service Unavailable" if report["status"] == "unavailable" else "200 OK"
        return status, "application/json", json.dumps(report, indent=2).encode() + b"\n"


def health_report(generation: Generation) -> dict[str, object]:
    """ok; degraded where a file is broken and its last good version serves; unavailable without any zone."""
    errors = generation.errors()
    status = "degraded" if errors else "ok"
    if not generation.serving():
        status = "unavailable"
    return {
        "status": status,
        "version": __version__,
        "zones": len(generation.serving()),
        "errors": [str(problem) for problem in errors[:_PROBLEMS_SHOWN]],
    }


class _Handler(WSGIHandler):  # type: ignore[misc]
    """Lets go of a client that is slow or silent: it does not hold its greenlet for ever, however it drips."""

    def read_requestline(self) -> str | None:
        is_first = self.environ is None
        with Timeout(READ_SECONDS if is_first else IDLE_SECONDS, False):
            line: str = super().read_requestline()
            return line
        return None

    def read_request(self, raw_requestline: str) -> bool:
        with Timeout(READ_SECONDS, False):
            return bool(super().read_request(raw_requestline)) and not self._has_body()
        return False

    def _has_body(self) -> bool:
        """No page takes a body: whoever sends one, however slowly, is let go without reading it."""
        return self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers

    def handle_one_response(self) -> None:
        self.socket.settimeout(WRITE_SECONDS)
        super().handle_one_response()

    def handle_error(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, TimeoutError):
            # The peer does not take its answer: its right, and nothing to log.
            self.close_connection = True
            return
        super().handle_error(kind, error, trace)


def http_server(listening: socket.socket, app: StatusApp) -> WSGIServer:
    """A server on a bound socket. What clients do wrong is for debugging: anybody could fill the log with it."""
    client_errors = LoggingLogAdapter(log, logging.DEBUG)
    return WSGIServer(to_gevent(listening), app, log=None, error_log=client_errors, handler_class=_Handler, spawn=64)
