cimport cython

from .outcome cimport Peer
from .query cimport ClientSubnet, Query
from .snapshot cimport Snapshot
from .targeting cimport Location, is_locatable, locate, look_up
from .zone cimport Zone

cdef int _GEOGRAPHIC


@cython.locals(subnet=ClientSubnet)
cpdef Location locate_client(Query query, Peer peer, Zone zone, Snapshot snapshot, Location location=*)

cdef bint _is_somewhere(tuple targets) except -1

cpdef bint is_usable(ClientSubnet subnet) except -1

cpdef Location locate_socket(Peer peer, Zone zone, Snapshot snapshot)
