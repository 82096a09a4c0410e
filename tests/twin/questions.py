"""What both builds are asked: plain values in, plain values out, so that two processes can be compared.

Every method of `Build` is a question. The random source is scripted by a seed, the time is an argument, and what was
drawn is part of an answer: two builds that draw differently have not answered alike.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import greendns
from greendns.answer import answer, servfail
from greendns.chance import Uniform
from greendns.geography import Geo
from greendns.loader import load
from greendns.mmdbrecord import Records
from greendns.mmdbtree import Tree
from greendns.outcome import Outcome, Peer
from greendns.picker import draw_by_cuts, draw_by_tree
from greendns.query import parse
from greendns.responder import Responder
from greendns.settings import Config, GeoipSettings, ZonesSettings
from greendns.snapshot import ServerOptions, Snapshot, State
from tests.choices import Choice
from tests.counting import new_counters

Told = dict[str, Any]
# Address, port, over TCP, in a batch.
Sender = tuple[bytes, int, bool, bool]

NOW = 1_700_000_000.0
STARTED = NOW - 60
OPTIONS = ServerOptions("twin", "192.0.2.53", "host", "1", STARTED, cookie_secrets=(bytes(range(16)),))
HEALTH = {"sites/up": 2, "sites/down": 1, "sites/unknown": 0}
_ADDRESSES = (bytes(4), bytes((192, 0, 2, 1)), b"\xff" * 4, bytes(16), b"\x20\x01\x0d\xb8" + bytes(12), b"\xff" * 16)


class Build:
    """The build of this process; keeps what it has loaded."""

    def __init__(self) -> None:
        self._snapshots: dict[tuple[str, str], Snapshot] = {}
        self._states: dict[tuple[str, str], State] = {}

    def ask(self, question: str, *arguments: Any) -> Any:
        """An answer, or the name of what was raised instead."""
        try:
            return getattr(self, question)(*arguments)
        except Exception as error:
            return ("raised", type(error).__name__)

    def is_compiled(self) -> bool:
        """Which build this is."""
        return bool(greendns.is_compiled())

    # -- packets

    def load(self, zones: str, geoip: str) -> list[str]:
        """Load a directory of zones; returns what is wrong with them. "" in place of databases: none."""
        databases = GeoipSettings(directory=Path(geoip) if geoip else None)
        generation = load(Config(zones=ZonesSettings(directory=Path(zones)), geoip=databases), OPTIONS)
        loaded = generation.snapshot
        snapshot = loaded if geoip else Snapshot(loaded.zones, Geo(), OPTIONS)
        self._snapshots[zones, geoip] = snapshot
        self._states[zones, geoip] = State(health=HEALTH)
        return [str(problem) for problem in generation.errors()]

    def answer(self, where: tuple[str, str], wire: bytes, sender: Sender, now: float, seed: int) -> Told:
        """One packet, answered as a worker does that has answered nothing else."""
        return self._answer(where, State(health=HEALTH), wire, sender, now, seed)

    def answer_next(self, where: tuple[str, str], wire: bytes, sender: Sender, now: float, seed: int) -> Told:
        """One packet after all others that were asked about in this way."""
        return self._answer(where, self._states[where], wire, sender, now, seed)

    def answer_unchecked(self, where: tuple[str, str], wire: bytes, sender: Sender, now: float, seed: int) -> Told:
        """One packet, where nobody reads health."""
        return self._answer(where, State(), wire, sender, now, seed)

    def answer_by_chance(self, where: tuple[str, str], wire: bytes, sender: Sender, now: float, seed: int) -> Told:
        """One packet, drawn for by the random source of a serving process, on scripted octets."""
        draw = Uniform(random.Random(seed).randbytes)
        answered, outcome = answer(wire, Peer(*sender), now, self._snapshots[where], State(), draw)
        return {"answered": answered, **_outcome(outcome)}

    def respond_all(self, where: tuple[str, str], octets: bytes, sender: Sender, now: float, detailed: bool) -> Told:
        """A connection's octets: answers, octets read, whether it goes on, what waits; and every counter."""
        counters, totals = new_counters()
        faults: list[str] = []
        responder = Responder(
            self._snapshots[where], counters, Draws(1).draw, lambda error: faults.append(type(error).__name__)
        )
        responder.detailed = detailed
        answers, taken, goes_on, waiting = responder.respond_all(octets, Peer(*sender), now)
        counted = totals()
        return {
            "answers": answers,
            "taken": taken,
            "goes_on": goes_on,
            "waiting": waiting,
            "faults": faults,
            "outcomes": sorted((+counted.outcomes).items()),
            "questions": sorted((+counted.questions).items()),
            "truncated": counted.truncated,
        }

    def answer_each(
        self, where: tuple[str, str], packets: list[tuple[bytes, Sender]], fails: bool
    ) -> list[bytes | None]:
        """Each packet answered as if there were no others; where the random source fails, as we say so."""
        snapshot, state = self._snapshots[where], State(health=HEALTH)
        draw = _draw_or_fail if fails else _draw_middle
        answers = []
        for wire, sender in packets:
            try:
                answers.append(answer(wire, Peer(*sender), NOW, snapshot, state, draw)[0])
            except LookupError:
                answers.append(servfail(wire))
        return answers

    def respond_each(
        self, where: tuple[str, str], packets: list[tuple[bytes, Sender]], fails: bool
    ) -> list[bytes | None]:
        """One packet after the other, answered by one responder."""
        counters, totals = new_counters()
        faults: list[Exception] = []
        draw = _draw_or_fail if fails else _draw_middle
        responder = Responder(self._snapshots[where], counters, draw, faults.append)
        responder.take_health(HEALTH)
        answers = [responder.respond(wire, Peer(*sender), NOW) for wire, sender in packets]
        # What waits is not counted: it is asked about again.
        assert sum(totals().outcomes.values()) == sum(answered != b"" for answered in answers)
        assert len(faults) == totals().failures
        assert bool(faults) == fails
        return answers

    def servfail(self, wire: bytes) -> bytes | None:
        """The answer to a packet that we failed on."""
        return servfail(wire)

    def parse(self, wire: bytes) -> Told | None:
        """Everything that is read from a packet."""
        query = parse(wire)
        if query is None:
            return None
        subnet = query.subnet
        return {
            "id": query.id,
            "flags": query.flags,
            "opcode": query.opcode,
            "verdict": query.verdict,
            "question": query.question,
            "names": (query.qname_sent, query.qname),
            "type and class": (query.qtype, query.qclass),
            "edns": (query.has_edns, query.edns_version, query.udp_payload, query.dnssec_ok, query.wants_nsid),
            "cookie": query.cookie,
            "subnet": subnet and (subnet.family, subnet.source_prefix, subnet.address, subnet.option),
        }

    def _answer(self, where: tuple[str, str], state: State, wire: bytes, sender: Sender, now: float, seed: int) -> Told:
        draws = Draws(seed)
        answered, outcome = answer(wire, Peer(*sender), now, self._snapshots[where], state, draws.draw)
        return {"answered": answered, **_outcome(outcome), "drawn": draws.asked}

    # -- chance

    def pick(self, weights: list[int], count: int, seed: int) -> Told:
        """Indexes drawn by weight, and what was drawn from."""
        choice = Choice(weights)
        draws = Draws(seed)
        picked = choice.pick(count, draws.draw)
        by_chance = choice.pick(count, Uniform(random.Random(seed).randbytes)) if sum(weights) <= 2**62 else []
        return {
            "picked": picked,
            "drawn": draws.asked,
            "by chance": by_chance,
            "weights": choice.weights(),
        }

    def draw_by(self, way: str, weights: list[int], count: int, seed: int) -> list[int]:
        """Positions drawn from the line of positive weights by one of the two ways."""
        image = Choice(weights).image
        return (draw_by_cuts if way == "cuts" else draw_by_tree)(image, 0, count, Draws(seed).draw)

    def uniform(self, seed: int, numbers: list[int]) -> list[int]:
        """Integers below each of these numbers."""
        draw = Uniform(random.Random(seed).randbytes)
        return [draw(number) for number in numbers]

    # -- databases

    def tree(self, buffer: bytes, node_count: int, record_size: int, ip_version: int) -> Told:
        """A search tree: what some addresses find, and where its records point."""
        tree = Tree(buffer, node_count, record_size, ip_version)
        return {
            "numbers": (tree.node_count, tree.record_size, tree.ip_version, tree.data_start),
            "found": [tree.find(address) for address in (*_ADDRESSES, b"", bytes(5))],
            "records": [(tree.record(node, 0), tree.record(node, 1)) for node in range(min(node_count, 20))],
            "offsets": [tree.offset_of(record) for record in (0, node_count, node_count + 16, 2**31, 2**32 - 1)],
        }

    def record(self, buffer: bytes, start: int, offset: int) -> Any:
        """A record of a data section, or the name of what it makes the reader raise."""
        return Records(buffer, start).read(offset)


def _draw_middle(n: int) -> int:
    return n // 2


def _draw_or_fail(n: int) -> int:
    if n % 3 == 0:
        raise LookupError("broken on purpose")
    return n // 2


class Draws:
    """A random source that notes what it was asked."""

    def __init__(self, seed: int) -> None:
        self._randrange = random.Random(seed).randrange
        self.asked: list[int] = []

    def draw(self, n: int) -> int:
        """A uniform integer below n."""
        self.asked.append(n)
        return self._randrange(n)


def _outcome(outcome: Outcome) -> Told:
    return {
        "kind": outcome.kind,
        "rcode": outcome.rcode,
        "qtype": outcome.qtype,
        "zone": outcome.zone and outcome.zone.text,
        "owner": outcome.owner,
        "label": outcome.label_text(),
        "targets": outcome.targets,
        "scope": outcome.scope,
        "is_truncated": outcome.is_truncated,
    }
