"""Who sent a packet, and what became of it: all that an answer says beside its bytes. Pure."""

from __future__ import annotations

from typing import Final

from .image import Image
from .targeting import address_text
from .zone import Zone

# In place of an answer: it is not ready, and a batch must not be held up for it.
WAIT: Final = b""
NO_LIMIT_TOLD: Final = -1.0


class Peer:
    """Who sent a packet: address (4 or 16 octets), port, and whether over TCP.

    is_batched    whether others wait in the same batch, so that what takes its time answers WAIT instead
    idle_seconds  how long its connection may be idle from now on, as edns-tcp-keepalive tells it; NO_LIMIT_TOLD: as
                  long as the settings say
    """

    __slots__ = ("address", "idle_seconds", "is_batched", "is_tcp", "port")

    def __init__(self, address: bytes, port: int, is_tcp: bool, is_batched: bool = False) -> None:
        self.address = address
        self.port = port
        self.is_tcp = is_tcp
        self.is_batched = is_batched
        self.idle_seconds = NO_LIMIT_TOLD

    def __str__(self) -> str:
        text = address_text(self.address)
        return f"[{text}]:{self.port}" if len(self.address) == 16 else f"{text}:{self.port}"


class Outcome:
    """What became of a packet, for counters and logs.

    kind     dropped, error, refused, chaos, debug, referral, answer, nodata or nxdomain
    zone     that answered first; None where none did
    owner    relative name in that zone that the question met, a wildcard's own name included; None where it met none
    label    the last label that an answer came from, at its place in `image`; 0 where none did
    targets  of the client, nearest first
    """

    __slots__ = ("image", "is_truncated", "kind", "label", "owner", "qtype", "rcode", "scope", "targets", "zone")

    def __init__(self, kind: str, rcode: int, qtype: int = 0) -> None:
        self.begin(kind, rcode, qtype)

    def begin(self, kind: str, rcode: int, qtype: int) -> None:
        """Be that of another packet."""
        self.kind = kind
        self.rcode = rcode
        self.qtype = qtype
        self.zone: Zone | None = None
        self.owner: bytes | None = None
        self.image: Image | None = None
        self.label = 0
        self.targets: tuple[bytes, ...] = ()
        self.scope = 0
        self.is_truncated = False

    def label_text(self) -> str:
        """The label as in the zone file, in lower case; "" where none answered."""
        return "" if self.image is None else self.image.text(self.label)


Reply = tuple[bytes | None, Outcome]
