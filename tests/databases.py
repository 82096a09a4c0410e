"""Small MaxMind databases for tests: networks and records -> files.

    write_city(path, {"192.0.2.0/24": city("DK", subdivision="84", at=(55.7, 12.6))})

`WORLD` and `WORLD_ASNS` are a world to test in, and `write_world` its three files.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mmdb_writer import MMDBWriter, SearchTreeNode, TreeWriter
from netaddr import IPSet  # type: ignore[import-untyped]

Record = dict[str, Any]

BUILD_EPOCH = 1_700_000_000


def city(
    country: str | None = None,
    subdivision: str | None = None,
    at: tuple[float, float] | None = None,
    registered: str | None = None,
) -> Record:
    """A City record; its continent is wrong on purpose, since nobody should read it.

    at          latitude and longitude in degrees
    registered  the country where the network is registered, if not the same
    """
    record = country_record(country, registered)
    if subdivision:
        record["subdivisions"] = [{"iso_code": subdivision, "names": {"en": f"Region {subdivision}"}}]
    if at:
        record["location"] = {"latitude": at[0], "longitude": at[1], "accuracy_radius": 100}
    return record


def country_record(country: str | None, registered: str | None = None) -> Record:
    """A Country record; None has neither country nor continent."""
    if country is None:
        return {}
    return {
        "continent": {"code": "ZZ"},
        "country": {"iso_code": country, "names": {"en": f"Country {country}"}},
        "registered_country": {"iso_code": registered or country},
    }


def asn(number: int) -> Record:
    """An ASN record."""
    return {"autonomous_system_number": number, "autonomous_system_organization": f"Example {number}"}


WORLD: dict[str, Record] = {
    "192.0.2.0/24": city("DK", subdivision="84", at=(55.7, 12.6)),
    "198.51.100.0/25": city("DE", subdivision="BE", at=(52.5, 13.4)),
    "198.51.100.128/25": city("GB", subdivision="ENG", at=(51.5, -0.1)),
    "203.0.113.0/26": city("US", subdivision="CA", at=(37.8, -122.4)),
    "203.0.113.64/26": city("US", subdivision="NY", at=(40.7, -74.0)),
    "203.0.113.128/26": city("RU", subdivision="MOW", at=(55.8, 37.6)),
    "203.0.113.192/26": city("JP", subdivision="13", at=(35.7, 139.7)),
    "198.18.0.0/20": city("BR", subdivision="SP", at=(-23.6, -46.6), registered="US"),
    "198.18.16.0/20": city("FR", at=(48.9, 2.3)),  # no subdivision
    "198.19.0.0/24": city(at=(0.5, -30.5)),  # coordinates only
    "2001:db8:1::/48": city("SE", subdivision="AB", at=(59.3, 18.1)),
    "2001:db8:2::/48": city("US", subdivision="WA", at=(47.6, -122.3)),
}

# Longer and shorter than the networks above, so that it shows whose prefix length is told.
WORLD_ASNS: dict[str, Record] = {
    "192.0.2.0/25": asn(64500),
    "198.51.100.0/24": asn(64501),
    "198.18.0.0/15": asn(64500),
    "2001:db8::/44": asn(64501),
}


def write_city(path: Path, networks: Mapping[str, Record], record_size: int = 24, ip_version: int = 6) -> Path:
    """Write a City database."""
    return write_database(path, "GeoLite2-City", networks, record_size, ip_version)


def write_country(path: Path, networks: Mapping[str, Record], record_size: int = 24, ip_version: int = 6) -> Path:
    """Write a Country database; of City records it takes what a Country record has."""
    short = {network: _without_city(record) for network, record in networks.items()}
    return write_database(path, "GeoLite2-Country", short, record_size, ip_version)


def _without_city(record: Record) -> Record:
    return {key: value for key, value in record.items() if key not in ("subdivisions", "location")}


def write_asn(path: Path, networks: Mapping[str, Record], record_size: int = 24, ip_version: int = 6) -> Path:
    """Write an ASN database."""
    return write_database(path, "GeoLite2-ASN", networks, record_size, ip_version)


def write_world(directory: Path) -> Path:
    """Write WORLD as GeoLite2-City, -Country and -ASN into a directory, and return it."""
    write_city(directory / "GeoLite2-City.mmdb", WORLD)
    write_country(directory / "GeoLite2-Country.mmdb", WORLD)
    write_asn(directory / "GeoLite2-ASN.mmdb", WORLD_ASNS)
    return directory


def write_database(
    path: Path,
    database_type: str,
    networks: Mapping[str, Any],
    record_size: int = 24,
    ip_version: int = 6,
    aliases: Iterable[str] = (),
) -> Path:
    """Write a database of any type and records; a network within another takes its part of it.

    aliases  networks of IPv6 whose paths lead to IPv4's part of the tree, and which hold nothing else
    """
    writer = MMDBWriter(ip_version, database_type, ipv4_compatible=ip_version == 6)
    # mmdb_writer lets a network that comes later replace what lies within it.
    for network in sorted(networks, key=_prefix_length):
        writer.insert_network(IPSet([network]), networks[network])
    for alias in aliases:
        _lead_to_ipv4(writer.tree, ipaddress.IPv6Network(alias))
    metadata = {**writer._build_meta(), "build_epoch": BUILD_EPOCH}
    _SizedTree(writer.tree, metadata, record_size).write(str(path))
    return path


def _lead_to_ipv4(tree: SearchTreeNode, alias: ipaddress.IPv6Network) -> None:
    ipv4 = tree
    for _ in range(96):
        ipv4 = ipv4.left
    sides = [int(alias.network_address) >> (127 - depth) & 1 for depth in range(alias.prefixlen)]
    node = tree
    for side in sides[:-1]:
        node[side] = node.get_or_create(side)
        node = node[side]
    node[sides[-1]] = ipv4


def _prefix_length(network: str) -> int:
    return ipaddress.ip_network(network).prefixlen


class _SizedTree(TreeWriter):
    """mmdb_writer takes the smallest record size that will do; this one has to be told."""

    def __init__(self, tree: Any, metadata: dict[str, Any], record_size: int) -> None:
        super().__init__(tree, metadata)
        self._wanted_record_size = record_size

    def _adjust_record_size(self) -> None:
        super()._adjust_record_size()
        self.record_size = max(self.record_size, self._wanted_record_size)
