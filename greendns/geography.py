"""MaxMind databases that are already loaded: address -> Place. Pure: nothing here reads a file.

Which records were met, and the place of each, is kept: thousands of networks have the words of one place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from .mmdbrecord import WANTED, WORDS, Shape
from .mmdbtree import Tree
from .place import NOWHERE, Place, Words, place_of, place_of_words, words_of

Kind = Literal["City", "Country", "ASN"]

# Slots of a database's table of records met: 2 MB. Of 500,000 random networks, asked about
# again and again, 97 of 100 find theirs there; with half as many slots 95, and a record takes microseconds to read.
_SLOT_BITS = 19
_TAG_BITS = 32 - _SLOT_BITS
_TAG = (1 << _TAG_BITS) - 1
_CELL_MAX = 0xFFFFFFFF
_GOLDEN = 2654435769  # 2^32 divided by the golden ratio
# Places with coordinates that are kept, of the records met last.
FULL_PLACES = 4096


class Database:
    """One loaded MaxMind database.

    path         where it was read from, for people
    build_epoch  seconds since 1970 when its maker built it
    decode       what a shape wants of the record at an offset of the data section, None if it can't be decoded; never
                 raises
    """

    # _words      every set of words that was met, as a place: thousands, where a City database has 458,435 records; the
    #             first is none
    # _met        which records were met: a table of fixed size by a hash of the offset, where the last one met stays.
    #             No two offsets have one hash: the slot tells its upper 19 bits and the cell its lower 13, above them
    #             the number of the record's place. 0 is none
    # _places     the last place met in full, likewise
    __slots__ = (
        "_decode",
        "_met",
        "_number_of",
        "_places",
        "_words",
        "build_epoch",
        "kind",
        "path",
        "tree",
    )

    def __init__(
        self, kind: Kind, path: str, build_epoch: int, tree: Tree, decode: Callable[[int, Shape], object]
    ) -> None:
        self.kind: Kind = kind
        self.path = path
        self.build_epoch = build_epoch
        self.tree = tree
        self._decode = decode
        self._words = [NOWHERE]
        self._number_of: dict[Words, int] = {}
        self._met = memoryview(bytearray(4 << _SLOT_BITS)).cast("I")
        self._places: list[tuple[int, Place] | None] = [None] * FULL_PLACES

    def find(self, address: bytes) -> tuple[Place, int]:
        """Where an address of 4 or 16 octets is, NOWHERE if unknown, and the prefix length of that answer."""
        offset, prefix_length = self.tree.find(address)
        if offset < 0:
            return NOWHERE, prefix_length
        slot = offset % FULL_PLACES
        known = self._places[slot]
        if known is None or known[0] != offset:
            known = self._places[slot] = (offset, place_of(self._decode(offset, WANTED)))
        return known[1], prefix_length

    def find_words(self, address: bytes) -> tuple[Place, int]:
        """The same without coordinates, which few zones look at: a record that was met before needs no decoding."""
        offset, prefix_length = self.tree.find(address)
        if offset < 0:
            return NOWHERE, prefix_length
        # Fibonacci hashing (Knuth 6.4): offsets are spread, whatever they have in common.
        spread = offset * _GOLDEN & _CELL_MAX
        cell = self._met[spread >> _TAG_BITS]
        if cell == 0 or (cell ^ spread) & _TAG:
            cell = self._meet(offset, spread)
        return self._words[cell >> _TAG_BITS], prefix_length

    def _meet(self, offset: int, spread: int) -> int:
        """Decode the record at an offset, and keep the number of its place; returns the cell, which is too large to be
        kept beyond 524,287 places."""
        cell = self._number(words_of(self._decode(offset, WORDS))) << _TAG_BITS | spread & _TAG
        if cell <= _CELL_MAX:
            self._met[spread >> _TAG_BITS] = cell
        return cell

    def _number(self, words: Words) -> int:
        """The number of the place that has these words, and no coordinates."""
        number = self._number_of.get(words)
        if number is None:
            number = self._number_of[words] = len(self._words)
            self._words.append(place_of_words(words))
        return number


class Geo:
    """The databases that there are; never changes.

    by_city, by_country  what `locator` gives where City is needed, and where it is not
    """

    __slots__ = ("asn", "by_city", "by_country", "city", "country")

    def __init__(
        self, city: Database | None = None, country: Database | None = None, asn: Database | None = None
    ) -> None:
        self.city = city
        self.country = country
        self.asn = asn
        self.by_city = city or country
        self.by_country = country or city

    def locator(self, needs_city: bool) -> Database | None:
        """The database that tells country and continent, and region and coordinates if it is City.

        needs_city  the zone targets regions or groups of them, or a label asks for the closest
        Either stands in for the other as far as it can, where geodns had no targets at all.
        """
        return self.by_city if needs_city else self.by_country


EMPTY_GEO: Final = Geo()
