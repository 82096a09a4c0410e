"""Server cookies over sockets: from a secret that servers share, demanded where that is set."""

from __future__ import annotations

import time
from pathlib import Path

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from greendns.cookies import is_valid
from greendns.siphash import Secret
from tests.serving import Server, run_command, serving, wait_until

OLD, NEW = "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"
CLIENT_COOKIE = bytes(range(8))
ZONES = {"example.com": {"data": {"www": {"a": [["192.0.2.1"]]}}}}
COOKIE = dns.edns.OptionType.COOKIE


def configure(directory: Path, *secrets: str, required: bool = False) -> None:
    """Secrets, and a configuration that names them."""
    (directory / "secrets").write_text("\n".join(secrets))
    (directory / "greendns.toml").write_text(
        f'[cookies]\nsecret_file = "secrets"\nrequired = {str(required).lower()}\n'
    )


def ask(server: Server, cookie: bytes = CLIENT_COOKIE, tcp: bool = False) -> dns.message.Message:
    """The answer to a query with this COOKIE option."""
    return server.ask("www.example.com", options=[dns.edns.GenericOption(COOKIE, cookie)], tcp=tcp)


def cookie_of(answer: dns.message.Message) -> bytes:
    """The COOKIE option of an answer."""
    (option,) = [option for option in answer.options if option.otype == COOKIE]
    return option.to_wire() or b""


def is_made_with(secret: str, cookie: bytes) -> bool:
    """Whether a cookie for 127.0.0.1 was made with this secret."""
    return is_valid(cookie, b"\x7f\x00\x00\x01", int(time.time()), (Secret(bytes.fromhex(secret)),))


def test_servers_of_one_secret_take_each_others_cookies(tmp_path: Path) -> None:
    """What one made comes back from the other as it is, also through a change of the secret (RFC 9018 section 5)."""
    places = [tmp_path / "one", tmp_path / "two"]
    for place in places:
        place.mkdir()
        configure(place, OLD)
    with serving(places[0], ZONES, workers=0) as one, serving(places[1], ZONES, workers=0) as two:
        old = cookie_of(ask(one))
        assert cookie_of(ask(two, old)) == old

        configure(places[0], NEW, OLD)
        wait_until(lambda: is_made_with(NEW, cookie_of(ask(one))), "the new secret makes cookies")
        new = cookie_of(ask(one))
        assert cookie_of(ask(one, old)) == old
        assert cookie_of(ask(two, new)) != new

        configure(places[1], OLD, NEW)
        wait_until(lambda: cookie_of(ask(two, new)) == new, "the new secret is known to both")


def test_a_broken_file_of_secrets_changes_no_cookie(tmp_path: Path) -> None:
    """It is told on /health and by `greendns check`, and cookies are good as before."""
    configure(tmp_path, OLD)
    with serving(tmp_path, ZONES) as server:
        cookie = cookie_of(ask(server))
        configure(tmp_path, "no secret")
        server.wait_in_force(lambda: server.health()["status"] == "degraded", "the broken file is seen")

        assert cookie_of(ask(server, cookie)) == cookie
        assert "secrets: line 1: must be 32 hexadecimal digits" in server.health()["errors"][0]
    checked = run_command("check", "--config", tmp_path)
    assert checked.returncode == 1
    assert "secrets: line 1: must be 32 hexadecimal digits" in checked.stdout


@pytest.mark.parametrize("workers", [0, 1])
def test_where_cookies_are_required_a_client_gets_one_first(tmp_path: Path, workers: int) -> None:
    """BADCOOKIE and nothing but the question; with the fresh cookie the answer (RFC 7873 section 5.2.3)."""
    configure(tmp_path, OLD, required=True)
    with serving(tmp_path, ZONES, workers=workers) as server:
        first = ask(server)
        assert (first.rcode(), first.answer, len(first.question)) == (dns.rcode.BADCOOKIE, [], 1)
        assert not first.flags & dns.flags.AA

        second = ask(server, cookie_of(first))
        assert (second.rcode(), len(second.answer)) == (dns.rcode.NOERROR, 1)
        assert cookie_of(second) == cookie_of(first)


def test_where_cookies_are_required_others_are_answered(tmp_path: Path) -> None:
    """Who has no cookie option, with and without EDNS; and who came over TCP, which proves his address."""
    configure(tmp_path, OLD, required=True)
    with serving(tmp_path, ZONES, workers=0) as server:
        assert len(server.ask("www.example.com", edns=False).answer) == 1
        assert len(server.ask("www.example.com").answer) == 1
        assert len(ask(server, tcp=True).answer) == 1


@pytest.mark.parametrize("required", [False, True])
def test_who_asks_for_a_cookie_alone_gets_one(tmp_path: Path, required: bool) -> None:
    """NOERROR to a client cookie and to a valid server cookie, BADCOOKIE to one that is not (RFC 7873 section 5.4)."""
    configure(tmp_path, OLD, required=required)

    def rcode_and_cookie(server: Server, cookie: bytes) -> tuple[int, bytes]:
        query = dns.message.Message(id=1)
        query.use_edns(0, options=[dns.edns.GenericOption(COOKIE, cookie)])
        answer = dns.query.udp(query, server.host, port=server.port, timeout=5)
        return answer.rcode(), cookie_of(answer)

    with serving(tmp_path, ZONES, workers=0) as server:
        rcode, cookie = rcode_and_cookie(server, CLIENT_COOKIE)
        assert rcode == dns.rcode.NOERROR
        assert rcode_and_cookie(server, cookie) == (dns.rcode.NOERROR, cookie)
        assert rcode_and_cookie(server, CLIENT_COOKIE + bytes(16))[0] == dns.rcode.BADCOOKIE
