"""One RRset as answers need it: rdata encoded and framed, weights summed. Immutable once built.

It has no owner: the same set answers under its own name, under an alias and under every name of a wildcard.
"""

from __future__ import annotations

from .codes import RRClass, RRType
from .picker import WeightedChoice

# Where a compressible name starts in rdata, and how many follow each other (RFC 3597 section 4: only
# the types of RFC 1035 may be compressed).
_NAMES_IN_RDATA: dict[int, tuple[int, int]] = {
    RRType.NS: (0, 1),
    RRType.CNAME: (0, 1),
    RRType.PTR: (0, 1),
    RRType.MX: (2, 1),
    RRType.SOA: (0, 2),
}


# An owner is at least a compression pointer.
_OWNER_OCTETS = 2


class RRset:
    """Records of one type at one label.

    head          TYPE, CLASS and TTL, encoded: what each record has in common after its owner
    framed        per record: head, RDLENGTH and rdata, ready to be put behind an owner
    weights       as picking uses them; empty where all records are answered in the file's order
    choice        how to pick among them; None where all are answered
    health        per record the name of its check, or None; None where no record names one
    smallest_octets  of one record in a message: bounds how many are worth drawing
    name_offset   where the names inside the rdata start, -1 without any that may be compressed
    """

    __slots__ = (
        "choice",
        "framed",
        "head",
        "health",
        "name_count",
        "name_offset",
        "rdatas",
        "rrtype",
        "smallest_octets",
        "ttl",
        "weights",
    )

    def __init__(
        self,
        rrtype: int,
        ttl: int,
        rdatas: tuple[bytes, ...],
        weights: tuple[int, ...] = (),
        health: tuple[str | None, ...] | None = None,
        rrclass: int = RRClass.IN,
    ) -> None:
        self.rrtype = int(rrtype)
        self.ttl = ttl
        self.rdatas = rdatas
        self.head = rrtype.to_bytes(2, "big") + rrclass.to_bytes(2, "big") + ttl.to_bytes(4, "big")
        self.framed = tuple([self.head + len(rdata).to_bytes(2, "big") + rdata for rdata in rdatas])
        self.smallest_octets = _OWNER_OCTETS + min([len(record) for record in self.framed], default=0)
        self.weights = weights
        self.choice = WeightedChoice(weights) if weights else None
        self.health = health
        self.name_offset, self.name_count = _NAMES_IN_RDATA.get(rrtype, (-1, 0))

    def __len__(self) -> int:
        return len(self.rdatas)
