"""Packets made octet by octet, also where a library would not let them be wrong, and a server to send them to."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dnslib

from tests.databases import city, write_city
from tests.serving import Server, serving

# The socket's own address is somewhere too, so that it shows when it decides; nobody is to look 10.0.0.0/8 up.
PLACES = {
    "127.0.0.0/8": city("DK"),
    "192.0.2.0/24": city("DE"),
    "203.0.113.0/26": city("US"),
    "203.0.113.64/26": city("JP"),
    "100.64.0.0/10": city("FR"),
    "10.0.0.0/8": city("GB"),
    "172.16.0.0/12": city("GB"),
    "192.168.0.0/16": city("GB"),
    "169.254.0.0/16": city("GB"),
    "224.0.0.0/4": city("GB"),
    "2001:db8:1::/48": city("SE"),
    "fc00::/7": city("GB"),
    "fe80::/10": city("GB"),
    "ff00::/8": city("GB"),
}
ZONE = {
    "max_hosts": 2,
    "data": {
        "": {"ns": ["ns1.example.net.", "ns2.example.com."], "mx": {"mx": "mail.example.com.", "preference": 10}},
        "www": {"a": [["192.0.2.1"]]},
        "geo": {"a": [["192.0.2.10"]]},
        **{f"geo.{country}": {"txt": country} for country in ("dk", "de", "us", "jp", "fr", "gb", "se")},
        "many": {"max_hosts": 200, "a": [[f"192.0.2.{i}"] for i in range(200)]},
        "thirty": {"max_hosts": 30, "a": [[f"192.0.2.{i}"] for i in range(30)]},
        # Sixty A make 960 octets: whole beside the TXT only where there is room for both.
        "mixed": {"max_hosts": 60, "a": [[f"192.0.2.{i}"] for i in range(60)], "txt": "x" * 200},
        "flood": {"max_hosts": 5000, "a": [[f"10.{i // 250}.{i % 250}.1", i] for i in range(1, 5001)]},
        "chain": {"cname": "target.www"},
        "target.www": {"a": [["192.0.2.2"]]},
        "mail": {"srv": [{"target": "mail.example.com.", "port": 25, "priority": 1, "srv_weight": 2}]},
        "delegated": {"ns": ["ns1.delegated.example.com."]},
        "ns1.delegated": {"a": [["192.0.2.53"]]},
    },
}
NO_ERROR, FORM_ERROR, NOT_IMPLEMENTED, REFUSED = 0, 1, 4, 5
OPT = 41
QUESTION = b"\x03www\x07example\x03com\x00\x00\x01\x00\x01"
A_RECORD = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\xc0\x00\x02\x01"
SOA_RECORD = b"\xc0\x0c\x00\x06\x00\x01\x00\x00\x00\x00\x00\x16\x00\x00" + bytes(20)
TSIG_RECORD = b"\x03key\x00\x00\xfa\x00\xff\x00\x00\x00\x00\x00\x11\x00" + bytes(16)
CLIENT_COOKIE = bytes.fromhex("2464c4abcf10c957")


def header(flags: int = 0, qd: int = 1, an: int = 0, ns: int = 0, ar: int = 0) -> bytes:
    """A header with the ID 0x4744."""
    return struct.pack("!6H", 0x4744, flags, qd, an, ns, ar)


def opt_record(
    options: bytes = b"", payload: int = 1232, version: int = 0, flags: int = 0, owner: bytes = b"\x00"
) -> bytes:
    """An OPT record."""
    return owner + struct.pack("!HHBBHH", OPT, payload, 0, version, flags, len(options)) + options


def option(code: int, content: bytes) -> bytes:
    """One option of an OPT record."""
    return struct.pack("!HH", code, len(content)) + content


def subnet_option(family: int, source: int, address: bytes, scope: int = 0) -> bytes:
    """An EDNS Client Subnet option."""
    return option(8, struct.pack("!HBB", family, source, scope) + address)


def ask_with_options(options: bytes) -> bytes:
    """The question for www.example.com with these options."""
    return header(ar=1) + QUESTION + opt_record(options)


@contextmanager
def serving_packets(directory: Path) -> Iterator[Server]:
    """A server of ZONE in the world of PLACES; its identifier is testid."""
    write_city(directory / "GeoLite2-City.mmdb", PLACES)
    with serving(directory, {"example.com": ZONE}, ["--identifier", "testid"]) as running:
        yield running


def exchange(server: Server, wire: bytes, source: str = "127.0.0.1") -> bytes:
    """What comes back for a packet; a good question sent behind it tells silence at once: its answer is b""."""
    sentinel = struct.pack("!6H", 0x5354, 0, 1, 0, 0, 0) + QUESTION
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.settimeout(5)
        sender.bind((source, 0))
        sender.connect((server.host, server.port))
        sender.send(wire)
        sender.send(sentinel)
        answer = sender.recv(65535)
        if answer[:2] == sentinel[:2]:
            return b""
        assert sender.recv(65535)[:2] == sentinel[:2]
        return answer


def rcode_of(wire: bytes) -> int:
    """The four bits in the header."""
    assert wire, "no answer"
    return wire[3] & 0x0F


def read_options(wire: bytes) -> dict[int, bytes]:
    """The options of an answer by code. dnspython refuses a client subnet of family 0; dnslib leaves them as octets."""
    opts = [record for record in dnslib.DNSRecord.parse(wire).ar if record.rtype == OPT]
    return {each.code: each.data for record in opts for each in record.rdata}


def echoes_question(wire: bytes) -> bool:
    """Whether the question of QUESTION stands in the answer as it was sent."""
    return wire[4:6] == b"\x00\x01" and wire[12 : 12 + len(QUESTION)] == QUESTION
