"""Names, labels and record sets of zones, packed into octets and 64-bit cells, and how they are looked up.

Pure, immutable once settled, and on the hot path. Everything stands at a *place*: the number of its first cell, counted
from the image's beginning; 0 is none. What belongs together stands together: an answer about a name that nobody asked
for lately has to fetch a few lines of memory, where objects would be dozens. And no page of it is written to: an object
counts its references, so that looking at it is writing, and the page that it lies on is not shared with other processes
any more.

    table     how many slots, less one | slot | slot ...
    name      key | levels and address prefixes | plain label | how many variants | target, label | target, label ...
    label     settings | alias | text | how many record sets | type and place | type and place ...

The names of a zone are found by its table, which has at least twice as many slots, a power of two: a name stands in the
slot that its hash tells, or in the next one that was free (linear probing, Knuth 6.4). Targets are numbered, and the
variants of a name are in the order of these numbers. The layout of a record set is told in `rrset`.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from .codes import RRType
from .levels import EVERYBODY

# Where the parts of a name and of a label stand, and how numbers share a cell.
KEY, LEVELS, PLAIN, VARIANTS = 0, 1, 2, 3
SETTINGS, ALIAS, TEXT, SETS = 0, 1, 2, 3
FIRST = 4
KEY_BITS = 8
LEVEL_BITS = 16
TEXT_BITS = 16
SETTING_BITS = 8
TYPE_BITS = 16
IS_CLOSEST, IS_CHECKED, HAS_ALIAS = 1, 2, 4

# What the compiled functions look at for each query: see query.py.
_KEY, _LEVELS, _PLAIN, _VARIANTS, _FIRST = KEY, LEVELS, PLAIN, VARIANTS, FIRST
_SETTINGS, _ALIAS, _SETS = SETTINGS, ALIAS, SETS
_KEY_BITS, _LEVEL_BITS, _TYPE_BITS = KEY_BITS, LEVEL_BITS, TYPE_BITS
_HAS_ALIAS = HAS_ALIAS
_CNAME = int(RRType.CNAME)
_KEY_MASK, _LEVEL_MASK, _TYPE_MASK = (1 << KEY_BITS) - 1, (1 << LEVEL_BITS) - 1, (1 << TYPE_BITS) - 1


class Image:
    """Octets and cells, and what of them is better kept as objects.

    numbers  the cells, signed integers of type code "q"; not to be changed any more
    targets  the number of each target that some name has a variant for
    checks   of each record set that names any: the health check of each of its records, or None
    """

    __slots__ = ("checks", "numbers", "octets", "targets")

    def __init__(self, numbers: array[int]) -> None:
        self.settle(numbers, b"", (), {})

    def settle(
        self, numbers: array[int], octets: bytes, checks: tuple[tuple[str | None, ...], ...], targets: dict[bytes, int]
    ) -> None:
        """Have all in place: once, before anything is looked up."""
        self.numbers = numbers
        self.octets = octets
        self.checks = checks
        self.targets = targets

    # -- names

    def find(self, table: int, relative: bytes) -> int:
        """The name of a zone with this key, its relative wire form in lower case; 0 if there is none."""
        mask = self.numbers[table]
        slot = hash(relative) & mask
        size = len(relative)
        name = self.numbers[table + 1 + slot]
        while name:
            key = self.numbers[name + _KEY]
            if key & _KEY_MASK == size and self.octets.startswith(relative, key >> _KEY_BITS):
                return name
            slot = (slot + 1) & mask
            name = self.numbers[table + 1 + slot]
        return 0

    def names(self, table: int) -> Iterator[int]:
        """All names of a zone."""
        for slot in range(table + 1, table + 2 + self.numbers[table]):
            name = self.numbers[slot]
            if name:
                yield name

    def key(self, name: int) -> bytes:
        """The relative wire form of a name."""
        key = self.numbers[name + _KEY]
        start = key >> _KEY_BITS
        return self.octets[start : start + (key & _KEY_MASK)]

    def levels(self, name: int) -> int:
        """Which levels of targeting can change the answer for a name, as bits, aliases included."""
        return self.numbers[name + _LEVELS] & _LEVEL_MASK

    def address_prefixes(self, name: int) -> tuple[int, int]:
        """How many bits of an IPv4 and of an IPv6 address the address variants of a name look at."""
        prefixes = self.numbers[name + _LEVELS] >> _LEVEL_BITS
        return prefixes & 0xFF, prefixes >> 8

    def plain(self, name: int) -> int:
        """The plain label of a name; 0 if it is there in variants alone."""
        return self.numbers[name + _PLAIN]

    def variants(self, name: int) -> list[tuple[bytes, int]]:
        """The targets that a name has variants for, and the labels."""
        target_of = {number: target for target, number in self.targets.items()}
        first = name + _FIRST
        places = range(first, first + 2 * self.numbers[name + _VARIANTS], 2)
        return [(target_of[self.numbers[at]], self.numbers[at + 1]) for at in places]

    def label_for(self, name: int, target: bytes) -> int:
        """The label that a target finds at a name; 0 if there is none."""
        if target == EVERYBODY:
            return self.numbers[name + _PLAIN]
        if not self.numbers[name + _VARIANTS]:
            return 0
        number = self.targets.get(target)
        return 0 if number is None else self._find_variant(name, number)

    def _find_variant(self, name: int, number: int) -> int:
        """The label for the target with this number, by halving."""
        low = 0
        high = self.numbers[name + _VARIANTS]
        while low < high:
            middle = (low + high) >> 1
            at = name + _FIRST + 2 * middle
            if self.numbers[at] == number:
                return self.numbers[at + 1]
            if self.numbers[at] < number:
                low = middle + 1
            else:
                high = middle
        return 0

    def labels_for(self, name: int, targets: tuple[bytes, ...]) -> list[tuple[bytes, int]]:
        """What each target finds at a name, in the targets' order (G092)."""
        found = [(target, self.label_for(name, target)) for target in targets]
        return [(target, label) for target, label in found if label]

    def exists_for(self, name: int, targets: tuple[bytes, ...]) -> bool:
        """Whether a client with these targets sees a name at all (G115, G116)."""
        return self.plain(name) != 0 or bool(self.labels_for(name, targets))

    # -- labels

    def settings(self, label: int) -> int:
        """IS_CLOSEST, IS_CHECKED and HAS_ALIAS, as bits, and above SETTING_BITS max_hosts."""
        return self.numbers[label + _SETTINGS]

    def has_alias(self, label: int) -> bool:
        """Whether the zone file has an alias here, also one that leads nowhere."""
        return self.numbers[label + _SETTINGS] & _HAS_ALIAS != 0

    def alias(self, label: int) -> int:
        """The name whose records stand in for a label; 0 without, or where there is no such name."""
        return self.numbers[label + _ALIAS]

    def text(self, label: int) -> str:
        """A label as in the zone file, in lower case: for logs and explain."""
        return self.text_of(self.numbers[label + TEXT])

    def text_of(self, cell: int) -> str:
        """The text that a cell tells the place and the length of."""
        start = cell >> TEXT_BITS
        return self.octets[start : start + (cell & (1 << TEXT_BITS) - 1)].decode("utf-8", "surrogatepass")

    def first_set(self, label: int, rrtype: int) -> int:
        """The record set that answers a type at a label: a CNAME, which comes first, or that of the type; 0 if none."""
        first = label + _FIRST
        for at in range(first, first + self.numbers[label + _SETS]):
            there = self.numbers[at] & _TYPE_MASK
            if there in (rrtype, _CNAME):
                return self.numbers[at] >> _TYPE_BITS
        return 0

    def find_set(self, label: int, rrtype: int) -> int:
        """The record set of a type at a label; 0 if there is none."""
        first = label + _FIRST
        for at in range(first, first + self.numbers[label + _SETS]):
            if self.numbers[at] & _TYPE_MASK == rrtype:
                return self.numbers[at] >> _TYPE_BITS
        return 0

    def sets(self, label: int) -> list[tuple[int, int]]:
        """The types that a label has, and their record sets."""
        first = label + _FIRST
        found = [self.numbers[at] for at in range(first, first + self.numbers[label + _SETS])]
        return [(each & _TYPE_MASK, each >> _TYPE_BITS) for each in found]


def fill_anew(numbers: array[int], octets: bytes, table: int) -> None:
    """Have the names of a table found by the hashes of this process: those of the one that filled it were others."""
    mask = numbers[table]
    first = table + 1
    end = first + mask + 1
    names = []
    for at in range(first, end):
        if numbers[at]:
            names.append(numbers[at])
            numbers[at] = 0
    for name in names:
        key = numbers[name + _KEY]
        start = key >> _KEY_BITS
        slot = hash(octets[start : start + (key & _KEY_MASK)]) & mask
        while numbers[first + slot]:
            slot = (slot + 1) & mask
        numbers[first + slot] = name
