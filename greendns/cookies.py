"""DNS cookies (RFC 7873) with interoperable server cookies (RFC 9018): a client that has one is no forged source.

Pure: time and secret are arguments.
"""

from __future__ import annotations

_MASK = 0xFFFFFFFFFFFFFFFF
_VERSION = b"\x01\x00\x00\x00"  # version 1 and three reserved octets (RFC 9018 section 4.1, 4.2)

# RFC 9018 section 4.3: good for an hour, renewed after half of it, and five minutes of clock skew allowed.
_VALID_SECONDS = 3600
_RENEW_SECONDS = 1800
_SKEW_SECONDS = 300


def siphash_2_4(key: bytes, message: bytes) -> bytes:
    """SipHash-2-4 (Aumasson and Bernstein, 2012): 8 octets, little-endian, from a key of 16.

    >>> siphash_2_4(bytes(range(16)), bytes(range(15))).hex()
    'e545be4961ca29a1'
    """
    low = int.from_bytes(key[:8], "little")
    high = int.from_bytes(key[8:16], "little")
    a, b = low ^ 0x736F6D6570736575, high ^ 0x646F72616E646F6D
    c, d = low ^ 0x6C7967656E657261, high ^ 0x7465646279746573
    padded = message + b"\x00" * (7 - len(message) % 8) + bytes((len(message) & 0xFF,))
    for at in range(0, len(padded), 8):
        word = int.from_bytes(padded[at : at + 8], "little")
        a, b, c, d = _rounds(a, b, c, d ^ word, 2)
        a ^= word
    a, b, c, d = _rounds(a, b, c ^ 0xFF, d, 4)
    digest = a ^ b ^ c ^ d
    return digest.to_bytes(8, "little")


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


def server_cookie(client_cookie: bytes, address: bytes, seconds: int, secret: bytes) -> bytes:
    """The 16 octets of a server cookie (RFC 9018 section 4).

    client_cookie  8 octets
    address        of the client, 4 or 16 octets
    seconds        since 1970; the cookie holds them modulo 2**32
    """
    stamped = _VERSION + (seconds & 0xFFFFFFFF).to_bytes(4, "big")
    return stamped + siphash_2_4(secret, client_cookie + stamped + address)


def is_valid(cookie: bytes, address: bytes, seconds: int, secret: bytes) -> bool:
    """Whether a COOKIE option carries a server cookie of ours for this address, not too old and not from the future."""
    # The hash is taken over the reserved octets as they came (RFC 9018 section 4.2).
    is_fresh = -_SKEW_SECONDS <= _age(cookie, seconds) <= _VALID_SECONDS
    return is_fresh and cookie[16:] == siphash_2_4(secret, cookie[:16] + address)


def answer_cookie(cookie: bytes, address: bytes, seconds: int, secret: bytes) -> bytes:
    """The COOKIE option that answers `cookie`: a young valid one comes back as it is, any other gets a fresh one."""
    if _age(cookie, seconds) < _RENEW_SECONDS and is_valid(cookie, address, seconds, secret):
        return cookie
    return cookie[:8] + server_cookie(cookie[:8], address, seconds, secret)


def _age(cookie: bytes, seconds: int) -> int:
    """Seconds since the cookie was made, by serial number arithmetic (RFC 1982); too many if it is not of ours."""
    if len(cookie) != 24 or cookie[8] != _VERSION[0]:
        return _VALID_SECONDS + 1
    age = (seconds - int.from_bytes(cookie[12:16], "big")) & 0xFFFFFFFF
    return age - 0x100000000 if age >= 0x80000000 else age
