cimport cython

from .answer cimport answer_with
from .answering cimport Answering, truncate
from .counters cimport Counters
from .outcome cimport Outcome, Peer
from .ratelimit cimport RateLimiter
from .response cimport two_octets
from .snapshot cimport Snapshot, State

cdef Py_ssize_t _MESSAGES_MAX, _OCTETS_MAX
cdef int _COUNTED, _DROPPED, _TRUNCATED


@cython.final
cdef class Responder:
    cdef public Snapshot snapshot
    cdef public State state
    cdef readonly Counters counters
    cdef public bint detailed
    cdef Answering _answering
    cdef public object tell
    cdef public RateLimiter limiter
    cdef public object notice
    cdef object _draw

    cpdef bytes respond(self, bytes wire, Peer peer, double now)

    cpdef bytes respond_apart(self, bytes wire, Peer peer, double now)

    @cython.locals(answered=bytes)
    cdef bytes _respond(self, Answering answering, bytes wire, Peer peer, double now)

    @cython.locals(
        parts=list, waiting=list, at=Py_ssize_t, end=Py_ssize_t, sent=Py_ssize_t, messages=Py_ssize_t,
        answered=bytes, message=bytes
    )
    cpdef tuple respond_all(self, bytes octets, Peer peer, double now)

    cdef bytes _limit(self, RateLimiter limiter, Answering answering, bytes answered, double now)

    cdef bytes _fail(self, bytes wire, Peer peer, object error)
