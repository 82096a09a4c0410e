"""Levels of targeting, as bits, from the nearest to the farthest (G090): what a zone looks at of a client."""

from __future__ import annotations

IP = 1
ASN = 2
REGION = 4
REGION_GROUP = 8
COUNTRY = 16
CONTINENT = 32
ANYONE = 64
# Not a target, but an answer may depend on the client's coordinates too.
CLOSEST = 128

# By the words of a zone's `targeting`.
LEVELS = {
    "ip": IP,
    "asn": ASN,
    "region": REGION,
    "regiongroup": REGION_GROUP,
    "country": COUNTRY,
    "continent": CONTINENT,
    "@": ANYONE,
}
GEOGRAPHIC = IP | ASN | REGION | REGION_GROUP | COUNTRY | CONTINENT

# The target that every client has, where a zone has ANYONE.
EVERYBODY = b"@"
