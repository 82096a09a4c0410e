cimport cython


@cython.final
cdef class Prefixes:
    cdef list _firsts
    cdef list _lasts
    cdef list _firsts6
    cdef list _lasts6

    cpdef bint has(self, bytes address) except -1


@cython.locals(place=Py_ssize_t)
cdef bint _is_within(bytes address, list firsts, list lasts) except -1
