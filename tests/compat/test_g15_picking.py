"""Weights and picking as clients see them (G150-G157); the exact odds are in tests/stats."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import dns.message
import dns.rcode
import pytest

from tests.serving import Server, run_command, serving

# What a fair coin hides from so many answers comes once in 2^60 runs.
ANSWERS = 60

ZONE = {
    "max_hosts": 2,
    "data": {
        "": {"ns": ["ns1.example.net."]},
        "no-weight": {"max_hosts": 1, "a": [["192.0.2.1"], ["192.0.2.2"]]},
        "zero": {
            "max_hosts": 1,
            "a": [["192.0.2.1", 0], ["192.0.2.2", 0]],
            "aaaa": [["2001:db8::1", 0], ["2001:db8::2", 0]],
            "mx": [{"mx": f"mx{i}.example.net.", "preference": i} for i in (3, 1, 2)],
            "txt": [{"txt": "one", "weight": 0}, {"txt": "two", "weight": 0}, {"txt": "three"}],
            "spf": ["v=spf1 a -all", "v=spf1 mx -all"],
            "ptr": [["b.example.net."], ["a.example.net."]],
        },
        "zero-cname": {"cname": [["a.example.net.", 0], ["b.example.net.", 0]]},
        "four": {"a": [["192.0.2.1", 400], ["192.0.2.2", 300], ["192.0.2.3", 200], ["192.0.2.4", 100]]},
        "equal": {"max_hosts": 1, "a": [["192.0.2.1", 10], ["192.0.2.2", 10]]},
        "triple": {"max_hosts": 1, "a": [["192.0.2.1", 7], ["192.0.2.2", 7], ["192.0.2.3", 7]]},
        "some-zero": {"a": [["192.0.2.1", 0], ["192.0.2.2", 1], ["192.0.2.3", 0], ["192.0.2.4", 1]]},
        "three-of-some-zero": {
            "max_hosts": 3,
            "a": [["192.0.2.1", 0], ["192.0.2.2", 1], ["192.0.2.3", 0], ["192.0.2.4", 1]],
        },
        "cname": {"max_hosts": 2, "cname": [["a.example.net.", 5], ["b.example.net.", 5]]},
        "none": {"max_hosts": 0, "a": [["192.0.2.1", 10]]},
        "all": {"max_hosts": 9, "a": [["192.0.2.1", 10], ["192.0.2.2", 1], ["192.0.2.3"]]},
        "own-max": {"max_hosts": 3, "a": [[f"192.0.2.{i}", 10] for i in range(1, 6)]},
        "zone-max": {
            "a": [[f"192.0.2.{i}", 10] for i in range(1, 6)],
            "aaaa": [[f"2001:db8::{i}", 10] for i in range(1, 6)],
        },
        "zone-max.dk": {"max_hosts": 4, "a": [["198.51.100.1", 10]]},
        "weighted": {
            "max_hosts": 1,
            "mx": [{"mx": f"mx{i}.example.net.", "weight": 10} for i in (1, 2)],
            "txt": [{"txt": "one", "weight": 10}, {"txt": "two", "weight": 10}],
            "spf": [{"spf": "v=spf1 a -all", "weight": 10}, {"spf": "v=spf1 mx -all", "weight": 10}],
            "ptr": [["a.example.net.", 10], ["b.example.net.", 10]],
        },
    },
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, world: Path) -> Iterator[Server]:
    """One server for the module: nothing here changes a file."""
    with serving(tmp_path_factory.mktemp("picking"), {"example.com": ZONE}, ["--geoip", str(world)]) as running:
        yield running


def draw_answers(server: Server, name: str, rrtype: str = "A", times: int = ANSWERS) -> list[tuple[str, ...]]:
    """The answers to the same question, asked again and again: the rdata of each in its order."""
    question = dns.message.make_query(name, rrtype).to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(5)
        sender.connect((server.host, server.port))
        return [_read_values(sender, question) for _ in range(times)]


def _read_values(sender: socket.socket, question: bytes) -> tuple[str, ...]:
    sender.send(question)
    answer = dns.message.from_wire(sender.recv(65535), one_rr_per_rrset=True)
    return tuple(rrset[0].to_text() for rrset in answer.answer)


@pytest.mark.parametrize(
    ("name", "rrtype"), [("no-weight", "A"), ("zero", "A"), ("zero", "AAAA"), ("zero-cname", "CNAME")]
)
def test_G150_a_total_of_zero_gives_each_address_the_weight_1(server: Server, name: str, rrtype: str) -> None:
    """Of two A, AAAA or CNAME without weight one is answered, and it is either."""
    answers = draw_answers(server, f"{name}.example.com", rrtype)

    assert {len(answer) for answer in answers} == {1}
    assert len(set(answers)) == 2


@pytest.mark.parametrize(
    ("rrtype", "values"),
    [
        ("MX", ("3 mx3.example.net.", "1 mx1.example.net.", "2 mx2.example.net.")),
        ("TXT", ('"one"', '"two"', '"three"')),
        ("SPF", ('"v=spf1 a -all"', '"v=spf1 mx -all"')),
        ("PTR", ("b.example.net.", "a.example.net.")),
    ],
)
def test_G150_other_types_without_weight_are_all_answered(server: Server, rrtype: str, values: tuple[str, ...]) -> None:
    """All records in the file's order, every time; max_hosts 1 does not count."""
    assert set(draw_answers(server, "zero.example.com", rrtype, times=20)) == {values}


def test_G151_picks_are_distinct_and_as_many_as_max_hosts(server: Server) -> None:
    """Two different records of four in every answer, and each of the four in some."""
    answers = draw_answers(server, "four.example.com", times=200)

    assert {len(set(answer)) for answer in answers} == {2}
    assert {value for answer in answers for value in answer} == {f"192.0.2.{i}" for i in (1, 2, 3, 4)}


@pytest.mark.parametrize(("name", "records"), [("equal", 2), ("triple", 3)])
def test_G152_the_first_record_has_no_extra_chance(server: Server, name: str, records: int) -> None:
    """Equal records are equally often first, where geodns gives 2/3 : 1/3 and 50 : 25 : 25.

    Within 6 standard deviations, beyond which chance comes twice in 10^9 runs; geodns's odds are over 10 away.
    """
    times = 3000
    share = 1 / records
    firsts = Counter(answer[0] for answer in draw_answers(server, f"{name}.example.com", times=times))

    assert len(firsts) == records
    assert all(abs(count - times * share) < 6 * (times * share * (1 - share)) ** 0.5 for count in firsts.values())


def test_G153_weight_zero_is_never_picked_before_positive_ones(server: Server) -> None:
    """Two positive records and max_hosts 2: those with weight 0 are in no answer."""
    answers = draw_answers(server, "some-zero.example.com", times=200)

    assert {frozenset(answer) for answer in answers} == {frozenset(("192.0.2.2", "192.0.2.4"))}


def test_G153_weight_zero_fills_up_what_positive_ones_leave(server: Server) -> None:
    """With max_hosts 3 one of the two records of weight 0 follows, and it is either."""
    answers = draw_answers(server, "three-of-some-zero.example.com")

    assert {frozenset(answer[:2]) for answer in answers} == {frozenset(("192.0.2.2", "192.0.2.4"))}
    assert {answer[2:] for answer in answers} == {("192.0.2.1",), ("192.0.2.3",)}


@pytest.mark.parametrize("rrtype", ["CNAME", "A"])
def test_G154_exactly_one_cname_is_answered(server: Server, rrtype: str) -> None:
    """One of two, whatever max_hosts says, and it is either."""
    answers = draw_answers(server, "cname.example.com", rrtype)

    assert set(answers) == {("a.example.net.",), ("b.example.net.",)}


def test_G155_max_hosts_0_is_nodata(server: Server) -> None:
    """NOERROR, no answer, the SOA."""
    answer = server.ask("none.example.com")

    assert answer.rcode() == dns.rcode.NOERROR
    assert (len(answer.answer), len(answer.authority)) == (0, 1)


def test_G155_max_hosts_beyond_the_records_gives_all(server: Server) -> None:
    """Nine of three are three."""
    assert sorted(server.values("all.example.com")) == ["192.0.2.1", "192.0.2.2", "192.0.2.3"]


@pytest.mark.parametrize("place", ["zone", "label"])
def test_G155_a_negative_max_hosts_is_an_error(tmp_path: Path, place: str) -> None:
    """geodns panics at the first query; here the file is refused, and the error says where."""
    document = {"max_hosts": -1} if place == "zone" else {"data": {"www": {"max_hosts": -1}}}
    file = tmp_path / "example.com.json"
    file.write_text(json.dumps(document))

    checked = run_command("check", file)

    assert checked.returncode == 1
    assert "max_hosts: max_hosts must be an integer >= 0, found -1" in checked.stdout


def test_G156_the_labels_max_hosts_wins_over_the_zones(server: Server) -> None:
    """3 where the label says so, else the zone's 2."""
    assert len(server.values("own-max.example.com")) == 3
    assert len(server.values("zone-max.example.com")) == 2


def test_G156_max_hosts_counts_per_type(server: Server) -> None:
    """Two A and two AAAA, also where both are asked for at once."""
    answer = server.ask("zone-max.example.com", "ANY")

    assert sorted(len(rrset) for rrset in answer.answer) == [2, 2]


def test_G156_records_of_different_targets_are_never_mixed(server: Server) -> None:
    """Denmark has one record and room for four: the others' records do not fill it up."""
    assert server.values("zone-max.example.com", subnet="192.0.2.0/24") == ["198.51.100.1"]


@pytest.mark.parametrize("rrtype", ["MX", "TXT", "SPF", "PTR"])
def test_G157_weighted_records_of_other_types_obey_max_hosts(server: Server, rrtype: str) -> None:
    """One of two, and it is either."""
    answers = draw_answers(server, "weighted.example.com", rrtype)

    assert {len(answer) for answer in answers} == {1}
    assert len(set(answers)) == 2
