cimport cython

from .picker cimport pick
from .rrset cimport RRset
from .snapshot cimport Snapshot, State, Tier
from .targeting cimport Location
from .zone cimport Match

cdef int _A, _AAAA, _CNAME
cdef Py_ssize_t _SINGLE


@cython.locals(rrset=RRset, count=Py_ssize_t, tier=Tier)
cpdef list choose(Match match, Location location, Snapshot snapshot, State state, object draw, Py_ssize_t room)

cpdef Py_ssize_t pick_count(Match match) except -1

cdef bint _minds_distance(Match match) except -1
