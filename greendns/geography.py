"""Where a client is: tables of countries, places, and MaxMind databases that are already loaded.

A decoded record becomes a `Place` of target words in bytes, ready to be looked up as labels.
Nothing here reads a file, and nothing here raises for what a database says.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Literal

from .levels import ANYONE, CONTINENT, COUNTRY, EVERYBODY, REGION, REGION_GROUP
from .mmdbtree import Tree

Kind = Literal["City", "Country", "ASN"]
Coordinates = tuple[float, float]

# geodns has continents from this table, never from the database. ap and eu are pseudo codes of
# old databases; a1, a2 and uk belong nowhere.
_COUNTRIES: Final = {
    "africa": (
        "ao bf bi bj bw cd cf cg ci cm cv dj dz eg eh er et ga gh gm gn gq gw ke km lr ls ly ma mg ml mr mu mw mz na "
        "ne ng re rw sc sd sh sl sn so ss st sz td tg tn tz ug yt za zm zw"
    ),
    "antarctica": "aq bv gs hm tf",
    "asia": (
        "ae af am ap az bd bh bn bt cc cn ge hk id il in io iq ir jo jp kg kh kp kr kw kz la lb lk mm mn mo mv my np "
        "om ph pk ps qa sa sg sy th tj tm tw uz vn ye"
    ),
    "europe": (
        "ad al at ax ba be bg by ch cy cz de dk ee es eu fi fo fr fx gb gg gi gr hr hu ie im is it je li lt lu lv mc "
        "md me mk mt nl no pl pt ro rs ru se si sj sk sm tr ua va xk"
    ),
    "north-america": (
        "ag ai an aw bb bl bm bq bs bz ca cr cu cw dm do gd gl gp gt hn ht jm kn ky lc mf mq ms mx ni pa pm pr sv sx "
        "tc tt us vc vg vi"
    ),
    "oceania": "as au ck cx fj fm gu ki mh mp nc nf nr nu nz pf pg pn pw sb tk tl to tv um vu wf ws",
    "south-america": "ar bo br cl co ec fk gf gy pe py sr uy ve",
}
CONTINENT_OF: Final[dict[str, str]] = {
    country: continent for continent, countries in _COUNTRIES.items() for country in countries.split()
}

# Only the United States and Russia have groups of regions; the first two letters are the country.
_SUBDIVISIONS: Final = {
    "ru-dfd": "amu bu chu kam kha mag pri sa sak yev zab",
    "ru-kfd": "ce da in kb kc se sta",
    "ru-pfd": "ba cu kir me mo niz ore pnz per sam sar ta ud uly",
    "ru-sfd": "alt al irk kem kk kya nvs oms tom ty",
    "ru-tfd": "bel bry iva klu kos krs lip mow mos orl rya smo tam tul tve vla vor yar",
    "ru-ufd": "che khm kgn sve tyu yan",
    "ru-vfd": "ark kgd kr ko len mur nen ngr psk spe vlg",
    "ru-yfd": "ad ast kl kda ros vgg",
    "us-central": "ar ia il in ks la mn mo nd ne ok sd tx wi",
    "us-east": "al ct dc de fl ga ky ma md me mi ms nc nh nj ny oh pa ri sc tn va vt wv",
    "us-west": "ak az ca co hi id mt nm nv or ut wa wy",
}
REGION_GROUP_OF: Final[dict[str, str]] = {
    f"{group[:2]}-{subdivision}": group
    for group, subdivisions in _SUBDIVISIONS.items()
    for subdivision in subdivisions.split()
}

# Words that many places have are the same object in all of them: four of its own take 160 octets, a place 112.
_WORDS: Final = {
    word: word.encode("ascii") for word in (*CONTINENT_OF, *CONTINENT_OF.values(), *REGION_GROUP_OF.values())
}

# Country, hyphen and subdivision together are one label of at most 63 octets.
_CODE_OCTETS: Final = 31
_ASN_MAX: Final = 2**32 - 1  # RFC 6793


class Place:
    """What one database record says of its network; None is what it doesn't say. Never changes.

    country b"dk", continent b"europe", region b"us-ca", regiongroup b"us-west"
    coordinates  latitude and longitude in degrees
    """

    # _targets  by levels, once others were asked for: zones have few kinds of targeting; _latest: those of _levels
    __slots__ = (
        "_latest",
        "_levels",
        "_targets",
        "asn",
        "continent",
        "coordinates",
        "country",
        "region",
        "regiongroup",
    )

    def __init__(
        self,
        country: bytes | None = None,
        continent: bytes | None = None,
        region: bytes | None = None,
        regiongroup: bytes | None = None,
        asn: int | None = None,
        coordinates: Coordinates | None = None,
    ) -> None:
        self.country = country
        self.continent = continent
        self.region = region
        self.regiongroup = regiongroup
        self.asn = asn
        self.coordinates = coordinates
        self._targets: dict[int, tuple[bytes, ...]] | None = None
        self._levels = 0
        self._latest: tuple[bytes, ...] = ()

    def targets(self, levels: int) -> tuple[bytes, ...]:
        """The words of a place that a zone looks at, nearest first, `@` for ANYONE last; `levels` as bits."""
        if levels == self._levels:
            return self._latest
        targets = self._remember_targets(levels)
        self._levels = levels
        self._latest = targets
        return targets

    def _remember_targets(self, levels: int) -> tuple[bytes, ...]:
        if not self._levels:
            # Nearly all places are asked for one kind of targeting: a table takes 224 octets, a place 112.
            return self._list_targets(levels)
        if self._targets is None:
            self._targets = {self._levels: self._latest}
        targets = self._targets.get(levels)
        if targets is None:
            targets = self._targets[levels] = self._list_targets(levels)
        return targets

    def _list_targets(self, levels: int) -> tuple[bytes, ...]:
        words = (
            (REGION, self.region),
            (REGION_GROUP, self.regiongroup),
            (COUNTRY, self.country),
            (CONTINENT, self.continent),
            (ANYONE, EVERYBODY),
        )
        return tuple([word for level, word in words if levels & level and word is not None])

    def _values(self) -> tuple[object, ...]:
        return (self.country, self.continent, self.region, self.regiongroup, self.asn, self.coordinates)

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if isinstance(other, Place) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        return f"Place{self._values()}"


# Slots of a database's table of records met: 2 MB. Of 500,000 random networks, asked about
# again and again, 97 of 100 find theirs there; with half as many slots 95, and a record takes 15 us to read.
_SLOT_BITS = 19
_TAG_BITS = 32 - _SLOT_BITS
_TAG = (1 << _TAG_BITS) - 1
_CELL_MAX = 0xFFFFFFFF
_GOLDEN = 2654435769  # 2^32 divided by the golden ratio
# Places with coordinates that are kept, of the records met last.
FULL_PLACES = 4096

NOWHERE: Final = Place()


def place_of(record: object) -> Place:
    """Read a decoded MaxMind record of any kind; what is not as it should be is left out.

    >>> place_of({"country": {"iso_code": "US"}, "subdivisions": [{"iso_code": "CA"}]}).regiongroup
    b'us-west'
    """
    # Not registered_country: that is where the address was assigned, not where it is used.
    country = _read_code(_dig(record, "country", "iso_code"))
    region = _join_region(country, _read_code(_dig(_first(_dig(record, "subdivisions")), "iso_code")))
    return Place(
        country=_encode(country),
        continent=_encode(CONTINENT_OF.get(country)) if country else None,
        region=_encode(region),
        regiongroup=_encode(REGION_GROUP_OF.get(region)) if region else None,
        asn=_read_asn(_dig(record, "autonomous_system_number")),
        coordinates=_read_coordinates(_dig(record, "location")),
    )


def _dig(value: object, *keys: str) -> object:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _first(value: object) -> object:
    return value[0] if isinstance(value, list) and value else None


def _read_code(value: object) -> str | None:
    """A code of ASCII letters, digits and hyphens in lower case, or None."""
    if not isinstance(value, str) or len(value) > _CODE_OCTETS:
        return None
    is_code = value.isascii() and value.replace("-", "").isalnum()
    return value.lower() if is_code else None


def _join_region(country: str | None, subdivision: str | None) -> str | None:
    return f"{country}-{subdivision}" if country and subdivision else None


def _encode(word: str | None) -> bytes | None:
    return (_WORDS.get(word) or word.encode("ascii")) if word else None


def _read_asn(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _ASN_MAX else None


def _read_coordinates(location: object) -> Coordinates | None:
    latitude = _read_degrees(_dig(location, "latitude"), 90.0)
    longitude = _read_degrees(_dig(location, "longitude"), 180.0)
    return None if latitude is None or longitude is None else (latitude, longitude)


def _read_degrees(value: object, limit: float) -> float | None:
    """A number of degrees within the limit; a NaN is within none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if -limit <= value <= limit else None


def distance_degrees(one: Coordinates, other: Coordinates) -> float:
    """The angle between two coordinates along the great circle, 0 to 180 degrees (haversine).

    >>> distance_degrees((0.0, 0.0), (0.0, 90.0))
    90.0
    """
    latitude_one, latitude_other = math.radians(one[0]), math.radians(other[0])
    half_latitude = (latitude_other - latitude_one) / 2
    half_longitude = math.radians(other[1] - one[1]) / 2
    haversine = (
        math.sin(half_latitude) ** 2 + math.cos(latitude_one) * math.cos(latitude_other) * math.sin(half_longitude) ** 2
    )
    # Rounding may carry antipodes a little beyond 1.
    haversine = min(haversine, 1.0)
    return math.degrees(2 * math.atan2(math.sqrt(haversine), math.sqrt(1 - haversine)))


class Database:
    """One loaded MaxMind database.

    path         where it was read from, for people
    build_epoch  seconds since 1970 when its maker built it
    decode       the record at an offset of the data section, None if it can't be decoded; never raises
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

    def __init__(self, kind: Kind, path: str, build_epoch: int, tree: Tree, decode: Callable[[int], object]) -> None:
        self.kind: Kind = kind
        self.path = path
        self.build_epoch = build_epoch
        self.tree = tree
        self._decode = decode
        self._words = [NOWHERE]
        self._number_of: dict[tuple[object, ...], int] = {}
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
            known = self._places[slot] = (offset, place_of(self._decode(offset)))
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
        cell = self._number(place_of(self._decode(offset))) << _TAG_BITS | spread & _TAG
        if cell <= _CELL_MAX:
            self._met[spread >> _TAG_BITS] = cell
        return cell

    def _number(self, place: Place) -> int:
        """The number of the place that has the same words, and no coordinates."""
        # Its continent and its group of regions follow from these.
        words = (place.country, place.region, place.asn)
        number = self._number_of.get(words)
        if number is None:
            number = self._number_of[words] = len(self._words)
            self._words.append(Place(place.country, place.continent, place.region, place.regiongroup, place.asn))
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
