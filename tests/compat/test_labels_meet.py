"""What a label means where plain names, variants for targets, debug names, wildcards and delegations meet.

The rules, by the numbers that the tests are named after:
1. A label is a plain name, and if it ends in a target that the zone's targeting can produce also a variant of the
   shorter name.
2. `*.us` is the US variant of `*`, and the wildcard below the plain name `us`.
3. A wildcard covers only names that exist neither plainly nor in any variant, whoever asks.
4. NS at a plain label is a cut; at a label that is or ends in a target they are that variant's and never a cut.
5. For one name: the exact label with its variants, then debug names, then wildcards.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from tests.checking import check_zone
from tests.databases import WORLD, WORLD_ASNS, city, write_asn, write_city, write_country
from tests.serving import Server, serving

DANE = "192.0.2.0/24"
GERMAN = "198.51.100.0/25"
CALIFORNIAN = "203.0.113.0/26"
NEW_YORKER = "203.0.113.64/26"
SWEDE = "2001:db8:1::/48"
JAPANESE = "203.0.113.192/26"
# Where the questions of these tests come from: it decides without a client subnet, and for referrals.
HERE = {"127.0.0.0/8": city("US", subdivision="CA", at=(37.8, -122.4))}

DS = "12345 13 2 " + "78" * 32
EVERY_LEVEL = "@ continent country regiongroup region asn ip"

LABELS = {
    "www": {"txt": "@"},
    "www.europe": {"txt": "europe"},
    "www.dk": {"txt": "dk"},
    "www.us-ca": {"txt": "us-ca"},
    "www.us-west": {"txt": "us-west"},
    "www.as64501": {"txt": "as64501"},
    "www.[203.0.113.64]": {"txt": "address"},
    "www.[2001:db8:1::]": {"txt": "network"},
    "www.zz": {"txt": "no country"},
    "www.uk": {"txt": "no target"},
    "www.us.dk": {"txt": "twice"},
}
APEX = {"": {"txt": "apex"}, "us": {"txt": "us"}, "europe": {"txt": "europe"}, "us.dk": {"txt": "us.dk"}}

WILDCARDS = {
    "": {"ns": ["ns1.example.net."]},
    "*": {"ttl": 33, "txt": "*", "a": [["192.0.2.1"]]},
    "*.us": {"txt": "*.us"},
    "www": {"a": [["192.0.2.2"]]},
    "only.us": {"txt": "only.us"},
    "a.b": {"txt": "a.b"},
    "*.deep": {"txt": "*.deep"},
    "host.deep": {"a": [["192.0.2.3"]]},
    "*.europe.deep": {"txt": "plain words"},
    "*.cname": {"cname": "target.example.net."},
    "*.alias": {"alias": "www"},
    "*.many": {"max_hosts": 2, "a": [[f"192.0.2.{last}"] for last in range(1, 8)]},
    "*.inside": {"cname": "www"},
}
US_ONLY = {"*.us": {"txt": "*.us"}, "*.sub.us": {"txt": "*.sub.us"}}

CUTS = {
    "": {"ns": ["ns1.example.net."]},
    "us": {"ns": ["ns1.us.example."]},
    "*": {"txt": "*"},
    "sub": {
        "ns": ["ns1.sub.cuts.example.", "ns2.cuts.example.", "ns3.example.net."],
        "a": [["192.0.2.66"]],
        "txt": "hidden",
        "ds": DS,
    },
    "ours": {"ns": ["ns1.example.net."]},
    "ours.us": {"ns": ["ns1.us.example."]},
    "ours.dk": {"ns": ["ns1.dk.example."]},
    "ns1.sub": {"max_hosts": 1, "a": [["192.0.2.53"], ["192.0.2.54"]], "aaaa": [["2001:db8::53"]]},
    "ns2": {"a": [["192.0.2.55"]]},
    "below.sub": {"ns": ["ns1.example.net."], "ds": DS},
    "nods": {"ns": {"ns1.example.net": None}},
    "deep.only.us": {"ns": ["ns1.example.net."]},
    "in.europe": {"ns": ["ns1.europe.example."]},
    "served": {"ns": ["ns1.example.net."], "ds": DS},
    "_status.sub": {"txt": "hidden"},
    "into": {"cname": "x.sub"},
    "*.wild": {"ns": ["ns1.example.net."], "txt": "wild"},
}

DEBUG = {
    "*": {"txt": "*"},
    "_status.exact": {"txt": "label"},
    "_country.exact.us": {"txt": "us label"},
    "_status.wild.us": {"a": [["192.0.2.1"]]},
    "*.wild": {"txt": "*.wild"},
    "sub": {"ns": ["ns1.example.net."]},
}

ZONES: dict[str, object] = {
    "all.example": {"targeting": EVERY_LEVEL, "data": {**LABELS, **APEX}},
    "country.example": {"targeting": "@ country", "data": {**LABELS, **APEX}},
    "anyone.example": {"targeting": "@", "data": {**LABELS, **APEX, "dk": {"ns": ["ns1.example.net."]}}},
    "wild.example": {"data": WILDCARDS},
    "usonly.example": {"data": US_ONLY},
    "cuts.example": {"data": CUTS},
    "served.cuts.example": {"data": {"": {"ns": ["ns9.example.net."]}, "www": {"txt": "child"}}},
    "debug.example": {"data": DEBUG},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of all these zones."""
    directory = tmp_path_factory.mktemp("meet")
    write_city(directory / "GeoLite2-City.mmdb", {**WORLD, **HERE})
    write_country(directory / "GeoLite2-Country.mmdb", {**WORLD, **HERE})
    write_asn(directory / "GeoLite2-ASN.mmdb", WORLD_ASNS)
    with serving(directory, ZONES) as running:
        assert running.health()["errors"] == []
        yield running


def text(server: Server, name: str, subnet: str = JAPANESE) -> str:
    """The one TXT of an answer, or else its rcode, NODATA for an empty NOERROR."""
    answer = server.ask(name, "TXT", subnet=subnet)
    if not answer.answer:
        return verdict(answer)
    [record] = answer.answer[-1]
    return b"".join(record.strings).decode()


def verdict(answer: dns.message.Message) -> str:
    """NODATA, NXDOMAIN, or REFERRAL, judged by the whole message."""
    assert answer.answer == []
    is_authoritative = bool(answer.flags & dns.flags.AA)
    types = [rrset.rdtype for rrset in answer.authority]
    if types == [dns.rdatatype.NS] and not is_authoritative and answer.rcode() == dns.rcode.NOERROR:
        return "REFERRAL"
    assert types == [dns.rdatatype.SOA]
    assert is_authoritative
    return {dns.rcode.NOERROR: "NODATA", dns.rcode.NXDOMAIN: "NXDOMAIN"}[answer.rcode()]


def outcome(server: Server, name: str, rrtype: str = "A", subnet: str = JAPANESE) -> str:
    """`verdict` of what is asked."""
    return verdict(server.ask(name, rrtype, subnet=subnet))


def shown(rrsets: list[dns.rrset.RRset]) -> list[str]:
    """Owner, type and value of each record."""
    return [f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)} {rdata}" for rrset in rrsets for rdata in rrset]


# -- (1) plain names and variants


@pytest.mark.parametrize(
    ("subnet", "expected"),
    [
        (DANE, "dk"),
        (GERMAN, "as64501"),
        (CALIFORNIAN, "us-ca"),
        ("203.0.113.64/32", "address"),
        (SWEDE, "network"),
        (JAPANESE, "@"),
    ],
)
def test_rule_1_a_label_that_ends_in_a_target_is_a_variant(server: Server, subnet: str, expected: str) -> None:
    """Of any level that the zone's targeting has; an address target keeps the dots within its brackets."""
    assert text(server, "www.all.example", subnet) == expected


@pytest.mark.parametrize("subnet", [JAPANESE, DANE, CALIFORNIAN])
def test_rule_1_every_label_is_a_plain_name_too(server: Server, subnet: str) -> None:
    """Whoever asks: by its full name it answers with its own records."""
    for label in ("www.dk", "www.us-ca", "www.us-west", "www.as64501", "www.[203.0.113.64]", "www.zz", "europe"):
        expected = {**LABELS, **APEX}[label]["txt"]
        assert text(server, f"{label}.all.example", subnet) == expected


def test_rule_1_only_what_the_targeting_can_produce_is_a_target(server: Server) -> None:
    """With `@ country` the German and the Californian get the plain name; with `@` the Dane too."""
    assert text(server, "www.country.example", DANE) == "dk"
    assert text(server, "www.country.example", GERMAN) == "@"
    assert text(server, "www.country.example", CALIFORNIAN) == "@"
    assert text(server, "www.anyone.example", DANE) == "@"
    assert text(server, "www.us-ca.anyone.example", DANE) == "us-ca"


def test_rule_1_a_target_alone_is_a_variant_of_the_apex(server: Server) -> None:
    """`us` for the US, `europe` for Europe; where the zone targets nobody it is a name and no more."""
    assert text(server, "all.example", CALIFORNIAN) == "us"
    assert text(server, "all.example", DANE) == "europe"
    assert text(server, "all.example", JAPANESE) == "apex"
    assert text(server, "country.example", NEW_YORKER) == "us"
    assert text(server, "anyone.example", CALIFORNIAN) == "apex"


def test_rule_1_only_the_last_target_is_the_variants(server: Server) -> None:
    """`us.dk` is what `us` means in Denmark, and `www.us.dk` what `www.us` does; neither says anything of `www`."""
    assert text(server, "us.all.example", DANE) == "us.dk"
    assert text(server, "us.all.example", CALIFORNIAN) == "us"
    assert text(server, "www.us.all.example", DANE) == "twice"
    assert text(server, "www.us.all.example", CALIFORNIAN) == "NXDOMAIN"
    assert text(server, "www.all.example", DANE) == "dk"


def test_rule_1_a_name_only_in_variants_exists_for_their_clients_alone(server: Server) -> None:
    """G116: NXDOMAIN for all others."""
    assert text(server, "only.wild.example", CALIFORNIAN) == "only.us"
    assert outcome(server, "only.wild.example", "A", CALIFORNIAN) == "NODATA"
    assert text(server, "only.wild.example", DANE) == "NXDOMAIN"


# -- (2) wildcards with targets


def test_rule_2_a_wildcard_has_variants(server: Server) -> None:
    """`*.us` answers the US for any name that `*` covers."""
    assert text(server, "any.wild.example", CALIFORNIAN) == "*.us"
    assert text(server, "any.wild.example", DANE) == "*"
    assert text(server, "any.wild.example", JAPANESE) == "*"


def test_rule_2_a_variant_without_the_type_falls_through(server: Server) -> None:
    """`*.us` has no A: the US gets the one of `*` (G113)."""
    assert server.values("any.wild.example", "A", subnet=CALIFORNIAN) == ["192.0.2.1"]


def test_rule_2_a_wildcard_of_a_target_is_below_the_plain_name_too(server: Server) -> None:
    """`x.us` is covered by `*.us`, for everybody."""
    for subnet in (CALIFORNIAN, DANE, JAPANESE):
        assert text(server, "x.us.wild.example", subnet) == "*.us"
        assert text(server, "x.y.us.wild.example", subnet) == "*.us"


def test_rule_2_a_wildcard_only_in_variants(server: Server) -> None:
    """Without a plain `*` only the US is covered: G116 for the others; at any depth."""
    assert text(server, "any.usonly.example", CALIFORNIAN) == "*.us"
    assert text(server, "any.usonly.example", DANE) == "NXDOMAIN"
    assert text(server, "any.sub.usonly.example", CALIFORNIAN) == "*.sub.us"
    assert text(server, "any.sub.usonly.example", DANE) == "NXDOMAIN"
    assert text(server, "any.us.usonly.example", DANE) == "*.us"


def test_rule_2_what_ends_in_no_target_is_just_a_deeper_wildcard(server: Server) -> None:
    """`*.europe.deep` covers names below `europe.deep`; nobody in Europe gets it for `*.deep`."""
    assert text(server, "x.deep.wild.example", DANE) == "*.deep"
    assert text(server, "x.europe.deep.wild.example", JAPANESE) == "plain words"


# -- (3) what a wildcard covers


def test_rule_3_names_that_exist_are_not_covered(server: Server) -> None:
    """A type that they lack is NODATA, also at a name that was made for its children, also for a target."""
    assert outcome(server, "www.wild.example", "TXT") == "NODATA"
    assert outcome(server, "b.wild.example", "TXT") == "NODATA"
    assert outcome(server, "us.wild.example", "TXT") == "NODATA"
    assert outcome(server, "host.deep.wild.example", "TXT") == "NODATA"


def test_rule_3_a_name_in_any_variant_is_not_covered_whoever_asks(server: Server) -> None:
    """`only` exists for the US; a Dane gets G116's NXDOMAIN, not the wildcard."""
    assert text(server, "only.wild.example", DANE) == "NXDOMAIN"
    assert outcome(server, "only.wild.example", "A", JAPANESE) == "NXDOMAIN"
    assert outcome(server, "only.wild.example", "A", CALIFORNIAN) == "NODATA"


def test_rule_3_the_closest_encloser_decides(server: Server) -> None:
    """RFC 4592 section 3.3.1: below a name that exists the wildcard of a shorter one doesn't cover."""
    assert outcome(server, "x.www.wild.example") == "NXDOMAIN"
    assert outcome(server, "x.b.wild.example", "TXT") == "NXDOMAIN"
    assert outcome(server, "x.only.wild.example", "TXT") == "NXDOMAIN"
    assert text(server, "x.y.z.wild.example") == "*"
    assert text(server, "x.y.deep.wild.example") == "*.deep"
    assert outcome(server, "x.host.deep.wild.example", "TXT") == "NXDOMAIN"


def test_a_wildcards_records_have_the_name_that_was_asked_for(server: Server) -> None:
    """In its case, with the wildcard's TTL, and AA."""
    answer = server.ask("AnY.wild.example", "TXT", subnet=DANE)

    assert [rrset.to_text() for rrset in answer.answer] == ['AnY.wild.example. 33 IN TXT "*"']
    assert answer.flags & dns.flags.AA


def test_a_type_that_the_wildcard_lacks_is_nodata(server: Server) -> None:
    """The name exists by the wildcard (RFC 4592 section 2.2.1)."""
    assert outcome(server, "any.wild.example", "MX") == "NODATA"


def test_the_wildcard_itself_can_be_asked_for(server: Server) -> None:
    """`*` in a question is a label like others; below it nothing is (RFC 4592 section 2.3)."""
    assert text(server, "*.wild.example") == "*"
    assert text(server, "*.us.wild.example") == "*.us"
    assert outcome(server, "x.*.wild.example", "TXT") == "NXDOMAIN"


def test_wildcards_do_what_labels_do(server: Server) -> None:
    """CNAME for every type, followed inside; alias; max_hosts."""
    assert server.values("x.cname.wild.example", "MX") == ["target.example.net."]
    assert server.values("x.inside.wild.example", "A") == ["www.wild.example.", "192.0.2.2"]
    assert server.values("x.alias.wild.example", "A") == ["192.0.2.2"]
    assert len(server.values("x.many.wild.example", "A")) == 2


def test_the_apex_is_never_covered(server: Server) -> None:
    """`*` has A and TXT, the apex has none."""
    assert outcome(server, "wild.example", "A") == "NODATA"


# -- (4) delegations


@pytest.mark.parametrize("rrtype", ["A", "AAAA", "TXT", "NS", "MX", "ANY", "SOA"])
def test_rule_4_ns_at_a_plain_label_is_a_cut(server: Server, rrtype: str) -> None:
    """A referral for the name and all below it, whatever is asked and whatever else the label has."""
    for name in ("sub.cuts.example", "x.sub.cuts.example", "a.b.sub.cuts.example", "ns1.sub.cuts.example"):
        assert outcome(server, name, rrtype) == "REFERRAL"


def test_a_referral_has_the_name_servers_and_their_glue(server: Server) -> None:
    """NS in the authority section, addresses of this zone in the additional one, all of them; AA clear."""
    answer = server.ask("x.sub.cuts.example", subnet=DANE)

    assert not answer.flags & dns.flags.AA
    assert shown(answer.authority) == [
        "sub.cuts.example. NS ns1.sub.cuts.example.",
        "sub.cuts.example. NS ns2.cuts.example.",
        "sub.cuts.example. NS ns3.example.net.",
    ]
    assert answer.authority[0].ttl == 86400
    assert sorted(shown(answer.additional)) == [
        "ns1.sub.cuts.example. A 192.0.2.53",
        "ns1.sub.cuts.example. A 192.0.2.54",
        "ns1.sub.cuts.example. AAAA 2001:db8::53",
        "ns2.cuts.example. A 192.0.2.55",
    ]


def test_the_ds_of_a_cut_is_answered_by_the_parent(server: Server) -> None:
    """With AA (RFC 4035 section 3.1.4.1); without a DS it is NODATA with the parent's SOA."""
    answer = server.ask("sub.cuts.example", "DS")

    assert shown(answer.answer) == [f"sub.cuts.example. DS {DS}"]
    assert answer.flags & dns.flags.AA
    assert outcome(server, "nods.cuts.example", "DS") == "NODATA"
    assert server.ask("nods.cuts.example", "DS").authority[0].name.to_text() == "cuts.example."


def test_a_ds_below_a_cut_is_referred(server: Server) -> None:
    """It is the child's, also at a cut within it."""
    assert outcome(server, "x.sub.cuts.example", "DS") == "REFERRAL"
    answer = server.ask("below.sub.cuts.example", "DS")
    assert verdict(answer) == "REFERRAL"
    assert answer.authority[0].name.to_text() == "sub.cuts.example."


def test_below_a_cut_the_cut_nearest_to_the_apex_counts(server: Server) -> None:
    """`below.sub` is the child's business."""
    answer = server.ask("x.below.sub.cuts.example")

    assert answer.authority[0].name.to_text() == "sub.cuts.example."


def test_a_zone_of_ours_below_a_cut_answers_itself(server: Server) -> None:
    """Only the DS of its apex stays the parent's (G110)."""
    assert text(server, "www.served.cuts.example") == "child"
    assert server.values("served.cuts.example", "NS") == ["ns9.example.net."]
    assert shown(server.ask("served.cuts.example", "DS").answer) == [f"served.cuts.example. DS {DS}"]


def test_a_cname_into_a_cut_ends_in_a_referral(server: Server) -> None:
    """The CNAME is ours, so AA stays; the name servers of its target follow."""
    answer = server.ask("into.cuts.example")

    assert shown(answer.answer) == ["into.cuts.example. CNAME x.sub.cuts.example."]
    assert answer.flags & dns.flags.AA
    assert answer.authority[0].name.to_text() == "sub.cuts.example."
    assert answer.rcode() == dns.rcode.NOERROR


def test_rule_4_ns_of_a_target_are_the_apex_name_servers_there(server: Server) -> None:
    """`us` is no cut: the US gets its NS for the apex, with AA; names below `us` are not referred."""
    answer = server.ask("cuts.example", "NS", subnet=CALIFORNIAN)

    assert shown(answer.answer) == ["cuts.example. NS ns1.us.example."]
    assert answer.flags & dns.flags.AA
    assert server.values("cuts.example", "NS", subnet=DANE) == ["ns1.example.net."]
    assert server.values("us.cuts.example", "NS", subnet=DANE) == ["ns1.us.example."]
    assert outcome(server, "x.us.cuts.example", "A", DANE) == "NXDOMAIN"


def test_rule_4_a_cuts_name_servers_may_differ_by_target(server: Server) -> None:
    """`ours.us` is what `ours` is delegated to for the US, where this resolver is."""
    assert shown(server.ask("x.ours.cuts.example").authority) == ["ours.cuts.example. NS ns1.us.example."]
    assert outcome(server, "ours.cuts.example", "NS") == "REFERRAL"


def test_rule_4_a_variant_of_a_cut_is_no_cut_by_its_own_name(server: Server) -> None:
    """`ours.us` answers its NS with AA, and nothing is below it."""
    answer = server.ask("ours.us.cuts.example", "NS", subnet=DANE)

    assert shown(answer.answer) == ["ours.us.cuts.example. NS ns1.us.example."]
    assert answer.flags & dns.flags.AA
    assert outcome(server, "x.ours.us.cuts.example", "A", DANE) == "NXDOMAIN"


def test_rule_4_ns_in_variants_alone_make_no_cut(server: Server) -> None:
    """`in.europe` without `in`: Europe gets NS for the name, with AA; nothing below is referred."""
    answer = server.ask("in.cuts.example", "NS", subnet=DANE)

    assert shown(answer.answer) == ["in.cuts.example. NS ns1.europe.example."]
    assert answer.flags & dns.flags.AA
    assert outcome(server, "x.in.cuts.example", "A", DANE) == "NXDOMAIN"
    assert outcome(server, "x.deep.only.us.cuts.example", "A", CALIFORNIAN) == "NXDOMAIN"


def test_rule_4_a_word_that_the_zone_does_not_target_is_a_cut(server: Server) -> None:
    """With targeting `@` the label `dk` is a name as any other."""
    assert outcome(server, "x.dk.anyone.example", "A", DANE) == "REFERRAL"
    assert outcome(server, "dk.anyone.example", "NS", DANE) == "REFERRAL"


def test_a_delegation_is_not_covered_by_a_wildcard(server: Server) -> None:
    """The zone has `*`; below a cut there is the referral only."""
    assert text(server, "any.cuts.example") == "*"
    assert text(server, "any.sub.cuts.example") == "REFERRAL"


def test_ns_at_a_wildcard_are_no_delegation(server: Server, tmp_path: Path) -> None:
    """RFC 4592 section 4.2 leaves it open: the other types are answered, and `check` warns."""
    assert text(server, "x.wild.cuts.example") == "wild"

    findings = check_zone(tmp_path, {"data": {"*.wild": CUTS["*.wild"]}})
    assert findings.errors == []
    assert [warning.split(": ")[0] for warning in findings.warnings] == ['data."*.wild".ns']


# -- (5) the order for one name


def test_rule_5_an_exact_label_goes_before_a_debug_name(server: Server) -> None:
    """Also if it lacks the type, and also if it is there in other clients' variants alone."""
    assert text(server, "_status.exact.debug.example") == "label"
    assert text(server, "_country.exact.debug.example", CALIFORNIAN) == "us label"
    assert text(server, "_country.exact.debug.example", DANE) == "NXDOMAIN"
    assert text(server, "_status.wild.debug.example", CALIFORNIAN) == "NODATA"


def test_rule_5_a_debug_name_goes_before_a_wildcard(server: Server) -> None:
    """`_status`, `_health` and `_country` are answered below wildcards, at any depth."""
    for prefix in ("", "x.", "x.y.", "any.wild."):
        assert text(server, f"_status.{prefix}debug.example").startswith('{"h":')
        assert text(server, f"_health.{prefix}debug.example") == "{}"
        assert "127.0.0.1:" in text(server, f"_country.{prefix}debug.example")


def test_rule_5_a_debug_name_has_no_other_type_by_a_wildcard(server: Server) -> None:
    """NODATA, as without the wildcard (G180)."""
    assert outcome(server, "_status.debug.example", "A") == "NODATA"
    assert outcome(server, "_health.any.wild.debug.example", "A") == "NODATA"


def test_rule_5_wildcards_come_last(server: Server) -> None:
    """Names of no label and of no debug word."""
    assert text(server, "_other.debug.example") == "*"
    assert text(server, "x._status.debug.example") == "*"
    assert text(server, "any.wild.debug.example") == "*.wild"
