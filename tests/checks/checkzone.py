"""The zone that the checks ask about, and the world that its clients are in."""

from __future__ import annotations

from typing import Any

from tests.databases import Record, city

TTL = 120
NEGATIVE_TTL = 1200  # the smaller of TTL and MINIMUM of its SOA (RFC 2308 section 5)
PLACES: dict[str, Record] = {
    "127.0.0.0/8": city("DK"),
    "::1/128": city("DK"),
    "192.0.2.0/24": city("DE"),
    "203.0.113.0/26": city("US"),
    "10.0.0.0/8": city("GB"),
    "2001:db8:1::/48": city("SE"),
}
ORIGIN = "example.com"
DS = "1 8 2 " + "ab" * 32
ZONE: dict[str, Any] = {
    "serial": 7,
    "ttl": TTL,
    "max_hosts": 2,
    "targeting": "@ continent country",
    "data": {
        "": {
            "ns": ["ns1.example.com.", "ns2.example.net."],
            "mx": [{"mx": "mail.example.net.", "preference": 10}],
            "txt": "apex",
        },
        "ns1": {"a": [["192.0.2.53"]], "aaaa": [["2001:db8::53"]]},
        "www": {"a": [["192.0.2.1"]], "aaaa": [["2001:db8::1"]]},
        "pool": {
            "max_hosts": 4,
            "a": [[f"192.0.2.{host}", 100] for host in range(4)],
            "aaaa": [[f"2001:db8::{host}", 100] for host in range(4)],
        },
        "geo": {"txt": "elsewhere"},
        **{f"geo.{country}": {"txt": country} for country in ("dk", "de", "us", "gb", "se")},
        "*.wild": {"txt": "wild"},
        "here.wild": {"a": [["192.0.2.3"]]},
        "below.empty": {"a": [["192.0.2.4"]]},
        "alias": {"cname": "alias2"},
        "alias2": {"cname": "www"},
        "out": {"cname": "www.example.org."},
        "dangling": {"cname": "nowhere"},
        "loop1": {"cname": "loop2"},
        "loop2": {"cname": "loop1"},
        "cut": {"ns": ["ns.cut.example.com.", "ns.example.org."], "ds": DS},
        "ns.cut": {"a": [["192.0.2.54"]]},
        "unknown": {"type65280": "\\# 2 abcd"},
        # With a label of two octets the 30 make 512 octets, without an OPT.
        "30": {"max_hosts": 30, "a": [[f"192.0.2.{host}"] for host in range(30)]},
        "many": {"max_hosts": 200, "a": [[f"192.0.2.{host}"] for host in range(200)]},
        "text": {"txt": [["x" * 250] * 4]},
        # 1,232 octets with an OPT.
        "exact": {"txt": [["x" * 255, "y" * 255, "z" * 255, "w" * 255, "v" * 149]]},
        "full": {"a": [["192.0.2.5"]], "aaaa": [["2001:db8::5"]], "txt": [["x" * 250] * 4], "mx": [{"mx": "www"}]},
        r"with\.dot": {"txt": "dot"},
        "with.dot": {"txt": "two labels"},
        r"\000\255": {"txt": "octets"},
    },
}
