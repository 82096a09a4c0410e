cimport cython

from .answering cimport Answering, deny
from .client cimport is_usable, locate_client, locate_socket
from .filters cimport choose
from .image cimport Image
from .outcome cimport Outcome, Peer
from .query cimport ClientSubnet, Query
from .referral cimport refer
from .response cimport Response
from .rrset cimport RRset
from .targeting cimport Location, locate, scope_prefix
from .zone cimport Match, Zone, find_first, find_matches
from .zonedb cimport ZoneDB

cdef tuple _NO_PREFIXES
cdef int _ANY, _CNAME, _SOA, _NS, _NOERROR, _NXDOMAIN, _ANSWER, _IP, _UNDERSCORE


@cython.locals(name=Py_ssize_t)
cpdef tuple find_name(Zone zone, bytes relative, ZoneDB zones)

cdef bint _is_always_there(Zone zone, bytes relative, int qtype) except -1

@cython.locals(query=Query, location=Location, cut=bytes, name=Py_ssize_t, stands_at=bytes)
cpdef bytes answer_name(Answering answering, Zone zone, bytes owner, bytes relative)

cdef bint _answer_unwritten(
    Answering answering, Zone zone, bytes owner, bytes relative, Location location
) except -1

@cython.locals(qtype=int, rrset=RRset, per_type=list)
cdef bytes _answer_from(
    Answering answering, Zone zone, bytes owner, bytes relative, Py_ssize_t name, Location location
)

cdef bint _is_cname(list per_type) except -1

cdef _add_minimal(Answering answering, bytes owner)

cdef _deny_name(Answering answering, Zone zone, Py_ssize_t name, Location location)

@cython.locals(qtype=int, match=Match)
cdef RRset _add_best(
    Answering answering, Zone zone, bytes owner, bytes relative, Py_ssize_t name, Location location
)

@cython.locals(match=Match)
cdef RRset _add_first(Answering answering, bytes owner, list matches, Location location)

@cython.locals(response=Response, rrset=RRset, room=Py_ssize_t, indexes=list, partly=bint)
cdef bint _add_match(Answering answering, bytes owner, Match match, Location location) except -1

@cython.locals(levels=int, scope=int)
cdef _widen_scope(Answering answering, Image image, Py_ssize_t name, Location location)

cdef bint _answer_debug(
    Answering answering, Zone zone, bytes owner, bytes relative, Location location
) except -1

@cython.locals(subnet=ClientSubnet)
cdef RRset _country(Answering answering, Zone zone, Location location)
