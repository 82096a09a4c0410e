"""What the CHAOS names say is the operator's choice (RFC 4892)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dns.edns
import dns.message
import dns.rcode
import pytest

from greendns import __version__
from tests.serving import Server, serving, wait_until

ZONES = {"example.com": {"data": {"www": {"a": [["192.0.2.1"]]}}}}
NAMES = ("version.bind", "version.server", "id.server", "hostname.bind")


def told(server: Server, name: str, rrtype: str = "TXT", tcp: bool = False) -> str | None:
    """What a CHAOS name says; None where it is refused."""
    answer = server.ask(name, rrtype, rdclass="CH", tcp=tcp)
    if answer.rcode() == dns.rcode.REFUSED:
        assert answer.answer == []
        return None
    (rrset,) = answer.answer
    return str(b"".join(rrset[0].strings).decode())


def test_by_itself_a_server_tells_its_version_and_its_id(tmp_path: Path) -> None:
    """Over both transports."""
    with serving(tmp_path, ZONES, ["--identifier", "ns1,group"], workers=0) as server:
        for tcp in (False, True):
            expected = [f"GreenDNS {__version__}", f"GreenDNS {__version__}", "ns1", "ns1"]
            assert [told(server, name, tcp=tcp) for name in NAMES] == expected


def test_what_is_told_follows_the_settings(tmp_path: Path) -> None:
    """A text of one's own, nothing, or as ever; a reload takes it."""
    place = tmp_path / "greendns.toml"
    place.write_text('[chaos]\nversion = "none of your business"\nidentity = "off"\nhostname = "pop3.example.net"\n')
    with serving(tmp_path, ZONES, ["--identifier", "ns1"], workers=0) as server:
        expected = ["none of your business", "none of your business", None, "pop3.example.net"]
        assert [told(server, name) for name in NAMES] == expected

        place.write_text('[chaos]\nversion = "off"\nhostname = "off"\n')
        wait_until(lambda: [told(server, name) for name in NAMES] == [None, None, "ns1", None], "the reload is taken")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server; its texts have the longest length there is."""
    directory = tmp_path_factory.mktemp("chaos")
    (directory / "greendns.toml").write_text(f'[chaos]\nversion = "{"v" * 255}"\n')
    with serving(directory, ZONES, ["--identifier", "i" * 255], workers=0) as running:
        yield running


@pytest.mark.parametrize("rrtype", ["A", "NS", "SOA", "AXFR", "TYPE65280"])
def test_other_types_are_refused(server: Server, rrtype: str) -> None:
    """There is nothing but the text."""
    assert server.ask("version.bind", rrtype, rdclass="CH").rcode() == dns.rcode.REFUSED


def test_any_is_the_text(server: Server) -> None:
    """It is all there is."""
    assert told(server, "version.bind", "ANY") == "v" * 255


def test_a_text_that_does_not_fit_is_asked_for_again_by_tcp(server: Server) -> None:
    """TC, as with any record: beside an identifier of 255 octets in 512."""
    options = [dns.edns.GenericOption(dns.edns.OptionType.NSID, b"")]
    by_udp = server.ask("version.bind", "TXT", rdclass="CH", payload=512, options=options)
    by_tcp = server.ask("version.bind", "TXT", rdclass="CH", payload=512, options=options, tcp=True)

    assert by_udp.flags & dns.flags.TC
    assert by_udp.answer == []
    assert len(by_tcp.answer) == 1
