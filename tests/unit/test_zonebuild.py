"""A checked source becomes a zone in which all is linked: parents, variants, aliases, TTLs, weights, SOA."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest

from greendns import name
from greendns.codes import RRType
from greendns.errors import ConfigError
from greendns.found import shown
from greendns.levels import ASN, CLOSEST, CONTINENT, COUNTRY, IP, REGION
from greendns.packing import Packing
from greendns.presentation import to_text
from greendns.rrset import RRset
from greendns.zone import Zone
from greendns.zonebuild import build_zone, builtin_zone, read_zone
from greendns.zonefile import ZoneReader, read_document
from tests.unit.documents import MTIME, link_problems, relative, source_of, zone_of
from tests.zonereading import Label, Name, label_at, names_of

A = {"a": [["192.0.2.1"]]}


def plain(zone: Zone, text: str) -> Label:
    """The plain label at a name."""
    label = name_at(zone, text).plain
    assert label is not None
    return label


def name_at(zone: Zone, text: str) -> Name:
    return names_of(zone)[relative(text)]


def variant(zone: Zone, text: str, target: bytes) -> Label:
    """The label that a name has for a target."""
    return label_at(zone, name_at(zone, text).variants[target])


def rrset(zone: Zone, text: str, rrtype: int) -> RRset:
    return plain(zone, text).rrsets[rrtype]


def soa_fields(zone: Zone) -> list[str]:
    """MNAME, RNAME, serial and the four timers."""
    (rdata,) = zone.soa().rdatas
    mname_end = rdata.index(b"\x00") + 1
    rname_end = rdata.index(b"\x00", mname_end) + 1
    numbers = [str(int.from_bytes(rdata[at : at + 4], "big")) for at in range(rname_end, len(rdata), 4)]
    return [name.to_text(rdata[:mname_end]), name.to_text(rdata[mname_end:rname_end]), *numbers]


# -- names


def test_G053_missing_parents_are_there_and_empty() -> None:
    """Up to the apex."""
    zone = zone_of({"a.b.c": A})

    assert set(names_of(zone)) >= {b"", relative("c"), relative("b.c"), relative("a.b.c")}
    assert plain(zone, "b.c").rrsets == {}


def test_G052_the_empty_label_is_the_apex() -> None:
    """Labels are lower-cased."""
    zone = zone_of({"": {"txt": "apex"}, "WwW": A})

    assert rrset(zone, "", RRType.TXT).rdatas == (b"\x04apex",)
    assert rrset(zone, "www", RRType.A).rdatas == (bytes((192, 0, 2, 1)),)


def test_G047_an_empty_document_is_a_zone_with_a_soa() -> None:
    """And nothing else."""
    zone = build_zone(read_document({}, "example.com", "example.com.json", MTIME)[0])[0]

    assert list(names_of(zone)) == [b""]
    assert list(plain(zone, "").rrsets) == [RRType.SOA]


def test_variants_are_linked_to_the_shorter_name() -> None:
    """Also where that has no label of its own, and where a dot is inside a target."""
    zone = zone_of({"www.us": A, "x.y.dk": A, "www.[192.0.2.0]": A, "us": A}, targeting="@ country ip")

    assert name_at(zone, "www").plain is None
    assert set(name_at(zone, "www").variants) == {b"us", b"[192.0.2.0]"}
    assert set(name_at(zone, "x.y").variants) == {b"dk"}
    assert variant(zone, "", b"us").text == plain(zone, "us").text
    assert variant(zone, "www", b"us").text == plain(zone, "www.us").text


def test_a_target_is_one_label_and_not_a_part_of_one() -> None:
    """Neither `www-us` nor an escaped dot makes a variant, of whatever name."""
    zone = zone_of({"www-us": A, r"a\.us": A, r"www.[192\.0\.2\.0]": A, "www[192.0.2.0]": A}, targeting="@ country ip")

    assert all(entry.variants == {} for entry in names_of(zone).values())
    assert b"\x04a" not in names_of(zone)
    assert relative("www") not in names_of(zone)


def test_an_address_target_begins_at_the_last_opening_bracket() -> None:
    """What stands before it belongs to the name."""
    zone = zone_of({"[x.[192.0.2.0]": A, "x]": A}, targeting="@ ip")

    assert set(name_at(zone, "[x").variants) == {b"[192.0.2.0]"}
    assert set(name_at(zone, "").variants) == {b"[192.0.2.0]"}


@pytest.mark.parametrize("label", ["www.[]", "[]", "www.[.]", "[192.0.2]", "www.[192.0.2.0", "www.192.0.2.0]", "[us]"])
def test_what_only_looks_like_an_address_target_is_a_plain_name(label: str) -> None:
    """It loads, and changes nothing for anybody."""
    zone = zone_of({label: A}, targeting="@ ip")

    assert all(entry.variants == {} for entry in names_of(zone).values())


# -- TTLs


def test_G080_the_labels_ttl_counts_before_the_zones() -> None:
    """0 at the label counts as unset; 0 of the zone is 0."""
    zone = zone_of({"set": {**A, "ttl": 5}, "unset": {**A, "ttl": 0}, "none": A}, ttl=300)

    assert [rrset(zone, text, RRType.A).ttl for text in ("set", "unset", "none")] == [5, 300, 300]
    assert rrset(zone_of({"www": A}, ttl=0), "www", RRType.A).ttl == 0


def test_G041_the_default_ttl() -> None:
    """120 seconds."""
    assert rrset(zone_of({"www": A}), "www", RRType.A).ttl == 120


def test_G081_ns_lives_a_day() -> None:
    """Unless the label has a TTL; the zone's never counts."""
    zone = zone_of({"": {"ns": "ns1.example.net."}, "sub": {"ns": "ns1.example.net.", "ttl": 60}}, ttl=300)

    assert rrset(zone, "", RRType.NS).ttl == 86400
    assert rrset(zone, "sub", RRType.NS).ttl == 60


def test_a_type_can_have_its_own_ttl() -> None:
    """The others have the zone's."""
    zone = zone_of({"www": {**A, "txt": "text", "ns": "ns1.example.net.", "ttl": {"a": 30, "ns": 40}}}, ttl=300)

    assert [rrset(zone, "www", rrtype).ttl for rrtype in (RRType.A, RRType.TXT, RRType.NS)] == [30, 300, 40]


@pytest.mark.parametrize(("ttl", "soa_ttl"), [(0, 600), (30, 300), (120, 1200), (300, 3000), (360, 3600), (9999, 3600)])
def test_G082_the_soa_lives_ten_times_as_long(ttl: int, soa_ttl: int) -> None:
    """At most an hour; a zone TTL of 0 counts as 60."""
    assert zone_of({}, ttl=ttl).soa().ttl == soa_ttl


# -- the SOA


def test_G083_soa_timers() -> None:
    """Refresh 5400, retry 5400, expire 1209600, minimum 3600."""
    assert soa_fields(zone_of({}))[3:] == ["5400", "5400", "1209600", "3600"]


def test_G084_the_mname_is_the_first_name_server_in_the_file() -> None:
    """Of an object too; `ns.` where the apex has none."""
    assert soa_fields(zone_of({"": {"ns": ["b.example.net.", "a.example.net."]}}))[0] == "b.example.net."
    assert soa_fields(zone_of({"": {"ns": {"z.example.net": None, "a.example.net": None}}}))[0] == "z.example.net."
    assert soa_fields(zone_of({}))[0] == "ns."


def test_G085_the_rname_is_the_contact() -> None:
    """hostmaster of the zone without one (G041); an `@` is not converted (G044)."""
    assert soa_fields(zone_of({}))[1] == "hostmaster.example.com."
    assert soa_fields(zone_of({}, contact="dns.example.net"))[1] == "dns.example.net."
    assert soa_fields(zone_of({}, contact="dns@example.net"))[1] == r"dns\@example.net."


def test_G041_the_serial_is_the_files_time() -> None:
    """Unless the file says another."""
    assert soa_fields(zone_of({}))[2] == str(MTIME)
    assert soa_fields(zone_of({}, serial=7))[2] == "7"
    assert zone_of({}, serial=7).serial == 7


def test_the_soa_stands_at_the_apex() -> None:
    """The same one that negative answers have."""
    zone = zone_of({"www": A})

    assert plain(zone, "").rrsets[RRType.SOA].at == zone.soa_at


def test_G036_the_builtin_zone() -> None:
    """MNAME `ns.`, RNAME `hostmaster.pgeodns.`, serial 0, TTL 1200."""
    zone = builtin_zone()

    assert zone.origin == name.from_text("pgeodns.")
    assert soa_fields(zone)[:3] == ["ns.", "hostmaster.pgeodns.", "0"]
    assert zone.soa().ttl == 1200


# -- weights


def test_G150_addresses_and_cnames_without_weight_count_as_1() -> None:
    """Where none has any; beside a positive one 0 stays 0."""
    zone = zone_of(
        {
            "none": {"a": [["192.0.2.1"], ["192.0.2.2", 0]]},
            "some": {"a": [["192.0.2.1"], ["192.0.2.2", 7]]},
            "c": {"cname": ["a", "b"]},
        }
    )

    assert rrset(zone, "none", RRType.A).weights == (1, 1)
    assert rrset(zone, "some", RRType.A).weights == (0, 7)
    assert rrset(zone, "c", RRType.CNAME).weights == (1, 1)


def test_G150_other_types_without_weight_are_not_picked_from() -> None:
    """All of them are answered, in the order of the file."""
    zone = zone_of({"www": {"mx": [{"mx": "b."}, {"mx": "a.", "weight": 0}], "txt": ["z", "a"]}})

    for rrtype in (RRType.MX, RRType.TXT):
        assert rrset(zone, "www", rrtype).choice == 0
    assert [to_text(RRType.TXT, rdata) for rdata in rrset(zone, "www", RRType.TXT).rdatas] == ['"z"', '"a"']


def test_G157_other_types_with_a_weight_are_picked_from() -> None:
    """One weight is enough."""
    zone = zone_of({"www": {"txt": [{"txt": "a", "weight": 3}, "b"]}})

    assert rrset(zone, "www", RRType.TXT).choice != 0
    assert rrset(zone, "www", RRType.TXT).weights == (3, 0)


def test_G156_max_hosts_of_the_label_counts_before_the_zones() -> None:
    """0 is a number too; the default is 2 (G041)."""
    zone = zone_of({"set": {**A, "max_hosts": 0}, "unset": A}, max_hosts=9)

    assert (plain(zone, "set").max_hosts, plain(zone, "unset").max_hosts) == (0, 9)
    assert plain(zone_of({"www": A}), "www").max_hosts == 2


def test_G160_closest_of_the_label_counts_before_the_zones() -> None:
    """In both directions."""
    zone = zone_of({"off": {**A, "closest": False}, "unset": A}, closest=True)

    assert (plain(zone, "off").closest, plain(zone, "unset").closest) == (False, True)
    assert plain(zone_of({"on": {**A, "closest": True}}), "on").closest


@pytest.mark.parametrize(
    ("health", "expected"),
    [({"type": "tcp"}, True), ({"name": "x"}, True), ({}, False), ({"port": 1}, False), (None, False)],
)
def test_G170_records_are_checked_where_the_label_says_so(health: object, expected: bool) -> None:
    """By a health object with a name or a type."""
    assert plain(zone_of({"www": {**A, "health": health}}), "www").is_checked is expected


# -- levels: what can change the answer for a name, for the ECS scope


def levels(zone: Zone, text: str) -> int:
    return name_at(zone, text).levels


def test_levels_are_those_of_the_names_variants() -> None:
    """Of any type; a name without variants has none."""
    zone = zone_of(
        {"www": A, "www.us": {"txt": "x"}, "www.europe": A, "www.as64500": A, "www.us-ca": A, "plain": A},
        targeting="@ continent country region asn ip",
    )

    assert levels(zone, "www") == COUNTRY | CONTINENT | ASN | REGION
    assert levels(zone, "plain") == 0


def test_levels_go_on_at_an_alias() -> None:
    """And at the alias of its target, also in a loop."""
    zone = zone_of({"one": {"alias": "two"}, "two": {"alias": "three"}, "three": A, "three.us": {"alias": "one"}})

    assert levels(zone, "one") == levels(zone, "two") == levels(zone, "three") == COUNTRY


def test_levels_of_a_variants_own_alias_count() -> None:
    """It is asked for with all targets again."""
    zone = zone_of({"www": A, "www.us": {"alias": "far"}, "far": A, "far.europe": A})

    assert levels(zone, "www") == COUNTRY | CONTINENT


def test_address_variants_tell_how_many_bits_they_look_at() -> None:
    """A network, or one address."""
    zone = zone_of(
        {"net": A, "net.[192.0.2.0]": A, "host": A, "host.[192.0.2.1]": A, "six": A, "six.[2001:db8::]": A},
        targeting="@ ip",
    )

    prefixes = {text: name_at(zone, text).address_prefixes for text in ("net", "host", "six")}
    assert prefixes == {"net": (24, 0), "host": (32, 0), "six": (0, 48)}
    assert levels(zone, "net") == IP


def test_distance_counts_where_there_is_something_to_choose() -> None:
    """More addresses than are answered (G160)."""
    two = {"a": [["192.0.2.1"], ["192.0.2.2"]]}
    zone = zone_of(
        {"few": two, "many": {**two, "max_hosts": 1}, "off": {**two, "max_hosts": 1, "closest": False}}, closest=True
    )

    assert [levels(zone, text) for text in ("few", "many", "off")] == [0, CLOSEST, 0]


# -- what leads nowhere


def test_links_that_lead_somewhere_are_no_problem() -> None:
    """Nor is an alias of the apex, of a variant or of a name that has only variants."""
    data = {
        "": A,
        "www": A,
        "apex": {"alias": ""},
        "one": {"alias": "www.us"},
        "www.us": A,
        "two": {"alias": "x"},
        "x.us": A,
    }

    assert link_problems(data) == []


def test_an_alias_without_target_is_told() -> None:
    """With its place."""
    assert link_problems({"www": {"alias": "Nowhere"}}) == ['data."www".alias: must name a label of this zone']


def test_a_long_target_is_not_told_in_full() -> None:
    """It is cut."""
    target = ".".join(["x" * 60] * 3)
    _, (problem,) = build_zone(source_of({"www": {"alias": target}}))

    assert problem.found == f'"{"x" * 60}..."'


def test_alias_loops_are_told_at_each_of_their_labels() -> None:
    """Not where one only leads into a loop."""
    data = {"one": {"alias": "two"}, "two": {"alias": "one"}, "into": {"alias": "one"}, "self": {"alias": "self"}}

    assert link_problems(data) == [
        'data."one".alias: must not lead back to itself',
        'data."two".alias: must not lead back to itself',
        'data."self".alias: must not lead back to itself',
    ]


def test_alias_loops_through_a_variant_are_told() -> None:
    """geodns looks for the variant again at the name that its alias leads to."""
    assert link_problems({"www": A, "www.us": {"alias": "www"}}) == [
        'data."www.us".alias: must not lead back to itself'
    ]
    assert link_problems({"us": {"alias": ""}}) == ['data."us".alias: must not lead back to itself']


def test_alias_loops_that_close_for_some_targets_are_told_at_each_label() -> None:
    """At plain labels on the way too, but not at those that only lead there."""
    data = {"www": A, "www.us": {"alias": "x"}, "x": {"alias": "www"}, "into": {"alias": "x"}}

    assert link_problems(data) == [
        'data."www.us".alias: must not lead back to itself',
        'data."x".alias: must not lead back to itself',
    ]


def test_variants_for_others_close_no_loop() -> None:
    """No client has both targets."""
    data = {"www": A, "www.us": {"alias": "x"}, "x": A, "x.dk": {"alias": "www"}}

    assert link_problems(data) == []


def test_a_longer_chain_of_aliases_than_is_followed_is_told() -> None:
    """At each label that does not come to the end."""
    data = {**{f"al{at}": {"alias": f"al{at + 1}"} for at in range(18)}, "al18": A}

    assert link_problems(data) == [f'data."al{at}".alias: must not lead through more than 16 names' for at in range(2)]


def test_thousands_of_aliases_in_a_row_load_in_linear_time() -> None:
    """Each label is looked at a few times; with the square of their number this would take minutes."""
    count = 20_000
    source = source_of({**{f"al{at}": {"alias": f"al{at + 1}"} for at in range(count)}, f"al{count}.us": A})
    started = time.process_time()
    zone, problems = build_zone(source)

    assert time.process_time() - started < 20
    assert levels(zone, "al0") == COUNTRY
    assert len(problems) == count - 16


def test_a_cname_variant_of_a_delegation_is_told() -> None:
    """Nobody ever gets it; NS beside a CNAME at a variant or a wildcard delegate nothing."""
    data = {"sub": {"ns": "ns1.example.net."}, "sub.us": {"cname": "www"}}

    assert link_problems(data) == ['data."sub.us".cname: is never answered: the name is delegated']


@pytest.mark.parametrize("label", ["us", "www.us", "*", ""])
def test_ns_beside_a_cname_that_delegate_nothing_are_a_warning(label: str) -> None:
    """The file still loads."""
    data = {label: {"ns": "ns1.example.net.", "cname": "other"}}

    assert any("hides the label's other types" in problem for problem in link_problems(data))


@pytest.mark.parametrize("label", ["sub", "a.b", r"a\.us"])
def test_a_cname_beside_a_delegation_is_told(label: str) -> None:
    """The delegation counts; geodns loads such a file, and so do we."""
    problems = link_problems({label: {"ns": "ns1.example.net.", "cname": "other"}})

    assert problems == [f"data.{shown(label)}.cname: is never answered: the name is delegated"]


def test_a_wildcard_delegation_is_told() -> None:
    """RFC 4592 section 4.2."""
    (problem,) = link_problems({"*": {"ns": "ns1.example.net."}})

    assert problem.startswith('data."*".ns: a wildcard is no delegation')


# -- a zone built while it is read


def test_a_zone_built_while_it_is_read_has_all_its_problems() -> None:
    """Those of its settings, of its labels and of its links, in this order."""
    data = {
        "www": {"alias": "nowhere", "b": 1},
        "x": {"cname": "y", "txt": "z"},
        "X": {"ns": "ns1.example.net.", "cname": "y"},
    }
    _, warnings = read_zone(
        ZoneReader({"data": data, "origin": ""}, "example.com", "example.com.json", MTIME), Packing()
    )

    assert [f"{problem.place}: {problem.expected}" for problem in warnings] == [
        "origin: is not a known key, and is ignored",
        'data."www".b: is not a known key, and is ignored',
        'data."X": is equal to an earlier label after lower-casing: this last one counts',
        'data."www".alias: must name a label of this zone',
        'data."x".cname: is never answered: the name is delegated',
    ]


def test_a_zone_with_errors_is_not_built() -> None:
    """Whatever its other labels hold; all errors are told."""
    data = {"www": A, "one": {"a": [["192.0.2.256"]]}, "two": 2}
    packing = Packing()
    before = packing.mark()
    with pytest.raises(ConfigError) as caught:
        read_zone(ZoneReader({"data": data, "ttl": -1}, "example.com", "example.com.json", MTIME), packing)

    assert [problem.place for problem in caught.value.problems] == ["ttl", 'data."one".a[0]', 'data."two"']
    assert packing.mark() == before


def test_zones_can_share_an_image() -> None:
    """Each has its own names, though they have the same texts; one with errors between them leaves nothing."""
    packing = Packing()
    zones = []
    for address in ("192.0.2.1", "192.0.2.256", "192.0.2.2"):
        data = {"www": {"a": [[address]]}, f"only{address[-1]}": A, "www.us": A}
        with suppress(ConfigError):
            zones.append(read_zone(ZoneReader({"data": data}, "example.com", "example.com.json", MTIME), packing)[0])
    packing.settle()

    one, two = zones
    assert one.image is two.image
    assert [rrset(zone, "www", RRType.A).rdatas for zone in zones] == [(bytes((192, 0, 2, last)),) for last in (1, 2)]
    assert [bool(zone.find(relative("only1"))) for zone in zones] == [True, False]
    assert [variant(zone, "www", b"us").text for zone in zones] == ["www.us", "www.us"]
    assert [len(names_of(zone)) for zone in zones] == [5, 5]


def test_the_last_of_equal_labels_leaves_nothing_of_the_others() -> None:
    """No alias, no delegation, no records."""
    data = {
        "one": {"alias": "www"},
        "ONE": A,
        "two": {"ns": "ns1.example.net."},
        "Two": {"txt": "x"},
        "www": {"txt": "x"},
    }
    packing = Packing()
    zone, _ = read_zone(ZoneReader({"data": data}, "example.com", "example.com.json", MTIME), packing)
    packing.settle()

    assert list(plain(zone, "one").rrsets) == [RRType.A]
    assert (plain(zone, "one").alias, plain(zone, "one").has_alias) == (None, False)
    assert list(plain(zone, "two").rrsets) == [RRType.TXT]
    assert zone.cuts == frozenset()
