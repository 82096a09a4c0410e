cimport cython


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

    cdef tuple _remember_targets(self, int levels)


cpdef Place place_of(object record)

cpdef tuple words_of(object record)

cpdef Place place_of_words(tuple words, tuple coordinates=*)

cdef object _dig(object value, str key)

cdef object _first(object value)
