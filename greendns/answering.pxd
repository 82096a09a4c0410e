cimport cython

from libc.stdint cimport int64_t

from .cookies cimport is_valid, is_young, make_cookie
from .outcome cimport Outcome, Peer
from .query cimport Query, read
from .response cimport Response, encode_opt, encode_option, one_octet, two_octets
from .snapshot cimport Snapshot, State
from .targeting cimport Location
from .zone cimport Match, Zone

cdef bytes _SUBNET_CODE, _COOKIE_HEAD, _KEEPALIVE_HEAD
cdef int _NOERROR, _FORMERR, _NOTIMP, _BADCOOKIE, _PADDING, _BLOCK, _TENTHS_MAX, _OPTION_HEAD, _CLIENT_COOKIE_OCTETS, _AUTHORITY, _AA, _COPIED, _HEADER
cdef int _TCP_OCTETS, _PLAIN_OCTETS, _OPT_OCTETS


@cython.final
cdef class Answering:
    cdef readonly Query query
    cdef readonly Peer peer
    cdef readonly double now
    cdef readonly Snapshot snapshot
    cdef readonly State state
    cdef readonly object draw
    cdef readonly Response response
    cdef readonly Outcome outcome
    cdef readonly Location location
    cdef readonly Match match
    cdef public int flags
    cdef public bytes target
    cdef public bint waits
    cdef readonly bint has_server_cookie
    cdef public bytes extended_error
    cdef bytes options
    cdef Py_ssize_t options_octets

    @cython.locals(query=Query, opt_octets=Py_ssize_t, limit=Py_ssize_t)
    cpdef bint begin(self, bytes wire, Peer peer, double now, Snapshot snapshot, State state) except -1

    cdef _begin_options(self, Query query, Peer peer, double now, Snapshot snapshot, Py_ssize_t limit)

    @cython.locals(octets=Py_ssize_t)
    cdef _begin_nsid(self, Query query, Snapshot snapshot, Py_ssize_t limit)

    @cython.locals(seconds=int64_t, cookie=bytes)
    cdef _begin_cookie(self, Query query, Peer peer, double now, Snapshot snapshot)


cdef int _judge_bad_cookie(Query query, Peer peer, Snapshot snapshot) except -1

@cython.locals(seconds=double, tenths=double)
cdef int _idle_tenths(Peer peer, Snapshot snapshot) except -1

cpdef refuse(Answering answering, str kind, int rcode, bytes extended_error=*)

cpdef deny(Answering answering, Zone zone, str kind, int rcode)

cdef bint _add_soa(Response response, Zone zone) except -1

@cython.locals(query=Query, outcome=Outcome, opt=bytes, flags=int, rcode=int)
cpdef bytes encode_answer(Answering answering)

@cython.locals(query=Query)
cpdef bytes truncate(Answering answering)

cdef _add_extended_error(Answering answering)

@cython.locals(octets=Py_ssize_t, padding=Py_ssize_t)
cdef _add_padding(Answering answering)

@cython.locals(octets="const unsigned char*", head=bytes)
cdef bytes _fill_opt(Answering answering, Query query, bytes opt)

@cython.locals(octets="const unsigned char*")
cdef list _subnet_parts(bytes option, int scope)
