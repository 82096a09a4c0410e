cimport cython
from libc.stdint cimport int64_t

cdef Py_ssize_t _KEY, _LEVELS, _PLAIN, _VARIANTS, _FIRST, _SETTINGS, _ALIAS, _SETS
cdef int _KEY_BITS, _LEVEL_BITS, _TYPE_BITS, _HAS_ALIAS, _CNAME
cdef int64_t _KEY_MASK, _LEVEL_MASK, _TYPE_MASK


@cython.final
cdef class Image:
    cdef readonly const int64_t[::1] numbers
    cdef readonly bytes octets
    cdef readonly tuple checks
    cdef readonly dict targets

    cpdef settle(self, const int64_t[::1] numbers, bytes octets, tuple checks, dict targets)

    @cython.locals(mask=Py_ssize_t, slot=Py_ssize_t, size=Py_ssize_t, name=Py_ssize_t, key=int64_t)
    cpdef Py_ssize_t find(self, Py_ssize_t table, bytes relative) except -1

    cpdef int levels(self, Py_ssize_t name) except -1

    @cython.locals(prefixes=int64_t)
    cpdef tuple address_prefixes(self, Py_ssize_t name)

    cpdef Py_ssize_t plain(self, Py_ssize_t name) except -1

    @cython.locals(number=object)
    cpdef Py_ssize_t label_for(self, Py_ssize_t name, bytes target) except -1

    @cython.locals(low=Py_ssize_t, high=Py_ssize_t, middle=Py_ssize_t, at=Py_ssize_t)
    cdef Py_ssize_t _find_variant(self, Py_ssize_t name, int64_t number) except -1

    cpdef bint exists_for(self, Py_ssize_t name, tuple targets) except -1

    cpdef int64_t settings(self, Py_ssize_t label) except -1

    cpdef bint has_alias(self, Py_ssize_t label) except -1

    cpdef Py_ssize_t alias(self, Py_ssize_t label) except -1

    @cython.locals(first=Py_ssize_t, at=Py_ssize_t, there=int64_t)
    cpdef Py_ssize_t first_set(self, Py_ssize_t label, int rrtype) except -1

    @cython.locals(first=Py_ssize_t, at=Py_ssize_t)
    cpdef Py_ssize_t find_set(self, Py_ssize_t label, int rrtype) except -1


@cython.locals(
    mask=Py_ssize_t, first=Py_ssize_t, at=Py_ssize_t, name=Py_ssize_t, key=int64_t, start=Py_ssize_t, slot=Py_ssize_t,
    end=Py_ssize_t
)
cpdef fill_anew(int64_t[::1] numbers, bytes octets, Py_ssize_t table)
