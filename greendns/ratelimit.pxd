cimport cython
from libc.stdint cimport int64_t, uint64_t

from .access cimport Prefixes
from .outcome cimport Outcome
from .siphash cimport Secret, siphash_1_3

cdef uint64_t _GOLDEN, _ODD, _TIME, _64_BITS
cdef int _TIME_BITS, _POSITIVE, _ERROR
cdef int64_t _SECOND
cdef Py_ssize_t _LINE
cdef dict _KIND_OF
cdef tuple _OCTETS


@cython.final
cdef class RateLimiter:
    cdef uint64_t[::1] _cells
    cdef uint64_t _line_mask
    cdef tuple _steps
    cdef Prefixes _exempt
    cdef Secret _secret
    cdef int64_t _debt_max
    cdef int _ipv4_octets
    cdef int _ipv4_mask
    cdef int _ipv6_octets
    cdef int _ipv6_mask
    cdef double _now
    cdef int64_t _micros
    cdef readonly int slip
    cdef readonly bint enforces
    cdef readonly bint tells
    cdef readonly bint has_begun

    @cython.locals(kind=int, step=int64_t, named=bytes, owner=bytes, key=uint64_t, spread=uint64_t)
    cpdef bint is_over(self, Outcome outcome, bytes address, double now) except -1

    @cython.locals(tag=uint64_t, first=Py_ssize_t, place=Py_ssize_t, at=Py_ssize_t, least=int64_t, debt=int64_t, cell=uint64_t)
    cdef bint _charge(self, uint64_t key, int64_t step, int64_t now) except -1

    @cython.locals(octets=bytes, size=int, mask=int)
    cdef bytes _network(self, bytes address)
