"""Packets damaged by chance from good and bad ones: quick to make, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from tests.checks.table import SECTIONS

# What is likely to be looked at: lengths at their limits, pointers, counts, types, families, options.
_TELLING = bytes((0, 1, 2, 3, 8, 10, 11, 12, 16, 24, 32, 41, 63, 64, 127, 128, 191, 192, 250, 251, 252, 253, 254, 255))
_OCTETS_MAX = 1400


def seeds() -> list[bytes]:
    """Every message of the table of checks that a datagram holds."""
    wires = {row.wire for rows in SECTIONS.values() for row in rows}
    return sorted(wire for wire in wires if len(wire) <= _OCTETS_MAX)


def set_octet(packet: bytearray, chance: random.Random) -> None:
    packet[chance.randrange(len(packet))] = chance.randrange(256)


def set_telling_octet(packet: bytearray, chance: random.Random) -> None:
    packet[chance.randrange(len(packet))] = chance.choice(_TELLING)


def flip_bit(packet: bytearray, chance: random.Random) -> None:
    packet[chance.randrange(len(packet))] ^= 1 << chance.randrange(8)


def take_out(packet: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(packet))
    del packet[at : at + chance.randint(1, 8)]


def put_in(packet: bytearray, chance: random.Random) -> None:
    at = chance.randrange(len(packet) + 1)
    packet[at:at] = chance.randbytes(chance.randint(1, 8))


def copy_within(packet: bytearray, chance: random.Random) -> None:
    at, source = chance.randrange(len(packet)), chance.randrange(len(packet))
    packet[at:at] = packet[source : source + chance.randint(1, 40)]


def cut(packet: bytearray, chance: random.Random) -> None:
    del packet[chance.randrange(len(packet)) :]


_CHANGES: Sequence[Callable[[bytearray, random.Random], None]] = (
    set_octet,
    set_octet,
    set_telling_octet,
    set_telling_octet,
    set_telling_octet,
    flip_bit,
    flip_bit,
    take_out,
    put_in,
    copy_within,
    cut,
)


def mutate(wire: bytes, chance: random.Random) -> bytes:
    """One to four changes; what gets QR set by them mostly loses it again, since it would only be dropped."""
    packet = bytearray(wire)
    for _ in range(chance.randint(1, 4)):
        if packet:
            chance.choice(_CHANGES)(packet, chance)
    if len(packet) > 2 and chance.randrange(16):
        packet[2] &= 0x7F
    return bytes(packet[:_OCTETS_MAX])
