cimport cython

from .answering cimport Answering, encode_answer, refuse
from .onename cimport answer_name
from .outcome cimport Outcome, Peer
from .query cimport Query, parse
from .response cimport Response
from .snapshot cimport Snapshot, State
from .zone cimport Zone

cdef int _IN, _CH, _AXFR, _IXFR, _NOERROR, _NOTIMP, _REFUSED, _CHAIN


@cython.locals(answering=Answering)
cpdef tuple answer(bytes wire, Peer peer, double now, Snapshot snapshot, State state, object draw)

@cython.locals(query=Query)
cpdef bytes answer_with(Answering answering, bytes wire, Peer peer, double now, Snapshot snapshot, State state)

cpdef bint is_let_in(bytes address, Snapshot snapshot) except -1

@cython.locals(query=Query, zone=Zone)
cdef _answer_question(Answering answering)

cdef _answer_chaos(Answering answering)

@cython.locals(
    query=Query, owner=bytes, qname=bytes, target=bytes, next_zone=Zone, followed=list,
    octets="const unsigned char*"
)
cdef _follow_chain(Answering answering, Zone zone)
