"""Record values of zone JSON become rdata; what is wrong is told with its place."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from typing import Any

import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns import name
from greendns.codes import WEIGHT_MAX, RRType
from greendns.errors import ValueProblem
from greendns.fields import read_ipv4, read_strings
from greendns.found import shown
from greendns.rdata import Records, read_records, rrtype_of_key, to_text
from greendns.usual import UsualReader
from tests.peers import compares_with_dnspython

ORIGIN = name.from_text("example.com.")
KEYS = [
    "a",
    "aaaa",
    "ptr",
    "cname",
    "mx",
    "ns",
    "srv",
    "txt",
    "spf",
    "caa",
    "ds",
    "https",
    "loc",
    "naptr",
    "sshfp",
    "svcb",
    "tlsa",
    "type1",
    "type2",
    "type28",
    "type257",
    "type65280",
]


@dataclass
class Reading:
    """What reading a value gave, and what it told as (place, text)."""

    records: Records | None = None
    errors: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[tuple[str, str]] = field(default_factory=list)


def read(key: str, value: object) -> Reading:
    reading = Reading()
    reading.records = read_records(
        key,
        value,
        ORIGIN,
        lambda place, problem: reading.errors.append((place, str(problem))),
        lambda place, problem: reading.warnings.append((place, str(problem))),
    )
    return reading


def good(key: str, value: object) -> Records:
    """The records of a value about which nothing is told."""
    reading = read(key, value)
    assert (reading.errors, reading.warnings) == ([], [])
    assert reading.records is not None
    return reading.records


def wire(rrtype: str, text: str) -> bytes:
    """dnspython's rdata of a presentation text, names below example.com."""
    origin = dns.name.from_text("example.com.")
    rdata: Any = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(rrtype), text, origin, False)
    encoded = rdata.to_wire()
    assert isinstance(encoded, bytes)
    return encoded


def wires(rrtype: str, *texts: str) -> tuple[bytes, ...]:
    return tuple(wire(rrtype, text) for text in texts)


def test_G054_addresses_are_lists_or_objects_with_weights() -> None:
    """["ip"], ["ip", w] and objects mix; a record without a weight has 0."""
    value = [["192.0.2.1"], ["192.0.2.2", "10"], {"ip": "192.0.2.3", "weight": 5}, {"a": "192.0.2.4"}]

    records = good("a", value)

    assert wires("A", "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4") == records.rdatas
    assert records.weights == (0, 10, 5, 0)
    assert records.rrtype == RRType.A


def test_G054_ipv6_addresses_are_lists_or_objects() -> None:
    """The same forms for AAAA; no weight at all is None."""
    records = good("aaaa", [["2001:db8::1"], {"aaaa": "2001:DB8::2"}, {"ip": "2001:db8::3"}])

    assert wires("AAAA", "2001:db8::1", "2001:db8::2", "2001:db8::3") == records.rdatas
    assert (records.weights, records.health) == (None, None)


@pytest.mark.parametrize("key", ["a", "aaaa", "ptr"])
@pytest.mark.parametrize("value", ["192.0.2.1", {"ip": "192.0.2.1"}, 7, True, None])
def test_G055_what_is_not_a_list_is_an_error(key: str, value: object) -> None:
    """A bare string, an object or a number where a list must be is told once, for the whole value."""
    reading = read(key, value)

    assert reading.records is None
    assert [place for place, _ in reading.errors] == [""]


@pytest.mark.parametrize("key", ["a", "aaaa", "ptr"])
def test_G055_a_list_of_strings_is_an_error(key: str) -> None:
    """Each bare string is told with its index; the good record is kept."""
    target = {"a": "192.0.2.1", "aaaa": "2001:db8::1", "ptr": "host.example.com."}[key]

    reading = read(key, [target, [target], target])

    assert [place for place, _ in reading.errors] == ["[0]", "[2]"]
    assert reading.records is not None
    assert len(reading.records.rdatas) == 1


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("a", "2001:db8::1"),
        ("a", "::ffff:192.0.2.1"),
        ("a", "192.0.2.01"),
        ("a", " 192.0.2.1"),
        ("a", "192.0.2"),
        ("a", ""),
        ("aaaa", "192.0.2.1"),
        ("aaaa", "2001:db8::1%eth0"),
        ("aaaa", "2001:db8::g"),
        ("aaaa", "\ud800"),
    ],
)
def test_G056_the_family_of_an_address_is_checked(key: str, text: str) -> None:
    """An address of the other family, or none at all, is an error that shows it."""
    reading = read(key, [[text]])

    family = {"a": "IPv4", "aaaa": "IPv6"}[key]
    assert [("[0]", f"must be an {family} address, found {shown(text)}")] == reading.errors


def test_G057_only_the_ptr_key_counts_for_ptr() -> None:
    """Beside "ptr" an "ip" has no effect, and alone it is an error."""
    reading = read("ptr", [{"ip": "192.0.2.1", "ptr": "host.example.com."}])

    assert reading.records is not None
    assert wires("PTR", "host.example.com.") == reading.records.rdatas
    assert [place for place, _ in reading.warnings] == ["[0].ip"]
    assert [place for place, _ in read("ptr", [{"ip": "host.example.com."}]).errors] == ["[0]"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("mail.example.net", "10 mail.example.net."), ("Mail.example.net.", "10 Mail.example.net."), (".", "10 .")],
)
def test_G058_mx_gets_a_final_dot_and_never_the_origin(text: str, expected: str) -> None:
    """Case is kept; "." stays the null MX."""
    assert wires("MX", expected) == good("mx", [{"mx": text, "preference": 10}]).rdatas


def test_G058_mx_preference_is_0_unless_given_and_the_weight_is_optional() -> None:
    """Numbers may be strings."""
    records = good("mx", [{"mx": "a.example.com"}, {"mx": "b.example.com", "preference": "20", "weight": 3}])

    assert wires("MX", "0 a.example.com.", "20 b.example.com.") == records.rdatas
    assert records.weights == (0, 3)


def test_G058_an_empty_mx_is_the_null_mx() -> None:
    """The dot is appended to an empty name as well."""
    assert wires("MX", "0 .") == good("mx", [{"mx": ""}]).rdatas


def test_G059_mx_may_be_a_single_object() -> None:
    """Its problems are told without an index."""
    assert wires("MX", "5 mail.example.com.") == good("mx", {"mx": "mail.example.com", "preference": 5}).rdatas
    assert [place for place, _ in read("mx", {"mx": "a.", "preference": []}).errors] == [".preference"]


@pytest.mark.parametrize("value", ["mail.example.com.", ["mail.example.com."], [["mail.example.com.", 10]], [{}]])
def test_G058_other_forms_of_mx_are_errors(value: object) -> None:
    """Only objects, with an "mx"."""
    reading = read("mx", value)

    assert reading.records is None
    assert len(reading.errors) == 1


def test_G060_srv_numbers_are_0_unless_given() -> None:
    """srv_weight is the weight field of the record; nothing is ever weighted."""
    value = [
        {"target": "a.example.net.", "port": 443, "priority": 1, "srv_weight": 2},
        {"target": "b.example.net."},
    ]

    records = good("srv", value)

    assert wires("SRV", "1 2 443 a.example.net.", "0 0 0 b.example.net.") == records.rdatas
    assert records.weights is None


def test_G060_a_weight_of_srv_is_ignored_with_a_warning() -> None:
    """Whatever it is."""
    reading = read("srv", [{"target": "a.example.net.", "weight": "x"}])

    assert reading.records is not None
    assert reading.records.weights is None
    assert [place for place, _ in reading.warnings] == ["[0].weight"]
    assert reading.errors == []


def test_G061_a_relative_srv_target_is_below_the_origin() -> None:
    """With a final dot it is absolute; one object is taken as well."""
    assert wires("SRV", "0 0 5 sip.example.com.") == good("srv", {"target": "sip", "port": 5}).rdatas


def test_G061_srv_without_a_target_is_an_error() -> None:
    """So is an empty one."""
    assert [place for place, _ in read("srv", [{"port": 1}]).errors] == ["[0]"]
    assert [place for place, _ in read("srv", [{"target": ""}]).errors] == ["[0].target"]


def test_G062_ptr_gets_a_final_dot() -> None:
    """Never the origin, in all forms."""
    records = good("ptr", [["host.example.net"], ["other.example.net.", 2], {"ptr": "third.example.net"}])

    assert wires("PTR", "host.example.net.", "other.example.net.", "third.example.net.") == records.rdatas
    assert records.weights == (0, 2, 0)


@pytest.mark.parametrize(
    ("value", "targets", "weights"),
    [
        ("www", ["www.example.com."], None),
        ("www.example.net.", ["www.example.net."], None),
        ([["a", 10], ["b.example.net.", "5"]], ["a.example.com.", "b.example.net."], (10, 5)),
        ([{"cname": "a", "weight": 3}], ["a.example.com."], (3,)),
        (["a", "b"], ["a.example.com.", "b.example.com."], None),
        ([["a"], {"cname": "b", "weight": 0}], ["a.example.com.", "b.example.com."], (0, 0)),
    ],
)
def test_G063_forms_of_cname(value: object, targets: list[str], weights: tuple[int, ...] | None) -> None:
    """A target without a final dot is below the origin."""
    records = good("cname", value)

    assert wires("CNAME", *targets) == records.rdatas
    assert weights == records.weights


@pytest.mark.parametrize("value", ["", {"cname": "a"}, 5, [5], [[]], [[5]], [["a", 1], ["b", "x"]]])
def test_G063_other_forms_of_cname_are_errors(value: object) -> None:
    """One error each."""
    assert len(read("cname", value).errors) == 1


@pytest.mark.parametrize(
    "value",
    [
        ["ns2.example.net", "ns1.example.net."],
        {"ns2.example.net": None, "ns1.example.net.": None},
    ],
)
def test_G064_ns_are_in_the_order_of_the_file(value: object) -> None:
    """Names only get a final dot."""
    records = good("ns", value)

    assert wires("NS", "ns2.example.net.", "ns1.example.net.") == records.rdatas
    assert records.weights is None


def test_G064_ns_may_be_one_string() -> None:
    """Never below the origin."""
    assert wires("NS", "ns1.") == good("ns", "ns1").rdatas


def test_G064_a_string_beside_an_ns_name_is_ignored_with_a_warning() -> None:
    """It was an address once."""
    reading = read("ns", {"ns1.example.net": "192.0.2.1"})

    assert reading.warnings == [('."ns1.example.net"', 'is ignored, as in geodns, found "192.0.2.1"')]
    assert reading.records is not None
    assert wires("NS", "ns1.example.net.") == reading.records.rdatas


@pytest.mark.parametrize("value", [5, True, [["ns1.example.net", 1]], [5], {"ns1": 5}, {"ns1": []}, [{"ns": "ns1"}]])
def test_G064_other_values_of_ns_are_errors(value: object) -> None:
    """One error each."""
    assert len(read("ns", value).errors) == 1


@pytest.mark.parametrize("key", KEYS)
def test_G114_an_empty_list_is_no_records_and_no_error(key: str) -> None:
    """It never matches."""
    assert Reading() == read(key, [])


def test_G065_an_empty_object_of_ns_is_no_records() -> None:
    """The caller judges it at the apex."""
    assert Reading() == read("ns", {})


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("hello", ['"hello"']),
        (["a", "b c"], ['"a"', '"b c"']),
        ([{"txt": "a", "weight": 2}, {"spf": "b"}], ['"a"', '"b"']),
        ([["a", "b"], "c"], ['"a" "b"', '"c"']),
        ([{"txt": ["a", "b"]}], ['"a" "b"']),
    ],
)
@pytest.mark.parametrize("key", ["txt", "spf"])
def test_G066_forms_of_txt(key: str, value: object, texts: list[str]) -> None:
    """A list in the list is one record of several strings."""
    assert wires(key, *texts) == good(key, value).rdatas


@pytest.mark.parametrize(
    "value", ["", [""], [[]], [["", ""]], [{"txt": ""}], [{"txt": []}], {"txt": "a"}, 5, [5], [["a", 5]], [{}]]
)
def test_G066_an_empty_text_is_an_error(value: object) -> None:
    """So is what is no text."""
    reading = read("txt", value)

    assert reading.records is None
    assert len(reading.errors) == 1


def test_G067_a_long_text_is_split_into_strings() -> None:
    """255 octets each, counted as UTF-8."""
    rdatas = good("txt", ["a" * 600, "é" * 128]).rdatas

    assert rdatas[0] == b"\xff" + b"a" * 255 + b"\xff" + b"a" * 255 + b"\x5a" + b"a" * 90
    assert b"\xff" + ("é" * 128).encode()[:255] + b"\x01\xa9" == rdatas[1]


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        (r"say \"hi\"", b'say "hi"'),
        (r"a\\b", b"a\\b"),
        (r"\200\000\255", b"\xc8\x00\xff"),
        (r"\é", "é".encode()),
        (r"\1a", b"1a"),
        (r"a;b(c)", b"a;b(c)"),
    ],
)
def test_G067_escapes_are_read_into_octets(text: str, octets: bytes) -> None:
    r"""`\DDD` is one octet, never two."""
    assert (bytes((len(octets),)) + octets,) == good("txt", text).rdatas


@pytest.mark.parametrize("text", [r"\256", r"a\999", "a\\"])
def test_G067_an_impossible_escape_is_an_error(text: str) -> None:
    """The text is shown in a form that a log can write."""
    errors = read("txt", text).errors

    assert len(errors) == 1
    assert errors[0][1].encode()


def test_G068_spf_is_type_99() -> None:
    """The obsolete type."""
    assert good("spf", "v=spf1 -all").rrtype == 99


@pytest.mark.parametrize(
    ("key", "record"),
    [
        ("a", {"ip": "192.0.2.1"}),
        ("aaaa", {"ip": "2001:db8::1"}),
        ("ptr", {"ptr": "a."}),
        ("cname", {"cname": "a."}),
        ("mx", {"mx": "a."}),
        ("srv", {"target": "a."}),
        ("txt", {"txt": "a"}),
        ("caa", {"value": '0 issue ";"'}),
        ("type65280", {"value": r"\# 1 00"}),
    ],
)
def test_G070_health_is_read_in_the_object_form_of_every_type(key: str, record: dict[str, object]) -> None:
    """A record without one has None."""
    records = good(key, [{**record, "health": "servers/a"}, record, {**record, "health": None}])

    assert records.health == ("servers/a", None, None)


@pytest.mark.parametrize("health", [5, True, {}, [], ""])
def test_G070_health_must_be_a_string(health: object) -> None:
    """The record is left out."""
    reading = read("a", [{"ip": "192.0.2.1", "health": health}])

    assert reading.records is None
    assert [place for place, _ in reading.errors] == ["[0].health"]


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        (0, 0),
        (10, 10),
        (2.9, 2),
        (-0.5, 0),
        (1e3, 1000),
        ("10", 10),
        ("+10", 10),
        ("-0", 0),
        ("007", 7),
        (WEIGHT_MAX, WEIGHT_MAX),
    ],
)
def test_G071_weights_are_numbers_or_decimal_strings(weight: object, expected: int) -> None:
    """Numbers are truncated toward zero, as in geodns."""
    assert (expected,) == good("a", [["192.0.2.1", weight]]).weights
    assert (expected,) == good("a", [{"ip": "192.0.2.1", "weight": weight}]).weights


@pytest.mark.parametrize(
    "weight",
    ["10x", " 2", "2.5", "", "1_0", "٣", "0x10", -1, "-1", -1.5, True, False, None, [], {}, float("nan"), float("inf")],
)
def test_G071_a_weight_that_is_none_is_an_error(weight: object) -> None:
    """It is shown as JSON, at the record in the short form and at the member in the long one."""
    expected = f"weight must be an integer >= 0, found {shown(weight)}"

    assert [("[0]", expected)] == read("a", [["192.0.2.1", weight]]).errors
    assert [("[0].weight", expected)] == read("a", [{"ip": "192.0.2.1", "weight": weight}]).errors


@pytest.mark.parametrize("weight", [WEIGHT_MAX + 1, 1e300, pytest.param(10**5000, id="huge"), "9" * 40])
def test_G071_a_weight_that_is_too_large_is_an_error(weight: object) -> None:
    """Also one that Python would not print."""
    errors = read("a", [["192.0.2.1", weight]]).errors

    assert len(errors) == 1
    assert errors[0][1].startswith(f"weight must be at most {WEIGHT_MAX}, found ")


def test_G071_the_message_shows_the_value_as_json() -> None:
    """Expectation and finding are kept apart."""
    told: list[ValueProblem] = []

    read_records("a", [["192.0.2.1", "10x"]], ORIGIN, lambda _, problem: told.append(problem), lambda *_: None)

    assert [(problem.expected, problem.found) for problem in told] == [("weight must be an integer >= 0", '"10x"')]


@pytest.mark.parametrize("value", [70000, -1, "65536", None, True, [], "x", pytest.param(10**5000, id="huge")])
def test_G072_16_bit_fields_do_not_wrap(value: object) -> None:
    """Every field of MX and SRV is checked."""
    assert [place for place, _ in read("mx", [{"mx": "a.", "preference": value}]).errors] == ["[0].preference"]
    for key in ("port", "priority", "srv_weight"):
        assert [f"[0].{key}"] == [place for place, _ in read("srv", [{"target": "a.", key: value}]).errors]


def test_all_problems_of_a_record_are_told() -> None:
    """Not only the first."""
    reading = read("a", [{"ip": "x", "weight": "y", "health": 1, "color": "red", "www.x": 1}])

    assert [place for place, _ in reading.errors] == ["[0].ip", "[0].weight", "[0].health"]
    assert [place for place, _ in reading.warnings] == ["[0].color", '[0]."www.x"']


def test_an_unknown_member_is_a_warning() -> None:
    """geodns ignores it silently."""
    reading = read("mx", [{"mx": "a.", "prefrence": 10}])

    assert reading.warnings == [("[0].prefrence", "is not known here")]
    assert reading.records is not None


def test_a_third_element_is_a_warning() -> None:
    """It has no effect."""
    reading = read("a", [["192.0.2.1", 1, 2]])

    assert [place for place, _ in reading.warnings] == ["[0]"]
    assert reading.records is not None


@pytest.mark.parametrize("text", ["a..b", ".a", "..", "x" * 64, ".".join(["x" * 60] * 5), "a\\", r"\999", "\\"])
@pytest.mark.parametrize("key", ["ptr", "cname", "mx", "ns", "srv"])
def test_an_impossible_name_is_an_error(key: str, text: str) -> None:
    """Long labels, long names, empty labels and escapes."""
    member = "target" if key == "srv" else key
    value: object = text if key == "ns" else [[text]] if key in ("ptr", "cname") else [{member: text}]

    reading = read(key, value)

    assert reading.records is None
    assert len(reading.errors) == 1
    assert json.dumps(reading.errors)
    assert reading.errors[0][1].encode()


def test_a_name_that_ends_with_an_escaped_backslash_and_a_dot_is_absolute() -> None:
    r"""`a\\.` is a name of one label; `a\.` lacks its final dot."""
    assert good("cname", ["a\\\\.", "a\\."]).rdatas == (b"\x02a\\\x00", b"\x02a." + ORIGIN)


def test_rdata_has_at_most_65535_octets() -> None:
    """A text of more is an error, not a record."""
    assert 65535 >= len(read_strings("a" * 65000)) > 65000
    assert read("txt", "a" * 65500).errors == [("", "must have at most 65535 octets as rdata")]


@pytest.mark.parametrize("key", ["soa", "opt", "any", "axfr", "alias", "A", "", "type6", "type0", "type255", "type41"])
def test_a_key_that_holds_no_records_has_no_type(key: str) -> None:
    """Meta-types, SOA, unknown words, and the wrong case."""
    assert rrtype_of_key(key) is None
    assert read(key, "x").records is None
    assert len(read(key, "x").errors) == 1


@pytest.mark.parametrize("key", ["type065280", "type65535", "type65536", "type", "TYPE65280", "type-1", "type٣"])
def test_a_malformed_numbered_key_has_no_type(key: str) -> None:
    """No leading zeros, no reserved numbers."""
    assert rrtype_of_key(key) is None


def test_keys_have_their_types() -> None:
    """By name and by number."""
    assert [rrtype_of_key(key) for key in ("a", "spf", "https", "type65280", "type257")] == [1, 99, 65, 65280, 257]


def test_presentation_text_is_a_string_or_a_list_of_them() -> None:
    """Or objects with a weight."""
    records = good("caa", ['0 issue "ca.example.net"', {"value": '0 iodef "mailto:a@example.com"', "weight": 2}])

    assert wires("CAA", '0 issue "ca.example.net"', '0 iodef "mailto:a@example.com"') == records.rdatas
    assert records.weights == (0, 2)
    assert wires("CAA", '0 issue ";"') == good("caa", '0 issue ";"').rdatas


@pytest.mark.parametrize("value", [5, {"value": '0 issue ";"'}, [['0 issue ";"', 1]], [{}], [{"value": 5}], "", [None]])
def test_other_forms_of_presentation_text_are_errors(value: object) -> None:
    """One error each."""
    reading = read("caa", value)

    assert reading.records is None
    assert len(reading.errors) == 1


def test_an_unknown_type_is_given_as_octets() -> None:
    """RFC 3597, in the same forms."""
    assert good("type65280", r"\# 4 0a000001").rdatas == (b"\x0a\x00\x00\x01",)
    assert good("type65280", [r"\# 0", {"value": r"\# 1 01"}]).rdatas == (b"", b"\x01")


def test_a_known_type_by_number_takes_octets_only() -> None:
    """They have to be well-formed for it."""
    assert wires("CAA", '0 issue ";"') == good("type257", r"\# 8 000569737375653b").rdatas
    assert len(read("type257", '0 issue ";"').errors) == 1
    assert len(read("type1", r"\# 3 c00002").errors) == 1
    assert good("type1", r"\# 4 c0000201").rdatas == (b"\xc0\x00\x02\x01",)


def test_numbered_ns_is_never_weighted() -> None:
    """As ns is not."""
    reading = read("type2", [{"value": r"\# 3 016100", "weight": 5}])

    assert reading.records is not None
    assert reading.records.weights is None


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["192.0.2.1", "2001:db8::1", "a.example.com", "\\", r"\# 1 00", "0 issue x", "1 . alpn=h2"]),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(
            st.text(max_size=3)
            | st.sampled_from(
                [
                    "ip",
                    "a",
                    "aaaa",
                    "ptr",
                    "cname",
                    "mx",
                    "txt",
                    "spf",
                    "target",
                    "port",
                    "weight",
                    "health",
                    "preference",
                    "value",
                ]
            ),
            children,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from([*KEYS, "soa", "type255", ""]), JSON)
def test_no_json_value_raises(key: str, value: object) -> None:
    """What is wrong is told in text that can be written; what is read fits together and can be shown."""
    reading = read(key, value)

    assert all(text.encode() is not None for told in reading.errors + reading.warnings for text in told)
    if reading.records is not None:
        assert reading.records.rdatas
        for other in (reading.records.weights, reading.records.health):
            assert other is None or len(other) == len(reading.records.rdatas)
        assert all(to_text(reading.records.rrtype, rdata) for rdata in reading.records.rdatas)


def test_deep_nesting_is_told_and_not_followed() -> None:
    """A value of many levels is an error like another."""
    deep: object = "x"
    for _ in range(100_000):
        deep = [deep]

    for key in KEYS:
        assert len(read(key, [deep]).errors) == 1


@given(st.sampled_from([*range(70), 99, 257, 65280]), st.binary(max_size=60))
def test_showing_any_octets_never_raises(rrtype: int, rdata: bytes) -> None:
    """What is not well-formed is shown as RFC 3597 has it."""
    assert to_text(rrtype, rdata)


@compares_with_dnspython
@given(st.sampled_from(["A", "AAAA", "NS", "MX", "SRV", "TXT", "CAA", "NAPTR", "DS", "SSHFP", "TLSA"]), st.data())
def test_what_is_shown_is_read_alike_by_dnspython(rrtype: str, draw: st.DataObject) -> None:
    """dnspython makes the same rdata of our text, whatever octets it has."""
    number = dns.rdatatype.from_text(rrtype)
    label = draw.draw(st.binary(min_size=1, max_size=20))
    string = draw.draw(st.binary(max_size=40))
    digest = draw.draw(st.binary(min_size=1, max_size=40))
    wire_name = bytes((len(label),)) + label + b"\x07example\x00"
    counted = bytes((len(string),)) + string
    rdata = {
        "A": b"\xc0\x00\x02\x01",
        "AAAA": digest[:1] * 16,
        "NS": wire_name,
        "MX": b"\x00\x05" + wire_name,
        "SRV": b"\x00\x05" * 3 + wire_name,
        "TXT": counted * 2,
        "CAA": b"\x00\x05issue" + string,
        "NAPTR": b"\x00\x05" * 2 + counted * 3 + wire_name,
        "DS": b"\x00\x05\x08\x63" + digest,
        "SSHFP": b"\x01\x63" + digest,
        "TLSA": b"\x03\x01\x00" + digest,
    }[rrtype]

    text = to_text(number, rdata)

    assert not text.startswith("\\#")
    assert rdata == dns.rdata.from_text("IN", rrtype, text).to_wire()


# -- what is written as almost all is, which is read faster

# Numbers as addresses have them, and what a reader less strict than ipaddress would take for one.
PARTS = st.integers(0, 300).map(str) | st.sampled_from(
    [
        "",
        "00",
        "01",
        "010",
        "0x1",
        "1e1",
        "1_0",
        "+1",
        "-1",
        " 1",
        "1 ",
        "\u0661",
        "\uff11",
        "\u00b2",
        "\u0967",
        "a",
        "1\n",
    ]
)
ADDRESS_TEXTS = (
    st.ip_addresses().map(str)
    | st.lists(PARTS, min_size=1, max_size=6).map(".".join)
    | st.lists(PARTS, min_size=4, max_size=4).map(".".join)
    | st.text(alphabet="0123456789.:abcf%/ ", max_size=20)
)
ODD = st.none() | st.booleans() | st.floats(allow_nan=False) | st.lists(st.integers(), max_size=2) | st.text(max_size=3)
WEIGHTS = st.integers(-1, 300) | st.sampled_from([WEIGHT_MAX, WEIGHT_MAX + 1, "10", "x", 1.5, True]) | ODD
USUAL_ELEMENTS = st.lists(ADDRESS_TEXTS, min_size=1, max_size=1) | st.tuples(ADDRESS_TEXTS, WEIGHTS).map(list)
GOOD_ELEMENTS = st.tuples(st.ip_addresses(v=4).map(str), st.integers(0, 300)).map(list)
ADDRESS_LISTS = (
    st.lists(GOOD_ELEMENTS, max_size=5)
    | st.lists(USUAL_ELEMENTS, max_size=4)
    | st.lists(
        USUAL_ELEMENTS
        | st.lists(ADDRESS_TEXTS | WEIGHTS, max_size=3)
        | st.fixed_dictionaries({"ip": ADDRESS_TEXTS}, optional={"weight": WEIGHTS, "health": ODD})
        | ADDRESS_TEXTS
        | ODD,
        max_size=4,
    )
)


@given(ADDRESS_TEXTS)
def test_an_address_is_what_the_ipaddress_module_takes_for_one(text: str) -> None:
    """No leading zeros, no other digits than ASCII's, four numbers up to 255."""
    try:
        expected = ipaddress.IPv4Address(text).packed
    except ValueError:
        with pytest.raises(ValueProblem, match=r"^must be an IPv4 address, found"):
            read_ipv4(text)
    else:
        assert read_ipv4(text) == expected


def test_every_number_of_an_address_is_read() -> None:
    """At each of its four places."""
    for octet in range(256):
        octets = bytes((octet, 255 - octet, octet ^ 85, octet ^ 170))
        assert read_ipv4(".".join(map(str, octets))) == octets


SERVER_LISTS = st.lists(st.sampled_from(["ns1.example.org", "ns2.example.org.", ".", "", "a..b"]) | ODD, max_size=3)


@given(st.sampled_from(KEYS), ADDRESS_LISTS | SERVER_LISTS | ODD, st.booleans())
def test_a_usual_value_is_read_as_any_other(key: str, value: Any, remembers: bool) -> None:
    """The fast way gives what the slow one does, the second time too, and leaves what is wrong to it."""
    usual = UsualReader(remembers)

    first, again = usual.read(key, value), usual.read(key, value)

    assert first == again
    assert first is None or Reading(first) == read(key, value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("a", [["192.0.2.1", 10], ["192.0.2.2"]]),
        ("a", [["192.0.2.1"]]),
        ("aaaa", [["2001:db8::1", 0]]),
        ("ns", ["ns1.example.org", "ns2.example.org."]),
    ],
)
def test_a_usual_value_is_read_the_fast_way(key: str, value: object) -> None:
    """Otherwise the test above would compare nothing."""
    assert UsualReader(remembers=True).read(key, value) == good(key, value)


def test_an_address_is_read_once_in_a_zone() -> None:
    """What was made of it is remembered, of whichever label; but not of a large zone."""
    value = [["2001:db8::1", 1]]

    for remembers in (True, False):
        usual = UsualReader(remembers)
        first, again = usual.read("aaaa", value), usual.read("aaaa", value)
        assert first is not None
        assert again is not None
        assert (first.rdatas[0] is again.rdatas[0]) == remembers
