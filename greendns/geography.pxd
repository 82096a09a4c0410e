cimport cython
from libc.stdint cimport uint32_t, uint64_t

from .mmdbtree cimport Tree
from .place cimport Place, place_of, place_of_words, words_of

cdef int _TAG_BITS
cdef uint64_t _GOLDEN, _TAG, _CELL_MAX


@cython.final
cdef class Database:
    cdef readonly object kind
    cdef readonly str path
    cdef readonly object build_epoch
    cdef readonly Tree tree
    cdef object _decode
    cdef list _words
    cdef dict _number_of
    cdef uint32_t[::1] _met
    cdef list _places

    @cython.locals(offset=Py_ssize_t, prefix_length=int, slot=Py_ssize_t, known=tuple)
    cpdef tuple find(self, bytes address)

    @cython.locals(offset=Py_ssize_t, prefix_length=int, spread=uint64_t, cell=uint64_t)
    cpdef tuple find_words(self, bytes address)

    @cython.locals(cell=uint64_t)
    cdef uint64_t _meet(self, Py_ssize_t offset, uint64_t spread) except 0

    @cython.locals(number=object)
    cdef uint64_t _number(self, tuple words) except 0


@cython.final
cdef class Geo:
    cdef readonly Database city
    cdef readonly Database country
    cdef readonly Database asn
    cdef readonly Database by_city
    cdef readonly Database by_country

    cpdef Database locator(self, bint needs_city)
