"""Zones and questions for what must not cost more when there is more of it: numbers -> files, the same each time."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.bench.poolzone import OPT, framed, make_packet

ORIGIN = "growth.example.com"
FEW, MANY = 50, 5000
# Names of each kind: many enough that none stays in a processor's cache by itself, few enough to load quickly.
NAMES = 20
ZONE_NAMES = 12
# The name that is made unique has a first label of 16 octets, so the one that it is compared with has it too.
_LABEL = "{kind}-{number:0{width}d}"
_LABEL_OCTETS = 16


def label(kind: str, number: int) -> str:
    """A label of 16 octets, such as `few-000000000001`."""
    return _LABEL.format(kind=kind, number=number, width=_LABEL_OCTETS - len(kind) - 1)


def addresses(count: int) -> list[list[object]]:
    """So many weighted addresses of 198.18.0.0/15 (RFC 2544), none twice."""
    return [[f"198.{18 + (at >> 16)}.{at >> 8 & 255}.{at & 255}", 1 + at * 37 % 1000] for at in range(count)]


def growth_zone() -> dict[str, object]:
    """Names with few and with many records."""
    records = {"few": addresses(FEW), "many": addresses(MANY)}
    data = {label(kind, number): {"a": each} for kind, each in records.items() for number in range(NAMES)}
    return {"ttl": 150, "max_hosts": 4, "data": {"": {"ns": ["ns1.example.org"]}, **data}}


def small_zone() -> dict[str, object]:
    """A dozen names, the first of them with variants for places."""
    data: dict[str, object] = {"": {"ns": ["ns1.example.org", "ns2.example.org"]}}
    data.update({f"n{number}": {"a": addresses(8)} for number in range(ZONE_NAMES - 2)})
    data.update({f"n0.{target}": {"a": addresses(4)} for target in ("europe", "us")})
    return {"ttl": 150, "max_hosts": 4, "data": data}


def zone_name(number: int) -> str:
    """The origin of one of many small zones."""
    return f"z{number:05}.example.net"


def write_small_zones(directory: Path, count: int) -> Path:
    """So many small zones."""
    directory.mkdir()
    text = json.dumps(small_zone())
    for number in range(count):
        (directory / f"{zone_name(number)}.json").write_text(text)
    return directory


def write_large_zone(directory: Path, names: int, records: int) -> Path:
    """One zone file with so many names of so many weighted records each; 100,000 of 10 are 26 MB."""
    directory.mkdir()
    # 10.0.0.0/8: there are more of them than networks for documentation hold, and nobody is sent there.
    lines = (
        f'"{large_name(name)}": {{"a": {json.dumps([_record(name * records + at) for at in range(records)])}}}'
        for name in range(names)
    )
    text = ",\n".join(lines)
    (directory / f"{ORIGIN}.json").write_text(f'{{"ttl": 150, "max_hosts": 4, "data": {{\n{text}\n}}}}\n')
    return directory


def large_name(number: int) -> str:
    """A label of the large zone."""
    return f"n{number:05}"


def _record(number: int) -> list[object]:
    return [f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", 100 + number % 900]


# -- questions


def write_packets(path: Path, packets: Iterable[bytes]) -> Path:
    """A file for the sender."""
    path.write_bytes(framed(packets))
    return path


def names_packets(kind: str) -> Iterator[bytes]:
    """A question for each of the names with few, or with many, records."""
    return (make_packet(f"{label(kind, number)}.{ORIGIN}", "A", _opt(b"")) for number in range(NAMES))


def zone_packets(zones: int, count: int, draw: random.Random) -> Iterator[bytes]:
    """Questions for names of so many small zones, any of them at any time."""
    for _ in range(count):
        name = f"n{draw.randrange(ZONE_NAMES - 2)}.{zone_name(draw.randrange(zones))}"
        yield make_packet(name, "A", _opt(b""))


def subnet_packets(questions: Iterable[tuple[str, str]], draw: random.Random | None) -> Iterator[bytes]:
    """The questions, each with the subnet of a random address, or with plain EDNS where there is nothing to draw."""
    for name, rrtype in questions:
        yield make_packet(name, rrtype, _opt(b"" if draw is None else _random_subnet(draw)))


def _opt(options: bytes) -> bytes:
    return OPT + len(options).to_bytes(2, "big") + options


def _random_subnet(draw: random.Random) -> bytes:
    """Of four clients one has IPv6, in 2000::/3; a /24 and a /56, as resolvers send them (RFC 7871 section 11.1)."""
    if draw.random() < 0.25:
        return b"\x00\x08\x00\x0b\x00\x02\x38\x00" + (0x20 | draw.getrandbits(5)).to_bytes(1, "big") + draw.randbytes(6)
    return b"\x00\x08\x00\x07\x00\x01\x18\x00" + draw.randrange(1, 224).to_bytes(1, "big") + draw.randbytes(2)
