"""A million names and a hundred thousand clients, each met once: what a server keeps of them.

    python -m tests.checks.crowds [--names 1000000] [--clients 100000] [--seed 1]

Names: nowhere in the zone, below a wildcard, in no zone. Clients: by client subnet, IPv4 and IPv6, and as sources
127.x.y.z. Questions are counted by label, which is the most that can be counted. Exit status 1 where memory has grown
by 20 MB, or /metrics by a line.
"""

from __future__ import annotations

import argparse
import random
import re
import socket
import struct
import sys
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tests.bench.geolite import find_geolite
from tests.checks.asking import serving_checks
from tests.checks.rows import edns, name, numbered, query, subnet
from tests.processtree import descendants, memory_octets
from tests.serving import Server

GROWTH_OCTETS = 20_000_000
# Answers that wait in the sender's buffer; what is counted is that all of them came.
_WINDOW = 100
_SECONDS = 5.0
# Linux, ip(7): which source address a datagram has; Python 3.11 has no name for it.
_IP_PKTINFO = 8
_IN_PKTINFO = struct.Struct("@i4s4s")

# A packet, and the source address it comes from.
Sent = tuple[bytes, bytes]
_HERE = bytes((127, 0, 0, 1))


class Kept(NamedTuple):
    """What a server has of those who asked.

    octets  of memory, of all its processes: pages that several share count once
    lines   of /metrics, without their values
    """

    octets: int
    lines: frozenset[str]


def look(server: Server) -> Kept:
    processes = [server.process.pid, *descendants(server.process.pid)]
    lines = server.get("/metrics")[1].splitlines()
    octets = sum([memory_octets(pid, "Pss") for pid in processes])
    return Kept(octets, frozenset([re.sub(r" \S+$", "", line) for line in lines]))


def names(count: int, chance: random.Random) -> Iterator[Sent]:
    """Questions for names that nobody asked for before."""
    ends = (name(""), name("wild"), name("example.org."))
    for number in range(count):
        label = b"%x" % number + chance.randbytes(chance.randint(0, 20))
        wire = query("")[:12] + bytes((len(label),)) + label + ends[number % 3] + b"\x00\x10\x00\x01"
        yield wire, _HERE


def clients(count: int, chance: random.Random) -> Iterator[Sent]:
    """Questions of clients that did not ask before: two of three told by their subnet, the third by its source."""
    plain = query("geo", "TXT")
    for number in range(count):
        if number % 3 == 0:
            yield plain, bytes((127, *chance.randbytes(2), chance.randint(1, 254)))
        elif number % 3 == 1:
            yield edns(subnet(1, 32, chance.randbytes(4)), text="geo", qtype="TXT"), _HERE
        else:
            yield edns(subnet(2, 56, b"\x20" + chance.randbytes(6)), text="geo", qtype="TXT"), _HERE


def ask_all(server: Server, questions: Iterable[Sent]) -> int:
    """Ask in windows, from the sources wanted; how many were answered."""
    answered = 0
    left = iter(questions)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("0.0.0.0", 0))
        sender.settimeout(_SECONDS)
        while window := list(islice(left, _WINDOW)):
            for number, (wire, source) in enumerate(window):
                information = _IN_PKTINFO.pack(0, source, bytes(4))
                control = [(socket.IPPROTO_IP, _IP_PKTINFO, information)]
                sender.sendmsg([numbered(number, wire)], control, 0, (server.host, server.port))
            answered += len({sender.recv(4096)[:2] for _ in window})
    return answered


class Crowd(NamedTuple):
    """What came of it."""

    asked: int
    answered: int
    before: Kept
    after: Kept

    @property
    def grown_octets(self) -> int:
        return self.after.octets - self.before.octets

    @property
    def new_lines(self) -> frozenset[str]:
        return self.after.lines - self.before.lines

    def told(self) -> str:
        return (
            f"{self.asked:,} questions, {self.answered:,} answers; memory {self.before.octets / 1e6:.1f} MB before, "
            f"{self.after.octets / 1e6:.1f} MB after; /metrics {len(self.before.lines)} lines before, "
            f"{len(self.new_lines)} new ones after"
        )


def crowd(server: Server, name_count: int, client_count: int, seed: int) -> Crowd:
    """Let them ask, a few of each kind before anything is looked at."""
    ask_all(server, [*names(300, random.Random(seed)), *clients(300, random.Random(seed))])
    before = look(server)
    chance = random.Random(seed + 1)
    answered = ask_all(server, names(name_count, chance)) + ask_all(server, clients(client_count, chance))
    return Crowd(name_count + client_count, answered, before, look(server))


def counting_by_label(directory: Path) -> Path:
    """The configuration of a server that does."""
    (directory / "greendns.toml").write_text("[dns]\ndetailed_metrics = true\n")
    return directory


def main() -> int:
    parser = argparse.ArgumentParser("tests.checks.crowds", description="Ask for many names as many clients.")
    parser.add_argument("--names", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        place = counting_by_label(Path(directory))
        with serving_checks(place, "--geoip", str(find_geolite())) as server:
            found = crowd(server, words.names, words.clients, words.seed)
    print(found.told())
    return 0 if found.grown_octets < GROWTH_OCTETS and not found.new_lines and found.asked == found.answered else 1


if __name__ == "__main__":
    sys.exit(main())
