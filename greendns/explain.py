"""Why a client gets what it gets: the stages of `answer`, walked one by one and told.

Pure like the stages themselves. `walk` returns plain values for programs; `tell` writes them for people.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from . import chaos
from .answer import CHAIN_LIMIT, answer, is_let_in
from .client import locate_client
from .codes import EdnsOption, Rcode, RRClass, RRType, rcode_name, rrtype_name
from .cursor import Cursor
from .filters import pick_count, plan
from .image import Image
from .levels import EVERYBODY
from .message import Record, read_records
from .name import relative_text, to_text
from .odds import is_exact, odds_of_inclusion
from .onename import find_name, name_matches
from .outcome import Outcome, Peer
from .picker import Draw
from .place import Place
from .query import Query, parse
from .rdata import to_text as rdata_text
from .response import ADDITIONAL, ANSWER, AUTHORITY, encode_opt
from .snapshot import Snapshot, State
from .targeting import Location, address_text, scope_prefix
from .zone import Match, Zone

_SECTIONS = {ANSWER: "", AUTHORITY: "authority: ", ADDITIONAL: "additional: "}
_ENDINGS = {"nodata": "NODATA", "nxdomain": "NXDOMAIN", "debug": "debug name"}
_NO_TRANSFER = "zones are not transferred"
_REFUSALS: dict[int, str] = {RRType.AXFR: _NO_TRANSFER, RRType.IXFR: _NO_TRANSFER}
_CLASSES = {int(member): member.name for member in RRClass}
Values = dict[str, Any]


def walk(qname: bytes, qtype: int, client: bytes, now: float, snapshot: Snapshot, state: State, draw: Draw) -> Values:
    """Ask for a name as `client` (4 or 16 octets) would through a resolver that tells its whole address.

    Returns question, hops (one for each name of a CNAME chain), scope and the answer drawn.
    """
    wire = _question(qname, qtype, client)
    query = parse(wire)
    assert query is not None
    peer = Peer(client, 0, is_tcp=True)
    answered, outcome = answer(wire, peer, now, snapshot, state, draw)
    records = read_records(answered) if answered is not None else []
    hops = list(_hops(query, peer, snapshot, state, outcome, _drawn_chain(query, records)))
    hops[-1]["result"] = _result(hops[-1], outcome, is_let_in(client, snapshot))
    return {
        "question": {"name": to_text(qname), "type": rrtype_name(qtype), "client": address_text(client)},
        "hops": hops,
        "scope": outcome.scope,
        "rcode": rcode_name(outcome.rcode),
        "kind": outcome.kind,
        "answer": [_record_text(record) for record in records if record.rrtype != RRType.OPT],
    }


def _question(qname: bytes, qtype: int, client: bytes) -> bytes:
    """A query with the client's whole address as its client subnet."""
    family = 1 if len(client) == 4 else 2
    subnet = struct.pack("!HBB", family, len(client) * 8, 0) + client
    opt = encode_opt(1232, Rcode.NOERROR, False, [(EdnsOption.CLIENT_SUBNET, subnet)])
    return struct.pack("!6H", 0, 0, 1, 0, 0, 1) + qname + struct.pack("!HH", qtype, 1) + opt


def _record_text(record: Record) -> str:
    """A record of our own answer in presentation form."""
    rrclass = _CLASSES.get(record.rrclass, f"CLASS{record.rrclass}")
    owner, value = to_text(record.owner), _value(record.rrtype, record.rdata)
    return f"{_SECTIONS[record.section]}{owner} {record.ttl} {rrclass} {rrtype_name(record.rrtype)} {value}"


def _value(rrtype: int, rdata: bytes) -> str:
    """Rdata in presentation form; a SOA, which no zone file gives, is shown here alone."""
    if rrtype != RRType.SOA:
        return rdata_text(rrtype, rdata)
    cursor = Cursor(rdata)
    names = [to_text(cursor.name()), to_text(cursor.name())]
    return " ".join([*names, *[str(cursor.integer(4)) for _ in range(5)]])


def _drawn_chain(query: Query, records: list[Record]) -> dict[bytes, bytes]:
    """Where the CNAMEs of the answer lead that were followed."""
    if query.qtype in (RRType.CNAME, RRType.ANY):
        return {}
    cnames = [each for each in records if each.section == ANSWER and each.rrtype == RRType.CNAME]
    return {each.owner.lower(): each.rdata.lower() for each in cnames}


# -- one name after the other


def _hops(
    query: Query, peer: Peer, snapshot: Snapshot, state: State, outcome: Outcome, chain: dict[bytes, bytes]
) -> Iterator[Values]:
    """Each name that the answer went through; none of a question that no zone was asked."""
    qname: bytes | None = query.qname
    seen: list[bytes] = []
    while qname is not None and len(seen) <= CHAIN_LIMIT and qname not in seen:
        seen.append(qname)
        zone = snapshot.zones.match(qname, query.qtype) if outcome.zone is not None else None
        if zone is None:
            yield {"name": to_text(qname), "zone": None, "result": "not ours"}
            return
        yield _hop(query, peer, zone, qname, snapshot, state)
        qname = chain.get(qname)


def _result(hop: Values, outcome: Outcome, is_client_let_in: bool) -> str:
    """How the last name ended, as the answer says; with the reason why, where the hop has one."""
    if not is_client_let_in:
        return f"{rcode_name(outcome.rcode)}: access.queries does not have this address"
    if outcome.zone is None:
        return f"{rcode_name(outcome.rcode)}: {_REFUSALS.get(outcome.qtype, 'no zone of ours')}"
    found: str = hop["result"]
    ending = _ENDINGS.get(outcome.kind, outcome.kind)
    return found if hop["zone"] is None or found.startswith(ending) else ending


def _hop(query: Query, peer: Peer, zone: Zone, qname: bytes, snapshot: Snapshot, state: State) -> Values:
    """What one zone says of one name."""
    relative = qname[: len(qname) - len(zone.origin)]
    location = locate_client(query, peer, zone, snapshot)
    hop: Values = {
        "name": to_text(qname),
        "zone": zone.text,
        "file": zone.file,
        "serial": zone.serial,
        "client": _location(location, _full_place(location, zone, snapshot)),
        "targets": [target.decode() for target in location.targets],
    }
    cut = zone.find_cut(relative, query.qtype)
    if cut is not None:
        return {**hop, "result": f"referral: {to_text(cut + zone.origin)} is delegated"}
    if not zone.find(relative) and _is_debug_name(relative, peer, snapshot):
        return {**hop, "result": "debug name"}
    if not zone.find(relative) and qname in snapshot.zones.ancestors:
        return {**hop, "result": "NODATA: no label, but a zone of ours below"}
    name, stands_at = find_name(zone, relative, snapshot.zones)
    if not name:
        return {**hop, "result": "NXDOMAIN: no label, no wildcard"}
    hop["matched_name"] = relative_text(stands_at) or "@"
    hop["tried"] = list(_tried(zone.image, name, location.targets, stands_at))
    hop["scope"] = scope_prefix(location, zone.image.levels(name), zone.image.address_prefixes(name))
    matches = name_matches(zone, relative, name, query.qtype, location.targets)
    told = [one for each in matches for one in _told(each, location, snapshot, state)]
    hop["passed"] = [one for one in told if not _is_answered(one)]
    hop["sets"] = [one for one in told if _is_answered(one)]
    if hop["sets"]:
        return {**hop, "result": "answer"}
    exists = zone.image.exists_for(name, location.targets)
    return {**hop, "result": "NODATA" if exists else "NXDOMAIN: only other clients see this name"}


def _is_debug_name(relative: bytes, peer: Peer, snapshot: Snapshot) -> bool:
    return chaos.is_debug_name(relative) and chaos.is_permitted(relative, peer.address, snapshot.options)


def _full_place(location: Location, zone: Zone, snapshot: Snapshot) -> Place:
    """The place with its coordinates, which answers look at only where distance counts."""
    database = snapshot.geo.locator(zone.wants_place()) if location.has_place else None
    return location.place if database is None else database.find(location.address)[0]


def _location(location: Location, place: Place) -> Values:
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


def _tried(image: Image, name: int, targets: tuple[bytes, ...], stands_at: bytes) -> Iterator[Values]:
    base = relative_text(stands_at)
    for target in targets:
        label = image.label_for(name, target)
        text = base if target == EVERYBODY else ".".join([part for part in (base, target.decode()) if part])
        yield {"target": target.decode(), "label": text or "@", "holds": _holds(image, label)}


def _holds(image: Image, label: int) -> list[str] | None:
    if not label:
        return None
    return (["alias"] if image.has_alias(label) else []) + [rrtype_name(rrtype) for rrtype, _ in image.sets(label)]


# -- one RRset


def _told(matches: list[Match], location: Location, snapshot: Snapshot, state: State) -> Iterator[Values]:
    """Each match up to the first of which records are left, with the odds of each and what was removed (G112)."""
    for match in matches:
        groups = _groups(match, location, snapshot, state)
        odds = _group_odds(match, groups)
        yield {
            "type": rrtype_name(match.rrset.rrtype),
            "label": match.label_text(),
            "target": match.target.decode(),
            "ttl": match.rrset.ttl,
            "max_hosts": match.max_hosts,
            "odds_are": "exact" if _are_exact(match, groups) else "approximate",
            "records": _records(match, odds),
            "removed": list(_removed(match, odds, groups)),
        }
        if any(odds):
            return


def _is_answered(told: Values) -> bool:
    return any(record["odds"] for record in told["records"])


def _records(match: Match, odds: list[float]) -> list[Values]:
    rrset = match.rrset
    weights = rrset.weights
    return [
        {
            "value": _value(rrset.rrtype, rdata),
            "weight": weights[index] if weights else None,
            "odds": odds[index],
        }
        for index, rdata in enumerate(rrset.rdatas)
    ]


# Which records are drawn from, and how many of them are taken; the indexes of one group after the other.
Groups = list[tuple[list[int], int]]


def _groups(match: Match, location: Location, snapshot: Snapshot, state: State) -> Groups:
    """The groups of records in the order in which they are used up, with the places that are left for each."""
    count = pick_count(match)
    groups: Groups = []
    for indexes in plan(match, location, snapshot, state):
        groups.append((indexes, count))
        count = max(count - len(indexes), 0)
    return groups


def _weights(match: Match, indexes: list[int]) -> list[int]:
    weights = match.rrset.weights
    return [weights[index] if weights else 1 for index in indexes]


def _group_odds(match: Match, groups: Groups) -> list[float]:
    odds = [0.0] * len(match.rrset)
    for indexes, count in groups:
        for index, chance in zip(indexes, odds_of_inclusion(_weights(match, indexes), count), strict=True):
            odds[index] = chance
    return odds


def _are_exact(match: Match, groups: Groups) -> bool:
    return all(is_exact(_weights(match, indexes), count) for indexes, count in groups)


def _removed(match: Match, odds: list[float], groups: Groups) -> Iterator[Values]:
    """The records that can't be in the answer, and why."""
    reasons = {index: _reason(match, count) for indexes, count in groups for index in indexes}
    for index, rdata in enumerate(match.rrset.rdatas):
        if not odds[index]:
            reason = reasons.get(index, "its health check does not say healthy")
            yield {"value": _value(match.rrset.rrtype, rdata), "reason": reason}


def _reason(match: Match, count: int) -> str:
    """Why a record of a group that has `count` places is out: no place for the group, or no weight within it."""
    if count:
        return "weight 0, and enough others have more"
    return "others are nearer" if pick_count(match) else "max_hosts is 0"


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
    if one["odds_are"] == "approximate":
        yield "odds     approximate: usually within 0.02 points of percent, as measured"
    yield from _tell_removed(one)


def _tell_removed(one: Values) -> Iterator[str]:
    for removed in one["removed"]:
        yield f"removed  {removed['value']:<40}  {removed['reason']}"
