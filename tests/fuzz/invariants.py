"""What holds for every answer to whatever octets: made in this process, and read by two other implementations."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import dns.message
import dnslib

from greendns.answer import answer
from greendns.geography import Geo
from greendns.loader import load
from greendns.outcome import Peer
from greendns.settings import Config, GeoipSettings, ZonesSettings
from greendns.snapshot import ServerOptions, Snapshot, State
from tests.fuzz.packetmaking import ZONES
from tests.serving import write_zones

UDP_LIMIT = 1232
NOW = 1_700_000_000.0


@dataclass(frozen=True)
class Service:
    """What answers: once with databases, once without any."""

    snapshots: tuple[Snapshot, Snapshot]
    state: State


def load_service(directory: Path, world: Path) -> Service:
    """ZONES, loaded as the server loads them; `world` has the databases."""
    write_zones(directory, ZONES)
    options = ServerOptions("fuzz", "192.0.2.53", "host", "1", NOW - 60, udp_payload_octets=UDP_LIMIT)
    config = Config(zones=ZonesSettings(directory=directory), geoip=GeoipSettings(directory=world))
    generation = load(config, options)
    assert generation.errors() == ()
    placed = generation.snapshot
    assert len(placed.zones) == len(ZONES) + 1
    return Service((placed, Snapshot(placed.zones, Geo(), options)), State(health={}))


def limit_of(wire: bytes, peer: Peer) -> int:
    """How long an answer may be, read from the packet as simply as possible: its OPT if it is the last record."""
    if peer.is_tcp:
        return 65535
    try:
        payload = read(wire).payload
    except Exception:
        return UDP_LIMIT
    return min(max(payload, 512), UDP_LIMIT)


def check(wire: bytes, peer: Peer, service: Service, seed: int = 1) -> bytes | None:
    """Answer one packet from every snapshot, and look at what comes back; gives the first answer."""
    answered = [
        answer(wire, peer, NOW, snapshot, service.state, random.Random(seed).randrange)[0]
        for snapshot in service.snapshots
    ]
    for one in answered:
        if one is None:
            assert len(wire) < 12 or wire[2] & 0x80
        else:
            check_answer(wire, one, limit_of(wire, peer))
    return answered[0]


# A client subnet of family 0 (RFC 7871 section 7.1.2) comes back as it was sent; dnspython refuses to read it, and gets
# an unknown option of the same octets.
_NO_FAMILY, _UNKNOWN = b"\x00\x08\x00\x04" + bytes(4), b"\xfd\xe9\x00\x04" + bytes(4)


def read(answered: bytes) -> dns.message.Message:
    """dnspython's reading. Of UPDATE it expects more than a question that comes back, so the opcode is left out."""
    plain = answered[:2] + bytes((answered[2] & 0x87,)) + answered[3:]
    return dns.message.from_wire(plain.replace(_NO_FAMILY, _UNKNOWN))


def check_answer(wire: bytes, answered: bytes, limit: int) -> None:
    """It is a response to this very packet, short enough, and two other implementations read it."""
    assert answered[:2] == wire[:2]
    assert answered[2] & 0x80
    assert answered[2] & 0x78 == wire[2] & 0x78
    assert len(answered) <= limit
    theirs = read(answered)
    if theirs.question:
        question_octets = len(theirs.question[0].name.to_wire() or b"") + 4
        assert answered[12 : 12 + question_octets] == wire[12 : 12 + question_octets]
    check_with_dnslib(answered, sum([len(rrset) or 1 for rrset in theirs.answer]))
    if theirs.edns < 0:
        assert not theirs.options


def check_with_dnslib(answered: bytes, records: int) -> None:
    """dnslib reads as many records; of names it reads only those that are UTF-8."""
    try:
        parsed = dnslib.DNSRecord.parse(answered)
    except dnslib.DNSError as error:
        if "Invalid label" in str(error):
            return
        raise
    assert len(parsed.rr) == records
