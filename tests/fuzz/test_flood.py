"""A worker under mutated packets: `tests.fuzz.flood` in short."""

from __future__ import annotations

import random
from pathlib import Path

from tests.checks.asking import serving_checks
from tests.fuzz.flood import flood
from tests.fuzz.mutating import mutate, seeds

PACKETS = 20_000


def test_mutated_packets_do_a_worker_no_harm(tmp_path: Path) -> None:
    """No fault, no line in the log, the same worker; each control query answered, each packet counted once."""
    with serving_checks(tmp_path) as server:
        found = flood(server, PACKETS, seed=20)

    assert found.is_clean, found.told() + found.log
    assert (found.sent, found.controls) == (PACKETS, PACKETS // 100)
    assert PACKETS // 10 < found.answers < PACKETS
    assert found.memory[1] - found.memory[0] < 5_000_000


def test_the_same_seed_makes_the_same_packets() -> None:
    """And another one others, each damaged."""
    first, again, other = ([mutate(wire, chance) for wire in seeds()] for chance in map(random.Random, (1, 1, 2)))

    assert first == again != other
    assert sum([one != wire for one, wire in zip(first, seeds(), strict=True)]) > len(seeds()) * 9 // 10
