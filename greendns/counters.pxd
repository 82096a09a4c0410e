cimport cython
from libc.stdint cimport int64_t, uint64_t

from .outcome cimport Outcome
from .zone cimport Zone

cdef bytes _IS_TOLD
cdef int _TCP_KINDS, _TRUNCATED_CELL, _NXDOMAIN_RCODE, _ZONE_BITS, _TYPE_BITS


@cython.final
cdef class Counters:
    cdef uint64_t[::1] _cells
    cdef object _heap
    cdef Py_ssize_t _used
    cdef Py_ssize_t _next_cell
    cdef dict _cell_of_line
    cdef dict _cell_of
    cdef dict _plain_cell_of

    cpdef forget_zones(self)

    @cython.locals(kind=str, cell=Py_ssize_t, zone=Zone, qtype=int)
    cpdef count(self, Outcome outcome, bint is_tcp, bint detailed)

    cpdef count_failure(self, bint is_tcp)

    cpdef count_unsent(self, Py_ssize_t datagrams)

    cpdef count_limited(self, int action)

    cpdef count_opened(self)

    cpdef count_closed(self, Py_ssize_t why)

    cpdef beat(self)

    @cython.locals(number=int64_t, key=int64_t, cell=object, place=Py_ssize_t)
    cdef _count_plainly(self, Zone zone, int qtype, int rcode)

    @cython.locals(cell=object, place=Py_ssize_t)
    cdef _count_question(self, Zone zone, int qtype, bytes owner, int rcode)

    cdef Py_ssize_t _find_cell(self, Zone zone, int qtype, bytes owner, int rcode) except -1
