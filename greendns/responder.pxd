cimport cython

from .answer cimport answer_with
from .answering cimport Answering
from .counters cimport Counters
from .outcome cimport Outcome, Peer
from .response cimport two_octets
from .snapshot cimport Snapshot, State

cdef Py_ssize_t _MESSAGES_MAX, _OCTETS_MAX


@cython.final
cdef class Responder:
    cdef public Snapshot snapshot
    cdef public State state
    cdef readonly Counters counters
    cdef public bint detailed
    cdef Answering _answering
    cdef public object tell

    @cython.locals(answered=bytes)
    cpdef bytes respond(self, bytes wire, Peer peer, double now)

    @cython.locals(parts=list, at=Py_ssize_t, end=Py_ssize_t, sent=Py_ssize_t, answered=bytes)
    cpdef tuple respond_all(self, bytes octets, Peer peer, double now)

    cdef bytes _fail(self, bytes wire, Peer peer, object error)
