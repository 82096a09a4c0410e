"""SipHash (Aumasson and Bernstein, 2012): octets -> 64 bits that nobody can foresee who has not the key. Pure.

Of two strengths: 2-4 for cookies, which prescribe it (RFC 9018 section 4.4), and 1-3 for tables, as Python has it for
its own (PEP 456). Python's has another key in each program; a table that outlives programs needs its own.
"""

from __future__ import annotations

KEY_OCTETS = 16

# As a C integer: a number beyond 32 bits that stands in a compiled function is a Python integer there.
_MASK = 0xFFFFFFFFFFFFFFFF
_WORD_OCTETS, _TWO_WORDS_OCTETS = 8, 16


class Secret:
    """A key: 16 octets as the four words that SipHash begins with."""

    __slots__ = ("_a", "_b", "_c", "_d")

    def __init__(self, octets: bytes) -> None:
        low = int.from_bytes(octets[:8], "little")
        high = int.from_bytes(octets[8:KEY_OCTETS], "little")
        self._a, self._b = low ^ 0x736F6D6570736575, high ^ 0x646F72616E646F6D
        self._c, self._d = low ^ 0x6C7967656E657261, high ^ 0x7465646279746573


def siphash_2_4(secret: Secret, first: int, second: int, rest: bytes) -> int:
    """SipHash-2-4 of a message whose first two words are little-endian numbers.

    >>> octets = bytes(range(20))
    >>> first, second = (int.from_bytes(octets[at : at + 8], "little") for at in (0, 8))
    >>> hex(siphash_2_4(Secret(bytes(range(16))), first, second, octets[16:]))
    '0xbed65cf21aa2ee98'
    """
    octets = rest
    size = len(rest)
    a, b, c, d = _rounds(secret._a, secret._b, secret._c, secret._d ^ first, 2)
    a, b, c, d = _rounds(a ^ first, b, c, d ^ second, 2)
    a ^= second
    for at in range(0, size - 7, 8):
        word = _word(octets, at, _WORD_OCTETS)
        a, b, c, d = _rounds(a, b, c, d ^ word, 2)
        a ^= word
    over = size & 7
    count: int = _TWO_WORDS_OCTETS + size & 0xFF
    word = count << 56 | _word(octets, size - over, over)
    a, b, c, d = _rounds(a, b, c, d ^ word, 2)
    a, b, c, d = _rounds(a ^ word, b, c ^ 0xFF, d, 4)
    return a ^ b ^ c ^ d


def siphash_1_3(secret: Secret, message: bytes) -> int:
    """SipHash-1-3 of a message."""
    octets = message
    size = len(message)
    a, b, c, d = secret._a, secret._b, secret._c, secret._d
    for at in range(0, size - 7, 8):
        word = _word(octets, at, _WORD_OCTETS)
        a, b, c, d = _rounds(a, b, c, d ^ word, 1)
        a ^= word
    over = size & 7
    count: int = size & 0xFF
    word = count << 56 | _word(octets, size - over, over)
    a, b, c, d = _rounds(a, b, c, d ^ word, 1)
    a, b, c, d = _rounds(a ^ word, b, c ^ 0xFF, d, 3)
    return a ^ b ^ c ^ d


def read_word(message: bytes, at: int) -> int:
    """The eight octets from `at` as a little-endian number; those that are there, of a message that ends before."""
    octets = message
    return _word(octets, at, min(_WORD_OCTETS, len(message) - at))


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
