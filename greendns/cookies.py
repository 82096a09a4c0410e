"""DNS cookies (RFC 7873) with interoperable server cookies (RFC 9018): a client that has one is no forged source.

Pure: time and secrets are arguments. A COOKIE option has 8 octets of the client's; behind them a server cookie of ours
has version, three reserved octets and a timestamp, then the hash over all before it and the client's address.
"""

from __future__ import annotations

from struct import Struct

SECRET_OCTETS = 16  # RFC 9018 section 4.4: the key of SipHash-2-4

_MASK = 0xFFFFFFFFFFFFFFFF
_CLIENT_OCTETS, _STAMPED_OCTETS, _COOKIE_OCTETS = 8, 16, 24
_STAMP_AT = 12
_VERSION = 1  # RFC 9018 section 4.1
_pack_head = Struct(">BxxxI").pack  # version, reserved (section 4.2), timestamp (section 4.3)
_pack_hash = Struct("<Q").pack

# RFC 9018 section 4.3: good for an hour, renewed after half of it, and five minutes of clock skew allowed.
_VALID_SECONDS = 3600
_RENEW_SECONDS = 1800
_SKEW_SECONDS = 300


class Secret:
    """A server secret: 16 octets as the two words of a SipHash key."""

    __slots__ = ("_high", "_low")

    def __init__(self, octets: bytes) -> None:
        self._low = int.from_bytes(octets[:8], "little")
        self._high = int.from_bytes(octets[8:SECRET_OCTETS], "little")


def siphash_2_4(secret: Secret, message: bytes) -> int:
    """SipHash-2-4 (Aumasson and Bernstein, 2012) of a message: 64 bits.

    >>> hex(siphash_2_4(Secret(bytes(range(16))), bytes(range(15))))
    '0xa129ca6149be45e5'
    """
    octets = message
    size = len(message)
    low, high = secret._low, secret._high
    a, b = low ^ 0x736F6D6570736575, high ^ 0x646F72616E646F6D
    c, d = low ^ 0x6C7967656E657261, high ^ 0x7465646279746573
    for at in range(0, size - 7, 8):
        word = _word(octets, at, 8)
        a, b, c, d = _rounds(a, b, c, d ^ word, 2)
        a ^= word
    rest = size & 7
    count: int = size & 0xFF
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
    stamped = client_cookie[:_CLIENT_OCTETS] + _pack_head(_VERSION, seconds & 0xFFFFFFFF)
    return stamped + _pack_hash(siphash_2_4(secret, stamped + address))


def is_valid(cookie: bytes, address: bytes, seconds: int, secrets: tuple[Secret, ...]) -> bool:
    """Whether a COOKIE option carries a server cookie of ours for this address, not too old and not from the future.

    secrets  any of them may have made it: while a fleet changes its secret, its servers know both (RFC 9018 section 5)
    """
    if not -_SKEW_SECONDS <= _age(cookie, seconds) <= _VALID_SECONDS:
        return False
    octets = cookie
    # The hash is taken over the reserved octets as they came (RFC 9018 section 4.2).
    message = octets[:_STAMPED_OCTETS] + address
    told = _word(octets, _STAMPED_OCTETS, 8)
    # A generator would cost as much as the hash.
    for secret in secrets:  # noqa: SIM110
        if siphash_2_4(secret, message) == told:
            return True
    return False


def is_young(cookie: bytes, seconds: int) -> bool:
    """Whether a valid cookie may be used on, and needs no fresh one in its place."""
    return _age(cookie, seconds) < _RENEW_SECONDS


def _age(cookie: bytes, seconds: int) -> int:
    """Seconds since the cookie was made, by serial number arithmetic (RFC 1982); too many if it is not of ours."""
    octets = cookie
    if len(cookie) != _COOKIE_OCTETS or octets[_CLIENT_OCTETS] != _VERSION:
        return _VALID_SECONDS + 1
    made = octets[_STAMP_AT] << 24 | octets[_STAMP_AT + 1] << 16 | octets[_STAMP_AT + 2] << 8 | octets[_STAMP_AT + 3]
    age = seconds - made & 0xFFFFFFFF
    return age - 0x100000000 if age >= 0x80000000 else age
