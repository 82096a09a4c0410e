cimport cython
from libc.stdint cimport int64_t

from .image cimport Image

cdef int _POINTER, _HEAD, _NAMES_BITS
cdef Py_ssize_t _TYPE, _TTL, _COUNT, _START, _EACH, _SMALLEST, _STARTS, _CHOICE, _CHECKS, _NAMES


@cython.final
cdef class RRset:
    cdef readonly Image image
    cdef readonly Py_ssize_t at
    cdef readonly int rrtype
    cdef readonly Py_ssize_t choice
    cdef readonly Py_ssize_t smallest_octets
    cdef readonly int name_offset
    cdef readonly int name_count
    cdef Py_ssize_t _count
    cdef Py_ssize_t _start
    cdef Py_ssize_t _octets
    cdef Py_ssize_t _starts

    @cython.locals(names=int64_t)
    cpdef begin(self, Image image, Py_ssize_t at)

    # A slice of a pointer is one copy, a slice of an object four objects: here `_begin` has checked the index.
    @cython.locals(octets="const unsigned char*")
    cpdef bytes record(self, Py_ssize_t index)

    @cython.locals(
        octets="const unsigned char*", index=Py_ssize_t, begin=Py_ssize_t, end=Py_ssize_t, size=Py_ssize_t
    )
    cpdef Py_ssize_t append_to(self, list parts, object indexes) except -1

    cpdef bytes head(self)

    @cython.locals(octets="const unsigned char*")
    cpdef bytes rdata(self, Py_ssize_t index)

    cdef Py_ssize_t _begin(self, Py_ssize_t index) except -1

    cdef Py_ssize_t _end(self, Py_ssize_t index) except -1
