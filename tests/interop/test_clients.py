"""dig, kdig, drill and dnspython read every record type that a zone can hold, over UDP and TCP, as the zone says.

What is expected is written by hand beside what the zone file holds, in the normal form of `tests.interop.clients`.
"""

from __future__ import annotations

from collections.abc import Iterator

import dns.rdatatype
import pytest

from tests.interop.clients import CLIENTS, Line, normal, normal_name, whole_location
from tests.serving import Server, serving

SHA256 = "1a2b3c4d" * 8
# Longer than a plain UDP answer: kdig and drill have to come back over TCP.
LONG_TEXT = "".join(f"word{number:04} " for number in range(70))

# Type key of the zone file -> (what the file holds, the type's mnemonic, what clients read).
RECORDS: dict[str, tuple[object, str, list[str]]] = {
    "a": ([["192.0.2.1", 10], {"ip": "192.0.2.2", "weight": 5}], "A", ["192.0.2.1", "192.0.2.2"]),
    "aaaa": ([["2001:db8:0:0:0::1"], ["2001:db8::ffff:192.0.2.1"]], "AAAA", ["2001:db8::1", "2001:db8::ffff:c000:201"]),
    "mx": (
        [{"mx": "mail.example.net", "preference": 10}, {"mx": "MAIL2.example.net."}],
        "MX",
        ["10 mail.example.net.", "0 MAIL2.example.net."],
    ),
    "txt": (
        ["one text", ["several", "strings", "in one"], r"quo\"te back\\slash \200 \009", "naïve"],
        "TXT",
        [
            '"one text"',
            '"several" "strings" "in one"',
            r'"quo\"te back\\slash \200 \009"',
            r'"na\195\175ve"',
        ],
    ),
    "spf": ("v=spf1 ip4:192.0.2.0/24 -all", "SPF", ['"v=spf1 ip4:192.0.2.0/24 -all"']),
    "srv": (
        [
            {"target": "sip", "port": 5060, "priority": 1, "srv_weight": 2},
            {"target": "sip.example.net.", "port": 65535, "priority": 65535, "srv_weight": 65535},
        ],
        "SRV",
        ["1 2 5060 sip.example.com.", "65535 65535 65535 sip.example.net."],
    ),
    "ptr": (
        [["host.example.net"], [r"dot\.ted.host.example.net."]],
        "PTR",
        ["host.example.net.", r"dot\.ted.host.example.net."],
    ),
    "caa": (
        ['0 issue "ca.example.net; policy=ev"', r'128 iodef "mailto:\"a\\b\"@example.com"', '0 issuewild ";"'],
        "CAA",
        ['0 issue "ca.example.net; policy=ev"', r'128 iodef "mailto:\"a\\b\"@example.com"', '0 issuewild ";"'],
    ),
    "https": (
        ["0 www.example.net.", "1 . port=8443 alpn=h2,h3 ipv6hint=2001:db8::1 ipv4hint=192.0.2.1,192.0.2.2"],
        "HTTPS",
        ["0 www.example.net.", "1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1"],
    ),
    "svcb": (
        [r'2 svc key667="hello\210qoo" alpn=dot,doq mandatory=port,alpn port=853', "3 . no-default-alpn alpn=h2"],
        "SVCB",
        [
            r"2 svc.example.com. mandatory=alpn,port alpn=dot,doq port=853 key667=hello\210qoo",
            "3 . alpn=h2 no-default-alpn",
        ],
    ),
    "tlsa": ([f"3 1 1 {SHA256}", "3 0 0 308201"], "TLSA", [f"3 1 1 {SHA256}", "3 0 0 308201"]),
    "naptr": (
        ['100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .', r'65535 0 "" "" "" re\.placed.example.net.'],
        "NAPTR",
        ['100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .', r'65535 0 "" "" "" re\.placed.example.net.'],
    ),
    "sshfp": (f"4 2 {SHA256}", "SSHFP", [f"4 2 {SHA256}"]),
    "ds": (f"60485 13 2 {SHA256}", "DS", [f"60485 13 2 {SHA256}"]),
    "loc": (
        ["42 21 54 N 71 6 18 W -24m 30m", "1 2 3.5 S 0 0 6.007 E 1.25m", "52 N 4 E 0m 0.05m 20000000m 9m"],
        "LOC",
        [
            "42 21 54 N 71 6 18 W -24m 30m 10000m 10m",
            "1 2 3.5 S 0 0 6.007 E 1.25m 1m 10000m 10m",
            "52 0 0 N 4 0 0 E 0m 0.05m 20000000m 9m",
        ],
    ),
    "type65280": (r"\# 4 0a000001", "TYPE65280", [r"\# 4 0a000001"]),
}

# Labels that need escapes in text, and what each is in octets.
ESCAPED_LABELS = {
    r"dot\.ted": b"dot.ted",
    r"sp\032ace": b"sp ace",
    r"quo\"te": b'quo"te',
    r"back\\slash": b"back\\slash",
    r"semi\;colon": b"semi;colon",
    r"at\@money\$paren\(\)": b"at@money$paren()",
    r"octet\200\000": b"octet\xc8\x00",
}

ZONE = {
    "ttl": 150,
    "serial": 2026010101,
    "max_hosts": 10,
    "contact": "host.master.example.com",
    "data": {
        "": {"ns": {"ns1.example.net.": None, "ns2.example.net": None}},
        "types": {key: value for key, (value, _, _) in RECORDS.items()},
        "alias-of-name": {"cname": "types"},
        "alias-of-other": {"cname": r"esc\.aped.example.net."},
        "long": {"txt": [LONG_TEXT]},
        **{label: {"ptr": [[rf"{label}.example.net."]]} for label in ESCAPED_LABELS},
    },
}

each_client = pytest.mark.parametrize("client", CLIENTS)
over_both = pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server with every type."""
    with serving(tmp_path_factory.mktemp("interop"), {"example.com": ZONE}) as running:
        yield running


def lines(owner: str, ttl: int, rrtype: str, rdatas: list[str]) -> list[Line]:
    """What a client should have read."""
    return sorted((owner, ttl, rrtype, normal(rrtype, rdata)) for rdata in rdatas)


@over_both
@each_client
@pytest.mark.parametrize("key", RECORDS)
def test_every_type_is_read_as_the_zone_has_it(server: Server, client: str, key: str, tcp: bool) -> None:
    """All records of the type with the zone's TTL, to the letter once the clients' own habits are taken away."""
    _, rrtype, rdatas = RECORDS[key]

    read = CLIENTS[client](server, "types.example.com.", rrtype, tcp)

    if rrtype == "LOC":
        read = [whole_location(line) for line in read]
    assert read == lines("types.example.com.", 150, rrtype, rdatas)


@over_both
@each_client
def test_soa_is_read_as_the_zone_has_it(server: Server, client: str, tcp: bool) -> None:
    """MNAME is the first NS, RNAME the contact, TTL ten times the zone's (G082-G085)."""
    read = CLIENTS[client](server, "example.com.", "SOA", tcp)

    rdata = "ns1.example.net. host.master.example.com. 2026010101 5400 5400 1209600 3600"
    assert read == lines("example.com.", 1500, "SOA", [rdata])


@over_both
@each_client
def test_ns_is_read_as_the_zone_has_it(server: Server, client: str, tcp: bool) -> None:
    """Both names with a final dot and the TTL of a day (G064, G081)."""
    read = CLIENTS[client](server, "example.com.", "NS", tcp)

    assert read == lines("example.com.", 86400, "NS", ["ns1.example.net.", "ns2.example.net."])


@over_both
@each_client
def test_cname_is_read_as_the_zone_has_it(server: Server, client: str, tcp: bool) -> None:
    """A target outside, whose first label has a dot of its own."""
    read = CLIENTS[client](server, "alias-of-other.example.com.", "CNAME", tcp)

    assert read == lines("alias-of-other.example.com.", 150, "CNAME", [r"esc\.aped.example.net."])


@over_both
@each_client
def test_cname_is_read_with_what_it_leads_to(server: Server, client: str, tcp: bool) -> None:
    """The CNAME under the name asked for, and the address under its target (G117)."""
    read = CLIENTS[client](server, "alias-of-name.example.com.", "AAAA", tcp)

    cname = lines("alias-of-name.example.com.", 150, "CNAME", ["types.example.com."])
    assert read == cname + lines("types.example.com.", 150, "AAAA", RECORDS["aaaa"][2])


@over_both
@each_client
def test_a_long_text_is_read_whole(server: Server, client: str, tcp: bool) -> None:
    """Cut into strings of 255 octets; whoever asks without EDNS gets it by TCP (G067, G193)."""
    read = CLIENTS[client](server, "long.example.com.", "TXT", tcp)

    strings = [LONG_TEXT[start : start + 255] for start in range(0, len(LONG_TEXT), 255)]
    assert len(LONG_TEXT) > 512
    assert read == lines("long.example.com.", 150, "TXT", [" ".join([f'"{string}"' for string in strings])])


@over_both
@each_client
@pytest.mark.parametrize("label", ESCAPED_LABELS)
def test_names_with_escapes_are_found_and_read(server: Server, client: str, label: str, tcp: bool) -> None:
    """As the owner and as a name inside the rdata, which are the same octets."""
    read = CLIENTS[client](server, f"{label}.example.com.", "PTR", tcp)

    assert read == lines(normal_name(f"{label}.example.com."), 150, "PTR", [f"{label}.example.net."])


@over_both
@pytest.mark.parametrize(("label", "octets"), ESCAPED_LABELS.items())
def test_escapes_stand_for_octets(server: Server, label: str, octets: bytes, tcp: bool) -> None:
    """The first label of the owner on the wire, as dnspython took it apart."""
    answer = server.ask(f"{label}.example.com.", "PTR", tcp=tcp)

    assert answer.answer[0].name.labels[0] == octets
    assert answer.answer[0][0].target.labels == (octets, b"example", b"net", b"")


@each_client
def test_the_transport_is_the_one_that_was_asked_for(server: Server, client: str) -> None:
    """A short answer moves only the counter of its own transport."""
    before = {transport: packets(server, transport) for transport in ("udp", "tcp")}

    CLIENTS[client](server, "types.example.com.", "A", True)
    CLIENTS[client](server, "types.example.com.", "A", False)

    assert packets(server, "tcp") == before["tcp"] + 1
    assert packets(server, "udp") == before["udp"] + 1


def packets(server: Server, transport: str) -> float:
    """How many packets were answered over a transport, by the server's own counter."""
    return server.metric("greendns_packets_total", transport=transport, outcome="answer")


def test_every_type_that_a_zone_can_hold_is_here() -> None:
    """The types of the work's list, so that a new one is not forgotten."""
    held = set("a aaaa mx txt spf srv ptr caa https svcb tlsa naptr sshfp ds loc type65280".split())

    assert set(RECORDS) == held
    assert all(dns.rdatatype.from_text(mnemonic) for _, mnemonic, _ in RECORDS.values())
