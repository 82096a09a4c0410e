"""Mutated packets against one worker over UDP, with a control query behind every hundred of them.

    python -m tests.fuzz.flood [--packets 1000000] [--seed 1]

Nothing is sent before the control query is answered, so that no queue overruns and each packet is read. Exit status 1
if any control query stays unanswered, a fault is logged or counted, or the worker is another one in the end.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import socket
import struct
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from greendns.counters import KINDS
from tests.checks.asking import serving_checks
from tests.fuzz.mutating import mutate, seeds
from tests.packets import QUESTION
from tests.processtree import WORKER, memory_octets, named
from tests.serving import Server

WINDOW = 100
_CONTROL_SECONDS = 5.0


@dataclass
class Flood:
    """What came of it.

    unanswered  control queries without an answer
    failures    answers of SERVFAIL because of a fault of ours, by the server's own counter
    counted     packets that the server counted, the control queries among them
    lost        workers that are not there any more
    memory      of the worker, in octets, before and after
    log         what the server logged meanwhile
    """

    sent: int = 0
    controls: int = 0
    answers: int = 0
    unanswered: int = 0
    failures: int = 0
    counted: int = 0
    lost: int = 0
    memory: tuple[int, int] = (0, 0)
    seconds: float = 0.0
    log: str = ""

    @property
    def is_clean(self) -> bool:
        """Whether all is as it should be; a log that says nothing is."""
        faults = self.unanswered, self.failures, self.lost
        return faults == (0, 0, 0) and self.counted == self.sent + self.controls and not self.log

    def told(self) -> str:
        before, after = (octets / 1e6 for octets in self.memory)
        return (
            f"{self.sent:,} packets in {self.seconds:.0f} s: {self.answers:,} answers, {self.sent - self.answers:,} "
            f"dropped; {self.controls:,} control queries, {self.unanswered} unanswered; {self.failures} faults, "
            f"{self.lost} workers lost, {len(self.log)} octets logged; memory of the worker {before:.1f} MB before, "
            f"{after:.1f} MB after"
        )


def flood(server: Server, packets: int, seed: int) -> Flood:
    """Send so many to a server of one worker."""
    chance = random.Random(seed)
    corpus = seeds()
    found = Flood()
    _send(server, [*corpus], found)  # what is made once is made before memory is looked at
    found = Flood()
    workers = named(server.process.pid, WORKER)
    (worker,) = workers
    before = memory_octets(worker, "Rss"), _counted(server), len(server.log_text())
    began = time.monotonic()
    while found.sent < packets:
        _send(server, [mutate(chance.choice(corpus), chance) for _ in range(min(WINDOW, packets - found.sent))], found)
    found.seconds = time.monotonic() - began
    found.lost = len(set(workers) - set(named(server.process.pid, WORKER)))
    found.memory = before[0], memory_octets(worker, "Rss") if not found.lost else 0
    found.counted = _counted(server) - before[1]
    found.failures = int(server.metric("greendns_failures_total"))
    found.log = server.log_text()[before[2] :]
    return found


def _counted(server: Server) -> int:
    return sum([int(server.metric("greendns_packets_total", transport="udp", outcome=kind)) for kind in KINDS])


def _send(server: Server, packets: list[bytes], found: Flood) -> None:
    """A window of packets and the control query behind it; answers are counted once that one is there."""
    with _connected(server) as sender, _connected(server) as control:
        for packet in packets:
            sender.send(packet)
        control.settimeout(_CONTROL_SECONDS)
        control.send(struct.pack("!6H", found.controls & 0xFFFF, 0, 1, 0, 0, 0) + QUESTION)
        found.sent += len(packets)
        found.controls += 1
        try:
            found.unanswered += control.recv(4096)[:2] != struct.pack("!H", found.controls - 1 & 0xFFFF)
        except TimeoutError:
            found.unanswered += 1
        sender.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while sender.recv(4096):
                found.answers += 1


def _connected(server: Server) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.connect((server.host, server.port))
    return made


def main() -> int:
    parser = argparse.ArgumentParser("tests.fuzz.flood", description="Send mutated packets to one worker.")
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, serving_checks(Path(directory)) as server:
        found = flood(server, arguments.packets, arguments.seed)
    print(found.told())
    print(found.log, end="")
    return 0 if found.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
