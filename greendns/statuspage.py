"""The pages of the HTTP side, a WSGI application: /metrics, /health and /version (G022).

Only for the prefixes of access.http, and with basic auth where a user is set (RFC 7617). There is nothing else to get.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry

from . import __version__
from .access import make_prefixes
from .httpserver import StartResponse
from .loaded import Generation
from .metrics import render

REALM = "GeoDNS Status"
_METHODS = ("GET", "HEAD")
_PROBLEMS_SHOWN = 100

Page = tuple[str, str, bytes]


class StatusApp:
    """The WSGI application; it follows what is in service."""

    def __init__(self, registry: CollectorRegistry, generation: Generation) -> None:
        self.registry = registry
        self.take(generation)

    def take(self, generation: Generation) -> None:
        """Tell of this generation, and ask for what its settings say."""
        self.generation = generation
        settings = generation.config.http
        self._expected = (settings.user.encode(), settings.password.encode())
        self._readers = make_prefixes(generation.config.access.http)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        status, headers, body = self._respond(environ)
        start_response(status, [*headers, ("Content-Length", str(len(body)))])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]

    def _respond(self, environ: dict[str, Any]) -> tuple[str, list[tuple[str, str]], bytes]:
        """Status, headers and body: who asks comes before what is asked for."""
        if not self._is_let_in(environ["REMOTE_ADDR"]):
            return "403 Forbidden", [("Content-Type", "text/plain")], b"403 forbidden\n"
        if not self._is_authorized(environ.get("HTTP_AUTHORIZATION", "")):
            return "401 Unauthorized", [("WWW-Authenticate", f'Basic realm="{REALM}"')], b""
        if environ["REQUEST_METHOD"] not in _METHODS:
            allow = ("Allow", ", ".join(_METHODS))
            return "405 Method Not Allowed", [allow, ("Content-Type", "text/plain")], b"GET only\n"
        status, content_type, body = self._page(environ)
        return status, [("Content-Type", content_type)], body

    def _is_let_in(self, address: str) -> bool:
        return self._readers is None or self._readers.has(ip_address(address.partition("%")[0]).packed)

    def _is_authorized(self, header: str) -> bool:
        """Compare user and password, both of them always, in constant time: how long it takes tells nothing of them."""
        user, password = self._expected
        if not user:
            return True
        given_user, given_password = _credentials(header)
        is_user = hmac.compare_digest(given_user, user)
        is_password = hmac.compare_digest(given_password, password)
        return is_user & is_password

    def _page(self, environ: dict[str, Any]) -> Page:
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


def _credentials(header: str) -> tuple[bytes, bytes]:
    """User and password of an Authorization header (RFC 7617 section 2); empty where it has none."""
    scheme, _, encoded = header.partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True) if scheme.lower() == "basic" else b""
    except ValueError:
        given = b""
    user, _, password = given.partition(b":")
    return user, password


def health_report(generation: Generation) -> dict[str, object]:
    """How a generation is, in few words."""
    return {
        "status": generation.health(),
        "version": __version__,
        "zones": len(generation.serving()),
        "errors": [str(problem) for problem in generation.errors()[:_PROBLEMS_SHOWN]],
        "last_good": [loaded.told for loaded in generation.last_good()[:_PROBLEMS_SHOWN]],
    }
