"""A packed zone finds what was packed into it, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greendns.codes import RRType
from greendns.image import HAS_ALIAS, IS_CHECKED, IS_CLOSEST, SETTING_BITS, Image
from greendns.packing import Packing
from greendns.rrset import RRset, add_rrset, make_rrset
from greendns.zonelinks import Label, Name
from greendns.zonepack import pack_names
from tests.unit.documents import relative

TARGETS = [b"us", b"dk", b"europe", b"north-america", b"as64500", b"[192.0.2.0]", b"us-ca"]


@dataclass(frozen=True)
class Packed:
    """The names of one zone."""

    image: Image
    table: int

    def find(self, key: bytes) -> int:
        return self.image.find(self.table, key)

    def label(self, key: bytes) -> int:
        return self.image.plain(self.find(key))

    def names(self) -> list[int]:
        return list(self.image.names(self.table))


def packed(names: dict[bytes, Name], packing: Packing | None = None) -> Packed:
    """These names, behind what was packed before."""
    packing = packing or Packing()
    table = pack_names(names, packing)
    return Packed(packing.settle(), table)


def label(text: str = "www", max_hosts: int = 2, closest: bool = False, is_checked: bool = False) -> Label:
    return Label(text, max_hosts, closest, is_checked)


# -- names


@settings(deadline=None)
@given(st.sets(st.binary(max_size=20), min_size=1, max_size=200), st.sets(st.binary(max_size=20), max_size=50))
def test_every_name_is_found_and_no_other(keys: set[bytes], others: set[bytes]) -> None:
    """Each by its whole key, not by what another begins with."""
    zone = packed({key: Name(label()) for key in keys})

    assert {zone.image.key(zone.find(key)) for key in keys} == keys
    assert {zone.image.key(name) for name in zone.names()} == keys
    assert all(zone.find(other) == 0 for other in others - keys)


def test_names_with_one_hash_are_told_apart() -> None:
    """More names than fit into the slot that their hash tells: all but one stand in the next ones."""
    numbers = (number.to_bytes(2, "big") for number in range(10_000))
    keys = [key for key in numbers if hash(key) & 63 == 5][:8]
    zone = packed({key: Name(label(key.hex())) for key in keys})

    assert len(keys) == 8
    assert [zone.image.text(zone.label(key)) for key in keys] == [key.hex() for key in keys]


def test_a_name_of_the_greatest_length_is_found() -> None:
    """254 octets, which one octet can still tell."""
    key = relative(".".join(["x" * 63] * 3 + ["x" * 61]))

    assert packed({b"": Name(), key: Name(label())}).find(key) != 0


def test_a_name_without_a_plain_label() -> None:
    """Is there for the clients of its variants alone."""
    name = Name()
    other = Name(label("www.us"))
    assert other.plain
    name.variants = {b"us": other.plain}
    zone = packed({b"": Name(), relative("www"): name, relative("www.us"): other})
    image, at = zone.image, zone.find(relative("www"))

    assert (image.plain(at), image.exists_for(at, (b"@",)), image.exists_for(at, (b"us", b"@"))) == (0, False, True)


@given(st.lists(st.sampled_from(TARGETS), unique=True), st.sampled_from([*TARGETS, b"se", b"@"]))
def test_a_target_finds_its_own_label(targets: list[bytes], asked: bytes) -> None:
    """Whichever others there are; another name of the zone may have variants for more."""
    owners = {target: Name(label(target.decode())) for target in TARGETS}
    name = Name(label("plain"))
    name.variants = {target: each.plain for target, each in owners.items() if target in targets and each.plain}
    everywhere = Name()
    everywhere.variants = {target: each.plain for target, each in owners.items() if each.plain}
    zone = packed({b"": everywhere, b"\x03www": name, **owners})
    image, at = zone.image, zone.find(b"\x03www")

    found = image.label_for(at, asked)

    expected = "plain" if asked == b"@" else asked.decode() if asked in targets else None
    assert (image.text(found) if found else None) == expected
    assert sorted(target for target, _ in image.variants(at)) == sorted(targets)


@pytest.mark.parametrize("prefixes", [(0, 0), (24, 48), (32, 128)])
@pytest.mark.parametrize("levels", [0, 1, 255])
def test_levels_and_address_prefixes_come_back(levels: int, prefixes: tuple[int, int]) -> None:
    """Though they share a cell."""
    name = Name(label())
    name.levels, name.address_prefixes = levels, prefixes
    zone = packed({b"": name})
    image, at = zone.image, zone.find(b"")

    assert (image.levels(at), image.address_prefixes(at)) == (levels, prefixes)


# -- labels


@given(st.booleans(), st.booleans(), st.booleans(), st.integers(0, 2**31 - 1), st.text(max_size=50))
def test_the_settings_of_a_label_come_back(
    closest: bool, is_checked: bool, has_alias: bool, max_hosts: int, text: str
) -> None:
    """Each by itself, and the text as it was."""
    made = label(text, max_hosts, closest, is_checked)
    made.has_alias = has_alias
    zone = packed({b"": Name(made)})
    image, at = zone.image, zone.label(b"")

    told = image.settings(at)
    assert (told & IS_CLOSEST != 0, told & IS_CHECKED != 0, told & HAS_ALIAS != 0) == (closest, is_checked, has_alias)
    assert (told >> SETTING_BITS, image.text(at), image.has_alias(at)) == (max_hosts, text, has_alias)


def test_an_alias_leads_to_a_name() -> None:
    """To none where there is no such name."""
    leading, lost, target = label("leading"), label("lost"), Name(label("target"))
    leading.alias = target
    zone = packed({b"": Name(leading), b"\x01x": Name(lost), b"\x01y": target})

    assert zone.image.alias(zone.label(b"")) == zone.find(b"\x01y")
    assert zone.image.alias(zone.label(b"\x01x")) == 0


def test_a_cname_comes_before_the_type() -> None:
    """Wherever it stands in the file; other types are found by themselves."""
    packing = Packing()
    made = label()
    for rrtype, rdata in ((RRType.A, bytes(4)), (RRType.TXT, b"\x01x"), (RRType.CNAME, b"\x01y\x00")):
        made.sets[rrtype] = add_rrset(packing, rrtype, 60, (rdata,))
    zone = packed({b"": Name(made)}, packing)
    image, at = zone.image, zone.label(b"")

    assert RRset(image, image.first_set(at, RRType.A)).rrtype == RRType.CNAME
    assert RRset(image, image.find_set(at, RRType.A)).rdatas == (bytes(4),)
    assert image.find_set(at, RRType.MX) == 0
    assert [rrtype for rrtype, _ in image.sets(at)] == [RRType.CNAME, RRType.A, RRType.TXT]


# -- record sets


@settings(deadline=None)
@given(
    st.lists(st.binary(max_size=30), max_size=12),
    st.integers(0, 2**31 - 1),
    st.data(),
)
def test_a_record_set_comes_back_as_it_was_packed(rdatas: list[bytes], ttl: int, data: st.DataObject) -> None:
    """Records of any lengths, weights, checks; also where others stand before it."""
    count = len(rdatas)
    weights = tuple(data.draw(st.just([]) | st.lists(st.integers(0, 2**31), min_size=count, max_size=count)))
    checks = data.draw(st.none() | st.lists(st.none() | st.just("x/1"), min_size=count, max_size=count).map(tuple))
    packing = Packing()
    add_rrset(packing, RRType.TXT, 1, (b"\x01x", b"\x02xy"), (), ("y/2", None))
    at = add_rrset(packing, RRType.TXT, ttl, tuple(rdatas), weights, checks)
    rrset = RRset(packing.settle(), at)

    assert (rrset.rrtype, rrset.ttl, len(rrset), rrset.rdatas) == (RRType.TXT, ttl, count, tuple(rdatas))
    assert (rrset.weights, rrset.checks()) == (weights, checks)
    assert rrset.smallest_octets == 12 + min(map(len, rdatas), default=0)


@pytest.mark.parametrize("rdatas", [(bytes(4), bytes(4)), (bytes(4), bytes(5))])
@pytest.mark.parametrize("index", [-1, 2, 2**31])
def test_there_is_no_record_beyond_the_last(rdatas: tuple[bytes, ...], index: int) -> None:
    """Nor before the first: nothing else of the image can be read by it."""
    rrset = make_rrset(RRType.TXT, 60, rdatas)

    with pytest.raises(IndexError):
        rrset.record(index)
    with pytest.raises(IndexError):
        rrset.rdata(index)
    with pytest.raises(IndexError):
        rrset.append_to([], (0, index))
