"""DNS cookies (RFC 7873) with interoperable server cookies (RFC 9018): a client that has one is no forged source.

Pure: time and secrets are arguments. A COOKIE option has 8 octets of the client's; behind them a server cookie of ours
has version, three reserved octets and a timestamp, then the hash over all before it and the client's address.
"""

from __future__ import annotations

from struct import Struct

SECRET_OCTETS = 16  # RFC 9018 section 4.4: the key of SipHash-2-4

# As C integers: a number beyond 32 bits that stands in a compiled function is a Python integer there.
_MASK = 0xFFFFFFFFFFFFFFFF
_SECONDS, _HALF = 2**32, 2**31
_WORD_OCTETS, _STAMPED_OCTETS, _COOKIE_OCTETS = 8, 16, 24
_VERSION = 1  # RFC 9018 section 4.1
# The client's cookie; version, reserved octets and timestamp (sections 4.1 to 4.3); the hash (section 4.4). As two
# numbers, which SipHash reads as little-endian: to make octets of each by itself takes as long as to hash them.
_pack_cookie = Struct("<8sQQ").pack

# RFC 9018 section 4.3: good for an hour, renewed after half of it, and five minutes of clock skew allowed.
_VALID_SECONDS = 3600
_RENEW_SECONDS = 1800
_SKEW_SECONDS = 300


class Secret:
    """A server secret: 16 octets as the four words that SipHash begins with."""

    __slots__ = ("_a", "_b", "_c", "_d")

    def __init__(self, octets: bytes) -> None:
        low = int.from_bytes(octets[:8], "little")
        high = int.from_bytes(octets[8:SECRET_OCTETS], "little")
        self._a, self._b = low ^ 0x736F6D6570736575, high ^ 0x646F72616E646F6D
        self._c, self._d = low ^ 0x6C7967656E657261, high ^ 0x7465646279746573


def siphash_2_4(secret: Secret, client: int, stamp: int, address: bytes) -> int:
    """SipHash-2-4 (Aumasson and Bernstein, 2012) of what a server cookie vouches for: 64 bits.

    client   the client's cookie, as a little-endian number
    stamp    the eight octets behind it, likewise

    >>> octets = bytes(range(20))
    >>> client, stamp = (int.from_bytes(octets[at : at + 8], "little") for at in (0, 8))
    >>> hex(siphash_2_4(Secret(bytes(range(16))), client, stamp, octets[16:]))
    '0xbed65cf21aa2ee98'
    """
    octets = address
    size = len(address)
    a, b, c, d = _rounds(secret._a, secret._b, secret._c, secret._d ^ client, 2)
    a, b, c, d = _rounds(a ^ client, b, c, d ^ stamp, 2)
    a ^= stamp
    for at in range(0, size - 7, 8):
        word = _word(octets, at, _WORD_OCTETS)
        a, b, c, d = _rounds(a, b, c, d ^ word, 2)
        a ^= word
    rest = size & 7
    count: int = _STAMPED_OCTETS + size & 0xFF
    word = count << 56 | _word(octets, size - rest, rest)
    a, b, c, d = _rounds(a, b, c, d ^ word, 2)
    a, b, c, d = _rounds(a ^ word, b, c ^ 0xFF, d, 4)
    return a ^ b ^ c ^ d


def _word(octets: bytes, at: int, count: int) -> int:
    """The `count` octets from `at` as a little-endian number."""
    word = 0
    for index in range(at + count - 1, at - 1, -1):
        word = word << 8 | octets[index]
    return word


def _rounds(a: int, b: int, c: int, d: int, count: int) -> tuple[int, int, int, int]:
    """`count` SipRounds over the four words of the state."""
    for _ in range(count):
        a = a + b & _MASK
        c = c + d & _MASK
        b = (b << 13 & _MASK | b >> 51) ^ a
        d = (d << 16 & _MASK | d >> 48) ^ c
        a = a << 32 & _MASK | a >> 32
        c = c + b & _MASK
        a = a + d & _MASK
        b = (b << 17 & _MASK | b >> 47) ^ c
        d = (d << 21 & _MASK | d >> 43) ^ a
        c = c << 32 & _MASK | c >> 32
    return a, b, c, d


def make_cookie(client_cookie: bytes, address: bytes, seconds: int, secret: Secret) -> bytes:
    """The client's cookie and a server cookie for it (RFC 9018 section 4): 24 octets, a whole option.

    client_cookie  begins with the 8 octets of the client
    address        of the client, 4 or 16 octets
    seconds        since 1970; the cookie holds them modulo 2**32
    """
    stamp = _stamp(seconds)
    own = client_cookie[:_WORD_OCTETS]
    client = _word(own, 0, len(own))
    return _pack_cookie(own, stamp, siphash_2_4(secret, client, stamp, address))


def _stamp(seconds: int) -> int:
    """Version, reserved octets and timestamp as they stand in a cookie, read as a little-endian number."""
    swapped = (seconds & 0xFF) << 24 | (seconds & 0xFF00) << 8 | seconds >> 8 & 0xFF00 | seconds >> 24 & 0xFF
    return _VERSION | swapped << 32


def is_valid(cookie: bytes, address: bytes, seconds: int, secrets: tuple[Secret, ...]) -> bool:
    """Whether a COOKIE option carries a server cookie of ours for this address, not too old and not from the future.

    secrets  any of them may have made it: while a fleet changes its secret, its servers know both (RFC 9018 section 5)
    """
    if not -_SKEW_SECONDS <= _age(cookie, seconds) <= _VALID_SECONDS:
        return False
    octets = cookie
    # The hash is taken over the reserved octets as they came (RFC 9018 section 4.2).
    client, stamp = _word(octets, 0, _WORD_OCTETS), _word(octets, _WORD_OCTETS, _WORD_OCTETS)
    told = _word(octets, _STAMPED_OCTETS, _WORD_OCTETS)
    # A generator would cost as much as the hash.
    for secret in secrets:  # noqa: SIM110
        if siphash_2_4(secret, client, stamp, address) == told:
            return True
    return False


def is_young(cookie: bytes, seconds: int) -> bool:
    """Whether a valid cookie may be used on, and needs no fresh one in its place."""
    return _age(cookie, seconds) < _RENEW_SECONDS


def _age(cookie: bytes, seconds: int) -> int:
    """Seconds since the cookie was made, by serial number arithmetic (RFC 1982); too many if it is not of ours."""
    octets = cookie
    if len(cookie) != _COOKIE_OCTETS or octets[_WORD_OCTETS] != _VERSION:
        return _VALID_SECONDS + 1
    made = octets[12] << 24 | octets[13] << 16 | octets[14] << 8 | octets[15]
    age = (seconds - made) % _SECONDS
    return age - _SECONDS if age >= _HALF else age
