"""Zones with something of everything, and packets for them: meant, damaged, or no queries at all."""

from __future__ import annotations

import struct
from typing import Any

import dns.edns
import dns.flags
import dns.message
import dns.rdataclass
import dns.rdatatype
from hypothesis import strategies as st

from greendns.outcome import Peer

LARGE = {"a": [[f"198.51.100.{host}", host] for host in range(1, 200)], "max_hosts": 300}
EVERY_TYPE = {
    "a": [["192.0.2.1", 10], ["192.0.2.2", 0]],
    "aaaa": [["2001:db8::1"]],
    "mx": [{"mx": "mail.example.com", "preference": 10}],
    "txt": ["one", ["two", "strings"], "x" * 700],
    "spf": "v=spf1 -all",
    "srv": [{"target": "sip", "port": 5060}],
    "ptr": [["host.example.com."]],
    "caa": '0 issue "ca.example.net"',
    "https": "1 . alpn=h2 port=8443",
    "svcb": "0 svc.example.net.",
    "tlsa": "3 1 1 " + "ab" * 32,
    "naptr": '1 2 "u" "" "" .',
    "sshfp": "4 2 " + "cd" * 32,
    "ds": "1 8 2 " + "ef" * 32,
    "loc": "1 N 2 E 3m",
    "type65280": "\\# 2 abcd",
    "health": {"type": "tcp"},
}
ZONES: dict[str, dict[str, Any]] = {
    "example.com": {
        "targeting": "@ continent country regiongroup region asn ip",
        "max_hosts": 3,
        "data": {
            "": {"ns": ["ns1.example.com.", "ns2.example.net."], "mx": [{"mx": "."}], "caa": '0 issue ";"'},
            "ns1": {"a": [["192.0.2.53"]], "aaaa": [["2001:db8::53"]]},
            "all": EVERY_TYPE,
            "large": LARGE,
            "large.europe": LARGE,
            "www": {"a": [["192.0.2.1"]], "ttl": {"a": 5}},
            "www.us": {"a": [["192.0.2.2"]]},
            "www.[192.0.2.0]": {"cname": "large"},
            "near": {"a": [["192.0.2.1"], ["203.0.113.1"], ["198.51.100.1"], ["198.19.0.1"]], "closest": True},
            "only.dk": {"txt": "denmark", "alias": "www"},
            "*": {"a": [["192.0.2.99"]]},
            "*.us": {"cname": "chain1"},
            "none": {"max_hosts": 0, "a": [["192.0.2.1"]]},
            **{f"chain{number}": {"cname": f"chain{number + 1}"} for number in range(12)},
            "loop1": {"cname": "loop2"},
            "loop2": {"cname": "LOOP1"},
            "alias1": {"alias": "alias2"},
            "alias2": {"alias": "alias1", "txt": "here"},
            "apex": {"alias": ""},
            "lost": {"alias": "nowhere"},
            "cut": {
                "ns": ["ns.cut.example.com.", "ns1.example.com.", "ns.elsewhere.example."],
                "ds": "1 8 2 " + "ab" * 32,
            },
            "ns.cut": LARGE,
            "out": {"cname": "www.example.net."},
            "to": {"cname": "www.sub.example.com."},
            r"\000\255\.": {"txt": r"\000\255"},
        },
    },
    "sub.example.com": {
        "targeting": "country",
        "data": {"www": {"a": [["192.0.2.3"]]}, "www.dk": {"a": [["192.0.2.4"]]}},
    },
    "example.net": {"data": {"www": {"cname": "to.example.com."}}},
    "2.0.192.in-addr.arpa": {"data": {"1": {"ptr": [["all.example.com"]]}}},
}
DATA = {text: zone["data"] for text, zone in ZONES.items()}

# Of names that are there, and of names that are nowhere.
LABELS = [
    *[label for data in DATA.values() for key in data for label in key.split(".") if label],
    "_status", "_country", "_health", "WWW", "Large", "nothing", "version", "bind", "id", "server",
]  # fmt: skip
ORIGINS = [*ZONES, "pgeodns", "example.org", "com", ""]
NAMES = st.builds(
    lambda labels, origin: ".".join([*labels, *([origin] if origin else [])]) + ".",
    st.lists(st.sampled_from(sorted(set(LABELS))), max_size=3),
    st.sampled_from(ORIGINS),
)
RRTYPES = st.sampled_from(
    [1, 2, 5, 6, 12, 15, 16, 28, 29, 33, 35, 43, 44, 46, 52, 64, 65, 99, 251, 252, 255, 257, 65280]
)
SUBNETS = st.builds(
    lambda address, bits: dns.edns.ECSOption(address, bits),
    st.sampled_from("192.0.2.0 198.51.100.0 203.0.113.0 10.0.0.0 0.0.0.0 2001:db8:1:: 2001:db8:2:: ::1".split()),
    st.integers(0, 32),
)
COOKIES = st.builds(
    dns.edns.CookieOption, st.binary(min_size=8, max_size=8), st.just(b"") | st.binary(min_size=8, max_size=32)
)
OTHERS = st.builds(dns.edns.GenericOption, st.sampled_from([3, 11, 12, 65001]), st.binary(max_size=9))


@st.composite
def queries(draw: st.DrawFn) -> bytes:
    """Queries that somebody could mean, for names that are there and names that are not."""
    settings: dict[str, object] = {}
    if draw(st.booleans()):
        options = draw(st.lists(SUBNETS | COOKIES | OTHERS, max_size=3))
        settings = {"use_edns": draw(st.sampled_from([0, 0, 0, 1])), "options": options}
        settings["payload"] = draw(st.sampled_from([0, 511, 512, 800, 1232, 4096, 65535]))
        settings["want_dnssec"] = draw(st.booleans())
    message = dns.message.make_query(
        draw(NAMES),
        dns.rdatatype.RdataType.make(draw(RRTYPES)),
        dns.rdataclass.RdataClass.make(draw(st.sampled_from([1, 1, 1, 1, 1, 3, 4, 255]))),
        id=draw(st.integers(0, 65535)),
        **settings,  # type: ignore[arg-type]
    )
    message.flags = dns.flags.Flag(draw(st.sampled_from([0, 0x0100, 0x0110, 0x7F, 0x2000, 0x2800, 0x0200])))
    return message.to_wire()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Queries with a few octets changed, taken out or put in, or cut."""
    wire = bytearray(draw(queries()))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(wire)))
        wire[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=3))
    return bytes(wire[: draw(st.integers(0, len(wire)))] if draw(st.integers(0, 9)) == 0 else wire)


@st.composite
def headed(draw: st.DrawFn) -> bytes:
    """A header of a query with any counts, and any octets behind it."""
    counts = [draw(st.sampled_from([0, 0, 1, 1, 2, 255, 65535])) for _ in range(4)]
    return struct.pack("!HHHHHH", draw(st.integers(0, 65535)), draw(st.integers(0, 0x7FFF)), *counts) + draw(
        st.binary(max_size=120)
    )


PACKETS = st.binary(max_size=80) | headed() | damaged()
PEERS = st.builds(
    Peer,
    st.sampled_from([b"\x7f\x00\x00\x01", b"\xc0\x00\x02\x01", b"\xcb\x00\x71\x01", bytes(15) + b"\x01"]),
    st.integers(0, 65535),
    st.booleans(),
)
