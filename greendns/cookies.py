"""DNS cookies (RFC 7873) with interoperable server cookies (RFC 9018): a client that has one is no forged source.

Pure: time and secrets are arguments. A COOKIE option has 8 octets of the client's; behind them a server cookie of ours
has version, three reserved octets and a timestamp, then the hash over all before it and the client's address.
"""

from __future__ import annotations

from struct import Struct

from .siphash import KEY_OCTETS, Secret, read_word, siphash_2_4

SECRET_OCTETS = KEY_OCTETS  # RFC 9018 section 4.4: the key of SipHash-2-4

# As C integers: a number beyond 32 bits that stands in a compiled function is a Python integer there.
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


def make_cookie(client_cookie: bytes, address: bytes, seconds: int, secret: Secret) -> bytes:
    """The client's cookie and a server cookie for it (RFC 9018 section 4): 24 octets, a whole option.

    client_cookie  begins with the 8 octets of the client
    address        of the client, 4 or 16 octets
    seconds        since 1970; the cookie holds them modulo 2**32
    """
    stamp = _stamp(seconds)
    own = client_cookie[:_WORD_OCTETS]
    client = read_word(own, 0)
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
    # The hash is taken over the reserved octets as they came (RFC 9018 section 4.2).
    client, stamp = read_word(cookie, 0), read_word(cookie, _WORD_OCTETS)
    told = read_word(cookie, _STAMPED_OCTETS)
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
