"""The pool's zone for gdnsd and for NSD: a document of poolzone.make_zone -> RFC 1035 zone files, and gdnsd's weights.

Neither has what the pool needs: gdnsd weighs at most 64 addresses of a name and gives one of them or a varying number,
NSD weighs nothing. So both get less than GreenDNS has: the first 60 records of each name, of which one is answered;
four fixed ones. Neither knows aliases: an alias gets the records of what it leads to. Nothing else is read than what
poolzone.make_zone writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

# gdnsd takes 64 addresses per family (gdnsd-plugin-weighted(8), LIMITS).
GDNSD_RECORDS = 60
# As many as GreenDNS answers with: max_hosts of the pool.
NSD_RECORDS = 4
TTL = 150

Label = Mapping[str, Any]
Labels = Mapping[str, Label]
_FAMILIES = (("a", "addrs_v4"), ("aaaa", "addrs_v6"))


def resolve_aliases(document: Mapping[str, Any]) -> dict[str, Label]:
    """The labels, an alias replaced by what it leads to: all but NS and SOA follow (G132)."""
    labels = cast("Labels", document["data"])
    return {name: _without_ns(labels[label["alias"]]) if "alias" in label else label for name, label in labels.items()}


def _without_ns(label: Label) -> Label:
    return {key: value for key, value in label.items() if key != "ns"}


def nsd_zone(origin: str, document: Mapping[str, Any]) -> str:
    """The zone file for NSD: the first four addresses of each name."""
    lines = list(_head(origin))
    for name, label in resolve_aliases(document).items():
        lines += _static_lines(name, label)
        for key, _ in _FAMILIES:
            lines += [f"{_owner(name)} {key.upper()} {value[0]}" for value in label.get(key, [])[:NSD_RECORDS]]
    return "\n".join(lines) + "\n"


def gdnsd_zone(origin: str, document: Mapping[str, Any]) -> str:
    """The zone file for gdnsd: names with addresses ask the plugin for them."""
    lines = list(_head(origin))
    for name, label in resolve_aliases(document).items():
        lines += _static_lines(name, label)
        if "a" in label or "aaaa" in label:
            lines.append(f"{_owner(name)} DYNA weighted!{_resource(name)}")
    return "\n".join(lines) + "\n"


def gdnsd_weights(document: Mapping[str, Any]) -> str:
    """The plugin's resources, one per name: the first 60 addresses of each family with their weights."""
    parts = []
    for name, label in resolve_aliases(document).items():
        families = [f"    {family} => {{ {_weighted(label[key])} }}" for key, family in _FAMILIES if key in label]
        if families:
            parts.append("\n".join([f"  {_resource(name)} => {{", *families, "  }"]))
    return "weighted => {\n" + "\n".join(parts) + "\n}\n"


def _weighted(records: list[list[Any]]) -> str:
    taken = enumerate(records[:GDNSD_RECORDS])
    return ", ".join([f"r{number} => [ {address}, {weight} ]" for number, (address, weight) in taken])


def _resource(name: str) -> str:
    """A name for the plugin: dots part words there."""
    return "zone-" + name.replace(".", "-")


def _owner(name: str) -> str:
    return name or "@"


def _head(origin: str) -> Iterator[str]:
    """What GreenDNS makes up by itself for a zone that does not say it."""
    yield f"$ORIGIN {origin}."
    yield f"$TTL {TTL}"
    yield "@ SOA a.ntpns.example.org. hostmaster.example.org. 1700000000 5400 5400 1209600 3600"


def _static_lines(name: str, label: Label) -> Iterator[str]:
    """NS, MX, TXT and CNAME of a label."""
    owner = _owner(name)
    for server in label.get("ns", ()):
        yield f"{owner} NS {server}."
    for mx in label.get("mx", ()):
        yield f"{owner} MX {mx['preference']} {mx['mx']}"
    for txt in label.get("txt", ()):
        yield f'{owner} TXT "{txt["txt"]}"'
    if "cname" in label:
        yield f"{owner} CNAME {label['cname']}"
