"""What removes records between find and pick: failed health checks, then distance. Pure.

The order is that of `choose`: a record that is down is not near.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .codes import RRType
from .geography import distance_degrees
from .picker import Draw, WeightedChoice
from .rrset import RRset
from .snapshot import Snapshot, State
from .targeting import Location
from .zone import Match

HEALTHY = 2
# Distances within 5 % are equal (G162).
_SAME_DISTANCE = 1.05
_ADDRESSES = (RRType.A, RRType.AAAA)
# A CNAME must stand alone (RFC 1034 section 3.6.2, G154).
_SINGLE = 1


def choose(match: Match, location: Location, snapshot: Snapshot, state: State, draw: Draw, room: int) -> list[int]:
    """The records of a match that go into the answer, in the order drawn; empty where none is left.

    room  at most so many records can fit at all: more are not drawn
    """
    rrset = match.rrset
    healthy = healthy_indexes(match, state.health)
    if rrset.choice is None:
        return list(range(len(rrset))) if healthy is None else healthy
    count = _SINGLE if rrset.rrtype == RRType.CNAME else min(match.label.max_hosts, room)
    remaining = len(rrset) if healthy is None else len(healthy)
    if match.label.closest and rrset.rrtype in _ADDRESSES and match.label.max_hosts < remaining:
        groups = distance_groups(rrset, healthy, location, snapshot)
        if groups is not None:
            return _pick_nearest(rrset, groups, count, draw)
    if healthy is None:
        return rrset.choice.pick(count, draw)
    return pick_among(rrset, healthy, count, draw)


def healthy_indexes(match: Match, health: Mapping[str, int] | None) -> list[int] | None:
    """The records that pass their check; None means all (nothing is checked here).

    A record passes without a check of its own, or if its check says healthy; unknown is not healthy (G170, G171).
    """
    checks = match.rrset.health
    if checks is None or health is None or not match.label.is_checked:
        return None
    return [index for index, check in enumerate(checks) if check is None or health.get(check) == HEALTHY]


def distance_groups(
    rrset: RRset, healthy: list[int] | None, location: Location, snapshot: Snapshot
) -> list[list[int]] | None:
    """Records by distance from the client, nearest group first, those without a location last (G161, G163, G165).

    None where the client has no location: then distance says nothing.
    """
    client = location.place.coordinates
    coordinates = snapshot.coordinates.get(rrset)
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


def _pick_nearest(rrset: RRset, groups: list[list[int]], count: int, draw: Draw) -> list[int]:
    """Whole groups nearest first; only the last one, which does not fit, is drawn from by weight (G163)."""
    chosen: list[int] = []
    for group in groups:
        if len(chosen) >= count:
            break
        chosen.extend(pick_among(rrset, group, count - len(chosen), draw))
    return chosen


def pick_among(rrset: RRset, indexes: Sequence[int], count: int, draw: Draw) -> list[int]:
    """A weighted pick from some of the records of a set."""
    part = WeightedChoice([rrset.weights[index] for index in indexes])
    return [indexes[position] for position in part.pick(count, draw)]
