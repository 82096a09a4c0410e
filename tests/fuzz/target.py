"""What atheris calls with octets of its own making: one packet, asked over UDP or TCP; see `tests.fuzz.hunt`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["greendns"]):
    from greendns.outcome import Peer
    from tests.fuzz.invariants import check, load_service
from tests.databases import write_world

with tempfile.TemporaryDirectory() as world:
    write_world(Path(world))
    SERVICE = load_service(Path(world) / "fuzz", Path(world))


def ask(octets: bytes) -> None:
    """The first octet tells the transport and the family, the others are the packet."""
    kind = octets[0] if octets else 0
    address = bytes(15) + b"\x01" if kind & 2 else b"\xc0\x00\x02\x01"
    check(octets[1:], Peer(address, 53, is_tcp=bool(kind & 1)), SERVICE)


if __name__ == "__main__":
    atheris.Setup(sys.argv, ask)
    atheris.Fuzz()
