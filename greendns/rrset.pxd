cimport cython

from .picker cimport WeightedChoice

cdef int _POINTER, _HEAD


@cython.final
cdef class RRset:
    cdef readonly int rrtype
    cdef readonly object ttl
    cdef readonly bytes packed
    cdef readonly WeightedChoice choice
    cdef readonly tuple health
    cdef readonly Py_ssize_t smallest_octets
    cdef readonly int name_offset
    cdef readonly int name_count
    cdef Py_ssize_t _count
    cdef Py_ssize_t _octets
    cdef tuple _starts

    @cython.locals(start=Py_ssize_t)
    cpdef bytes record(self, Py_ssize_t index)

    cpdef bytes head(self)

    @cython.locals(start=Py_ssize_t)
    cpdef bytes rdata(self, Py_ssize_t index)

    cdef Py_ssize_t _start(self, Py_ssize_t index) except -1
