r"""Presentation text <-> octets: words, quotes, escapes, <character-string>s, names (RFC 1035 section 5.1).

Pure, ranks just above names. Text that is not escaped is UTF-8. `\DDD` is one octet, whatever stands around it.
"""

from __future__ import annotations

import re

from . import name
from .codes import STRING_OCTETS
from .errors import ValueProblem

# RFC 1035: \DDD is an octet in decimal, \X is X "where X is any character other than a digit".
_ESCAPE = r"\\[0-9]{3}|\\[^0-9]"
_PLAIN = rf'(?:[^ \t\r\n"\\;()]|{_ESCAPE})'
_QUOTED = rf'"(?:[^"\\]|{_ESCAPE})*"'
_SPACES = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(rf"(?:{_PLAIN}|{_QUOTED})+")
_ONE_STRING = re.compile(rf"{_PLAIN}+|{_QUOTED}")
_NAME = re.compile(rf"{_PLAIN}+")
_ESCAPED = re.compile(rb"\\([0-9]{3}|.?)", re.DOTALL)

_NEED_BACKSLASH = frozenset(b'"\\')


def unescape(text: str) -> bytes:
    r"""Read `\DDD` and `\X`. A digit that is not one of three stands for itself, as in geodns.

    >>> unescape(r"a\"b\\c\200")
    b'a"b\\c\xc8'
    """
    octets = text.encode()
    return _ESCAPED.sub(_escaped_octet, octets) if b"\\" in octets else octets


def _escaped_octet(match: re.Match[bytes]) -> bytes:
    escaped: bytes = match[1]
    if not escaped:
        raise ValueProblem("a backslash must escape something")
    if len(escaped) < 3:
        return escaped
    if int(escaped) > 255:
        raise ValueProblem("an escape \\DDD must be at most \\255")
    return bytes((int(escaped),))


def escape(octets: bytes) -> str:
    r"""Octets as text that goes between quotes.

    >>> escape(b'say "hi"\n')
    'say \\"hi\\"\\010'
    """
    return "".join([_octet_text(octet) for octet in octets])


def _octet_text(octet: int) -> str:
    if octet in _NEED_BACKSLASH:
        return "\\" + chr(octet)
    return chr(octet) if 0x20 <= octet <= 0x7E else f"\\{octet:03d}"


def quoted(octets: bytes) -> str:
    """Octets as a quoted string."""
    return f'"{escape(octets)}"'


def split_words(text: str) -> list[str]:
    """Split at white space outside of quotes; quotes and escapes stay as they are written.

    Comments and brackets are refused: they belong to zone files, and here they are mostly a forgotten quote.

    >>> split_words('0 issue "a b"')
    ['0', 'issue', '"a b"']
    """
    words = []
    at = _end_of_spaces(text, 0)
    while at < len(text):
        word = _WORD.match(text, at)
        if word is None:
            raise ValueProblem("quotes must be closed, escapes complete, and ; ( ) quoted or escaped")
        words.append(word[0])
        at = _end_of_spaces(text, word.end())
    return words


def _end_of_spaces(text: str, at: int) -> int:
    spaces = _SPACES.match(text, at)
    return spaces.end() if spaces else at


def contents(word: str) -> str:
    """What a word holds, without the quotes around all of it; escapes are not read yet."""
    if _ONE_STRING.fullmatch(word) is None:
        raise ValueProblem("a string must be quoted as a whole or not at all")
    return word[1:-1] if word.startswith('"') else word


def word_octets(word: str) -> bytes:
    """The octets that a quoted or a bare word stands for."""
    return unescape(contents(word))


def one_string(octets: bytes) -> bytes:
    """One <character-string> in wire form (RFC 1035 section 3.3)."""
    if len(octets) > STRING_OCTETS:
        raise ValueProblem(f"a string must have at most {STRING_OCTETS} octets")
    return bytes((len(octets),)) + octets


def split_strings(octets: bytes) -> bytes:
    """As many <character-string>s as the octets need, at least one."""
    starts = range(0, max(1, len(octets)), STRING_OCTETS)
    return b"".join([one_string(octets[start : start + STRING_OCTETS]) for start in starts])


def encode_strings(strings: list[bytes]) -> bytes:
    """The rdata of a TXT record, at least one string; what is too long for one is cut."""
    return b"".join([split_strings(octets) for octets in strings or [b""]])


def read_name(text: str, origin: bytes | None) -> bytes:
    """A name in wire form; without a final dot it is below `origin`, or below the root if that is None."""
    return name.from_text(text, origin)


def word_name(word: str, origin: bytes) -> bytes:
    """The name that a word of presentation text stands for; `@` is the origin (RFC 1035 section 5.1)."""
    if _NAME.fullmatch(word) is None:
        raise ValueProblem("a name must not be quoted")
    return origin if word == "@" else read_name(word, origin)


def word_integer(word: str, what: str, maximum: int) -> int:
    """An unsigned decimal integer of at most `maximum`."""
    if re.fullmatch(r"[0-9]{1,10}", word) is None or int(word) > maximum:
        raise ValueProblem(f"{what} must be an integer from 0 to {maximum}")
    return int(word)


def words_octets(words: list[str], what: str) -> bytes:
    """Octets in hexadecimal, which may be spread over several words; at least one."""
    digits = "".join(words)
    if re.fullmatch(r"(?:[0-9A-Fa-f]{2})+", digits) is None:
        raise ValueProblem(f"{what} must be pairs of hexadecimal digits")
    return bytes.fromhex(digits)
