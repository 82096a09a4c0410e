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
_KEEPALIVE, _PADDING = int(EdnsOption.TCP_KEEPALIVE), int(EdnsOption.PADDING)

# How many options one OPT is read for: more than fit into any datagram that a client sends; each costs a step.
OPTIONS_LIMIT = 1024
_OPTIONS = OPTIONS_LIMIT
_OPT_OCTETS = 11  # of an OPT without options
# By how many octets an address is short.
_ZEROS = tuple([bytes(octets) for octets in range(17)])


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
    cookie      the COOKIE option; empty where there is none, or none that is well-formed
    keepalive_octets  of an edns-tcp-keepalive option; -1 where there is none
    subnet      the client subnet; None where there is none, else `_own_subnet`, which is filled anew for each packet
    """

    __slots__ = (
        "_own_subnet",
        "cookie",
        "dnssec_ok",
        "edns_version",
        "flags",
        "has_edns",
        "has_options",
        "id",
        "keepalive_octets",
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
        "wants_padding",
    )

    def __init__(self) -> None:
        self.id = b""
        self.flags = 0
        self.opcode = 0
        self.verdict = _NOERROR
        self._own_subnet = ClientSubnet(0, 0, b"", b"")
        self.clear()

    def clear(self) -> None:
        """Know of nothing behind the header."""
        self.question = b""
        self.qname_sent = b""
        self.qname = b""
        self.qtype = 0
        self.qclass = 0
        self.has_edns = False
        self.has_options = False
        self.edns_version = 0
        self.udp_payload = 0
        self.dnssec_ok = False
        self.wants_nsid = False
        self.wants_padding = False
        self.keepalive_octets = -1
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
    first = wire[2]
    query.id = octets[:2]
    query.flags = first << 8 | wire[3]
    query.opcode = first >> 3 & 0x0F
    query.verdict = _NOERROR
    query.verdict = _judge(query, wire)
    return True


def _judge(query: Query, wire: bytes) -> int:
    has_question = not wire[4] and wire[5] == 1
    if query.opcode != _QUERY:
        # The counts of NOTIFY and UPDATE are theirs to judge; question and OPT are read only to be answered in kind.
        at = _read_question(query, wire) if has_question else -1
        if at > 0:
            _read_records(query, wire, at)
        return _NOTIMP
    if has_question:
        at = _read_question(query, wire)
        return _read_records(query, wire, at) if at > 0 else _FORMERR
    # RFC 9619: QDCOUNT of a query is 0 or 1.
    if wire[4] or wire[5]:
        return _FORMERR
    verdict = _read_records(query, wire, _HEADER)
    # RFC 7873 section 5.4: without a question only a cookie can be asked for.
    return verdict if verdict != _NOERROR or query.cookie else _FORMERR


def _read_question(query: Query, wire: bytes) -> int:
    """Read the question; returns where the next section starts, -1 if it is malformed.

    A compression pointer in the first name of a message has nothing to point to: any length octet over 63 is refused.
    """
    at = _HEADER
    size = len(wire)
    end = _HEADER + _NAME if size > _HEADER + _NAME else size
    while at < end:
        octet = wire[at]
        at += 1
        if octet > 63:
            return -1
        if not octet:
            break
        at += octet
    else:
        return -1
    if at + 4 > size:
        return -1
    octets = wire
    sent = octets[_HEADER:at]
    query.qname_sent = sent
    query.qname = sent.lower()
    query.qtype = wire[at] << 8 | wire[at + 1]
    query.qclass = wire[at + 2] << 8 | wire[at + 3]
    query.question = octets[_HEADER : at + 4]
    return at + 4


def _read_records(query: Query, wire: bytes, at: int) -> int:
    """Judge the counts before any record is read, then read the OPT and skip the rest."""
    # Octet by octet: as Python that is half the time of putting the four counts together.
    arcount = wire[11]
    if wire[6] or wire[7] or wire[8] or wire[10] or arcount > 2:
        return _FORMERR
    if wire[9]:
        # RFC 1995 section 3: an IXFR query carries one SOA in the authority section.
        if wire[9] > 1 or query.qtype != _IXFR:
            return _FORMERR
        at = _skip_record(wire, at)
    if arcount and 0 <= at <= len(wire) - _OPT_OCTETS and not wire[at] and wire[at + 1] << 8 | wire[at + 2] == _OPT:
        at = _read_opt(query, wire, at)
        arcount -= 1
    if arcount:
        # RFC 8945 section 5.1: TSIG is the last record. Nothing else may be here.
        at = _skip_tsig(wire, at) if arcount == 1 else -1
    if at != len(wire):
        return _FORMERR
    return _BADVERS if query.edns_version else query.verdict


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


def _skip_tsig(wire: bytes, at: int) -> int:
    """Where the TSIG record at `at` ends, -1 if there is none."""
    end = _skip_record(wire, at)
    if end < 0:
        return -1
    at = _skip_name(wire, at)
    return end if wire[at] << 8 | wire[at + 1] == _TSIG else -1


def _skip_record(wire: bytes, at: int) -> int:
    """Where the record at `at` ends, -1 if it does not."""
    at = _skip_name(wire, at)
    if not 0 <= at <= len(wire) - 10:
        return -1
    at += 10 + (wire[at + 8] << 8 | wire[at + 9])
    return at if at <= len(wire) else -1


def _read_opt(query: Query, wire: bytes, at: int) -> int:
    """Read an OPT record, whose octets before its options are at `at` (RFC 6891 section 6.1.2); returns its end, -1 if
    that is not there."""
    end = at + _OPT_OCTETS + (wire[at + 9] << 8 | wire[at + 10])
    if end > len(wire):
        return -1
    query.has_edns = True
    query.udp_payload = wire[at + 3] << 8 | wire[at + 4]
    query.edns_version = wire[at + 6]
    query.dnssec_ok = wire[at + 7] > 127
    at += _OPT_OCTETS
    if at < end and not query.edns_version:
        _read_options(query, wire, at, end)
    return end


def _read_options(query: Query, wire: bytes, at: int, end: int) -> None:
    """Read the options from `at` to `end`, which is within the packet."""
    query.has_options = True
    octets = wire
    for _ in range(_OPTIONS):
        if at == end:
            return
        if at + 4 > end:
            break
        code = wire[at] << 8 | wire[at + 1]
        start = at + 4
        at = start + (wire[at + 2] << 8 | wire[at + 3])
        if at > end:
            break
        _read_option(query, code, octets[start:at])
    query.verdict = _FORMERR


def _read_option(query: Query, code: int, option: bytes) -> None:
    """Take one option; those that we do not know are ignored (RFC 6891 section 6.1.2)."""
    if code == _SUBNET:
        if query.subnet is None and read_client_subnet(query._own_subnet, option):
            query.subnet = query._own_subnet
        if query.subnet is None:
            query.verdict = _FORMERR
    elif code == _COOKIE:
        # RFC 7873 section 5.2: 8 octets from the client, and none or 8 to 32 from a server.
        if len(option) != 8 and not 16 <= len(option) <= 40:
            query.verdict = _FORMERR
        elif not query.cookie:
            query.cookie = option
    elif code == _NSID:
        query.wants_nsid = True
    elif code == _KEEPALIVE:
        query.keepalive_octets = len(option)
    elif code == _PADDING:
        query.wants_padding = True


def parse_client_subnet(option: bytes) -> ClientSubnet | None:
    """Read an EDNS Client Subnet option: see `read_client_subnet`; None if it is malformed."""
    subnet = ClientSubnet(0, 0, b"", b"")
    return subnet if read_client_subnet(subnet, option) else None


def read_client_subnet(subnet: ClientSubnet, option: bytes) -> bool:
    """Read an EDNS Client Subnet option (RFC 7871 section 6) into `subnet`; False if it is malformed.

    option   the option data: family, source prefix, scope prefix, address
    Malformed: an unknown family, a source prefix longer than the family's addresses, an address of more or
    fewer octets than the source prefix needs, bits beyond it set, a scope prefix in a query (section 7.1.2).
    """
    size = len(option)
    if size < 4:
        return False
    family = option[0] << 8 | option[1]
    source_prefix = option[2]
    if family == 1:
        address_octets = 4
    elif family == 2:
        address_octets = 16
    elif family == 0:
        address_octets = 0
    else:
        return False
    if source_prefix > address_octets << 3 or option[3] or size != 4 + (source_prefix + 7 >> 3):
        return False
    if source_prefix & 7 and option[size - 1] & 0xFF >> (source_prefix & 7):
        return False
    octets = option
    address = octets[4:size]
    if size < 4 + address_octets:
        address += _ZEROS[4 + address_octets - size]
    subnet.family = family
    subnet.source_prefix = source_prefix
    subnet.address = address
    subnet.option = option
    return True
