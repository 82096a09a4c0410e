"""Server cookies are those of RFC 9018, so that servers of several makers can stand behind one address."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns.cookies import answer_cookie, is_valid, server_cookie

SECRET = bytes.fromhex("e5e973e5a6b2a43f48e7dc849e37bfcf")
OLD_SECRET = bytes.fromhex("dd3bdf9344b678b185a6f5cb60fca715")
NEW_SECRET = bytes.fromhex("445536bcd2513298075a5d379663c962")

CLIENT_COOKIE = bytes.fromhex("2464c4abcf10c957")
ADDRESS = ipaddress.ip_address("198.51.100.100").packed
IPV6_CLIENT_COOKIE = bytes.fromhex("22681ab97d52c298")
IPV6_ADDRESS = ipaddress.ip_address("2001:db8:220:1:59de:d0f4:8769:82b8").packed
MADE = 1559731985

HOUR = 3600
COOKIE = CLIENT_COOKIE + bytes.fromhex("010000005cf79f111f8130c3eee29480")


def test_a_new_cookie_is_that_of_appendix_a1() -> None:
    """Learning a new server cookie (RFC 9018 appendix A.1)."""
    assert server_cookie(CLIENT_COOKIE, ADDRESS, MADE, SECRET).hex() == "010000005cf79f111f8130c3eee29480"


def test_a_later_cookie_is_that_of_appendix_a2() -> None:
    """The same client 40 minutes later gets a fresh one (RFC 9018 appendix A.2)."""
    answered = answer_cookie(COOKIE, ADDRESS, MADE + 40 * 60, SECRET)

    assert answered == CLIENT_COOKIE + bytes.fromhex("010000005cf7a871d4a564a1442aca77")


def test_reserved_octets_are_hashed_as_they_came() -> None:
    """A cookie of a later software is valid whatever they hold (RFC 9018 section 4.2 and appendix A.3)."""
    cookie = bytes.fromhex("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5")
    address = ipaddress.ip_address("203.0.113.203").packed

    assert is_valid(cookie, address, 0x5CF78F71 + 60, SECRET)


def test_cookies_of_ipv6_clients_are_those_of_appendix_a4() -> None:
    """Before and after the secret is rolled over (RFC 9018 appendix A.4)."""
    old = server_cookie(IPV6_CLIENT_COOKIE, IPV6_ADDRESS, 0x5CF7C579, OLD_SECRET)
    new = server_cookie(IPV6_CLIENT_COOKIE, IPV6_ADDRESS, 0x5CF7C609, NEW_SECRET)

    assert old.hex() == "010000005cf7c57926556bd0934c72f8"
    assert new.hex() == "010000005cf7c609a6bb79d16625507a"


@pytest.mark.parametrize("age", [0, 1, 1800, HOUR, -1, -300])
def test_a_cookie_is_good_for_an_hour(age: int) -> None:
    """And for a clock that is five minutes late (RFC 9018 section 4.3)."""
    assert is_valid(COOKIE, ADDRESS, MADE + age, SECRET)


@pytest.mark.parametrize("age", [HOUR + 1, 24 * HOUR, -301, 2**31])
def test_an_old_cookie_and_one_from_the_future_are_not_good(age: int) -> None:
    """Older than an hour, or further ahead than five minutes."""
    assert not is_valid(COOKIE, ADDRESS, MADE + age, SECRET)


def test_a_cookie_is_good_when_the_seconds_wrap_around() -> None:
    """Serial number arithmetic (RFC 1982): made before 2106-02-07 06:28:16, read after it."""
    made = 2**32 - 10
    cookie = CLIENT_COOKIE + server_cookie(CLIENT_COOKIE, ADDRESS, made, SECRET)

    assert is_valid(cookie, ADDRESS, 2**32 + 10, SECRET)


@given(st.integers(0, len(COOKIE) * 8 - 1))
def test_a_cookie_with_any_bit_changed_is_not_good(bit: int) -> None:
    """Nothing of it can be made up, the client's half included."""
    octets = bytearray(COOKIE)
    octets[bit // 8] ^= 1 << bit % 8

    assert not is_valid(bytes(octets), ADDRESS, MADE, SECRET)


def test_a_cookie_is_good_for_its_own_address_and_secret_only() -> None:
    """It is bound to both."""
    assert not is_valid(COOKIE, IPV6_ADDRESS, MADE, SECRET)
    assert not is_valid(COOKIE, ADDRESS, MADE, OLD_SECRET)


@given(st.binary(min_size=8, max_size=40))
def test_whatever_comes_a_good_cookie_goes_back(cookie: bytes) -> None:
    """With the client's own half, and good from then on."""
    answered = answer_cookie(cookie, ADDRESS, MADE, SECRET)

    assert answered[:8] == cookie[:8]
    assert len(answered) == 24
    assert is_valid(answered, ADDRESS, MADE, SECRET)


def test_a_young_cookie_goes_back_as_it_came() -> None:
    """Only after half an hour a fresh one is made (RFC 9018 section 4.3)."""
    assert answer_cookie(COOKIE, ADDRESS, MADE + 1799, SECRET) == COOKIE
    assert answer_cookie(COOKIE, ADDRESS, MADE + 1801, SECRET) != COOKIE
