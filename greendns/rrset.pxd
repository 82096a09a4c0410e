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

    # A slice of a pointer is one copy, a slice of an object four objects: here `_start` has checked the index.
    @cython.locals(octets="const unsigned char*")
    cpdef bytes record(self, Py_ssize_t index)

    cpdef bytes head(self)

    @cython.locals(octets="const unsigned char*")
    cpdef bytes rdata(self, Py_ssize_t index)

    cdef Py_ssize_t _start(self, Py_ssize_t index) except -1

    cdef Py_ssize_t _end(self, Py_ssize_t index) except -1
