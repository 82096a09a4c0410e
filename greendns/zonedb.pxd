cimport cython

from .image cimport Image
from .zone cimport Zone

cdef int _DS


cdef class ZoneDB:
    cdef list _zones
    cdef Image _image
    cdef Py_ssize_t _table
    cdef bytes _lengths
    cdef readonly frozenset ancestors

    @cython.locals(zone=Zone)
    cpdef Zone match(self, bytes qname, int qtype)

    @cython.locals(octets="const unsigned char*", size=Py_ssize_t, at=Py_ssize_t, place=Py_ssize_t)
    cpdef Zone closest(self, bytes name)

    @cython.locals(octets="const unsigned char*", size=Py_ssize_t, between=Py_ssize_t, at=Py_ssize_t)
    cpdef bint has_between(self, bytes name, bytes encloser) except -1
