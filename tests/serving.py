"""A real server in a process of its own, and questions to it over real sockets."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dns.edns
import dns.message
import dns.query
import dns.rdatatype

from tests.processtree import KEEPER, descendants, is_running, named

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = [sys.executable, str(ROOT / "scripts" / "greendns")]
DEADLINE_SECONDS = 20.0


def wait_until(claim: Callable[[], Any], what: str, seconds: float = DEADLINE_SECONDS) -> Any:
    """The first truthy value of `claim`; fails the test if none comes before the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = claim()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def run_command(*arguments: str | Path, seconds: float = 60, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `greendns ARGUMENTS` to its end."""
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=seconds, check=False, **options
    )


@dataclass
class Server:
    """A running server; `host` and `port` answer DNS, `http` is the base URL of its HTTP side."""

    process: subprocess.Popen[str]
    log: Path
    zones: Path
    host: str = ""
    port: int = 0
    http: str = ""
    addresses: list[tuple[str, int]] = field(default_factory=list)

    def ask(
        self,
        name: str,
        rrtype: str = "A",
        *,
        subnet: str | None = None,
        tcp: bool = False,
        edns: bool = True,
        payload: int = 1232,
        timeout: float = 5.0,
        **message_options: Any,
    ) -> dns.message.Message:
        """Ask over UDP (or TCP) and give dnspython's reading of the answer; `subnet` is "192.0.2.0/24"."""
        options = [dns.edns.ECSOption.from_text(subnet)] if subnet else []
        settings: dict[str, Any] = {"use_edns": 0, "payload": payload, "options": options} if edns or subnet else {}
        query = dns.message.make_query(name, rrtype, **{**settings, **message_options})
        ask = dns.query.tcp if tcp else dns.query.udp
        return ask(query, self.host, port=self.port, timeout=timeout)

    def values(self, name: str, rrtype: str = "A", **options: Any) -> list[str]:
        """The rdata of all answer records as text, in the order they came."""
        answer = self.ask(name, rrtype, **options)
        return [rdata.to_text() for rrset in answer.answer for rdata in rrset]

    def nsid(self) -> str:
        """What the server calls itself (RFC 5001)."""
        answer = self.ask("", "SOA", options=[dns.edns.GenericOption(dns.edns.OptionType.NSID, b"")])
        (told,) = [option.to_wire() for option in answer.options if option.otype == dns.edns.OptionType.NSID]
        return bytes(told or b"").decode()

    def exchange(self, wire: bytes, timeout: float = 5.0) -> bytes | None:
        """Send raw octets in one datagram; None if nothing comes back in time."""
        with socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.settimeout(timeout)
            sender.connect((self.host, self.port))
            sender.send(wire)
            try:
                return sender.recv(65535)
            except TimeoutError:
                return None

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Status and body of a page of the HTTP side."""
        request = urllib.request.Request(self.http + path, headers=dict(headers or {}))
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def health(self) -> dict[str, Any]:
        """The /health report, whatever its status code."""
        report: dict[str, Any] = json.loads(self.get("/health")[1])
        return report

    def metric(self, name: str, **labels: str) -> float:
        """One sample of /metrics; 0 if it is not there."""
        from prometheus_client.parser import text_string_to_metric_families

        for family in text_string_to_metric_families(self.get("/metrics")[1]):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return float(sample.value)
        return 0.0

    def wait_in_force(self, claim: Callable[[], Any], what: str, seconds: float = DEADLINE_SECONDS) -> Any:
        """`wait_until`, and then until the generation before is gone: what is asked next can't come from it."""
        value = wait_until(claim, what, seconds)
        wait_until(lambda: len(named(self.process.pid, KEEPER)) <= 1, "the end of the generation before")
        return value

    def log_text(self) -> str:
        """Everything logged so far."""
        return self.log.read_text()


def write_zones(directory: Path, zones: Mapping[str, object]) -> None:
    """Write `zones` (name -> document, or text as it is) as zone files."""
    directory.mkdir(parents=True, exist_ok=True)
    for zone, document in zones.items():
        text = document if isinstance(document, str) else json.dumps(document)
        (directory / f"{zone}.json").write_text(text)


@contextmanager
def serving(
    directory: Path,
    zones: Mapping[str, object] | None = None,
    arguments: Sequence[str] = (),
    listen: Sequence[str] = ("127.0.0.1:0",),
    command: Sequence[str] = (),
    workers: int = 2,
    program: Sequence[str] = PROGRAM,
) -> Iterator[Server]:
    """Run a server over the zone files in `directory`/zones until the block ends.

    arguments  more of `greendns serve`, such as ("--geoip", DIR)
    workers    how many processes answer; 0: one does everything, and changes at one moment, where several hand over:
               for some milliseconds both generations answer
    command    in place of `serve` and everything after it
    program    in place of greendns
    """
    zone_directory = directory / "zones"
    write_zones(zone_directory, zones or {})
    standard = ["serve", "--config", str(directory), "--http", "127.0.0.1:0", "--geoip", str(directory)]
    standard += ["--workers", str(workers)]
    for address in listen:
        standard += ["--listen", address]
    log = directory / "server.log"
    output = directory / "server.out"
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with log.open("w") as errors, output.open("w") as words:
        process = subprocess.Popen(
            [*program, *(command or [*standard, *arguments])],
            stdout=words,
            stderr=errors,
            text=True,
            env=environment,
        )
    server = Server(process, log, zone_directory)
    try:
        _wait_listening(server, output)
        yield server
    finally:
        below = descendants(process.pid)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        wait_until(lambda: not any(map(is_running, below)), "the processes below the server leave with it")


def _wait_listening(server: Server, output: Path) -> None:
    """Wait for the lines that tell the addresses: the one of the HTTP side is the last."""

    def told() -> bool:
        assert server.process.poll() is None, f"the server ended: {server.log_text()}"
        return re.search(r"^http .*\n", output.read_text(), re.MULTILINE) is not None

    wait_until(told, "the server listens")
    words = output.read_text()
    for host, port in re.findall(r"^listening on \[?([^\]\s]+?)\]?:(\d+)$", words, re.MULTILINE):
        server.addresses.append((host, int(port)))
    server.host, server.port = server.addresses[0]
    match = re.search(r"^http on (\S+)$", words, re.MULTILINE)
    server.http = f"http://{match[1]}" if match and match[1] != "off" else ""
