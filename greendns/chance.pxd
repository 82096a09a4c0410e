cimport cython
from libc.stdint cimport int64_t, uint64_t

cdef int64_t _RANGE
cdef Py_ssize_t _CELLS


@cython.final
cdef class Uniform:
    cdef object _octets
    cdef const uint64_t[::1] _cells
    cdef Py_ssize_t _at

    @cython.locals(at=Py_ssize_t, number=int64_t)
    cpdef int64_t below(self, int64_t n) except -1

    cdef _fetch(self)
