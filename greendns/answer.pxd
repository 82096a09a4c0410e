cimport cython

from .answering cimport Answering, deny, encode_answer, refuse
from .filters cimport choose
from .image cimport Image
from .outcome cimport Outcome, Peer
from .query cimport ClientSubnet, Query, parse
from .referral cimport refer
from .response cimport Response
from .rrset cimport RRset
from .snapshot cimport Snapshot, State
from .targeting cimport Location, is_locatable, locate, look_up, scope_prefix
from .zone cimport Match, Zone, find_first, find_matches
from .zonedb cimport ZoneDB

cdef tuple _NO_PREFIXES
cdef int _IN, _CH, _AXFR, _IXFR, _ANY, _CNAME, _SOA, _NS
cdef int _NOERROR, _NXDOMAIN, _NOTIMP, _REFUSED, _ANSWER, _GEOGRAPHIC, _IP, _CHAIN, _UNDERSCORE


@cython.locals(answering=Answering)
cpdef tuple answer(bytes wire, Peer peer, double now, Snapshot snapshot, State state, object draw)

@cython.locals(query=Query)
cpdef bytes answer_with(Answering answering, bytes wire, Peer peer, double now, Snapshot snapshot, State state)

cpdef bint is_let_in(bytes address, Snapshot snapshot) except -1

@cython.locals(query=Query, zone=Zone)
cdef _answer_question(Answering answering)

cdef _answer_chaos(Answering answering)

@cython.locals(subnet=ClientSubnet)
cpdef Location locate_client(Query query, Peer peer, Zone zone, Snapshot snapshot, Location location=*)

cdef bint _is_somewhere(tuple targets) except -1

cpdef bint is_usable(ClientSubnet subnet) except -1

cdef Location _locate_socket(Peer peer, Zone zone, Snapshot snapshot)

@cython.locals(
    query=Query, owner=bytes, qname=bytes, target=bytes, next_zone=Zone, followed=list,
    octets="const unsigned char*"
)
cdef _follow_chain(Answering answering, Zone zone)

@cython.locals(name=Py_ssize_t)
cpdef tuple find_name(Zone zone, bytes relative, ZoneDB zones)

cdef bint _is_always_there(Zone zone, bytes relative, int qtype) except -1

@cython.locals(query=Query, location=Location, cut=bytes, name=Py_ssize_t, stands_at=bytes)
cdef bytes _answer_name(Answering answering, Zone zone, bytes owner, bytes relative)

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
