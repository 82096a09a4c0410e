"""Who asks, for one zone: by the client subnet if that can tell, else by the socket. Pure."""

from __future__ import annotations

from .levels import EVERYBODY, GEOGRAPHIC
from .outcome import Peer
from .query import ClientSubnet, Query
from .snapshot import Snapshot
from .targeting import Location, is_locatable, locate, look_up
from .zone import Zone

# What the compiled functions look at for each query: see query.py.
_GEOGRAPHIC = GEOGRAPHIC


def locate_client(
    query: Query, peer: Peer, zone: Zone, snapshot: Snapshot, location: Location | None = None
) -> Location:
    """Where the client is, for one zone: by its subnet if that can tell, else by the socket (G101, G200).

    In a zone that targets nobody in particular the subnet's location still counts for closest.
    location  to be filled in; None for a new one
    """
    if location is None:
        location = Location(b"", False)
    subnet = query.subnet
    if subnet is not None and is_usable(subnet):
        location.begin(subnet.address, True)
        look_up(location, zone.levels, zone.wants_coordinates, snapshot.geo)
        if _is_somewhere(location.targets) or not zone.levels & _GEOGRAPHIC:
            return location
    location.begin(peer.address, False)
    look_up(location, zone.levels, zone.wants_coordinates, snapshot.geo)
    return location


def _is_somewhere(targets: tuple[bytes, ...]) -> bool:
    """Whether any target but `@` is among them."""
    return len(targets) > 1 or (len(targets) == 1 and targets[0] != EVERYBODY)


def is_usable(subnet: ClientSubnet) -> bool:
    """Whether a client subnet has an address that may decide (G200)."""
    return subnet.family != 0 and is_locatable(subnet.address)


def locate_socket(peer: Peer, zone: Zone, snapshot: Snapshot) -> Location:
    """Where the socket's other end is, whatever the subnet says."""
    return locate(peer.address, False, zone.levels, zone.wants_coordinates, snapshot.geo)
