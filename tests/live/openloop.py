"""An open-loop sender: queries leave on a fixed schedule, whatever comes back.

A sender that waits for answers stalls together with the server, and hides it. This one runs in a process of its own,
so that the test's work does not delay it, and counts latency from when a query was due, not from when it left.
"""

from __future__ import annotations

import json
import math
import selectors
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import dns.edns
import dns.message
import dns.rcode

from tests.serving import ROOT, Server

QUERIES_PER_SECOND = 500
# Bounds of a run that nobody ends: far below 65536 queries, so that every query has an ID of its own.
RUN_SECONDS = 60.0
# An answer later than this is as good as lost: the client has asked somebody else.
PATIENCE_SECONDS = 2.0
SOURCE_PORTS = 64


@dataclass
class Report:
    """What became of the queries.

    answers    (name asked, what came) -> how often; what came is the address, or the rcode where there is none
    latencies  seconds from when each answered query was due, ascending
    """

    sent: int = 0
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """How many queries had their answer in time."""
        return sum(1 for latency in self.latencies if latency <= PATIENCE_SECONDS)

    @property
    def lost(self) -> int:
        """How many had none."""
        return self.sent - self.answered

    def latency(self, share: float) -> float:
        """Seconds that this share of the answered queries took at most."""
        return self.latencies[math.ceil(share * len(self.latencies)) - 1]

    def came(self, name: str) -> set[str]:
        """Everything that was answered for a name."""
        return {what for asked, what in self.answers if asked == name}


@contextmanager
def questioning(
    server: Server, names: Sequence[str], subnet: str | None = None, rate: int = QUERIES_PER_SECOND
) -> Iterator[Report]:
    """Ask for the A records of `names` in turn until the block ends; the report is filled in then."""
    options = [dns.edns.ECSOption.from_text(subnet)] if subnet else []
    queries = [dns.message.make_query(name, "A", use_edns=0, options=options) for name in names]
    plan = {
        "host": server.host,
        "port": server.port,
        "rate": rate,
        "seconds": RUN_SECONDS,
        "wires": [query.to_wire().hex() for query in queries],
    }
    report = Report()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.live.openloop"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(plan) + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == "sending\n"
        yield report
        told, _ = process.communicate(timeout=RUN_SECONDS + PATIENCE_SECONDS)
        _fill(report, json.loads(told))
    finally:
        process.kill()
        process.wait()


def _fill(report: Report, told: dict[str, Any]) -> None:
    report.sent = told["sent"]
    report.latencies = sorted(told["latencies"])
    for wire, count in told["answers"].items():
        report.answers[_read_answer(bytes.fromhex(wire))] += count


def _read_answer(wire: bytes) -> tuple[str, str]:
    message = dns.message.from_wire(wire)
    asked = message.question[0].name.to_text(omit_final_dot=True)
    values = [rdata.to_text() for rrset in message.answer for rdata in rrset]
    return asked, " ".join(values) or dns.rcode.to_text(message.rcode())


# -- the sender's process


class _Sender:
    """Sends what is due and takes what has come; neither waits for the other."""

    def __init__(self, host: str, port: int, rate: int, wires: list[bytes]) -> None:
        self.rate = rate
        self.wires = wires
        self.sent = 0
        self.latencies: list[float] = []
        self.answers: Counter[bytes] = Counter()
        self.due: dict[int, float] = {}
        self.selector = selectors.DefaultSelector()
        self.sockets = [_connected(host, port) for _ in range(SOURCE_PORTS)]
        for each in self.sockets:
            self.selector.register(each, selectors.EVENT_READ, self._take)
        self.start = time.monotonic()

    def run(self, ends: float) -> None:
        """Send on schedule until standard input ends, or until a time."""
        self.selector.register(sys.stdin, selectors.EVENT_READ, None)
        while self._next_due() < ends:
            while self._next_due() <= time.monotonic():
                self._send()
            if not self._wait(self._next_due() - time.monotonic()):
                break
        self.selector.unregister(sys.stdin)
        ends = time.monotonic() + PATIENCE_SECONDS
        while self.due and time.monotonic() < ends:
            self._wait(ends - time.monotonic())

    def _next_due(self) -> float:
        return self.start + self.sent / self.rate

    def _send(self) -> None:
        wire = self.wires[self.sent % len(self.wires)]
        self.due[self.sent] = self._next_due()
        # An ICMP error of an earlier query, say: this one is lost then, and counted so.
        with suppress(OSError):
            self.sockets[self.sent % len(self.sockets)].send(self.sent.to_bytes(2, "big") + wire[2:])
        self.sent += 1

    def _wait(self, seconds: float) -> bool:
        """Take what comes; False once standard input has ended."""
        is_going_on = True
        for key, _ in self.selector.select(max(seconds, 0)):
            if key.data is None:
                is_going_on = False
            else:
                key.data(key.fileobj)
        return is_going_on

    def _take(self, each: socket.socket) -> None:
        try:
            wire = each.recv(65535)
        except OSError:
            return
        due = self.due.pop(int.from_bytes(wire[:2], "big"), None)
        if due is not None:
            self.latencies.append(time.monotonic() - due)
            self.answers[bytes(2) + wire[2:]] += 1


def _connected(host: str, port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    opened.connect((host, port))
    opened.setblocking(False)
    return opened


def main() -> None:
    """Read a plan from standard input, send, and write what became of it to standard output."""
    plan = json.loads(sys.stdin.readline())
    sender = _Sender(plan["host"], plan["port"], plan["rate"], [bytes.fromhex(wire) for wire in plan["wires"]])
    print("sending", flush=True)
    sender.run(sender.start + plan["seconds"])
    answers = {wire.hex(): count for wire, count in sender.answers.items()}
    json.dump({"sent": sender.sent, "latencies": sender.latencies, "answers": answers}, sys.stdout)


if __name__ == "__main__":
    main()
