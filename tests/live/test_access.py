"""Who may ask: access.queries, access.debug and access.http, over real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from tests.serving import Server, serving, wait_until

ZONE = {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [["192.0.2.1"]]}}}
FRIEND, STRANGER = "127.0.0.2", "127.0.0.3"
SETTINGS = f"""
[access]
queries = ["{FRIEND}", "127.0.1.0/24", "::1"]
debug = ["{FRIEND}"]
http = ["{FRIEND}", "127.0.0.1"]
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Two addresses: 127.0.0.1 and ::1."""
    (tmp_path / "greendns.toml").write_text(SETTINGS)
    with serving(tmp_path, {"example.com": ZONE}, listen=("127.0.0.1:0", "[::1]:0"), workers=0) as running:
        yield running


def ask(server: Server, source: str, name: str = "www.example.com", *, tcp: bool = False) -> dns.message.Message:
    """Ask from an address, over the listener of its family."""
    (host, port), *_ = [each for each in server.addresses if (":" in each[0]) == (":" in source)]
    query = dns.message.make_query(name, "ANY")
    return (dns.query.tcp if tcp else dns.query.udp)(query, host, port=port, timeout=5, source=source)


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("source", [FRIEND, "127.0.1.77", "::1"])
def test_who_is_let_in_is_answered(server: Server, source: str, tcp: bool) -> None:
    """By address or by prefix, of either family."""
    assert ask(server, source, tcp=tcp).rcode() == dns.rcode.NOERROR


def refusals(server: Server) -> float:
    return sum(server.metric("greendns_packets_total", transport=each, outcome="refused") for each in ("udp", "tcp"))


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("name", ["www.example.com", "example.net", "_status.example.com", "version.bind"])
def test_who_is_not_is_refused(server: Server, name: str, tcp: bool) -> None:
    """REFUSED, with the question and without a record or a flag of authority, whatever is asked; counted as that."""
    before = refusals(server)
    answer = ask(server, STRANGER, name, tcp=tcp)

    assert answer.rcode() == dns.rcode.REFUSED
    assert not answer.flags & dns.flags.AA
    assert [len(section) for section in answer.sections] == [1, 0, 0, 0]
    assert refusals(server) == before + 1


def test_who_speaks_EDNS_is_told_why(server: Server) -> None:
    """Extended error 18, Prohibited (RFC 8914 section 4.19)."""
    query = dns.message.make_query("www.example.com", "A", use_edns=0)
    answer = dns.query.udp(query, server.host, port=server.port, timeout=5, source=STRANGER)

    assert [option.to_text() for option in answer.options] == ["EDE 18 (Prohibited)"]


def test_what_is_malformed_is_still_told(server: Server) -> None:
    """FORMERR: so little is told to everybody."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.settimeout(5)
        stranger.bind((STRANGER, 0))
        stranger.connect((server.host, server.port))
        stranger.send(bytes(12))
        assert dns.message.from_wire(stranger.recv(512)).rcode() == dns.rcode.FORMERR


def test_a_reload_takes_the_lists(server: Server, tmp_path: Path) -> None:
    """A stranger is let in, and a friend no more."""
    (tmp_path / "greendns.toml").write_text(SETTINGS.replace(FRIEND, STRANGER))

    wait_until(lambda: ask(server, STRANGER).rcode() == dns.rcode.NOERROR, "the change")
    assert ask(server, FRIEND).rcode() == dns.rcode.REFUSED


def test_a_broken_list_changes_nothing(server: Server, tmp_path: Path) -> None:
    """It is told with its place, and the lists before it stay."""
    (tmp_path / "greendns.toml").write_text(SETTINGS.replace(f'queries = ["{FRIEND}"', 'queries = ["127.0.0.9/8"'))
    wait_until(lambda: server.health()["errors"], "the error")

    claim = 'prefix 1 must have no bits set beyond its length, as 127.0.0.0/8 has none, found "127.0.0.9/8"'
    assert server.health()["errors"] == [f"{tmp_path / 'greendns.toml'}: access.queries: {claim}"]
    assert ask(server, FRIEND).rcode() == dns.rcode.NOERROR
    assert ask(server, STRANGER).rcode() == dns.rcode.REFUSED


def page_status(server: Server, source: str, path: str = "/health") -> int:
    """The status of a page asked for from an address."""
    host, _, port = server.http.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), 5, (source, 0)) as client:
        client.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        return int(client.makefile().readline().split()[1])


@pytest.mark.parametrize("path", ["/health", "/metrics", "/version", "/nowhere"])
def test_pages_are_for_whom_they_are_for(server: Server, path: str) -> None:
    """Whoever else asks gets 403, and learns not even which pages there are."""
    assert page_status(server, FRIEND, path) == (404 if path == "/nowhere" else 200)
    assert page_status(server, STRANGER, path) == 403
