"""Rate limiting of responses, seen from networks of 127.0.0.0/8: what a flood gets, what others get, what is told."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.edns
import dns.flags
import dns.message
import dns.query
import pytest

from tests.serving import Server, serving, wait_until

RATE = 20
ASKED = 200
ZONE = {
    "data": {
        "": {"ns": ["ns1.example.net."]},
        "www": {"a": [["192.0.2.1", 10]]},
        "below": {"ns": ["ns1.example.org."]},
    }
}
KINDS = ("answers", "nodata", "nxdomain", "referrals", "errors")
LIMITED = ("counted", "dropped", "truncated")


def settings_text(**settings: object) -> str:
    """A greendns.toml that limits, unless these settings say otherwise."""
    values = {**{f"{kind}_per_second": RATE for kind in KINDS}, "mode": "limit", **settings}
    return "\n".join(["[rate_limit]", *[f"{key} = {json.dumps(value)}" for key, value in values.items()]])


@contextmanager
def limiting(directory: Path, **settings: object) -> Iterator[Server]:
    """A server of two workers with these settings."""
    (directory / "greendns.toml").write_text(settings_text(**settings))
    with serving(directory, {"example.com": ZONE}) as server:
        yield server


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """One that limits, and sends every second answer of those held back truncated."""
    with limiting(tmp_path) as running:
        yield running


def flood(server: Server, source: str, name: str = "www.example.com", rrtype: str = "A") -> Counter[str]:
    """Ask ASKED times from one address, without waiting; what came: whole, truncated, nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((source, 0))
        sender.connect((server.host, server.port))
        sender.settimeout(5)
        for number in range(ASKED):
            sender.send(dns.message.make_query(name, rrtype, id=number).to_wire())
        wait_until(lambda: read_count(server) >= ASKED, "the server has read the flood")
        dropped = int(server.metric("greendns_rate_limited_answers_total", action="dropped"))
        answers = [dns.message.from_wire(sender.recv(65535)) for _ in range(ASKED - dropped)]
        sender.setblocking(False)
        with pytest.raises(BlockingIOError):
            sender.recv(65535)
    truncated = sum(bool(answer.flags & dns.flags.TC) for answer in answers)
    return Counter(whole=len(answers) - truncated, truncated=truncated, nothing=dropped)


def read_count(server: Server) -> float:
    """How many datagrams were read and judged so far."""
    kinds = ("answer", "nodata", "nxdomain", "referral", "refused", "error")
    return sum(server.metric("greendns_packets_total", transport="udp", outcome=kind) for kind in kinds)


@pytest.mark.parametrize(
    ("name", "rrtype"),
    [("www.example.com", "A"), ("www.example.com", "MX"), ("x.example.com", "A"), ("a.below.example.com", "A")],
)
def test_a_flood_from_one_network_is_held_back(server: Server, name: str, rrtype: str) -> None:
    """The rate goes out whole, of the rest about half truncated and half not at all; counted as what they are."""
    found = flood(server, "127.1.1.1", name, rrtype)

    # What falls due within the few hundredths of a second that it takes goes out too, and is then owed.
    assert RATE <= found["whole"] <= RATE + 2
    assert 50 < found["truncated"] < 130
    told = {action: server.metric("greendns_rate_limited_answers_total", action=action) for action in LIMITED}
    assert told == {"counted": 0, "dropped": found["nothing"], "truncated": found["truncated"]}


def test_errors_go_whole_or_not_at_all(server: Server) -> None:
    """There is nothing to ask for by TCP."""
    found = flood(server, "127.1.1.1", "www.example.org")
    assert found["truncated"] == 0
    assert 50 < found["nothing"] < 150


def test_another_network_is_not_concerned(server: Server) -> None:
    """Neither is TCP, from the network that is limited."""
    flood(server, "127.1.1.1")

    query = dns.message.make_query("www.example.com", "A")
    for _ in range(2 * RATE):
        answer = dns.query.tcp(query, server.host, port=server.port, source="127.1.1.2", timeout=5)
        assert answer.answer
        assert not answer.flags & dns.flags.TC
    assert server.values("www.example.com") == ["192.0.2.1"]


def test_a_client_with_a_server_cookie_is_not_limited(server: Server) -> None:
    """It has had an answer, so its source is not forged; one with a made-up cookie is limited."""
    flood(server, "127.0.0.1")
    client, forged = b"client!!", b"\x01\0\0\0" + bytes(12)
    (cookie,) = [
        option.to_wire()
        for option in dns.query.tcp(with_cookie(client), server.host, port=server.port, timeout=5).options
        if option.otype == dns.edns.OptionType.COOKIE
    ]

    def is_whole(cookie: bytes) -> bool:
        wire = server.exchange(with_cookie(cookie).to_wire(), timeout=0.2)
        return wire is not None and not dns.message.from_wire(wire).flags & dns.flags.TC

    assert cookie
    assert all(is_whole(cookie) for _ in range(3 * RATE))
    assert not any(is_whole(client + forged) for _ in range(3))


def with_cookie(cookie: bytes) -> dns.message.Message:
    """A query with a COOKIE option."""
    option = dns.edns.GenericOption(dns.edns.OptionType.COOKIE, cookie)
    return dns.message.make_query("www.example.com", "A", use_edns=0, options=[option])


def test_all_are_sent_truncated_with_a_slip_of_one(tmp_path: Path) -> None:
    """No client is left without an answer then."""
    with limiting(tmp_path, slip=1) as server:
        found = flood(server, "127.1.1.1")
    assert found["nothing"] == 0
    assert found["truncated"] >= ASKED - RATE - 2


def test_a_truncated_answer_has_the_question_and_no_records(tmp_path: Path) -> None:
    with limiting(tmp_path, slip=1, answers_per_second=1) as server:
        answers = [server.ask("wWw.Example.com") for _ in range(5)]
    last = answers[-1]
    assert last.flags & dns.flags.TC
    assert last.question[0].name.to_text() == "wWw.Example.com."
    assert last.edns == 0
    assert (last.answer, last.authority, last.additional) == ([], [], [])


@pytest.mark.parametrize(("mode", "is_told"), [("count", False), ("log", True)])
def test_what_would_be_held_back_is_counted(tmp_path: Path, mode: str, is_told: bool) -> None:
    """And sent; or told in the log as well."""
    with limiting(tmp_path, mode=mode) as server:
        found = flood(server, "127.1.1.1")
        assert found["whole"] == ASKED
        assert server.metric("greendns_rate_limited_answers_total", action="counted") >= ASKED - RATE - 2
        assert ("rate limit: answers (answer) to the network of 127.1.1.1" in server.log_text()) == is_told


def test_nothing_is_counted_where_it_is_off(tmp_path: Path) -> None:
    with limiting(tmp_path, mode="off") as server:
        assert flood(server, "127.1.1.1")["whole"] == ASKED
        assert server.metric("greendns_rate_limited_answers_total", action="counted") == 0


def test_a_reload_changes_the_mode(server: Server, tmp_path: Path) -> None:
    """While it runs: to count alone; the accounts stay."""
    flood(server, "127.1.1.1")
    (tmp_path / "greendns.toml").write_text(settings_text(mode="count"))
    wait_until(lambda: server.metric("greendns_reloads_total", result="ok"), "the reload")
    before = server.metric("greendns_rate_limited_answers_total", action="counted")

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.1.1.1", 0))
        sender.connect((server.host, server.port))
        sender.settimeout(5)
        sender.send(dns.message.make_query("www.example.com", "A").to_wire())
        assert dns.message.from_wire(sender.recv(65535)).answer
    wait_until(lambda: server.metric("greendns_rate_limited_answers_total", action="counted") > before, "it is counted")
