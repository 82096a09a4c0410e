"""What became of packets -> cells in one row of shared memory. Pure: the memory is handed in.

A row has one writer, a worker, and is summed by whoever wants to read it; neither waits for the other. No cell ever
falls, and a worker that takes a used row over goes on where the one before it ended. Questions are counted by keys that
come and go with the zones: the first time a key is met its text goes to the row's heap, and its place there tells its
cell. No label comes from a client: a qname only if it stands in the zone file, a type only if it has a name.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from .codes import RRTYPE_NAMES, Rcode, rcode_name
from .name import relative_text
from .outcome import Outcome
from .zone import Zone

# What can become of a packet: `Outcome.kind`, and "failed" for a fault of ours.
KINDS = ("dropped", "error", "refused", "chaos", "debug", "referral", "answer", "nodata", "nxdomain", "failed")
TRANSPORTS = ("udp", "tcp")
# Why a TCP connection ended. Its time was up: it never asked, asked no more, left a query half sent, did not take its
# answers. It made room, in a full house or among those of one address. The client closed it, or reset it; it sent what
# gets no answer; the server stopped.
CLOSURES = ("silent", "idle", "message", "unread", "room", "address", "client", "reset", "unanswered", "stopped")

# What became of an answer beyond the rate that is allowed: counted alone and sent, dropped, sent truncated.
LIMITED = ("counted", "dropped", "truncated")
COUNTED, DROPPED, TRUNCATED = range(len(LIMITED))

# What geodns writes for a name that is not told, and for one that is not there (G221).
UNTOLD = "_"
NOT_THERE = "_error"
OTHER = "other"

# The layout of a row: cells of 64 bits, of which the first ones are fixed, then the heap.
_CELL_OCTETS = 8
_TCP = len(KINDS)
_TRUNCATED = len(KINDS) * len(TRANSPORTS)
_FAILURES = _TRUNCATED + 1
_UNSENT = _TRUNCATED + 2
_UNLABELLED = _TRUNCATED + 3
_HEAP_USED = _TRUNCATED + 4
_LIMITED = _TRUNCATED + 5  # three cells, see LIMITED
_CONNECTIONS = 48
_CLOSURES = 49
_BEATS = 63
_FIRST_KEY = 64
# 10,000 zones with six kinds of question each. Memory is used as keys come, not before.
KEYS_MAX = 65_536
_HEAP_OCTETS = 48 * KEYS_MAX
_HEAP_START = (_FIRST_KEY + KEYS_MAX) * _CELL_OCTETS
ROW_OCTETS = _HEAP_START + _HEAP_OCTETS

_KIND_CELL = {kind: cell for cell, kind in enumerate(KINDS)}

# By type: whether it has a name to be told by. A client can ask for 65,536.
_IS_TOLD = bytes([qtype in RRTYPE_NAMES for qtype in range(65_536)])

# What the compiled functions look at for each query: see query.py.
_TCP_KINDS, _TRUNCATED_CELL, _NXDOMAIN_RCODE = _TCP, _TRUNCATED, int(Rcode.NXDOMAIN)

Labels = tuple[str, str, str, str]
# Number of the zone, type, relative name and rcode: what a question is counted by where its name is told.
Key = tuple[int, int, bytes, int]
# Where it is not, a number of these: 16 bits for the type, 8 for the rcode.
_ZONE_BITS, _TYPE_BITS = 24, 8


class Counters:
    """One row and its one writer: every packet read moves exactly one outcome cell."""

    # _cell_of_line  of what was in the heap before; what is added is found by its key
    __slots__ = ("_cell_of", "_cell_of_line", "_cells", "_heap", "_next_cell", "_plain_cell_of", "_used")

    def __init__(self, row: memoryview) -> None:
        """Go on in `row`, ROW_OCTETS of memory that was zero in the beginning."""
        self._cells = row[:_HEAP_START].cast("Q")
        self._heap = row[_HEAP_START:ROW_OCTETS]
        self._used = self._cells[_HEAP_USED]
        self._cell_of: dict[Key, int] = {}
        self._plain_cell_of: dict[int, int] = {}
        self._cell_of_line: dict[bytes, int] = {}
        # Those of a worker that was here before have ended with it.
        self._cells[_CONNECTIONS] = 0
        self.forget_zones()

    def forget_zones(self) -> None:
        """Zones may have other numbers from now on: what was counted is found by its text."""
        lines = bytes(self._heap[: self._used]).split(b"\n")[:-1]
        self._cell_of_line = {line: _FIRST_KEY + place for place, line in enumerate(lines)}
        self._next_cell = _FIRST_KEY + len(lines)
        self._cell_of.clear()
        self._plain_cell_of.clear()

    def count(self, outcome: Outcome, is_tcp: bool, detailed: bool) -> None:
        """Count a packet that was answered or dropped; `detailed`: a question by its label too.

        Debug names are no questions (G184), refused ones are (G111). The outcome moves last: where anything here goes
        wrong, `count_failure` moves it instead.
        """
        kind = outcome.kind
        cell = _KIND_CELL[kind]
        if is_tcp:
            cell += _TCP_KINDS
        zone = outcome.zone
        if kind == "refused" or (zone is not None and kind != "debug"):
            qtype = outcome.qtype if _IS_TOLD[outcome.qtype] else 0
            if detailed and outcome.owner is not None and outcome.rcode != _NXDOMAIN_RCODE:
                self._count_question(zone, qtype, outcome.owner, outcome.rcode)
            else:
                self._count_plainly(zone, qtype, outcome.rcode)
        if outcome.is_truncated:
            self._cells[_TRUNCATED_CELL] += 1
        self._cells[cell] += 1

    def count_failure(self, is_tcp: bool) -> None:
        """Count a packet answered SERVFAIL because of a fault of ours."""
        self._cells[_FAILURES] += 1
        self._cells[_KIND_CELL["failed"] + (_TCP if is_tcp else 0)] += 1

    def count_unsent(self, datagrams: int) -> None:
        """Count answers that the system did not take."""
        self._cells[_UNSENT] += datagrams

    def count_limited(self, action: int) -> None:
        """Count an answer beyond the rate allowed, by what became of it: COUNTED, DROPPED or TRUNCATED."""
        self._cells[_LIMITED + action] += 1

    def count_opened(self) -> None:
        """Count a TCP connection that was accepted."""
        self._cells[_CONNECTIONS] += 1

    def count_closed(self, why: int) -> None:
        """Count one that ended, by its place in CLOSURES."""
        self._cells[_CONNECTIONS] -= 1
        self._cells[_CLOSURES + why] += 1

    def beat(self) -> None:
        """Show that this process is not stuck."""
        self._cells[_BEATS] += 1

    def _count_plainly(self, zone: Zone | None, qtype: int, rcode: int) -> None:
        """Count a question of which no name is told: by one number, not by a tuple of four."""
        number = 0 if zone is None else zone.number
        key = number << _ZONE_BITS | qtype << _TYPE_BITS | rcode
        cell = self._plain_cell_of.get(key)
        if cell is None:
            cell = self._plain_cell_of[key] = self._find_cell(zone, qtype, None, rcode)
        place = cell
        self._cells[place] += 1

    def _count_question(self, zone: Zone | None, qtype: int, owner: bytes, rcode: int) -> None:
        key = (0 if zone is None else zone.number, qtype, owner, rcode)
        cell = self._cell_of.get(key)
        if cell is None:
            cell = self._cell_of[key] = self._find_cell(zone, qtype, owner, rcode)
        place = cell
        self._cells[place] += 1

    def _find_cell(self, zone: Zone | None, qtype: int, owner: bytes | None, rcode: int) -> int:
        """The cell of a question that this process has not met yet; `owner`: None where no name is told."""
        line = "\t".join(_labels(zone, qtype, owner, rcode)).encode("utf-8", "replace")
        cell = self._cell_of_line.get(line)
        return self._add_line(line) if cell is None else cell

    def _add_line(self, line: bytes) -> int:
        """The cell of a line that is not in the heap; that of all others where there is no room for it."""
        cell = self._next_cell
        end = self._used + len(line) + 1
        if cell == _FIRST_KEY + KEYS_MAX or end > _HEAP_OCTETS:
            return _UNLABELLED
        self._heap[self._used : end] = line + b"\n"
        # Only now may a reader see it.
        self._cells[_HEAP_USED] = self._used = end
        self._next_cell = cell + 1
        return cell


def beats(row: memoryview) -> int:
    """How often the writer of a row has shown that it is not stuck."""
    count: int = row[:_HEAP_START].cast("Q")[_BEATS]
    return count


def packets(row: memoryview) -> int:
    """How many packets the writer of a row has read."""
    return sum(row[: _TRUNCATED * _CELL_OCTETS].cast("Q"))


def forget_connections(row: memoryview) -> None:
    """The writer of a row is gone, and its connections with it."""
    row[:_HEAP_START].cast("Q")[_CONNECTIONS] = 0


def _labels(zone: Zone | None, qtype: int, owner: bytes | None, rcode: int) -> Labels:
    """What dns_queries_total tells of a question (G221)."""
    qname = UNTOLD if owner is None else relative_text(owner)
    return (
        UNTOLD if zone is None else zone.text,
        RRTYPE_NAMES.get(qtype, OTHER),
        NOT_THERE if rcode == Rcode.NXDOMAIN else qname,
        rcode_name(rcode),
    )


@dataclass
class Totals:
    """What rows say, summed.

    outcomes    packets by transport and kind
    questions   by zone, type, qname and rcode
    limited     answers beyond the rate allowed, by what became of them
    unlabelled  questions that found no room for their labels; they are among `questions` as OTHER
    connections  over TCP that are open
    closures     connections that ended, by CLOSURES
    """

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    questions: Counter[Labels] = field(default_factory=Counter)
    limited: Counter[str] = field(default_factory=Counter)
    truncated: int = 0
    failures: int = 0
    unsent: int = 0
    unlabelled: int = 0
    connections: int = 0
    closures: Counter[str] = field(default_factory=Counter)

    def add(self, row: memoryview) -> None:
        """Add a row, which may be written to meanwhile."""
        cells = row[:_HEAP_START].cast("Q")
        for number, transport in enumerate(TRANSPORTS):
            for cell, kind in enumerate(KINDS, number * _TCP):
                self.outcomes[transport, kind] += cells[cell]
        for cell, action in enumerate(LIMITED, _LIMITED):
            self.limited[action] += cells[cell]
        self.truncated += cells[_TRUNCATED]
        self.failures += cells[_FAILURES]
        self.unsent += cells[_UNSENT]
        self.unlabelled += cells[_UNLABELLED]
        self.questions[OTHER, OTHER, OTHER, OTHER] += cells[_UNLABELLED]
        self.connections += cells[_CONNECTIONS]
        for cell, why in enumerate(CLOSURES, _CLOSURES):
            self.closures[why] += cells[cell]
        lines = bytes(row[_HEAP_START : _HEAP_START + cells[_HEAP_USED]]).split(b"\n")[:-1]
        for cell, line in enumerate(lines, _FIRST_KEY):
            zone, qtype, qname, rcode = line.decode().split("\t")
            self.questions[zone, qtype, qname, rcode] += cells[cell]
