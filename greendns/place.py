"""Places: what a record of a MaxMind database says of its network, as target words; how far places are apart.

Pure. Nothing here raises for what a database says; the tables of continents and groups of regions are geodns's.
"""

from __future__ import annotations

import math
from typing import Final

from .levels import ANYONE, CONTINENT, COUNTRY, EVERYBODY, REGION, REGION_GROUP

Coordinates = tuple[float, float]
# What tells places without coordinates apart, as a database writes it: country, subdivision, number of the network.
Words = tuple[str | None, str | None, int | None]

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


NOWHERE: Final = Place()


def place_of(record: object) -> Place:
    """Read a decoded MaxMind record of any kind; what is not as it should be is left out.

    >>> place_of({"country": {"iso_code": "US"}, "subdivisions": [{"iso_code": "CA"}]}).regiongroup
    b'us-west'
    """
    return place_of_words(words_of(record), _read_coordinates(_dig(record, "location")))


def words_of(record: object) -> Words:
    """What tells a decoded record's place apart from others, but for coordinates."""
    # Not registered_country: that is where the address was assigned, not where it is used.
    country = _dig(_dig(record, "country"), "iso_code")
    subdivision = _dig(_first(_dig(record, "subdivisions")), "iso_code")
    return (
        country if isinstance(country, str) else None,
        subdivision if isinstance(subdivision, str) else None,
        _read_asn(_dig(record, "autonomous_system_number")),
    )


def place_of_words(words: Words, coordinates: Coordinates | None = None) -> Place:
    """The place of these words; those that are no codes are left out."""
    country = _read_code(words[0])
    region = _join_region(country, _read_code(words[1]))
    return Place(
        country=_encode(country),
        continent=_encode(CONTINENT_OF.get(country)) if country else None,
        region=_encode(region),
        regiongroup=_encode(REGION_GROUP_OF.get(region)) if region else None,
        asn=words[2],
        coordinates=coordinates,
    )


def _dig(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _first(value: object) -> object:
    return value[0] if isinstance(value, list) and value else None


def _read_code(value: str | None) -> str | None:
    """A code of ASCII letters, digits and hyphens in lower case, or None."""
    if value is None or len(value) > _CODE_OCTETS:
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
