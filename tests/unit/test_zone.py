"""What a zone finds for a question: cuts, wildcards, variants, aliases, in the order in which they count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns.codes import RRType
from greendns.name import from_text, parent
from greendns.onename import find_name
from greendns.zone import ALIAS_LIMIT, Match, Zone, find_any, find_matches
from greendns.zonedb import ZoneDB
from tests.unit.documents import relative, zone_of
from tests.zonereading import names_of

US = (b"us", b"north-america", b"@")
DK = (b"dk", b"europe", b"@")
NOBODY = (b"@",)


def a(*addresses: str) -> dict[str, object]:
    """The records of a label with these addresses."""
    return {"a": [[address] for address in addresses]}


def name_of(zone: Zone, text: str) -> int:
    name = zone.find(relative(text))
    assert name
    return name


def exists_for(zone: Zone, text: str, targets: tuple[bytes, ...]) -> bool:
    return zone.image.exists_for(name_of(zone, text), targets)


def found(zone: Zone, text: str, rrtype: int, targets: tuple[bytes, ...] = NOBODY) -> list[tuple[str, str, int]]:
    """What may answer: the target, the label and the type of each match, best first."""
    return [told(match) for match in find_matches(zone.image, name_of(zone, text), rrtype, targets)]


def found_any(zone: Zone, text: str, targets: tuple[bytes, ...] = NOBODY) -> list[list[tuple[str, str, int]]]:
    """The same for ANY, per type."""
    return [[told(match) for match in matches] for matches in find_any(zone.image, name_of(zone, text), targets)]


def told(match: Match) -> tuple[str, str, int]:
    return match.target.decode(), match.label_text(), match.rrset.rrtype


# -- variants


def test_G092_a_variant_is_the_label_with_the_target_behind_it() -> None:
    """And for the apex the target alone."""
    zone = zone_of({"www": a("192.0.2.1"), "www.us": a("192.0.2.2"), "us": a("192.0.2.3")})

    assert found(zone, "www", RRType.A, US) == [("us", "www.us", 1), ("@", "www", 1)]
    assert found(zone, "", RRType.A, US) == [("us", "us", 1)]


def test_G053_a_variant_can_be_asked_for_itself() -> None:
    """It is a plain name too."""
    zone = zone_of({"only.us": a("192.0.2.1")})

    assert found(zone, "only.us", RRType.A, DK) == [("@", "only.us", 1)]


def test_G112_all_matches_come_in_the_order_of_the_targets() -> None:
    """So that one that is empty after all falls through to the next."""
    zone = zone_of({"www": a("192.0.2.1"), "www.us": a("192.0.2.2"), "www.north-america": a("192.0.2.3")})

    assert [target for target, _, _ in found(zone, "www", RRType.A, US)] == ["us", "north-america", "@"]


def test_G113_a_variant_without_the_type_falls_through() -> None:
    """www.us has only an address."""
    zone = zone_of({"www": {"txt": "everybody"}, "www.us": a("192.0.2.1")})

    assert found(zone, "www", RRType.TXT, US) == [("@", "www", 16)]


def test_G114_an_empty_list_never_matches() -> None:
    """As if it were not there."""
    zone = zone_of({"www": a("192.0.2.1"), "www.us": {"a": []}})

    assert found(zone, "www", RRType.A, US) == [("@", "www", 1)]


def test_G115_G116_who_sees_a_name_at_all() -> None:
    """A plain name is there for everybody, a variant for its own clients only."""
    zone = zone_of({"only.us": a("192.0.2.1"), "www": a("192.0.2.1")})

    assert exists_for(zone, "only", US)
    assert not exists_for(zone, "only", DK)
    assert exists_for(zone, "www", DK)


def test_what_the_targeting_does_not_look_at_is_no_variant() -> None:
    """`www.us` is a plain name alone in a zone that targets continents."""
    zone = zone_of({"www": a("192.0.2.1"), "www.us": a("192.0.2.2")}, targeting="@ continent")

    assert found(zone, "www", RRType.A, US) == [("@", "www", 1)]


# -- CNAME and alias


def test_G117_a_cname_comes_before_the_type() -> None:
    """Of every type, and is found once where it is asked for."""
    zone = zone_of({"www": {"cname": "other", "txt": "text"}})

    assert [rrtype for _, _, rrtype in found(zone, "www", RRType.TXT)] == [RRType.CNAME, RRType.TXT]
    assert [rrtype for _, _, rrtype in found(zone, "www", RRType.CNAME)] == [RRType.CNAME]


def test_G130_an_alias_is_looked_up_again_with_all_targets() -> None:
    """So that geography goes on at its target, before what the label itself has."""
    zone = zone_of({"alias": {"alias": "www", "a": [["192.0.2.9"]]}, "www": a("192.0.2.1"), "www.us": a("192.0.2.2")})

    assert [label for _, label, _ in found(zone, "alias", RRType.A, US)] == ["www.us", "www", "alias"]


def test_G131_the_case_of_an_alias_is_folded() -> None:
    """WWW is www."""
    zone = zone_of({"alias": {"alias": "WWW"}, "www": a("192.0.2.1")})

    assert found(zone, "alias", RRType.A) == [("@", "www", 1)]


def test_G132_an_alias_of_the_apex_brings_neither_ns_nor_soa() -> None:
    """All else follows."""
    zone = zone_of({"": {"ns": ["ns1.example.net."], "mx": [{"mx": "."}]}, "apex": {"alias": ""}})

    assert found(zone, "apex", RRType.MX) == [("@", "", 15)]
    assert found(zone, "apex", RRType.NS) == []
    assert found(zone, "apex", RRType.SOA) == []


def test_G133_an_alias_hides_the_labels_own_ns_but_not_its_mx() -> None:
    """MX is answered where the target has none."""
    zone = zone_of({"alias": {"alias": "www", "ns": "ns1.example.net.", "mx": {"mx": "."}}, "www": a("192.0.2.1")})

    assert found(zone, "alias", RRType.NS) == []
    assert found(zone, "alias", RRType.MX) == [("@", "alias", 15)]


def test_G134_alias_loops_end() -> None:
    """With whatever the names in the loop have themselves."""
    zone = zone_of(
        {"one": {"alias": "two", "txt": "1"}, "two": {"alias": "one", "txt": "2"}, "self": {"alias": "self"}}
    )

    assert [label for _, label, _ in found(zone, "one", RRType.TXT)] == ["two", "one"]
    assert found(zone, "self", RRType.A) == []
    assert found_any(zone, "one") == [[("@", "two", 16), ("@", "one", 16)]]


def chain(length: int) -> dict[str, object]:
    """al0 -> al1 -> ... -> the name al<length>, which alone has an address."""
    return {**{f"al{at}": {"alias": f"al{at + 1}"} for at in range(length)}, f"al{length}": a("192.0.2.1")}


@pytest.mark.parametrize(("length", "label"), [(ALIAS_LIMIT, [f"al{ALIAS_LIMIT}"]), (ALIAS_LIMIT + 1, []), (1500, [])])
def test_G134_so_many_aliases_are_followed(length: int, label: list[str]) -> None:
    """A longer chain leads nowhere, as a loop does."""
    zone = zone_of(chain(length))

    assert [found_label for _, found_label, _ in found(zone, "al0", RRType.A)] == label
    assert [matches[0][1] for matches in found_any(zone, "al0")] == label


def test_G134_a_missing_target_matches_nothing() -> None:
    """The label's own records are still there."""
    zone = zone_of({"lost": {"alias": "nowhere", "txt": "here"}})

    assert found(zone, "lost", RRType.A) == []
    assert found(zone, "lost", RRType.TXT) == [("@", "lost", 16)]


# -- ANY


def test_G140_any_is_every_type_of_the_plain_label() -> None:
    """Also where there are variants."""
    zone = zone_of({"www": {"a": [["192.0.2.1"]], "txt": "text"}, "www.us": {"mx": {"mx": "."}}})

    assert sorted(matches[0][2] for matches in found_any(zone, "www", US)) == [RRType.A, RRType.TXT]


def test_G140_any_at_the_apex_has_the_soa() -> None:
    """And the NS."""
    zone = zone_of({"": {"ns": "ns1.example.net."}})

    assert sorted(matches[0][2] for matches in found_any(zone, "")) == [RRType.NS, RRType.SOA]


def test_G140_a_cname_speaks_for_any() -> None:
    """Nothing else stands beside it."""
    zone = zone_of({"www": {"cname": "other", "txt": "text"}})

    assert found_any(zone, "www") == [[("@", "www", 5)]]


def test_G141_any_of_a_name_that_has_only_variants() -> None:
    """Is answered from those of the client."""
    zone = zone_of({"only.us": a("192.0.2.1"), "only.dk": {"txt": "denmark"}})

    assert found_any(zone, "only", US) == [[("us", "only.us", 1)]]
    assert found_any(zone, "only", DK) == [[("dk", "only.dk", 16)]]
    assert found_any(zone, "only", NOBODY) == []


# -- wildcards (RFC 4592)


def covering(zone: Zone, text: str) -> bytes | None:
    """Where the wildcard stands that answers for a name; the name itself if it exists; None if nothing does."""
    name, stands_at = find_name(zone, relative(text), ZoneDB((zone,)))
    return stands_at if name else None


def test_a_wildcard_covers_what_does_not_exist_below_it() -> None:
    """At any depth, up to the nearest name that exists."""
    zone = zone_of({"*": a("192.0.2.1"), "sub": a("192.0.2.2"), "*.deep": a("192.0.2.3")})

    assert covering(zone, "x") == relative("*")
    assert covering(zone, "x.y.z") == relative("*")
    assert covering(zone, "x.y.deep") == relative("*.deep")
    assert covering(zone, "x.sub") is None
    assert covering(zone, "sub") == relative("sub")


def test_a_wildcard_does_not_cover_an_empty_non_terminal() -> None:
    """`b` exists, since `a.b` does (RFC 4592 section 2.2.2)."""
    zone = zone_of({"*": a("192.0.2.1"), "a.b": a("192.0.2.2")})

    assert covering(zone, "b") == relative("b")
    assert covering(zone, "x.b") is None


def test_a_wildcard_does_not_cover_other_clients_variants() -> None:
    """Whoever asks, the name exists."""
    zone = zone_of({"*": a("192.0.2.1"), "only.us": a("192.0.2.2")})

    assert covering(zone, "only") == relative("only")
    assert not exists_for(zone, "only", DK)


def test_a_wildcard_has_variants_and_is_below_plain_names() -> None:
    """`*.us` is what `*` means in the US, and the wildcard below `us`."""
    zone = zone_of({"*": a("192.0.2.1"), "*.us": a("192.0.2.2")})

    assert found(zone, "*", RRType.A, US) == [("us", "*.us", 1), ("@", "*", 1)]
    assert covering(zone, "x.us") == relative("*.us")


def test_the_apex_is_covered_by_no_wildcard() -> None:
    """It is there."""
    assert covering(zone_of({"*": a("192.0.2.1")}), "") == b""


# -- delegations


def test_G118_a_cut_is_for_its_name_and_all_below() -> None:
    """But a DS of the cut itself belongs to the parent's side."""
    zone = zone_of({"sub": {"ns": "ns.sub"}, "ns.sub": a("192.0.2.53")})

    assert zone.find_cut(relative("sub"), RRType.A) == relative("sub")
    assert zone.find_cut(relative("x.y.sub"), RRType.A) == relative("sub")
    assert zone.find_cut(relative("x.sub"), RRType.DS) == relative("sub")
    assert zone.find_cut(relative("sub"), RRType.DS) is None
    assert zone.find_cut(relative("xsub"), RRType.A) is None
    assert zone.find_cut(b"", RRType.NS) is None


def test_of_two_cuts_the_upper_one_counts() -> None:
    """Below it nothing is ours."""
    zone = zone_of({"sub": {"ns": "ns1.example.net."}, "deep.sub": {"ns": "ns2.example.net."}})

    assert zone.find_cut(relative("x.deep.sub"), RRType.A) == relative("sub")


def test_ns_of_a_variant_is_no_cut() -> None:
    """At a label that is a target, or ends in one: it is that variant's NS set."""
    zone = zone_of({"us": {"ns": "ns1.example.net."}, "sub.us": {"ns": "ns1.example.net."}})

    assert zone.find_cut(relative("us"), RRType.A) is None
    assert zone.find_cut(relative("sub.us"), RRType.A) is None
    assert found(zone, "", RRType.NS, US) == [("us", "us", 2)]


def test_ns_of_a_code_that_is_not_targeted_is_a_cut() -> None:
    """`us` is a plain label then."""
    zone = zone_of({"us": {"ns": "ns1.example.net."}}, targeting="@ continent")

    assert zone.find_cut(relative("www.us"), RRType.A) == relative("us")


# -- the apex


def test_an_alias_at_the_apex_hides_its_own() -> None:
    """NS and SOA (G133)."""
    assert zone_of({"": {"alias": "www"}, "www": a("192.0.2.1")}).hides_apex()
    assert not zone_of({"www": a("192.0.2.1")}).hides_apex()


def test_ns_at_a_label_with_a_dot_before_a_target_are_a_cut() -> None:
    """It is one label, and no variant."""
    zone = zone_of({r"sub\.us": {"ns": "ns1.example.net."}})

    assert zone.find_cut(relative(r"sub\.us"), RRType.A) == relative(r"sub\.us")


# -- names of many labels

DEEP = st.lists(st.sampled_from(["a", "b", "us", "*"]), min_size=1, max_size=12).map(".".join)


def walked_wildcard(zone: Zone, asked: bytes) -> bytes:
    """The wildcard below the closest encloser (RFC 4592 section 3.3.1), looked for label by label."""
    encloser = asked[1 + asked[0] :]
    while not zone.find(encloser):
        encloser = encloser[1 + encloser[0] :]
    return b"\x01*" + encloser


@given(st.lists(DEEP, max_size=6), DEEP)
def test_the_closest_encloser_is_found_however_deep(names: list[str], asked: str) -> None:
    """And every name above one that exists does too."""
    zone = zone_of({"": a("192.0.2.1"), **{each: a("192.0.2.2") for each in names}})
    wildcard = walked_wildcard(zone, relative(asked))

    assert zone.find_wildcard(relative(asked)) == (zone.find(wildcard), wildcard)
    assert all(zone.find(parent(key)) for key in names_of(zone) if key)


@given(st.lists(DEEP, max_size=4), DEEP, st.sampled_from([RRType.A, RRType.DS]))
def test_the_cut_nearest_to_the_apex_is_found_however_deep(cuts: list[str], asked: str, qtype: RRType) -> None:
    """By each suffix alone, but for a DS at the name itself."""
    zone = zone_of({each: {"ns": ["ns1.example.net."]} for each in cuts})
    labels = asked.split(".")
    above = [relative(".".join(labels[at:])) for at in range(len(labels))]
    found = [each for at, each in enumerate(above) if each in zone.cuts and (at or qtype != RRType.DS)]

    assert zone.find_cut(relative(asked), qtype) == (found[-1] if found else None)


@given(st.lists(DEEP, min_size=1, max_size=4), DEEP, st.integers(1, 12))
def test_a_zone_between_a_name_and_its_encloser_is_seen(origins: list[str], asked: str, depth: int) -> None:
    """By each name between them alone."""
    zones = ZoneDB([zone_of({}, f"{origin}.example.com") for origin in origins])
    labels = [*asked.split("."), "example", "com"]
    names = [from_text(".".join(labels[at:]) + ".") for at in range(len(labels))]
    encloser = names[min(depth, len(names) - 1)]
    between = names[1 : min(depth, len(names) - 1)]

    assert zones.has_between(names[0], encloser) == any(each in zones.ancestors for each in between)
