"""Server cookies are those of RFC 9018, so that servers of several makers can stand behind one address."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns.cookies import is_valid, is_young, make_cookie
from greendns.siphash import Secret, siphash_2_4

SECRET = Secret(bytes.fromhex("e5e973e5a6b2a43f48e7dc849e37bfcf"))
OLD_SECRET = Secret(bytes.fromhex("dd3bdf9344b678b185a6f5cb60fca715"))
NEW_SECRET = Secret(bytes.fromhex("445536bcd2513298075a5d379663c962"))
ONLY = (SECRET,)

CLIENT_COOKIE = bytes.fromhex("2464c4abcf10c957")
ADDRESS = ipaddress.ip_address("198.51.100.100").packed
IPV6_CLIENT_COOKIE = bytes.fromhex("22681ab97d52c298")
IPV6_ADDRESS = ipaddress.ip_address("2001:db8:220:1:59de:d0f4:8769:82b8").packed
MADE = 1559731985

HOUR = 3600
COOKIE = CLIENT_COOKIE + bytes.fromhex("010000005cf79f111f8130c3eee29480")


def test_a_new_cookie_is_that_of_appendix_a1() -> None:
    """Learning a new server cookie (RFC 9018 appendix A.1)."""
    assert make_cookie(CLIENT_COOKIE, ADDRESS, MADE, SECRET) == COOKIE


def test_a_later_cookie_is_that_of_appendix_a2() -> None:
    """The same client 40 minutes later gets a fresh one (RFC 9018 appendix A.2)."""
    assert not is_young(COOKIE, MADE + 40 * 60)
    answered = make_cookie(COOKIE, ADDRESS, MADE + 40 * 60, SECRET)

    assert answered == CLIENT_COOKIE + bytes.fromhex("010000005cf7a871d4a564a1442aca77")


def test_reserved_octets_are_hashed_as_they_came() -> None:
    """A cookie of a later software is valid whatever they hold (RFC 9018 section 4.2 and appendix A.3)."""
    cookie = bytes.fromhex("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5")
    address = ipaddress.ip_address("203.0.113.203").packed

    assert is_valid(cookie, address, 0x5CF78F71 + 60, ONLY)


def test_cookies_of_ipv6_clients_are_those_of_appendix_a4() -> None:
    """Before and after the secret is rolled over (RFC 9018 appendix A.4)."""
    old = make_cookie(IPV6_CLIENT_COOKIE, IPV6_ADDRESS, 0x5CF7C579, OLD_SECRET)
    new = make_cookie(IPV6_CLIENT_COOKIE, IPV6_ADDRESS, 0x5CF7C609, NEW_SECRET)

    assert old[8:].hex() == "010000005cf7c57926556bd0934c72f8"
    assert new[8:].hex() == "010000005cf7c609a6bb79d16625507a"
    assert is_valid(old, IPV6_ADDRESS, 0x5CF7C609, (NEW_SECRET, OLD_SECRET))
    assert not is_valid(old, IPV6_ADDRESS, 0x5CF7C609, (NEW_SECRET,))


@pytest.mark.parametrize("age", [0, 1, 1800, HOUR, -1, -300])
def test_a_cookie_is_good_for_an_hour(age: int) -> None:
    """And for a clock that is five minutes late (RFC 9018 section 4.3)."""
    assert is_valid(COOKIE, ADDRESS, MADE + age, ONLY)


@pytest.mark.parametrize("age", [HOUR + 1, 24 * HOUR, -301, 2**31])
def test_an_old_cookie_and_one_from_the_future_are_not_good(age: int) -> None:
    """Older than an hour, or further ahead than five minutes."""
    assert not is_valid(COOKIE, ADDRESS, MADE + age, ONLY)


def test_a_cookie_is_good_when_the_seconds_wrap_around() -> None:
    """Serial number arithmetic (RFC 1982): made before 2106-02-07 06:28:16, read after it."""
    made = 2**32 - 10
    cookie = make_cookie(CLIENT_COOKIE, ADDRESS, made, SECRET)

    assert is_valid(cookie, ADDRESS, 2**32 + 10, ONLY)


@given(st.integers(0, len(COOKIE) * 8 - 1))
def test_a_cookie_with_any_bit_changed_is_not_good(bit: int) -> None:
    """Nothing of it can be made up, the client's half included."""
    octets = bytearray(COOKIE)
    octets[bit // 8] ^= 1 << bit % 8

    assert not is_valid(bytes(octets), ADDRESS, MADE, ONLY)


def test_a_cookie_is_good_for_its_own_address_and_secret_only() -> None:
    """It is bound to both."""
    assert not is_valid(COOKIE, IPV6_ADDRESS, MADE, ONLY)
    assert not is_valid(COOKIE, ADDRESS, MADE, (OLD_SECRET, NEW_SECRET))


@given(st.binary(min_size=8, max_size=40))
def test_whatever_comes_a_good_cookie_can_be_made(cookie: bytes) -> None:
    """With the client's own half, and good from then on."""
    made = make_cookie(cookie, ADDRESS, MADE, SECRET)

    assert made[:8] == cookie[:8]
    assert len(made) == 24
    assert is_valid(made, ADDRESS, MADE, ONLY)


@given(st.binary(max_size=40))
def test_nothing_made_up_is_valid(cookie: bytes) -> None:
    """Whatever its length: to be read is no promise of the caller's."""
    assert not is_valid(cookie, ADDRESS, MADE, ONLY)


def test_a_cookie_is_young_for_half_an_hour() -> None:
    """Then a fresh one is made (RFC 9018 section 4.3)."""
    assert is_young(COOKIE, MADE + 1799)
    assert not is_young(COOKIE, MADE + 1801)


# Of the test vectors that its authors give, those that begin with a client's cookie and a stamp: messages of the octets
# 0, 1, 2 and so on, 16 of them, 17 of them ...
SIPHASH_VECTORS = """
    db9bc2577fcc2a3f 9447be2cf5e99a69 9cd38d96f0b3c14b bd6179a71dc96dbb
    98eea21af25cd6be c7673b2eb0cbf2d0 883ea3e395675393 c8ce5ccd8c030ca8
    94af49f6c650adb8 eab8858ade92e1bc f315bb5bb835d817 adcf6b0763612e2f
    a5c91da7acaa4dde 716595876650a2a6 28ef495c53a387ad 42c341d8fa92d832
""".split()


@pytest.mark.parametrize(("octets", "digest"), list(enumerate(SIPHASH_VECTORS, 16)))
def test_the_hash_is_siphash_2_4(octets: int, digest: str) -> None:
    """Of every length of a last word."""
    message = bytes(range(octets))
    client, stamp = int.from_bytes(message[:8], "little"), int.from_bytes(message[8:16], "little")
    hashed = siphash_2_4(Secret(bytes(range(16))), client, stamp, message[16:])

    assert hashed.to_bytes(8, "little").hex() == digest
