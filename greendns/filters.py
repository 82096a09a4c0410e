"""What removes records between find and pick: failed health checks, then distance. Pure.

The order is that of `choose`: a record that is down is not near.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .codes import RRType
from .image import Image
from .picker import Draw, encode_choice, pick
from .place import distance_degrees
from .rrset import RRset
from .snapshot import Snapshot, State, Tier
from .targeting import Location
from .zone import Match

HEALTHY = 2
# Distances within 5 % are equal (G162).
_SAME_DISTANCE = 1.05
# Places and labels whose tiers are kept; some 200 octets each for the usual max_hosts. Starting over is cheap.
TIERS_LIMIT = 4096
# A CNAME must stand alone (RFC 1034 section 3.6.2, G154).
_SINGLE = 1
# What the compiled functions look at for each query: see query.py.
_A, _AAAA, _CNAME = int(RRType.A), int(RRType.AAAA), int(RRType.CNAME)


def choose(match: Match, location: Location, snapshot: Snapshot, state: State, draw: Draw, room: int) -> list[int]:
    """The records of a match that go into the answer, in the order drawn; empty where none is left.

    room  at most so many records can fit at all: more are not drawn
    """
    rrset = match.rrset
    if not rrset.choice:
        healthy = healthy_indexes(match, state.health)
        return list(range(len(rrset))) if healthy is None else healthy
    count = pick_count(match)
    if count > room:
        count = room
    if not match.is_checked and not _minds_distance(match):
        return pick(match.image, rrset.choice, count, draw)
    chosen: list[int] = []
    for tier in _remembered_tiers(match, location, snapshot, state):
        chosen.extend([tier.indexes[position] for position in pick(tier.choice, 0, count - len(chosen), draw)])
        if len(chosen) >= count:
            break
    return chosen


def pick_count(match: Match) -> int:
    """How many records a match gives, if there are as many: all where none are picked, one CNAME (G150, G154, G156)."""
    if not match.rrset.choice:
        return len(match.rrset)
    return _SINGLE if match.rrset.rrtype == _CNAME else match.max_hosts


def _minds_distance(match: Match) -> bool:
    """Whether distance may count: for addresses alone (G160)."""
    return match.closest and (match.rrset.rrtype == _A or match.rrset.rrtype == _AAAA)


def _remembered_tiers(match: Match, location: Location, snapshot: Snapshot, state: State) -> list[Tier]:
    """The tiers of a match for clients at a place: made once for each snapshot and state of health."""
    coordinates = location.place.coordinates if _minds_distance(match) else None
    key = (match.image, match.rrset.at, coordinates)
    tiers = state.tiers.get(key)
    if tiers is None:
        if len(state.tiers) >= TIERS_LIMIT:
            state.tiers.clear()
        tiers = state.tiers[key] = _make_tiers(match, location, snapshot, state)
    return tiers


def _make_tiers(match: Match, location: Location, snapshot: Snapshot, state: State) -> list[Tier]:
    """Whole groups nearest first, as many as an answer can need: only the last one is drawn from (G163)."""
    weights = match.rrset.weights
    tiers: list[Tier] = []
    needed = pick_count(match)
    for indexes in plan(match, location, snapshot, state):
        if needed <= 0:
            break
        tiers.append(Tier(tuple(indexes), Image(encode_choice([weights[index] for index in indexes]))))
        needed -= len(indexes)
    return tiers


def plan(match: Match, location: Location, snapshot: Snapshot, state: State) -> list[list[int]]:
    """The records that come into question, in groups: a later one counts only where the earlier ones are used up.

    One group, unless distance decides: then nearest first. Weights decide within a group.
    """
    rrset = match.rrset
    healthy = healthy_indexes(match, state.health)
    remaining = len(rrset) if healthy is None else len(healthy)
    if _minds_distance(match) and match.max_hosts < remaining:
        groups = distance_groups(rrset, healthy, location, snapshot)
        if groups is not None:
            return groups
    return [list(range(len(rrset))) if healthy is None else healthy]


def healthy_indexes(match: Match, health: Mapping[str, int] | None) -> list[int] | None:
    """The records that pass their check; None means all (nothing is checked here).

    A record passes without a check of its own, or if its check says healthy; unknown is not healthy (G170, G171).
    """
    checks = match.rrset.checks()
    if checks is None or health is None or not match.is_checked:
        return None
    return [index for index, check in enumerate(checks) if check is None or health.get(check) == HEALTHY]


def distance_groups(
    rrset: RRset, healthy: list[int] | None, location: Location, snapshot: Snapshot
) -> list[list[int]] | None:
    """Records by distance from the client, nearest group first, those without a location last (G161, G163, G165).

    None where the client has no location: then distance says nothing.
    """
    client = location.place.coordinates
    coordinates = snapshot.coordinates.get((rrset.image, rrset.at))
    if client is None or coordinates is None:
        return None
    indexes = range(len(rrset)) if healthy is None else healthy
    placed = []
    unplaced = []
    for index in indexes:
        record = coordinates[index]
        if record is None:
            unplaced.append(index)
        else:
            placed.append((distance_degrees(client, record), index))
    groups = _group_by_distance(sorted(placed))
    return [*groups, unplaced] if unplaced else groups


def _group_by_distance(placed: Sequence[tuple[float, int]]) -> list[list[int]]:
    """Each group reaches to 1.05 times its nearest member's distance."""
    groups: list[list[int]] = []
    limit = -1.0
    for distance, index in placed:
        if distance > limit:
            groups.append([])
            limit = distance * _SAME_DISTANCE
        groups[-1].append(index)
    return groups
