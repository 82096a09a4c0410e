"""Why a client gets what it gets: the stages of `answer`, walked one by one and told.

Pure like the stages themselves. `walk` returns plain values for programs; `tell` writes them for people.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from . import chaos
from .answer import CHAIN_LIMIT, answer, find_name, locate_client, name_matches
from .codes import EdnsOption, Rcode, RRType, rcode_name, rrtype_name
from .filters import distance_groups, healthy_indexes
from .name import relative_text, to_text
from .odds import odds_of_inclusion
from .outcome import Peer
from .picker import Draw
from .query import Query, parse
from .rdata import to_text as rdata_text
from .response import encode_opt
from .snapshot import Snapshot, State
from .targeting import EVERYBODY, Location, address_text, scope_prefix
from .zone import Label, Match, Name, Zone

_ADDRESSES = (RRType.A, RRType.AAAA)
Values = dict[str, Any]


def walk(qname: bytes, qtype: int, client: bytes, now: float, snapshot: Snapshot, state: State, draw: Draw) -> Values:
    """Ask for a name as `client` (4 or 16 octets) would through a resolver that tells its whole address.

    Returns question, hops (one for each name of a CNAME chain), scope and the answer drawn.
    """
    wire = _question(qname, qtype, client)
    query = parse(wire)
    assert query is not None
    peer = Peer(client, 0, is_tcp=True)
    hops = list(_hops(query, peer, snapshot, state))
    answered, outcome = answer(wire, peer, now, snapshot, state, draw)
    return {
        "question": {"name": to_text(qname), "type": rrtype_name(qtype), "client": address_text(client)},
        "hops": hops,
        "scope": outcome.scope,
        "rcode": rcode_name(outcome.rcode),
        "kind": outcome.kind,
        "answer": _records_text(answered),
    }


def _question(qname: bytes, qtype: int, client: bytes) -> bytes:
    """A query with the client's whole address as its client subnet."""
    family = 1 if len(client) == 4 else 2
    subnet = struct.pack("!HBB", family, len(client) * 8, 0) + client
    opt = encode_opt(1232, Rcode.NOERROR, False, [(EdnsOption.CLIENT_SUBNET, subnet)])
    return struct.pack("!6H", 0, 0, 1, 0, 0, 1) + qname + struct.pack("!HH", qtype, 1) + opt


def _records_text(answered: bytes | None) -> list[str]:
    """Our own answer in presentation form."""
    from dnslib import DNSRecord  # a tenth of a second to import, and needed here alone

    if answered is None:
        return []
    message = DNSRecord.parse(answered)
    additional = [record for record in message.ar if record.rtype != RRType.OPT]
    sections = ((message.rr, ""), (message.auth, "authority: "), (additional, "additional: "))
    return [prefix + record.toZone() for records, prefix in sections for record in records]


# -- one name after the other


def _hops(query: Query, peer: Peer, snapshot: Snapshot, state: State) -> Iterator[Values]:
    qname = query.qname
    seen: list[bytes] = []
    while len(seen) <= CHAIN_LIMIT and qname not in seen:
        seen.append(qname)
        zone = snapshot.zones.match(qname, query.qtype)
        if zone is None:
            result = "not ours" if seen[1:] else "refused: no zone of ours"
            yield {"name": to_text(qname), "zone": None, "result": result}
            return
        hop, target = _hop(query, peer, zone, qname, snapshot, state)
        yield hop
        if target is None:
            return
        qname = target


def _hop(
    query: Query, peer: Peer, zone: Zone, qname: bytes, snapshot: Snapshot, state: State
) -> tuple[Values, bytes | None]:
    """What one zone says of one name; and where a CNAME leads on to."""
    relative = qname[: len(qname) - len(zone.origin)]
    location = locate_client(query, peer, zone, snapshot)
    hop: Values = {
        "name": to_text(qname),
        "zone": zone.text,
        "file": zone.file,
        "serial": zone.serial,
        "client": _location(location),
        "targets": [target.decode() for target in location.targets],
    }
    cut = zone.find_cut(relative, query.qtype)
    if cut is not None:
        return {**hop, "result": f"referral: {to_text(cut + zone.origin)} is delegated"}, None
    if relative not in zone.names and _is_debug_name(relative, peer, snapshot):
        return {**hop, "result": "debug name"}, None
    if relative not in zone.names and qname in snapshot.zones.ancestors:
        return {**hop, "result": "NODATA: no label, but a zone of ours below"}, None
    name, stands_at = find_name(zone, relative)
    if name is None:
        return {**hop, "result": "NXDOMAIN: no label, no wildcard"}, None
    hop["matched_name"] = relative_text(stands_at) or "@"
    hop["tried"] = list(_tried(name, location.targets, stands_at))
    hop["scope"] = scope_prefix(location, name.levels, name.address_prefixes)
    matches = name_matches(zone, relative, name, query.qtype, location.targets)
    told = [one for each in matches for one in _told(each, location, snapshot, state)]
    hop["passed"] = [one for one in told if not _is_answered(one)]
    hop["sets"] = [one for one in told if _is_answered(one)]
    if not hop["sets"]:
        exists = name.exists_for(location.targets)
        return {**hop, "result": "NODATA" if exists else "NXDOMAIN: only other clients see this name"}, None
    return {**hop, "result": "answer"}, _chain_target(query, matches, hop)


def _is_debug_name(relative: bytes, peer: Peer, snapshot: Snapshot) -> bool:
    return chaos.is_debug_name(relative) and chaos.is_permitted(relative, peer.address, snapshot.options)


def _chain_target(query: Query, matches: list[list[Match]], hop: Values) -> bytes | None:
    """Where the likeliest CNAME leads, if it is to be followed."""
    if hop["sets"][0]["type"] != "CNAME" or query.qtype in (RRType.CNAME, RRType.ANY):
        return None
    records = hop["sets"][0]["records"]
    likeliest = max(range(len(records)), key=lambda index: records[index]["odds"])
    match = next(match for match in matches[0] if match.label.text == hop["sets"][0]["label"])
    return match.rrset.rdatas[likeliest].lower()


def _location(location: Location) -> Values:
    place = location.place
    return {
        "address": address_text(location.address),
        "by": "client subnet" if location.from_subnet else "socket",
        "country": place.country.decode() if place.country else None,
        "continent": place.continent.decode() if place.continent else None,
        "region": place.region.decode() if place.region else None,
        "coordinates": list(place.coordinates) if place.coordinates else None,
        "prefix": location.place_prefix,
        "asn_prefix": location.asn_prefix,
    }


def _tried(name: Name, targets: tuple[bytes, ...], stands_at: bytes) -> Iterator[Values]:
    base = relative_text(stands_at)
    for target in targets:
        label = name.plain if target == EVERYBODY else name.variants.get(target)
        text = base if target == EVERYBODY else ".".join([part for part in (base, target.decode()) if part])
        yield {"target": target.decode(), "label": text or "@", "holds": _holds(label)}


def _holds(label: Label | None) -> list[str] | None:
    if label is None:
        return None
    return (["alias"] if label.has_alias else []) + [rrtype_name(rrtype) for rrtype in label.rrsets]


# -- one RRset


def _told(matches: list[Match], location: Location, snapshot: Snapshot, state: State) -> Iterator[Values]:
    """Each match up to the first of which records are left, with the odds of each and what was removed (G112)."""
    for match in matches:
        odds = record_odds(match, location, snapshot, state)
        yield {
            "type": rrtype_name(match.rrset.rrtype),
            "label": match.label.text,
            "target": match.target.decode(),
            "ttl": match.rrset.ttl,
            "max_hosts": match.label.max_hosts,
            "records": _records(match, odds),
            "removed": list(_removed(match, odds, location, snapshot, state)),
        }
        if any(odds):
            return


def _is_answered(told: Values) -> bool:
    return any(record["odds"] for record in told["records"])


def _records(match: Match, odds: list[float]) -> list[Values]:
    rrset = match.rrset
    return [
        {
            "value": rdata_text(rrset.rrtype, rdata),
            "weight": rrset.weights[index] if rrset.weights else None,
            "odds": odds[index],
        }
        for index, rdata in enumerate(rrset.rdatas)
    ]


def _removed(match: Match, odds: list[float], location: Location, snapshot: Snapshot, state: State) -> Iterator[Values]:
    """The records that can't be in the answer, and why."""
    healthy = healthy_indexes(match, state.health)
    for index, rdata in enumerate(match.rrset.rdatas):
        if odds[index]:
            continue
        reason = "weight 0, and enough others have more" if match.label.max_hosts else "max_hosts is 0"
        if healthy is not None and index not in healthy:
            reason = "its health check does not say healthy"
        elif is_by_distance(match, location, snapshot, state):
            reason = "others are nearer"
        yield {"value": rdata_text(match.rrset.rrtype, rdata), "reason": reason}


def is_by_distance(match: Match, location: Location, snapshot: Snapshot, state: State) -> bool:
    """Whether distance decides which records of a match come into question (G160)."""
    healthy = healthy_indexes(match, state.health)
    remaining = len(match.rrset) if healthy is None else len(healthy)
    if not match.label.closest or match.rrset.rrtype not in _ADDRESSES or match.label.max_hosts >= remaining:
        return False
    return distance_groups(match.rrset, healthy, location, snapshot) is not None


def record_odds(match: Match, location: Location, snapshot: Snapshot, state: State) -> list[float]:
    """How likely each record of a match is in the answer; exact to 6 digits and more."""
    rrset = match.rrset
    healthy = healthy_indexes(match, state.health)
    remaining = list(range(len(rrset))) if healthy is None else healthy
    odds = [0.0] * len(rrset)
    if rrset.choice is None:
        groups, count = [remaining], len(rrset)
    else:
        groups, count = [remaining], 1 if rrset.rrtype == RRType.CNAME else match.label.max_hosts
        if is_by_distance(match, location, snapshot, state):
            groups = distance_groups(rrset, healthy, location, snapshot) or groups
    for group in groups:
        weights = [rrset.weights[index] if rrset.weights else 1 for index in group]
        for index, chance in zip(group, odds_of_inclusion(weights, max(count, 0)), strict=True):
            odds[index] = chance
        count -= len(group)
    return odds


# -- for people


def tell(told: Values) -> str:
    """The same as lines of text."""
    question = told["question"]
    lines = [f"{question['name']} {question['type']} for a client at {question['client']}"]
    for hop in told["hops"]:
        lines.append("")
        lines.extend(_tell_hop(hop))
    lines += ["", f"scope    /{told['scope']}", f"answer   {told['rcode']}"]
    lines += [f"         {record}" for record in told["answer"]]
    return "\n".join(lines)


def _tell_hop(hop: Values) -> Iterator[str]:
    yield f"name     {hop['name']}"
    if hop["zone"] is not None:
        client = hop["client"]
        yield f"zone     {hop['zone']}  serial {hop['serial']}  {hop['file'] or 'built in'}"
        where = [client[key] for key in ("region", "country", "continent") if client[key]]
        yield (
            f"client   {client['address']} by its {client['by']}: {', '.join(where) or 'in no known place'}"
            f"  network /{client['prefix']}"
            + (f"  AS network /{client['asn_prefix']}" if client["asn_prefix"] else "")
            + (f"  at {client['coordinates'][0]:.3f},{client['coordinates'][1]:.3f}" if client["coordinates"] else "")
        )
        yield f"targets  {' '.join(hop['targets']) or 'none'}"
    for tried in hop.get("tried", ()):
        holds = "no such label" if tried["holds"] is None else ", ".join(tried["holds"]) or "empty"
        yield f"tried    {tried['label']:<24} {holds}"
    for one in hop.get("passed", ()):
        yield f"passed   {one['label'] or '@'} {one['type']}: no record is left"
        yield from _tell_removed(one)
    for one in hop.get("sets", ()):
        yield from _tell_set(one)
    yield f"result   {hop['result']}"


def _tell_set(one: Values) -> Iterator[str]:
    yield f"matched  {one['label'] or '@'} {one['type']}  TTL {one['ttl']}  max_hosts {one['max_hosts']}"
    for record in one["records"]:
        if record["odds"]:
            weight = "" if record["weight"] is None else f"  weight {record['weight']:>8}"
            yield f"         {record['value']:<40}{weight}  {record['odds']:10.4%}"
    yield from _tell_removed(one)


def _tell_removed(one: Values) -> Iterator[str]:
    for removed in one["removed"]:
        yield f"removed  {removed['value']:<40}  {removed['reason']}"
