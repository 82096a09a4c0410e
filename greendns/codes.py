"""The numbers of the protocol, each with the RFC that assigns it. Words: imports nothing."""

from __future__ import annotations

from enum import IntEnum


class RRType(IntEnum):
    """Resource record types (RFC 1035 section 3.2.2 unless said otherwise)."""

    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    PTR = 12
    HINFO = 13
    MX = 15
    TXT = 16
    AAAA = 28  # RFC 3596
    LOC = 29  # RFC 1876
    SRV = 33  # RFC 2782
    NAPTR = 35  # RFC 3403
    OPT = 41  # RFC 6891
    DS = 43  # RFC 4034
    SSHFP = 44  # RFC 4255
    TLSA = 52  # RFC 6698
    SVCB = 64  # RFC 9460
    HTTPS = 65  # RFC 9460
    SPF = 99  # RFC 7208 section 14.1: obsolete, still in zone files
    TKEY = 249  # RFC 2930
    TSIG = 250  # RFC 8945
    IXFR = 251  # RFC 1995
    AXFR = 252  # RFC 5936
    MAILB = 253
    MAILA = 254
    ANY = 255  # RFC 8482 calls it so; RFC 1035: "*"
    CAA = 257  # RFC 8659


class RRClass(IntEnum):
    """Classes (RFC 1035 section 3.2.4)."""

    IN = 1
    CH = 3
    ANY = 255


class Opcode(IntEnum):
    """Kinds of query (RFC 1035 section 4.1.1)."""

    QUERY = 0
    STATUS = 2
    NOTIFY = 4  # RFC 1996
    UPDATE = 5  # RFC 2136


class Rcode(IntEnum):
    """Response codes (RFC 1035 section 4.1.1); from 16 on partly in the OPT (RFC 6891 section 6.1.3)."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5
    BADVERS = 16  # RFC 6891 section 9
    BADCOOKIE = 23  # RFC 7873 section 8


class EdnsOption(IntEnum):
    """EDNS option codes."""

    NSID = 3  # RFC 5001
    CLIENT_SUBNET = 8  # RFC 7871
    COOKIE = 10  # RFC 7873
    TCP_KEEPALIVE = 11  # RFC 7828
    PADDING = 12  # RFC 7830
    EXTENDED_ERROR = 15  # RFC 8914


class ExtendedError(IntEnum):
    """What more there is to say of an error (RFC 8914 section 4)."""

    OTHER = 0
    STALE_ANSWER = 3
    PROHIBITED = 18
    NOT_AUTHORITATIVE = 20
    NOT_SUPPORTED = 21


ADDRESS_TYPES = (RRType.A, RRType.AAAA)

HEADER_OCTETS = 12  # RFC 1035 section 4.1.1
LABEL_OCTETS = 63  # RFC 1035 section 2.3.4
NAME_OCTETS = 255  # RFC 1035 section 2.3.4
STRING_OCTETS = 255  # RFC 1035 section 3.3: <character-string>

# Without EDNS a UDP answer has at most 512 octets (RFC 1035 section 2.3.4).
PLAIN_UDP_OCTETS = 512
# 1232 octets: fits an IPv6 minimum-MTU packet without fragments (DNS flag day 2020).
# A larger offer is honoured up to the operator's limit; a smaller one down to 512 (RFC 6891 section 6.2.3).
UDP_PAYLOAD_OCTETS = 1232
TCP_MESSAGE_OCTETS = 65535  # RFC 1035 section 4.2.2

TTL_MAX = 2**31 - 1  # RFC 2181 section 8
SERIAL_MAX = 2**32 - 1  # RFC 1035 section 3.3.13
WEIGHT_MAX = 2**31  # far over any netspeed in kbit/s; the sums of a pick are exact whatever they come to

RRTYPE_NAMES: dict[int, str] = {int(member): member.name for member in RRType}
RCODE_NAMES: dict[int, str] = {int(member): member.name for member in Rcode}


def rrtype_name(rrtype: int) -> str:
    """The mnemonic of a type, or TYPEn (RFC 3597 section 5)."""
    return RRTYPE_NAMES.get(rrtype) or f"TYPE{rrtype}"


def rcode_name(rcode: int) -> str:
    """The mnemonic of a response code, or RCODEn."""
    return RCODE_NAMES.get(rcode) or f"RCODE{rcode}"
