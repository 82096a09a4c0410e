"""Four DNS clients of other makers, each asked the same way, and their words for records made the same.

The clients agree on the octets and differ in how they write them. `normal` takes those differences away, each for a
reason that stands beside it; what is left must be equal to the letter.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from decimal import Decimal

import dns.name
import dns.rdatatype

from tests.serving import Server

CLIENT_SECONDS = 20

# (owner, TTL, type, rdata), the rdata in normal form.
Line = tuple[str, int, str, str]
Client = Callable[[Server, str, str, bool], "list[Line]"]

_HEXADECIMAL = frozenset(("DS", "SSHFP", "TLSA"))
_NAME_AFTER = {"CNAME": 0, "NS": 0, "PTR": 0, "MX": 1, "SRV": 3, "NAPTR": 5, "SVCB": 1, "HTTPS": 1}
# Quotes part words only where strings can stand; in a name drill leaves them bare.
_STRINGS = frozenset(("CAA", "HTTPS", "NAPTR", "SPF", "SVCB", "TXT"))
_WORD = re.compile(r'(?:[^\s"\\]|\\.|"(?:[^"\\]|\\.)*")+', re.DOTALL)


def dig(server: Server, qname: str, rrtype: str, tcp: bool) -> list[Line]:
    """BIND's dig. `+noidnin` and `+noidnout`: names are octets here and not words of a language."""
    words = ["+noidnin", "+noidnout", "+noall", "+answer", "+tcp" if tcp else "+notcp"]
    return _read_lines(_output("dig", "-p", str(server.port), f"@{server.host}", *words, "-q", qname, "-t", rrtype))


def kdig(server: Server, qname: str, rrtype: str, tcp: bool) -> list[Line]:
    """Knot DNS's kdig. It asks without EDNS, so that a long answer comes by way of TC and TCP.

    Not `+notcp` for UDP: that would keep it from coming back over TCP.
    """
    words = ["+noidn", "+noall", "+answer", *(["+tcp"] if tcp else [])]
    return _read_lines(_output("kdig", "-p", str(server.port), f"@{server.host}", *words, "-q", qname, "-t", rrtype))


def drill(server: Server, qname: str, rrtype: str, tcp: bool) -> list[Line]:
    """NLnet Labs' drill. It has no short form: the lines of the answer section stand below its heading.

    It asks without EDNS, and `-a` makes it come back when an answer was truncated.
    """
    output = _output("drill", "-p", str(server.port), "-t" if tcp else "-a", qname, f"@{server.host}", rrtype)
    assert "rcode: NOERROR" in output, output
    section = output.partition(";; ANSWER SECTION:\n")[2].partition("\n\n")[0]
    return _read_lines(section)


def dnspython(server: Server, qname: str, rrtype: str, tcp: bool) -> list[Line]:
    """dnspython, through the same lines as the others."""
    answer = server.ask(qname, rrtype, tcp=tcp)
    return _read_lines("\n".join([rrset.to_text() for rrset in answer.answer]))


CLIENTS: dict[str, Client] = {"dig": dig, "kdig": kdig, "drill": drill, "dnspython": dnspython}


def _output(*command: str) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, timeout=CLIENT_SECONDS, check=False)
    assert ended.returncode == 0, f"{command}: {ended.stdout}{ended.stderr}"
    return ended.stdout


def _read_lines(output: str) -> list[Line]:
    """`owner TTL IN type rdata`, parted by any white space, as all four write it."""
    lines = [line.split(None, 4) for line in output.split("\n") if line.strip() and not line.startswith(";")]
    assert all(fields[2] == "IN" for fields in lines), output
    return sorted(
        (normal_name(owner), int(ttl), rrtype, normal(rrtype, rdata)) for owner, ttl, _, rrtype, rdata in lines
    )


def normal(rrtype: str, rdata: str) -> str:
    """Rdata as text that is the same whoever wrote it."""
    words: list[str] = _WORD.findall(rdata) if rrtype in _STRINGS else rdata.split()
    if rrtype in _HEXADECIMAL or words[0] == "\\#":
        words = _normal_hexadecimal(rrtype, words)
    elif rrtype == "LOC":
        words = [_normal_measure(word) for word in words]
    elif rrtype in ("TXT", "SPF"):
        words = [_normal_string(word) for word in words]
    elif rrtype in ("SVCB", "HTTPS"):
        words = [*words[:2], *[_normal_parameter(word) for word in words[2:]]]
    elif rrtype == "SOA":
        words = [*[normal_name(word) for word in words[:2]], *words[2:]]
    if rrtype in _NAME_AFTER:
        at = _NAME_AFTER[rrtype]
        words = [*words[:at], normal_name(words[at]), *words[at + 1 :]]
    return " ".join(words)


def normal_name(text: str) -> str:
    """A name with dnspython's escapes: drill leaves `"`, `@` and `$` bare, the others write a backslash."""
    return dns.name.from_text(text).to_text()


def _normal_hexadecimal(rrtype: str, words: Sequence[str]) -> list[str]:
    """dig and kdig write capitals, dig parts what is longer than 56 digits; the numbers before stay."""
    numbers = {"DS": 3, "TLSA": 3}.get(rrtype, 2)
    return [*words[:numbers], "".join(words[numbers:]).lower()]


def _normal_measure(word: str) -> str:
    """LOC's numbers without zeros that say nothing: kdig cuts `54.000`, drill pads `06`, all differ in metres.

    dnspython leaves out size and precision that are the defaults of RFC 1876; see `whole_location`.
    """
    if re.fullmatch(r"-?[0-9.]+m?", word) is None:
        return word
    number = Decimal(word.rstrip("m")).normalize()
    return f"{number:f}m" if word.endswith("m") else f"{number:f}"


def whole_location(line: Line) -> Line:
    """A LOC line with the default size 1 m, horizontal precision 10 km and vertical 10 m, if it ends before them."""
    words = line[3].split(" ")
    return (*line[:3], " ".join([*words, *["1m", "10000m", "10m"][len(words) - 9 :]] if len(words) < 12 else words))


def _normal_string(word: str) -> str:
    """drill writes a tab as it is, the others as `\\009`."""
    return word.replace("\t", "\\009")


def _normal_parameter(word: str) -> str:
    """SvcParams without the quotes that each client has around other values."""
    key, equals, value = word.partition("=")
    return f"{key}{equals}{value[1:-1] if value.startswith(chr(34)) else value}"
