"""A zone in the shape of the NTP Pool's, and queries for it as a pool's resolvers ask: a seed -> files.

    python -m tests.bench.poolzone OUTDIR [--servers 4500] [--seed 1]

writes OUTDIR/zones/pool.example.com.json, OUTDIR/queries.txt (for dnsperf -d) and OUTDIR/queries.bin (for dnsperf -B,
with EDNS and client subnets). The same seed gives the same octets. A server is in its country, its continent and the
whole pool; at each of these it is in the zone itself and, where the zone is big, in one of its sub-zones 0 to 3: six A
records for most.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path

import dns.name
import dns.rdatatype

ORIGIN = "pool.example.com"
SERVERS = 4500
QUERIES = 100_000
SUBZONES = ("0", "1", "2", "3")
# A smaller zone has all its servers in every sub-zone: otherwise some would have none to give.
BIG_ZONE_SERVERS = 20
# The pool has IPv6 addresses in the sub-zones 2; here also where there is no number, so that of the AAAA queries some
# are answered and some are not.
AAAA_SUBZONES = ("", "2")
VENDORS = tuple(f"vendor{number}" for number in range(20))
ABSENT = ("4", "time", "server", "ntp1", "0.zz", "pool", "www.0", "dns")

# How many of the servers are in a country, in parts of their sum: a few countries have most of them.
COUNTRIES = {
    "europe": (
        "de:620 uk:300 fr:290 nl:260 ru:140 ch:130 se:120 pl:80 at:75 cz:75 fi:70 it:60 dk:60 no:50 ua:50 bg:40 es:40 "
        "be:40 hu:40 ro:35 ie:30 lu:30 sk:25 lt:22 gr:20 si:20 pt:18 lv:15 ee:15 hr:12"
    ),
    "north-america": "us:760 ca:150 mx:12 cr:4",
    "asia": "sg:90 jp:60 cn:60 in:60 hk:60 id:50 tw:40 th:25 tr:22 kr:20 my:18 vn:15 bd:12 il:12 kz:10 ph:10 ae:8",
    "oceania": "au:110 nz:40",
    "south-america": "br:60 ar:15 cl:15 co:6",
    "africa": "za:50 ke:8 ng:4",
}
# Speeds as operators set them; most leave a common one.
NETSPEEDS = (1, 10, 50, 100, 250, 384, 512, 768, 1000, 1500, 2000, 3000, 5000, 10000)
NETSPEED_PARTS = (1, 1, 1, 3, 3, 5, 6, 5, 30, 10, 6, 12, 7, 10)
IPV6_SHARE = 0.45

IPV4_NETWORKS = tuple(map(IPv4Network, ("198.18.0.0/15", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")))
IPV6_NETWORK = IPv6Network("2001:db8::/32")

# Parts of a hundred.
MIX = {"pool": 55, "country": 35, "other": 5, "absent": 5}
EDNS_PARTS = {"subnet": 30, "plain": 49, "none": 21}
AAAA_SHARE = 0.25
# A client's /24 is somewhere in 1.0.0.0 to 223.255.255.0.
_CLIENT_FIRST, _CLIENT_LAST = 1, 223
# The OPT record up to its RDLENGTH, offering 1232 octets (RFC 6891 section 6.1.2).
OPT = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00"

Label = dict[str, object]
Question = tuple[str, str]


@dataclass(frozen=True)
class Server:
    """One server of the pool; `ipv6` is empty for most."""

    ipv4: str
    ipv6: str
    netspeed: int
    country: str
    continent: str


def make_servers(count: int, random_source: random.Random) -> list[Server]:
    """`count` servers, at least one in each country, no address twice."""
    places = _places(count)
    ipv4 = random_source.sample([address for network in IPV4_NETWORKS for address in network.hosts()], count)
    ipv6 = random_source.sample(range(1, 1 << 32), count)
    speeds = random_source.choices(NETSPEEDS, NETSPEED_PARTS, k=count)
    return [
        Server(str(ipv4[at]), _ipv6(ipv6[at]) if random_source.random() < IPV6_SHARE else "", speeds[at], *places[at])
        for at in range(count)
    ]


def _places(count: int) -> list[tuple[str, str]]:
    """(country, continent) of each server; what rounding leaves goes to the largest country."""
    parts = {
        (country, continent): int(part)
        for continent, words in COUNTRIES.items()
        for country, _, part in [word.partition(":") for word in words.split()]
    }
    whole = sum(parts.values())
    places = [place for place, part in parts.items() for _ in range(max(1, count * part // whole))]
    largest = max(parts, key=lambda place: parts[place])
    return places[:count] + [largest] * (count - len(places))


def _ipv6(number: int) -> str:
    """An address in the documentation network: a /64 for each, and the host ::123."""
    return str(ip_address(int(IPV6_NETWORK.network_address) + (number << 64) + 0x123))


# -- the zone


def make_zone(servers: Sequence[Server], random_source: random.Random) -> dict[str, object]:
    """The zone document, as the pool writes it."""
    data: dict[str, Label] = {}
    for zone, members in _zones(servers).items():
        split = [random_source.choice(SUBZONES) for _ in members]
        for subzone in ("", *SUBZONES):
            is_split = subzone and len(members) >= BIG_ZONE_SERVERS
            chosen = [server for server, own in zip(members, split, strict=True) if not is_split or own == subzone]
            data[_join(subzone, zone)] = _zone_label(chosen, subzone in AAAA_SUBZONES)
    data[""].update(_apex())
    data.update(_aliases())
    data["www"] = {"cname": "www.example.net."}
    data["stats"] = {"cname": "stats.example.net."}
    return {
        "serial": 1_700_000_000,
        "ttl": 150,
        "max_hosts": 4,
        "logging": {"stathat_api": "nobody@example.com"},
        "data": data,
    }


def _zones(servers: Iterable[Server]) -> dict[str, list[Server]]:
    """Who is in the whole pool, in each continent and in each country."""
    zones: dict[str, list[Server]] = {"": []}
    for server in servers:
        for zone in ("", server.continent, server.country):
            zones.setdefault(zone, []).append(server)
    return zones


def _join(subzone: str, zone: str) -> str:
    return ".".join(filter(None, (subzone, zone)))


def _zone_label(servers: Sequence[Server], has_ipv6: bool) -> Label:
    """One label; nobody should send mail there (RFC 7505)."""
    label: Label = {
        "a": [[server.ipv4, server.netspeed] for server in servers],
        "mx": [{"mx": ".", "preference": 0}],
    }
    if has_ipv6:
        label["aaaa"] = [[server.ipv6, server.netspeed] for server in servers if server.ipv6]
    return {key: value for key, value in label.items() if value}


def _apex() -> Label:
    return {
        "ns": {f"{letter}.ntpns.example.org": None for letter in "abcdefghi"},
        "txt": [{"txt": "A pool of time servers, made up for a benchmark"}],
    }


def _aliases() -> dict[str, Label]:
    """gb is the code, uk the name; a vendor's names are the pool's."""
    aliases: dict[str, Label] = {_join(subzone, "gb"): {"alias": _join(subzone, "uk")} for subzone in ("", *SUBZONES)}
    for vendor in VENDORS:
        aliases.update({_join(subzone, vendor): {"alias": subzone} for subzone in ("", *SUBZONES)})
    return aliases


# -- the queries


def make_questions(count: int, servers: Sequence[Server], random_source: random.Random) -> Iterator[Question]:
    """(name, type) in the proportions of MIX; countries are asked for as often as they have servers."""
    countries = [server.country for server in servers]
    for kind in random_source.choices(list(MIX), list(MIX.values()), k=count):
        subzone = random_source.choice(("", *SUBZONES))
        address = "AAAA" if random_source.random() < AAAA_SHARE else "A"
        if kind == "pool":
            yield _full(subzone), address
        elif kind == "country":
            yield _full(_join(subzone, random_source.choice(countries))), address
        elif kind == "absent":
            yield _full(random_source.choice(ABSENT)), address
        else:
            yield random_source.choice(((_full("www"), "CNAME"), (_full(""), "TXT"), (_full(subzone), "MX")))


def _full(label: str) -> str:
    return f"{label}.{ORIGIN}" if label else ORIGIN


def make_packets(questions: Iterable[Question], random_source: random.Random) -> Iterator[bytes]:
    """Wire packets for the questions, with EDNS and client subnets in the proportions of EDNS_PARTS."""
    for name, rrtype in questions:
        kind = random_source.choices(list(EDNS_PARTS), list(EDNS_PARTS.values()))[0]
        options = _client_subnet(random_source) if kind == "subnet" else b""
        opt = b"" if kind == "none" else OPT + len(options).to_bytes(2, "big") + options
        yield make_packet(name, rrtype, opt)


def make_packet(name: str, rrtype: str, opt: bytes = b"") -> bytes:
    """A query with an id of 0: who sends it puts its own there."""
    return bytes((0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, bool(opt))) + _question(name, rrtype) + opt


def framed(packets: Iterable[bytes]) -> bytes:
    """Packets as dnsperf -B reads them: each behind its length, as over TCP."""
    return b"".join([len(packet).to_bytes(2, "big") + packet for packet in packets])


@lru_cache(maxsize=200_000)
def _question(name: str, rrtype: str) -> bytes:
    number = dns.rdatatype.from_text(rrtype)
    encoded = dns.name.from_text(name).to_wire()
    assert encoded is not None
    return encoded + number.to_bytes(2, "big") + b"\x00\x01"


def _client_subnet(random_source: random.Random) -> bytes:
    """The option for some /24 (RFC 7871 section 6)."""
    first = random_source.randint(_CLIENT_FIRST, _CLIENT_LAST)
    return b"\x00\x08\x00\x07\x00\x01\x18\x00" + bytes(
        (first, random_source.randrange(256), random_source.randrange(256))
    )


# -- files


@dataclass(frozen=True)
class Pool:
    """What was written: a directory of one zone file, and its queries as text and as packets."""

    zones: Path
    text: Path
    packets: Path


def write_pool(directory: Path, servers: int = SERVERS, seed: int = 1, queries: int = QUERIES) -> Pool:
    """Write a zone of so many servers, and so many queries; the directory is made where it is missing."""
    random_source = random.Random(seed)
    members = make_servers(servers, random_source)
    pool = Pool(directory / "zones", directory / "queries.txt", directory / "queries.bin")
    pool.zones.mkdir(parents=True, exist_ok=True)
    (pool.zones / f"{ORIGIN}.json").write_text(json.dumps(make_zone(members, random_source)), encoding="ascii")
    questions = list(make_questions(queries, members, random_source))
    pool.text.write_text("".join([f"{name} {rrtype}\n" for name, rrtype in questions]), encoding="ascii")
    pool.packets.write_bytes(framed(make_packets(questions, random_source)))
    return pool


def main() -> None:
    """Write the files that the command line asks for."""
    parser = argparse.ArgumentParser(description="Write a pool-shaped zone and queries for it.")
    parser.add_argument("directory", metavar="OUTDIR", type=Path)
    parser.add_argument("--servers", type=int, default=SERVERS, help="default: %(default)s")
    parser.add_argument("--queries", type=int, default=QUERIES, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parsed = parser.parse_args()
    pool = write_pool(parsed.directory, parsed.servers, parsed.seed, parsed.queries)
    print(pool.zones, pool.text, pool.packets, sep="\n")


if __name__ == "__main__":
    main()
