"""bytes -> Query: the header, one question, at most one OPT, and nothing else is read.

Pure; knows no zone. Guards run from the cheapest to the dearest. What is wrong is not raised but kept as the query's
`verdict`: malformed packets are everyday input, and the answer to them still echoes what could be read.

Order of judgement: length, QR, opcode, QDCOUNT, question, the other counts, the OPT and its options.
"""

from __future__ import annotations

from .codes import HEADER_OCTETS, NAME_OCTETS, EdnsOption, Opcode, Rcode, RRType

# Plain numbers: a member of an enumeration costs 76 ns to look at (CPython 3.11), and of these names the compiler makes
# C integers.
_HEADER, _NAME = HEADER_OCTETS, NAME_OCTETS
_QUERY = int(Opcode.QUERY)
_NOERROR, _FORMERR, _NOTIMP, _BADVERS = int(Rcode.NOERROR), int(Rcode.FORMERR), int(Rcode.NOTIMP), int(Rcode.BADVERS)
_OPT, _IXFR, _TSIG = int(RRType.OPT), int(RRType.IXFR), int(RRType.TSIG)
_NSID, _SUBNET, _COOKIE = int(EdnsOption.NSID), int(EdnsOption.CLIENT_SUBNET), int(EdnsOption.COOKIE)

# How many option records one OPT is read for; no client sends a tenth of it, and each costs a step.
OPTIONS_LIMIT = 64
_OPTIONS = OPTIONS_LIMIT


class ClientSubnet:
    """An EDNS Client Subnet option as asked (RFC 7871 section 6).

    family         1 or 2; 0 where the client gives no address at all
    source_prefix  in bits
    address        4 or 16 octets, zero beyond the source prefix; empty for family 0
    option         family, source prefix, scope prefix and address as sent: the answer echoes it
    """

    __slots__ = ("address", "family", "option", "source_prefix")

    def __init__(self, family: int, source_prefix: int, address: bytes, option: bytes) -> None:
        self.family = family
        self.source_prefix = source_prefix
        self.address = address
        self.option = option


class Query:
    """What one packet asks.

    verdict     the rcode that reading it came to; NOERROR means: go on
    question    the question section as sent, empty if it could not be read
    qname_sent  its name, case kept; `qname` is the same in lower case, both in wire form
    """

    __slots__ = (
        "cookie",
        "dnssec_ok",
        "edns_version",
        "flags",
        "has_edns",
        "id",
        "opcode",
        "qclass",
        "qname",
        "qname_sent",
        "qtype",
        "question",
        "subnet",
        "udp_payload",
        "verdict",
        "wants_nsid",
    )

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Be of no packet."""
        self.id = b""
        self.flags = 0
        self.opcode = 0
        self.verdict = _NOERROR
        self.question = b""
        self.qname_sent = b""
        self.qname = b""
        self.qtype = 0
        self.qclass = 0
        self.has_edns = False
        self.edns_version = 0
        self.udp_payload = 0
        self.dnssec_ok = False
        self.wants_nsid = False
        self.cookie = b""
        self.subnet: ClientSubnet | None = None


def parse(wire: bytes) -> Query | None:
    """Read a packet; None means that it must not be answered.

    Too short for a header, or itself a response: an answer could start a loop (RFC 8906 section 3, RFC 5358).
    """
    query = Query()
    return query if read(query, wire) else None


def read(query: Query, wire: bytes) -> bool:
    """Read a packet into `query`, whatever that was of; False means that it must not be answered."""
    if len(wire) < _HEADER or wire[2] & 0x80:
        return False
    query.clear()
    octets = wire
    query.id = octets[:2]
    query.flags = wire[2] << 8 | wire[3]
    query.opcode = wire[2] >> 3 & 0x0F
    query.verdict = _judge(query, wire)
    return True


def _judge(query: Query, wire: bytes) -> int:
    qdcount = wire[4] << 8 | wire[5]
    if query.opcode != _QUERY:
        # The counts of NOTIFY and UPDATE are theirs to judge; question and OPT are read only to be answered in kind.
        at = _read_question(query, wire) if qdcount == 1 else -1
        if at > 0:
            _read_records(query, wire, at)
        return _NOTIMP
    if qdcount > 1:
        # RFC 9619: QDCOUNT of a query is 0 or 1.
        return _FORMERR
    at = _HEADER
    if qdcount == 1:
        at = _read_question(query, wire)
        if at < 0:
            return _FORMERR
    verdict = _read_records(query, wire, at)
    if verdict == _NOERROR and qdcount == 0 and not query.cookie:
        # RFC 7873 section 5.4: without a question only a cookie can be asked for.
        return _FORMERR
    return verdict


def _read_question(query: Query, wire: bytes) -> int:
    """Read the question; returns where the next section starts, -1 if it is malformed.

    A compression pointer in the first name of a message has nothing to point to: any length octet over 63 is refused.
    """
    at = _HEADER
    end = min(len(wire), _HEADER + _NAME)
    while at < end and wire[at]:
        if wire[at] > 63:
            return -1
        at += 1 + wire[at]
    if at >= end or at + 5 > len(wire):
        return -1
    octets = wire
    query.qname_sent = octets[_HEADER : at + 1]
    query.qname = query.qname_sent.lower()
    query.qtype = wire[at + 1] << 8 | wire[at + 2]
    query.qclass = wire[at + 3] << 8 | wire[at + 4]
    query.question = octets[_HEADER : at + 5]
    return at + 5


def _read_records(query: Query, wire: bytes, at: int) -> int:
    """Judge the counts before any record is read, then read the OPT and skip the rest."""
    ancount = wire[6] << 8 | wire[7]
    nscount = wire[8] << 8 | wire[9]
    arcount = wire[10] << 8 | wire[11]
    # RFC 1995 section 3: an IXFR query carries one SOA in the authority section.
    if ancount or nscount > (1 if query.qtype == _IXFR else 0) or arcount > 2:
        return _FORMERR
    for _ in range(nscount):
        at = _skip_record(wire, at)
    last_type = 0
    for _ in range(arcount):
        if at < 0 or last_type == _TSIG:
            # RFC 8945 section 5.1: TSIG is the last record.
            return _FORMERR
        last_type = _record_type(wire, at)
        if last_type == _OPT and not query.has_edns:
            at = _read_opt(query, wire, at)
        elif last_type == _TSIG:
            at = _skip_record(wire, at)
        else:
            return _FORMERR
    if at != len(wire):
        return _FORMERR
    if query.edns_version:
        return _BADVERS
    return query.verdict


def _skip_name(wire: bytes, at: int) -> int:
    """Where the name at `at` ends, -1 if it does not; a pointer ends it and is not followed."""
    while 0 <= at < len(wire):
        octet = wire[at]
        if octet == 0:
            return at + 1
        if octet >= 0xC0:
            return at + 2
        if octet > 63:
            return -1
        at += 1 + octet
    return -1


def _record_type(wire: bytes, at: int) -> int:
    """The type of the record at `at`, -1 if there is none."""
    at = _skip_name(wire, at)
    return wire[at] << 8 | wire[at + 1] if 0 <= at <= len(wire) - 10 else -1


def _skip_record(wire: bytes, at: int) -> int:
    """Where the record at `at` ends, -1 if it does not."""
    at = _skip_name(wire, at)
    if not 0 <= at <= len(wire) - 10:
        return -1
    at += 10 + (wire[at + 8] << 8 | wire[at + 9])
    return at if at <= len(wire) else -1


def _read_opt(query: Query, wire: bytes, at: int) -> int:
    """Read the OPT record at `at` (RFC 6891 section 6.1.2); returns its end, -1 if it is malformed."""
    end = _skip_record(wire, at)
    if end < 0 or wire[at]:
        # Section 6.1.2: its owner is the root.
        return -1
    query.has_edns = True
    query.udp_payload = wire[at + 3] << 8 | wire[at + 4]
    query.edns_version = wire[at + 6]
    query.dnssec_ok = wire[at + 7] & 0x80 != 0
    at += 11
    for _ in range(_OPTIONS):
        if at == end:
            return end
        if at + 4 > end:
            break
        code = wire[at] << 8 | wire[at + 1]
        start = at + 4
        at = start + (wire[at + 2] << 8 | wire[at + 3])
        if at > end:
            break
        if query.edns_version == 0:
            octets = wire
            _read_option(query, code, octets[start:at])
    query.verdict = _FORMERR
    return end


def _read_option(query: Query, code: int, option: bytes) -> None:
    """Take one option; those that we do not know are ignored (RFC 6891 section 6.1.2)."""
    if code == _SUBNET:
        query.subnet = parse_client_subnet(option) if query.subnet is None else query.subnet
        if query.subnet is None:
            query.verdict = _FORMERR
    elif code == _COOKIE:
        # RFC 7873 section 5.2: 8 octets from the client, and none or 8 to 32 from a server.
        if len(option) != 8 and not 16 <= len(option) <= 40:
            query.verdict = _FORMERR
        query.cookie = query.cookie or option
    elif code == _NSID:
        query.wants_nsid = True


def parse_client_subnet(option: bytes) -> ClientSubnet | None:
    """Read an EDNS Client Subnet option (RFC 7871 section 6); None if it is malformed.

    option   the option data: family, source prefix, scope prefix, address
    Malformed: an unknown family, a source prefix longer than the family's addresses, an address of more or
    fewer octets than the source prefix needs, bits beyond it set, a scope prefix in a query (section 7.1.2).
    """
    if len(option) < 4:
        return None
    family = option[0] << 8 | option[1]
    source_prefix = option[2]
    bits = (0, 32, 128)[family] if family <= 2 else -1
    if source_prefix > bits or option[3] or len(option) != 4 + (source_prefix + 7 >> 3):
        return None
    if source_prefix & 7 and option[-1] & 0xFF >> (source_prefix & 7):
        return None
    octets = option
    address = octets[4 : len(option)]
    if source_prefix + 7 >> 3 < bits >> 3:
        address = address.ljust(bits >> 3, b"\x00")
    return ClientSubnet(family, source_prefix, address, option)
