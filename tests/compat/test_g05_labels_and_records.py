"""G050-G072: labels and their records, from the zone file to the wire; and the record types that geodns lacks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

from tests.checking import NOTHING, check_label, check_zone
from tests.serving import Server, serving, wait_until

DANE = "192.0.2.0/24"
CALIFORNIAN = "203.0.113.0/26"
UP, DOWN = "sites/up", "sites/down"
LONG_TEXT = "".join(chr(ord("a") + index % 26) for index in range(600))
# Presentation text of three records per type that geodns lacks.
NEW_TYPES = {
    "caa": ['0 issue "ca.example.net"', '0 issuewild ";"', '128 iodef "mailto:ops@example.com"'],
    "https": ["1 . alpn=h2,h3 ipv4hint=192.0.2.1", "2 backup.example.net. port=8443", "0 other.example.net."],
    "svcb": ["1 one.example.net. port=853", "2 two.example.net. alpn=dot", "3 three.example.net."],
    "tlsa": ["3 1 1 " + "ab" * 32, "3 1 1 " + "cd" * 32, "2 0 2 " + "ef" * 64],
    "naptr": [
        '100 10 "S" "SIP+D2U" "" _sip._udp.example.net.',
        '100 20 "S" "SIP+D2T" "" _sip._tcp.example.net.',
        '200 10 "U" "E2U+sip" "!^.*$!sip:info@example.com!" .',
    ],
    "sshfp": ["4 2 " + "12" * 32, "1 1 " + "34" * 20, "3 2 " + "56" * 32],
    "ds": ["12345 13 2 " + "78" * 32, "12346 8 2 " + "9a" * 32, "12347 13 4 " + "bc" * 48],
    "loc": ["55 41 0.000 N 12 34 0.000 E 10.00m", "52 30 0.000 N 13 24 0.000 E 34m", "0 0 0.000 S 0 0 0.000 W -10m"],
    "type65280": ["\\# 4 0a000001", "\\# 4 0a000002", "\\# 0"],
}


def of_new_types() -> dict[str, object]:
    """Labels with each new type in each form: one-TYPE, all-TYPE, objects-TYPE, some-TYPE."""
    labels: dict[str, object] = {}
    for rrtype, texts in NEW_TYPES.items():
        labels[f"one-{rrtype}"] = {rrtype: texts[0]}
        labels[f"all-{rrtype}"] = {rrtype: texts}
        labels[f"objects-{rrtype}"] = {rrtype: [{"value": text} for text in texts]}
        weighted = [{"value": text, "weight": weight} for text, weight in zip(texts, (1, 1, 0), strict=True)]
        labels[f"some-{rrtype}"] = {"max_hosts": 1, rrtype: weighted}
    return labels


def checked(key: str, good: object, bad: object) -> dict[str, object]:
    """A label of two records, one of which fails its check."""
    return {"health": {"type": "tcp"}, key: [good, bad]}


HEALTHY: dict[str, tuple[str, object, object]] = {
    "a": ("192.0.2.1", {"ip": "192.0.2.1", "health": UP}, {"a": "192.0.2.2", "health": DOWN}),
    "aaaa": ("2001:db8::1", {"aaaa": "2001:db8::1", "health": UP}, {"ip": "2001:db8::2", "health": DOWN}),
    "cname": (
        "up.example.net.",
        {"cname": "up.example.net.", "health": UP},
        {"cname": "down.example.", "health": DOWN},
    ),
    "mx": ("0 up.example.net.", {"mx": "up.example.net", "health": UP}, {"mx": "down.example.net", "health": DOWN}),
    "txt": ('"up"', {"txt": "up", "health": UP}, {"txt": "down", "health": DOWN}),
    "spf": ('"up"', {"spf": "up", "health": UP}, {"spf": "down", "health": DOWN}),
    "ptr": ("up.example.net.", {"ptr": "up.example.net", "health": UP}, {"ptr": "down.example.net", "health": DOWN}),
    "srv": (
        "0 0 0 up.example.net.",
        {"target": "up.example.net.", "health": UP},
        {"target": "down.example.net.", "health": DOWN},
    ),
    "caa": (
        '0 issue "up.example"',
        {"value": '0 issue "up.example"', "health": UP},
        {"value": '0 issue "down.example"', "health": DOWN},
    ),
}

ZONES: dict[str, object] = {
    "example.com": {
        "max_hosts": 9,
        "data": {
            "": {"ns": {"ns2.example.net": None, "ns1.example.net.": None}, "a": [["192.0.2.80"]]},
            "odd": {"hinfo": "x", "typo": 1, "a": None, "txt": "text", "mx": None},
            "MiXed": {"txt": "folded"},
            "www": {"a": [["192.0.2.1"]]},
            "www.us": {"a": [["192.0.2.2"]]},
            "onlyus.us": {"a": [["192.0.2.3"]]},
            "a.b.c": {"txt": "deep"},
            "forms": {
                "a": [["192.0.2.1"], ["192.0.2.2", 10], ["192.0.2.3", "5"], {"ip": "192.0.2.4"}, {"a": "192.0.2.5"}]
            },
            "forms6": {"aaaa": [["2001:db8::1"], {"aaaa": "2001:db8::2", "weight": "7"}, {"ip": "2001:db8::3"}]},
            "ptr": {
                "ptr": [["dot.example.net."], ["nodot.example.net"], {"ptr": "key.example.net", "ip": "ip.example.net"}]
            },
            "mx": {
                "mx": [
                    {"mx": "mx1.example.net"},
                    {"mx": "mx2.example.net.", "preference": 20},
                    {"mx": "mx3", "preference": "30"},
                ]
            },
            "nullmx": {"mx": [{"mx": ".", "preference": 0}]},
            "onemx": {"mx": {"mx": "mail.example.net", "preference": 10}},
            "mx-weighted": {
                "max_hosts": 1,
                "mx": [{"mx": "one.example.net", "weight": 1}, {"mx": "two.example.net", "weight": 1}],
            },
            "srv": {
                "max_hosts": 1,
                "srv": [
                    {"target": "sip1.example.net.", "port": 5060, "priority": 10, "srv_weight": 100},
                    {"target": "sip2.example.net.", "weight": 100},
                    {"target": "sip3", "port": "5061"},
                ],
            },
            "cname-text": {"cname": "target.example.net."},
            "cname-relative": {"cname": "below"},
            "below": {"a": [["192.0.2.7"]]},
            "cname-pairs": {"cname": [["one.example.net.", 1], ["two.example.net.", 1]]},
            "cname-objects": {
                "cname": [{"cname": "one.example.net.", "weight": 1}, {"cname": "two.example.net.", "weight": 0}]
            },
            "ns-text.us": {"ns": "ns1.example.net"},
            "ns-list.us": {"ns": ["ns1.example.net", "ns2.example.net."]},
            "ns-object.us": {"ns": {"ns1.example.net": None, "ns2.example.net.": "192.0.2.53"}},
            "txt-text": {"txt": "one text"},
            "txt-list": {"txt": ["one", "two"]},
            "txt-objects": {"txt": [{"txt": "one"}, {"txt": "two"}]},
            "txt-weighted": {"max_hosts": 1, "txt": [{"txt": "one", "weight": 1}, {"txt": "two", "weight": 0}]},
            "txt-strings": {"txt": [["one", "two"], "three"]},
            "txt-long": {"txt": LONG_TEXT},
            "txt-255": {"txt": LONG_TEXT[:255]},
            "txt-escaped": {"txt": 'say \\"hi\\" \\200\\\\'},
            "txt-utf8": {"txt": "æ"},
            "spf": {"spf": "v=spf1 -all"},
            "spf-list": {"spf": [{"spf": "one"}, {"spf": "two"}]},
            "alias": {"alias": "forms6"},
            "alias-list": {"alias": ["below", "www"]},
            "alias-empty": {"alias": []},
            "alias-empty-own": {"alias": [], "a": [["192.0.2.9"]]},
            "heavy": {"max_hosts": 1, "a": [["192.0.2.1", 2**31], ["192.0.2.2", 2**31], ["192.0.2.3", 0]]},
            **{f"healthy-{key}": checked(key, good, bad) for key, (_, good, bad) in HEALTHY.items()},
            **of_new_types(),
        },
    }
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, world: Path) -> Iterator[Server]:
    """A server of the zone above, which has read a status file."""
    directory = tmp_path_factory.mktemp("g05")
    (directory / "health").mkdir()
    (directory / "health" / "sites.json").write_text(json.dumps({"up": 2, "down": 1}))
    (directory / "greendns.toml").write_text(f'[health]\ndirectory = "{directory / "health"}"\n')
    with serving(directory, ZONES, ["--geoip", str(world)], workers=0) as running:
        assert running.health()["errors"] == []
        wait_until(lambda: len(running.values("healthy-a.example.com")) == 1, "the status file is read")
        yield running


def values(server: Server, label: str, rrtype: str = "A", subnet: str | None = None) -> list[str]:
    return server.values(f"{label}.example.com", rrtype, subnet=subnet)


def outcome(server: Server, name: str, subnet: str | None = None) -> tuple[str, int]:
    """The rcode and how many records answered."""
    answer = server.ask(name, subnet=subnet)
    return dns.rcode.to_text(answer.rcode()), sum(len(rrset) for rrset in answer.answer)


NODATA = ("NOERROR", 0)
NXDOMAIN = ("NXDOMAIN", 0)


# -- labels


@pytest.mark.parametrize("value", [None, [], "x", 7, True])
def test_G050_a_label_must_be_an_object(tmp_path: Path, value: object) -> None:
    """Anything else fails the zone, with the label's place."""
    errors = check_label(tmp_path, value).errors

    assert [error.split(", found ")[0] for error in errors] == ['data."www": a label must be an object']


@pytest.mark.parametrize("value", [[], "x", 7, True])
def test_G050_data_must_be_an_object(tmp_path: Path, value: object) -> None:
    """Anything else fails the zone."""
    errors = check_zone(tmp_path, {"data": value}).errors

    assert [error.split(", found ")[0] for error in errors] == ["data: data must be an object of labels"]


def test_G051_unknown_keys_are_ignored_and_null_types_skipped(server: Server) -> None:
    """The label answers with what it has that is known and not null."""
    assert values(server, "odd", "TXT") == ['"text"']
    assert outcome(server, "odd.example.com") == NODATA
    assert values(server, "odd", "MX") == []


def test_G051_check_warns_of_unknown_keys(tmp_path: Path) -> None:
    """Unknown record types and keys by their place; known ones, null or not, without a word."""
    known = {"max_hosts": 2, "ttl": 60, "closest": False, "health": {"type": "tcp"}, "txt": "x", "a": None, "mx": None}

    assert check_label(tmp_path, known) == NOTHING
    findings = check_label(tmp_path, {**known, "hinfo": "x", "A": [["192.0.2.1"]]})
    assert findings.errors == []
    assert [warning.split(": ")[0] for warning in findings.warnings] == ['data."www".hinfo', 'data."www".A']


def test_G052_labels_are_folded_and_the_empty_one_is_the_apex(server: Server) -> None:
    """MiXed in the file answers mixed; "" answers the zone's own name."""
    assert values(server, "mixed", "TXT") == ['"folded"']
    assert values(server, "MIXED", "TXT") == ['"folded"']
    assert server.values("example.com") == ["192.0.2.80"]


def test_G053_parents_of_dotted_labels_exist(server: Server) -> None:
    """`www.us` makes `us`, `a.b.c` makes `b.c` and `c`: NODATA; what is in no label is NXDOMAIN."""
    for name in ("us", "b.c", "c"):
        assert outcome(server, f"{name}.example.com") == NODATA
    assert values(server, "a.b.c", "TXT") == ['"deep"']
    for name in ("x.c", "x.b.c", "x", "x.us"):
        assert outcome(server, f"{name}.example.com") == NXDOMAIN


def test_G053_labels_with_a_target_are_names_too(server: Server) -> None:
    """Anybody can ask for `onlyus.us` and `www.us`; the US is what they mean for the shorter name."""
    assert values(server, "onlyus.us") == ["192.0.2.3"]
    assert values(server, "www.us", subnet=DANE) == ["192.0.2.2"]
    assert values(server, "www", subnet=DANE) == ["192.0.2.1"]
    assert values(server, "www", subnet=CALIFORNIAN) == ["192.0.2.2"]


def test_G053_an_empty_parent_takes_nothing_from_the_apex(server: Server) -> None:
    """`us` was made for its children: a client in the US still gets the apex's own records."""
    assert server.values("example.com", subnet=CALIFORNIAN) == ["192.0.2.80"]


# -- record types that geodns knows


def test_G054_addresses_in_all_forms(server: Server) -> None:
    """Lists and objects, with and without weights, numeric or not, mixed in one value."""
    assert sorted(values(server, "forms")) == [f"192.0.2.{last}" for last in range(1, 6)]
    assert sorted(values(server, "forms6", "AAAA")) == ["2001:db8::1", "2001:db8::2", "2001:db8::3"]
    assert set(values(server, "ptr", "PTR")) >= {"dot.example.net."}


@pytest.mark.parametrize(
    "value", ["192.0.2.1", ["192.0.2.1"], [["192.0.2.1"], "192.0.2.2"], 7, [[]], [[7]], [None], [{}]]
)
def test_G055_bare_addresses_fail_the_zone(tmp_path: Path, value: object) -> None:
    """A string, a list of strings, and what is not an address at all."""
    assert len(check_label(tmp_path, {"a": value}).errors) == 1


@pytest.mark.parametrize("value", ["2001:db8::1", ["2001:db8::1"]])
def test_G055_bare_ipv6_addresses_fail_the_zone(tmp_path: Path, value: object) -> None:
    """As for A."""
    assert len(check_label(tmp_path, {"aaaa": value}).errors) == 1


@pytest.mark.parametrize(
    ("key", "address", "family"),
    [("aaaa", "192.0.2.1", "IPv6"), ("a", "2001:db8::1", "IPv4"), ("a", "192.0.2.256", "IPv4"), ("a", "host", "IPv4")],
)
def test_G056_the_family_is_checked(tmp_path: Path, key: str, address: str, family: str) -> None:
    """In list and object form; the error says which family it must be."""
    expected = f'must be an {family} address, found "{address}"'

    assert check_label(tmp_path, {key: [[address]]}).errors == [f'data."www".{key}[0]: {expected}']
    assert check_label(tmp_path, {key: [{"ip": address}]}).errors == [f'data."www".{key}[0].ip: {expected}']


def test_G057_ptr_overrides_ip(server: Server) -> None:
    """In object form only the key ptr counts."""
    assert set(values(server, "ptr", "PTR")) == {"dot.example.net.", "nodot.example.net.", "key.example.net."}


def test_G058_mx_gets_a_final_dot_and_never_the_origin(server: Server, tmp_path: Path) -> None:
    """The preference is 0 by default; it may be a numeric string; a weight is allowed."""
    assert sorted(values(server, "mx", "MX")) == ["0 mx1.example.net.", "20 mx2.example.net.", "30 mx3."]
    assert values(server, "nullmx", "MX") == ["0 ."]
    assert len(values(server, "mx-weighted", "MX")) == 1
    assert len(check_label(tmp_path, {"mx": ["mail.example.net"]}).errors) == 1
    assert len(check_label(tmp_path, {"mx": "mail.example.net"}).errors) == 1
    assert len(check_label(tmp_path, {"mx": [["mail.example.net", 10]]}).errors) == 1


def test_G059_a_single_mx_object_is_accepted(server: Server) -> None:
    """As geodns's README shows it."""
    assert values(server, "onemx", "MX") == ["10 mail.example.net."]


def test_G060_srv_records_are_all_answered(server: Server) -> None:
    """port, priority and srv_weight are 0 by default; `weight` is ignored; never picked by weight."""
    for _ in range(5):
        assert sorted(values(server, "srv", "SRV")) == [
            "0 0 0 sip2.example.net.",
            "0 0 5061 sip3.example.com.",
            "10 100 5060 sip1.example.net.",
        ]


def test_G060_check_warns_of_a_weight_that_srv_ignores(tmp_path: Path) -> None:
    """It is srv_weight that was meant, probably."""
    findings = check_label(tmp_path, {"srv": [{"target": "sip.example.net.", "weight": 5}]})

    assert findings.errors == []
    assert [warning.split(": ")[0] for warning in findings.warnings] == ['data."www".srv[0].weight']


def test_G061_a_relative_srv_target_is_below_the_origin(server: Server) -> None:
    """geodns answers SERVFAIL."""
    assert "0 0 5061 sip3.example.com." in values(server, "srv", "SRV")


def test_G062_a_ptr_without_a_final_dot_gets_one(server: Server) -> None:
    """geodns answers SERVFAIL."""
    assert "nodot.example.net." in values(server, "ptr", "PTR")


def test_G063_cname_forms(server: Server) -> None:
    """A string, pairs and objects; exactly one of several is answered; relative ones are below the origin."""
    assert values(server, "cname-text") == ["target.example.net."]
    assert values(server, "cname-relative", "CNAME") == ["below.example.com."]
    assert values(server, "cname-relative") == ["below.example.com.", "192.0.2.7"]
    seen = [values(server, "cname-pairs") for _ in range(40)]
    assert {len(found) for found in seen} == {1}
    assert {found[0] for found in seen} == {"one.example.net.", "two.example.net."}
    assert {values(server, "cname-objects")[0] for _ in range(10)} == {"one.example.net."}


def test_G064_ns_forms(server: Server) -> None:
    """A string, a list, an object with null or a string; all are answered, in the file's order, with a final dot."""
    assert values(server, "ns-text.us", "NS") == ["ns1.example.net."]
    assert values(server, "ns-list.us", "NS") == ["ns1.example.net.", "ns2.example.net."]
    assert values(server, "ns-object.us", "NS") == ["ns1.example.net.", "ns2.example.net."]
    assert server.values("example.com", "NS") == ["ns2.example.net.", "ns1.example.net."]


@pytest.mark.parametrize(
    "value", [7, True, {"ns1.example.net": 7}, {"ns1.example.net": []}, [7], [["ns1.example.net"]]]
)
def test_G064_other_values_of_ns_fail_the_zone(tmp_path: Path, value: object) -> None:
    """A number or a list where null or a string belongs."""
    assert len(check_label(tmp_path, {"ns": value}, "").errors) == 1


def test_G064_check_warns_of_an_ignored_string(tmp_path: Path) -> None:
    """A name server's address in its object is not read."""
    warned = check_label(tmp_path, {"ns": {"ns1.example.net": "192.0.2.53"}}, "")
    assert (warned.errors, len(warned.warnings)) == ([], 1)


@pytest.mark.parametrize("value", [{}, []])
def test_G065_no_name_server_at_the_apex_fails_the_zone(tmp_path: Path, value: object) -> None:
    """An empty list or object of NS; below the apex it is just nothing."""
    [error] = check_label(tmp_path, {"ns": value}, "").errors

    assert error.startswith('data."".ns: ')
    assert check_label(tmp_path, {"ns": value}).errors == []


def test_G066_txt_forms(server: Server) -> None:
    """A string, strings, objects with weights; without weights all of them are answered."""
    assert values(server, "txt-text", "TXT") == ['"one text"']
    assert values(server, "txt-list", "TXT") == ['"one"', '"two"']
    assert values(server, "txt-objects", "TXT") == ['"one"', '"two"']
    assert values(server, "txt-weighted", "TXT") == ['"one"']


@pytest.mark.parametrize("key", ["txt", "spf"])
def test_G066_an_empty_text_fails_the_zone(tmp_path: Path, key: str) -> None:
    """In every form."""
    for value in ("", [""], ["x", ""], [{key: ""}], [7], 7, [{"text": "x"}]):
        assert check_label(tmp_path, {key: value}).errors != []


def test_G067_a_long_text_is_split(server: Server) -> None:
    """Into strings of at most 255 octets that join to the same text; 255 stay one."""
    [record] = server.ask("txt-long.example.com", "TXT").answer[0]
    [whole] = server.ask("txt-255.example.com", "TXT").answer[0]

    assert [len(string) for string in record.strings] == [255, 255, 90]
    assert b"".join(record.strings) == LONG_TEXT.encode()
    assert whole.strings == (LONG_TEXT[:255].encode(),)


def test_G067_escapes_are_interpreted(server: Server) -> None:
    r"""`\"` is a quote, `\200` one octet, `\\` a backslash; other text is UTF-8."""
    [record] = server.ask("txt-escaped.example.com", "TXT").answer[0]
    [utf8] = server.ask("txt-utf8.example.com", "TXT").answer[0]

    assert record.strings == (b'say "hi" \xc8\\',)
    assert utf8.strings == ("æ".encode(),)


def test_a_list_inside_the_list_is_one_txt_of_several_strings(server: Server) -> None:
    """Beside it another TXT of one string."""
    assert values(server, "txt-strings", "TXT") == ['"one" "two"', '"three"']


def test_G068_spf_is_type_99(server: Server) -> None:
    """Its own type; no TXT comes with it."""
    answer = server.ask("spf.example.com", "TYPE99")

    assert [(int(rrset.rdtype), rrset[0].to_text()) for rrset in answer.answer] == [(99, '"v=spf1 -all"')]
    assert values(server, "spf-list", "SPF") == ['"one"', '"two"']
    assert values(server, "spf", "TXT") == []


def test_G069_alias_forms(server: Server) -> None:
    """A string, or a list of which the first counts."""
    assert len(values(server, "alias", "AAAA")) == 3
    assert values(server, "alias-list") == ["192.0.2.7"]


@pytest.mark.parametrize("value", [{}, {"alias": "www"}, 7, True, [7]])
def test_G069_other_values_of_alias_fail_the_zone(tmp_path: Path, value: object) -> None:
    """An object above all, which geodns refuses too."""
    assert len(check_label(tmp_path, {"alias": value}).errors) == 1


def test_G069_an_empty_list_of_aliases_is_none(server: Server) -> None:
    """geodns panics when it is asked; here the label answers by what else it has."""
    assert outcome(server, "alias-empty.example.com") == NODATA
    assert values(server, "alias-empty-own") == ["192.0.2.9"]


@pytest.mark.parametrize("key", list(HEALTHY))
def test_G070_a_record_names_its_health_check(server: Server, key: str) -> None:
    """In object form, whatever the type: the record whose check says down is left out."""
    assert values(server, f"healthy-{key}", key.upper()) == [HEALTHY[key][0]]


@pytest.mark.parametrize("weight", ["heavy", "", "1.5", None, True, [], {}, -1, "-1", 2**31 + 1])
@pytest.mark.parametrize("form", ["list", "object"])
def test_G071_weights_are_integers_from_0_to_two_to_the_31(tmp_path: Path, weight: object, form: str) -> None:
    """Anything else fails the zone, negative ones too."""
    record: object = ["192.0.2.1", weight] if form == "list" else {"ip": "192.0.2.1", "weight": weight}
    errors = check_label(tmp_path, {"a": [record]}).errors

    assert len(errors) == 1
    assert errors[0].startswith('data."www".a[0]')
    assert "weight must be " in errors[0]


def test_G071_the_largest_weights_are_drawn_exactly(server: Server) -> None:
    """Two of 2^31, whose sum has 33 bits: both come, the record without a weight never."""
    assert {values(server, "heavy")[0] for _ in range(40)} == {"192.0.2.1", "192.0.2.2"}


@pytest.mark.parametrize("number", [70000, 65536, -1, "65536", "ten", None, True])
@pytest.mark.parametrize(
    ("key", "record", "field"),
    [
        ("mx", {"mx": "mail.example.net"}, "preference"),
        ("srv", {"target": "sip.example.net."}, "port"),
        ("srv", {"target": "sip.example.net."}, "priority"),
        ("srv", {"target": "sip.example.net."}, "srv_weight"),
    ],
)
def test_G072_fields_of_16_bits_do_not_wrap(
    tmp_path: Path, key: str, record: dict[str, object], field: str, number: object
) -> None:
    """What does not fit fails the zone; 65535 fits."""
    errors = check_label(tmp_path, {key: [{**record, field: number}]}).errors

    assert [error.split(", found ")[0] for error in errors] == [
        f'data."www".{key}[0].{field}: {field} must be an integer from 0 to 65535'
    ]
    assert check_label(tmp_path, {key: [{**record, field: 65535}]}) == NOTHING


# -- what geodns lacks


def rdatas(rrtype: str, texts: list[str]) -> set[dns.rdata.Rdata]:
    """dnspython's reading of presentation texts."""
    number = dns.rdatatype.from_text(rrtype)
    return {dns.rdata.from_text(dns.rdataclass.IN, number, text) for text in texts}


def answered(server: Server, label: str, rrtype: str) -> set[dns.rdata.Rdata]:
    answer = server.ask(f"{label}.example.com", rrtype.upper())
    return {rdata for rrset in answer.answer for rdata in rrset}


@pytest.mark.parametrize("rrtype", list(NEW_TYPES))
def test_a_new_type_is_answered_as_its_text_says(server: Server, rrtype: str) -> None:
    """A string, a list of strings, a list of objects: without weights all are answered, whatever max_hosts says."""
    texts = NEW_TYPES[rrtype]

    assert answered(server, f"one-{rrtype}", rrtype) == rdatas(rrtype, texts[:1])
    assert answered(server, f"all-{rrtype}", rrtype) == rdatas(rrtype, texts)
    assert answered(server, f"objects-{rrtype}", rrtype) == rdatas(rrtype, texts)


@pytest.mark.parametrize("rrtype", list(NEW_TYPES))
def test_a_new_type_with_weights_is_picked_from(server: Server, rrtype: str) -> None:
    """max_hosts 1 of three: one of the two that have a weight."""
    seen = [answered(server, f"some-{rrtype}", rrtype) for _ in range(40)]

    assert {len(found) for found in seen} == {1}
    assert set().union(*seen) == rdatas(rrtype, NEW_TYPES[rrtype][:2])


@pytest.mark.parametrize("rrtype", [key for key in NEW_TYPES if key != "type65280"])
def test_a_new_type_that_is_not_its_text_fails_the_zone(tmp_path: Path, rrtype: str) -> None:
    """The error has the record's place."""
    errors = check_label(tmp_path, {rrtype: [NEW_TYPES[rrtype][0], "not such a text"]}).errors

    assert len(errors) == 1
    assert errors[0].startswith(f'data."www".{rrtype}[1]: ')


@pytest.mark.parametrize("text", ["", "\\# 4 0a0000", "\\# x 00", "0a000001", "\\# 1 zz", "\\# 65536 00"])
def test_a_numbered_type_takes_the_text_of_rfc_3597_only(tmp_path: Path, text: str) -> None:
    """The number of octets must be the true one."""
    assert len(check_label(tmp_path, {"type65280": text}).errors) == 1


@pytest.mark.parametrize("key", ["type0", "type6", "type41", "type255", "type65536", "type01", "TYPE65280"])
def test_types_that_are_no_data_are_unknown_keys(tmp_path: Path, key: str) -> None:
    """SOA, OPT, ANY and what has no such number: warned of, like any unknown key."""
    findings = check_label(tmp_path, {key: "\\# 0"})

    assert findings.errors == []
    assert [warning.split(": ")[0] for warning in findings.warnings] == [f'data."www".{key}']


@pytest.mark.parametrize(
    "label", ["a" * 64, f"www.{'b' * 64}", "a..b", ".a", ".".join(["c" * 60] * 4), "a" * 63 + ".d" * 95]
)
def test_names_that_no_question_can_have_fail_the_zone(tmp_path: Path, label: str) -> None:
    """A label has 1 to 63 octets, a name 255, the zone's own included (RFC 1035 section 2.3.4)."""
    [error] = check_label(tmp_path, {"txt": "x"}, label).errors

    assert error.startswith('data."')


def test_the_longest_label_and_name_are_sound(tmp_path: Path) -> None:
    """63 octets; 255 with the origin's 13."""
    assert check_label(tmp_path, {"txt": "x"}, "a" * 63) == NOTHING
    assert check_label(tmp_path, {"txt": "x"}, ".".join(["c" * 63] * 3 + ["d" * 49])) == NOTHING
    assert len(check_label(tmp_path, {"txt": "x"}, ".".join(["c" * 63] * 3 + ["d" * 50])).errors) == 1


@pytest.mark.parametrize("key", ["cname", "ptr", "ns"])
def test_targets_that_are_no_names_fail_the_zone(tmp_path: Path, key: str) -> None:
    """Too long a label, an empty one."""
    for target in ("a" * 64 + ".example.net.", "a..example.net.", ""):
        value: object = [[target]] if key == "ptr" else [target]
        assert len(check_label(tmp_path, {key: value}).errors) == 1
