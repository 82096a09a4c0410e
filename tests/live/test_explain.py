"""`greendns explain`: why a client gets what it gets, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.rcode
import dns.rdatatype
import pytest

from tests.commands import run_here
from tests.serving import Server, serving, write_zones

DANE = "192.0.2.77"
ZONES = {
    "example.com": {
        "serial": 7,
        "ttl": 300,
        "data": {
            "": {"ns": ["ns1.example.net."]},
            "www": {"max_hosts": 1, "a": [["192.0.2.1", 100], ["192.0.2.2", 50], ["192.0.2.3", 25], ["192.0.2.4", 0]]},
            "two": {"max_hosts": 2, "a": [["192.0.2.1", 2], ["192.0.2.2", 1], ["192.0.2.3", 1]]},
            "geo": {"a": [["192.0.2.1"]]},
            "geo.europe": {"a": [["192.0.2.2"]]},
            "geo.dk": {"mx": [{"mx": "mail.example.net.", "preference": 10}]},
            "only.us": {"a": [["192.0.2.1"]]},
            "near": {
                "closest": True,
                "max_hosts": 1,
                "a": [["192.0.2.9"], ["198.51.100.9"], ["203.0.113.9"]],
            },
            "sick": {
                "health": {"type": "file"},
                "a": [{"ip": "192.0.2.1", "health": "pool/up"}, {"ip": "192.0.2.2", "health": "pool/down"}],
            },
            "sick.dk": {"health": {"type": "file"}, "a": [{"ip": "192.0.2.3", "health": "pool/down"}]},
            "none": {"max_hosts": 0, "a": [["192.0.2.1"]]},
            "to": {"cname": "geo"},
            "out": {"cname": "www.example.org."},
            "across": {"cname": "www.example.net."},
            "loop": {"cname": "pool"},
            "pool": {"cname": "loop"},
            "same": {"alias": "www"},
            "*.wild": {"a": [["192.0.2.1"]]},
            "below": {"ns": ["ns.below.example.com."]},
            "ns.below": {"a": [["192.0.2.53"]]},
            "either": {"cname": [["geo.example.com.", 1], ["two.example.com.", 1], ["nosuch.example.com.", 1]]},
            "even": {
                "closest": True,
                "max_hosts": 1,
                "a": [["192.0.2.9", 1], ["192.0.2.10", 0], ["203.0.113.9", 1]],
            },
            "text": {
                "txt": 'caf\u00e9 \\200 "x"',
                "spf": ["v=spf1 -all"],
                "loc": "52 22 23.001 N 4 53 32.999 E -2.00m 0.00m 10000m 10m",
                "naptr": '100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .',
                "mx": [{"mx": "mail.text.example.com.", "preference": 10}],
                "srv": [{"target": "text.example.com.", "port": 25}],
                "caa": '0 issue "ca.example.net"',
                "type65280": "\\# 3 0102ff",
            },
            "many": {"max_hosts": 1000, "a": [[f"10.0.{i // 250}.{i % 250}", i] for i in range(1, 1501)]},
        },
    },
    "deep.under.example.com": {"serial": 9, "data": {"": {"ns": ["ns1.example.net."], "a": [["192.0.2.6"]]}}},
    "example.net": {"serial": 8, "data": {"www": {"a": [["192.0.2.5"]]}}},
    "asn.example": {
        "targeting": "@ asn",
        "data": {"www": {"a": [["192.0.2.1"]]}, "www.as64500": {"a": [["192.0.2.2"]]}},
    },
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with zones, a configuration, and the states of two checks."""
    place = tmp_path_factory.mktemp("explain")
    write_zones(place / "zones", ZONES)
    write_zones(place / "health", {"pool": {"up": 2, "down": 1}})
    (place / "greendns.toml").write_text('[health]\ndirectory = "health"\n')
    return place


class Explainer:
    def __init__(self, place: Path, world: Path) -> None:
        self.where = ("--config", str(place), "--geoip", str(world))

    def text(self, *question: str, client: str = DANE) -> str:
        """What is told to people."""
        told = run_here("explain", *question, "--client", client, *self.where)
        assert told.returncode == 0, told.stderr
        return told.stdout

    def json(self, *question: str, client: str = DANE) -> dict[str, Any]:
        """What is told to programs."""
        answer: dict[str, Any] = json.loads(self.text(*question, "--json", client=client))
        return answer


@pytest.fixture
def explain(place: Path, world: Path) -> Explainer:
    return Explainer(place, world)


def odds(told: dict[str, Any]) -> dict[str, float]:
    """The odds of each record of the first set."""
    return {record["value"]: record["odds"] for record in told["hops"][0]["sets"][0]["records"]}


def removed(told: dict[str, Any]) -> dict[str, str]:
    """Why each record of the first set that is out is out."""
    return {record["value"]: record["reason"] for record in told["hops"][0]["sets"][0]["removed"]}


# -- the way of a question


def test_zone_client_targets_and_labels_are_told_in_order(explain: Explainer) -> None:
    """With the label that matched, and what each one tried holds."""
    hop = explain.json("geo.example.com")["hops"][0]

    assert (hop["zone"], hop["serial"]) == ("example.com", 7)
    assert hop["file"].endswith("zones/example.com.json")
    assert (hop["client"]["country"], hop["client"]["continent"], hop["client"]["prefix"]) == ("dk", "europe", 24)
    assert hop["targets"] == ["dk", "europe", "@"]
    assert [(tried["label"], tried["holds"]) for tried in hop["tried"]] == [
        ("geo.dk", ["MX"]),
        ("geo.europe", ["A"]),
        ("geo", ["A"]),
    ]
    assert hop["sets"][0]["label"] == "geo.europe"


def test_the_same_is_told_to_people(explain: Explainer) -> None:
    """In lines that can be read."""
    lines = explain.text("geo.example.com").splitlines()

    assert lines[0] == f"geo.example.com. A for a client at {DANE}"
    for words in (
        "zone example.com serial 7",
        "network /24",
        "targets dk europe @",
        "tried geo.dk MX",
        "tried geo.europe A",
        "matched geo.europe A TTL 300 max_hosts 2",
        "192.0.2.2 weight 1 100.0000%",
        "scope /24",
        "answer NOERROR",
        "geo.example.com. 300 IN A 192.0.2.2",
    ):
        assert [line for line in lines if words in " ".join(line.split())], words


def test_the_type_is_a_by_default_and_may_be_a_number(explain: Explainer) -> None:
    """A, MX and TYPE15 in any case."""
    assert explain.json("geo.example.com")["question"]["type"] == "A"
    for rrtype in ("MX", "mx", "TYPE15", "type15"):
        assert explain.json("geo.example.com", rrtype)["hops"][0]["sets"][0]["label"] == "geo.dk"


def test_the_scope_is_what_the_name_depends_on(explain: Explainer) -> None:
    """The network's prefix for a name with variants, nothing for one without."""
    assert explain.json("geo.example.com")["scope"] == 24
    assert explain.json("www.example.com")["scope"] == 0


def test_the_network_of_an_autonomous_system_is_told(explain: Explainer) -> None:
    """It is another one than the place's."""
    told = explain.json("www.asn.example")

    assert told["hops"][0]["targets"] == ["as64500", "@"]
    assert told["hops"][0]["client"]["asn_prefix"] == 25
    assert told["scope"] == 25
    assert "AS network /25" in explain.text("www.asn.example")


def test_an_ipv6_client(explain: Explainer) -> None:
    """By its network too."""
    told = explain.json("geo.example.com", client="2001:db8:1::53")

    assert told["hops"][0]["client"]["country"] == "se"
    assert told["scope"] == 48


def test_the_wildcard_that_covers_a_name_is_told(explain: Explainer) -> None:
    """By the label of the zone file."""
    hop = explain.json("any.thing.wild.example.com")["hops"][0]

    assert hop["matched_name"] == "*.wild"
    assert hop["sets"][0]["label"] == "*.wild"


def test_an_alias_is_told_by_where_it_leads(explain: Explainer) -> None:
    """Tried at its own label, matched at its target's."""
    hop = explain.json("same.example.com")["hops"][0]

    assert hop["tried"][-1] == {"target": "@", "label": "same", "holds": ["alias"]}
    assert hop["sets"][0]["label"] == "www"


# -- odds, and what is removed


def test_the_odds_of_one_record_are_its_share_of_the_weights(explain: Explainer) -> None:
    """Exact: 100, 50 and 25 of 175."""
    told = explain.json("www.example.com")

    assert odds(told) == pytest.approx(
        {"192.0.2.1": 100 / 175, "192.0.2.2": 50 / 175, "192.0.2.3": 25 / 175, "192.0.2.4": 0}, abs=1e-6
    )
    assert list(removed(told)) == ["192.0.2.4"]
    assert "weight 0" in removed(told)["192.0.2.4"]


def test_the_odds_of_two_records_are_without_replacement(explain: Explainer) -> None:
    """Weights 2, 1, 1: the first is drawn first in 1/2, else second in 2/3: 5/6; the others share what is left of 2."""
    assert odds(explain.json("two.example.com")) == pytest.approx(
        {"192.0.2.1": 5 / 6, "192.0.2.2": 7 / 12, "192.0.2.3": 7 / 12}, abs=1e-6
    )


def test_percentages_are_told_to_people(explain: Explainer) -> None:
    """Four digits of them."""
    assert "192.0.2.1 weight 100 57.1429%" in " ".join(explain.text("www.example.com").split())


@pytest.mark.parametrize(
    ("client", "nearest"), [(DANE, "192.0.2.9"), ("198.51.100.1", "198.51.100.9"), ("203.0.113.1", "203.0.113.9")]
)
def test_the_closest_is_certain_and_others_are_farther(explain: Explainer, client: str, nearest: str) -> None:
    """max_hosts 1: only the nearest record of the client."""
    told = explain.json("near.example.com", client=client)

    assert odds(told)[nearest] == 1
    assert set(removed(told)) == {"192.0.2.9", "198.51.100.9", "203.0.113.9"} - {nearest}
    assert set(removed(told).values()) == {"others are nearer"}


def test_a_record_that_is_down_is_removed_with_its_reason(explain: Explainer) -> None:
    """By the status files, as the server reads them."""
    told = explain.json("sick.example.com", client="203.0.113.1")

    assert odds(told) == {"192.0.2.1": 1, "192.0.2.2": 0}
    assert "health" in removed(told)["192.0.2.2"]


def test_a_label_without_a_record_left_is_passed(explain: Explainer) -> None:
    """It is told why, and the next target's label answers (G112)."""
    hop = explain.json("sick.example.com")["hops"][0]

    assert [passed["label"] for passed in hop["passed"]] == ["sick.dk"]
    assert "health" in hop["passed"][0]["removed"][0]["reason"]
    assert hop["sets"][0]["label"] == "sick"
    assert "passed   sick.dk A" in explain.text("sick.example.com")


def test_max_hosts_0_is_a_reason(explain: Explainer) -> None:
    """NODATA, though there are records."""
    hop = explain.json("none.example.com")["hops"][0]

    assert hop["result"] == "NODATA"
    assert hop["passed"][0]["removed"] == [{"value": "192.0.2.1", "reason": "max_hosts is 0"}]


def test_a_record_without_weight_among_the_nearest_is_out_by_weight(explain: Explainer) -> None:
    """It is as near as the one chosen; the third is farther."""
    reasons = removed(explain.json("even.example.com"))

    assert set(reasons) == {"192.0.2.10", "203.0.113.9"}
    assert "weight 0" in reasons["192.0.2.10"]
    assert reasons["203.0.113.9"] == "others are nearer"


def test_the_odds_of_thousands_are_approximate_and_said_to_be(explain: Explainer) -> None:
    """1,500 weights and 1,000 picks: a probability each, 1,000 in sum."""
    told = explain.json("many.example.com")

    assert told["hops"][0]["sets"][0]["odds_are"] == "approximate"
    assert sum(odds(told).values()) == pytest.approx(1000, abs=0.01)
    assert "odds     approximate" in explain.text("many.example.com")


def test_usual_odds_are_exact(explain: Explainer) -> None:
    """And no line says otherwise."""
    assert explain.json("two.example.com")["hops"][0]["sets"][0]["odds_are"] == "exact"
    assert "approximate" not in explain.text("two.example.com")


# -- the records of the answer


@pytest.mark.parametrize(
    ("rrtype", "value"),
    [
        ("TXT", '"caf\\195\\169 \\200 \\"x\\""'),
        ("SPF", '"v=spf1 -all"'),
        ("LOC", "52 22 23.001 N 4 53 32.999 E -2.00m 0.00m 10000.00m 10.00m"),
        ("NAPTR", '100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .'),
        ("MX", "10 mail.text.example.com."),
        ("SRV", "0 0 25 text.example.com."),
        ("CAA", '0 issue "ca.example.net"'),
        ("TYPE65280", "\\# 3 0102ff"),
    ],
)
def test_a_record_is_told_as_a_zone_file_would_have_it(explain: Explainer, rrtype: str, value: str) -> None:
    """In the answer as in its set, names in full."""
    told = explain.json("text.example.com", rrtype)

    assert told["answer"] == [f"text.example.com. 300 IN {rrtype} {value}"]
    assert list(odds(told)) == [value]


@pytest.mark.parametrize(("asked", "owner"), [("a\\.b.wild", "a\\.b.wild"), ("\\200x.wild", "\\200x.wild")])
def test_an_owner_of_any_octets_is_told(explain: Explainer, asked: str, owner: str) -> None:
    """A dot within a label, an octet beyond ASCII."""
    assert explain.json(f"{asked}.example.com")["answer"] == [f"{owner}.example.com. 300 IN A 192.0.2.1"]


def test_the_soa_is_told_in_full(explain: Explainer) -> None:
    """Two names and five numbers, with its section."""
    (soa,) = explain.json("nosuch.example.com")["answer"]

    assert soa.startswith("authority: example.com. ")
    assert len(soa.partition(" SOA ")[2].split()) == 7


# -- chains, and no answer


def test_the_chain_is_that_of_the_answer(explain: Explainer) -> None:
    """Whichever of three CNAMEs is drawn is followed; the odds are those of all three."""
    for _ in range(12):
        told = explain.json("either.example.com")
        drawn = told["answer"][0].split()[-1]

        assert told["hops"][1]["name"] == drawn
        assert sum(odds(told).values()) == pytest.approx(1)
        assert len(odds(told)) == 3
        assert told["hops"][1]["result"].startswith("NXDOMAIN" if drawn.startswith("nosuch") else "answer")


@pytest.mark.parametrize("rrtype", ["AXFR", "IXFR"])
def test_a_transfer_is_refused(explain: Explainer, rrtype: str) -> None:
    """As the server does it."""
    told = explain.json("example.com", rrtype)

    assert (told["rcode"], told["hops"][-1]["result"]) == ("REFUSED", "REFUSED: zones are not transferred")


def test_a_chain_is_walked_through_all_zones_of_ours(explain: Explainer) -> None:
    """One hop for each name."""
    hops = explain.json("across.example.com")["hops"]

    assert [(hop["name"], hop["zone"]) for hop in hops] == [
        ("across.example.com.", "example.com"),
        ("www.example.net.", "example.net"),
    ]
    assert hops[1]["sets"][0]["records"][0]["value"] == "192.0.2.5"


def test_a_chain_to_a_name_with_variants(explain: Explainer) -> None:
    """The place of the client counts at its end, in the scope too."""
    told = explain.json("to.example.com")

    assert told["hops"][1]["sets"][0]["label"] == "geo.europe"
    assert told["scope"] == 24


def test_a_chain_that_leads_out_ends_there(explain: Explainer) -> None:
    """The last name is not ours."""
    assert explain.json("out.example.com")["hops"][-1] == {
        "name": "www.example.org.",
        "zone": None,
        "result": "not ours",
    }


def test_a_chain_in_a_loop_ends(explain: Explainer) -> None:
    """Each name is told once."""
    assert [hop["name"] for hop in explain.json("loop.example.com")["hops"]] == [
        "loop.example.com.",
        "pool.example.com.",
    ]


@pytest.mark.parametrize(
    ("name", "rcode", "kind"),
    [
        ("nosuch.example.com", "NXDOMAIN", "nxdomain"),
        ("only.example.com", "NXDOMAIN", "nxdomain"),
        ("wild.example.com", "NOERROR", "nodata"),
        ("www.below.example.com", "NOERROR", "referral"),
        ("www.example.org", "REFUSED", "refused"),
    ],
)
def test_where_there_is_no_answer(explain: Explainer, name: str, rcode: str, kind: str) -> None:
    """What came instead; people read it too."""
    told = explain.json(name)

    assert (told["rcode"], told["kind"]) == (rcode, kind)
    assert f"answer   {rcode}" in explain.text(name)


def test_a_name_of_others_alone_is_told_as_such(explain: Explainer) -> None:
    """NXDOMAIN for a Dane, an answer for an American (G116)."""
    assert "only other clients" in explain.text("only.example.com")
    assert explain.json("only.example.com", client="203.0.113.1")["rcode"] == "NOERROR"


def test_debug_names_are_for_who_may_ask(explain: Explainer) -> None:
    """The result is that of the answer (G183)."""
    assert explain.json("_status.example.com", "TXT", client="127.0.0.1")["kind"] == "debug"
    assert explain.json("_status.example.com", "TXT", client=DANE)["hops"][0]["result"].startswith("NXDOMAIN")


def test_debug_names_tell_the_identifier(place: Path) -> None:
    """The configured one, as a server would tell it; the host's name without one."""
    question = ("explain", "_status.example.com", "TXT", "--json", "--config", str(place))
    (named,) = json.loads(run_here(*question, "--identifier", "edge1,anycast").stdout)["answer"]
    (unnamed,) = json.loads(run_here(*question).stdout)["answer"]

    assert '\\"id\\":\\"edge1\\"' in named
    assert '\\"id\\":\\"\\"' not in unnamed
    assert '\\"h\\":\\"\\"' not in unnamed


# -- the same as the server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, world: Path) -> Iterator[Server]:
    """A server of the same zones and health states."""
    directory = tmp_path_factory.mktemp("server")
    write_zones(directory / "health", {"pool": {"up": 2, "down": 1}})
    (directory / "greendns.toml").write_text('[health]\ndirectory = "health"\n')
    with serving(directory, ZONES, arguments=("--geoip", str(world))) as running:
        yield running


NAMES = (
    "@ www two geo only near even sick none to out across loop same wild x.wild x.y.wild below www.below ns.below"
    " under deep.under x.deep.under nosuch x.www text"
)
QUESTIONS = [
    *[(f"{name}.example.com".removeprefix("@."), "A") for name in NAMES.split()],
    *[("example.com", rrtype) for rrtype in ("SOA", "NS", "ANY", "MX", "AXFR", "IXFR", "TYPE0", "MAILB", "OPT")],
    *[("below.example.com", rrtype) for rrtype in ("NS", "DS", "SOA", "ANY", "AXFR")],
    *[("deep.under.example.com", rrtype) for rrtype in ("DS", "NS", "SOA")],
    *[("text.example.com", rrtype) for rrtype in ("TXT", "LOC", "NAPTR", "ANY", "TYPE65280")],
    *[("loop.example.com", rrtype) for rrtype in ("CNAME", "ANY", "TXT")],
    *[("_country.example.com", rrtype) for rrtype in ("A", "ANY")],
    ("www.example.org", "A"),
    ("www.asn.example", "A"),
]
ENDINGS = {"answer": "answer", "nodata": "NODATA", "nxdomain": "NXDOMAIN", "refused": "REFUSED", "debug": "debug name"}


@pytest.mark.parametrize(("name", "rrtype"), QUESTIONS)
def test_explain_says_what_the_server_answers(explain: Explainer, server: Server, name: str, rrtype: str) -> None:
    """The rcode, the owners and types of all sections, the scope, and a result that goes with them."""
    told = explain.json(name, rrtype)
    answered = server.ask(name, rrtype, subnet=f"{DANE}/32", tcp=True, want_dnssec=False)
    result = told["hops"][-1]["result"]

    assert told["rcode"] == dns.rcode.to_text(answered.rcode())
    assert told["scope"] == answered.options[-1].scopelen
    assert _kinds(told["answer"]) == sorted(
        [
            f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)}".lower()
            for section in (answered.answer, answered.authority, answered.additional)
            for rrset in section
            for _ in rrset
        ]
    )
    assert result.startswith((ENDINGS.get(told["kind"], told["kind"]), "not ours"))


def _kinds(records: list[str]) -> list[str]:
    """Owner and type of each record that explain tells."""
    words = [record.removeprefix("authority: ").removeprefix("additional: ").split() for record in records]
    return sorted([f"{one[0]} {one[3]}".lower() for one in words])


# -- wrong questions


@pytest.mark.parametrize(
    "arguments",
    [
        ("a..example.com",),
        ("a" * 5000,),
        ("a\\999.example.com",),
        ("www.example.com", "NOSUCH"),
        ("www.example.com", "TYPE" + "1" * 5000),
        ("www.example.com", "TYPE65536"),
        ("www.example.com", "TYPE\u0663"),
        ("www.example.com", "A\nB"),
        ("www.example.com", "--client", "nobody"),
        ("www.example.com", "--client", "1" * 5000),
        ("www.example.com", "--client", "192.0.2.1\n"),
    ],
    ids=range(11),
)
def test_a_wrong_question_ends_with_status_2(place: Path, arguments: tuple[str, ...]) -> None:
    """One line, and not a long one."""
    ended = run_here("explain", *arguments, "--config", place)

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1
    assert len(ended.stderr) < 250


def test_a_broken_zone_is_told_beside_the_answer(tmp_path: Path) -> None:
    """On standard error; the others are explained."""
    write_zones(tmp_path / "zones", {**ZONES, "broken.example": "{"})
    told = run_here("explain", "geo.example.com", "--json", "--config", tmp_path)

    assert told.returncode == 0
    assert "broken.example.json" in told.stderr
    assert json.loads(told.stdout)["rcode"] == "NOERROR"


def test_a_client_that_may_not_ask_is_told_so(tmp_path: Path) -> None:
    """By the setting that says so, and not as a name that is nobody's."""
    write_zones(tmp_path / "zones", {"example.com": ZONES["example.com"]})
    (tmp_path / "greendns.toml").write_text('[access]\nqueries = ["192.0.2.0/25"]\n')
    told = [
        run_here("explain", "geo.example.com", "--client", client, "--config", tmp_path, "--json").stdout
        for client in (DANE, "192.0.2.200")
    ]
    (let_in,), (kept_out,) = [json.loads(each)["hops"] for each in told]

    assert let_in["zone"] == "example.com"
    assert kept_out["result"] == "REFUSED: access.queries does not have this address"
