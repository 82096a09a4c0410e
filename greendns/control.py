"""What a server does for whoever reaches its control socket, a WSGI application: GET /status, POST and GET /reload.

Who may ask is not looked at here: who can connect to the socket may.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

import gevent

from .countertable import CounterTable
from .httpserver import StartResponse
from .loaded import Generation
from .statusreport import Rate, Report, make_report, reload_report

_SAMPLE_SECONDS = 1.0

Answer = tuple[str, Report]


class ControlApp:
    """The WSGI application of one generation, or of one process that does everything; it follows what is in service.

    bank        of the generation
    pid         of the process to signal
    ask_reload  has all files looked at, and the request counted
    """

    def __init__(self, table: CounterTable, bank: int, pid: int, ask_reload: Callable[[], object]) -> None:
        self._table = table
        self._bank = bank
        self._pid = pid
        self._ask_reload = ask_reload
        self._rate = Rate(table.packets)
        self.generation: Generation | None = None

    def start(self) -> None:
        """Begin to watch how fast queries come."""
        gevent.spawn(self._sample)

    def _sample(self) -> None:
        while True:
            gevent.sleep(_SAMPLE_SECONDS)
            self._rate.sample()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        status, report = self._answer(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        # In one line: laid out for people, 10,000 zones would hold up for long whoever answers in this process too.
        body = json.dumps(report).encode() + b"\n"
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, method: str, path: str) -> Answer:
        asked: dict[tuple[str, str], Callable[[], Answer]] = {
            ("GET", "/status"): self._status,
            ("GET", "/reload"): self._in_force,
            ("POST", "/reload"): self._reload,
        }
        if (method, path) in asked:
            return asked[method, path]()
        return "404 Not Found", {"error": "there are GET /status, POST /reload and GET /reload"}

    def _status(self) -> Answer:
        # A process that is younger than a second does not know how fast queries come.
        gevent.sleep(max(0.0, _SAMPLE_SECONDS - self._rate.seconds))
        assert self.generation is not None
        return "200 OK", make_report(self._table, self._bank, self._pid, self.generation, self._rate)

    def _in_force(self) -> Answer:
        assert self.generation is not None
        return "200 OK", reload_report(self._table, self._bank, self.generation)

    def _reload(self) -> Answer:
        """Ask for a reload. Whatever request is counted after this moment meets all that lies there now."""
        request = self._table.asked() + 1
        self._ask_reload()
        return "202 Accepted", {"request": request}
