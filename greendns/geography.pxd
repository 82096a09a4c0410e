cimport cython

from .mmdbtree cimport Tree


@cython.final
cdef class Place:
    cdef readonly bytes country
    cdef readonly bytes continent
    cdef readonly bytes region
    cdef readonly bytes regiongroup
    cdef readonly object asn
    cdef readonly tuple coordinates
    cdef dict _targets
    cdef int _levels
    cdef tuple _latest

    cpdef tuple targets(self, int levels)


@cython.final
cdef class Database:
    cdef readonly object kind
    cdef readonly str path
    cdef readonly object build_epoch
    cdef readonly Tree tree
    cdef object _decode
    cdef dict _places

    @cython.locals(offset=Py_ssize_t, prefix_length=int, place=Place)
    cpdef tuple find(self, bytes address)


@cython.final
cdef class Geo:
    cdef readonly Database city
    cdef readonly Database country
    cdef readonly Database asn

    cpdef Database locator(self, bint needs_city)
