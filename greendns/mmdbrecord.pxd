cimport cython
from libc.stdint cimport int64_t

cdef int _EXTENDED, _POINTER, _TEXT, _DOUBLE, _UINT16, _UINT32, _MAP, _ARRAY, _BOOLEAN, _LAST


@cython.final
cdef class Records:
    cdef bytes _buffer
    cdef Py_ssize_t _start

    cpdef object read(self, Py_ssize_t offset, dict shape=*)

    @cython.locals(kind=int, size=int64_t)
    cdef object _read(self, Py_ssize_t at, dict shape)

    cdef object _read_value(self, int kind, int64_t size, Py_ssize_t at, dict shape)

    @cython.locals(found=dict, kind=int, octets=int64_t, begin=Py_ssize_t, key=bytes, inner=dict)
    cdef dict _read_map(self, Py_ssize_t at, int64_t size, dict shape)

    @cython.locals(kind=int, size=int64_t, begin=Py_ssize_t)
    cdef (int, int64_t, Py_ssize_t) _follow(self, Py_ssize_t at) except *

    @cython.locals(control=int, kind=int, size=int64_t, more=int)
    cdef (int, int64_t, Py_ssize_t) _head(self, Py_ssize_t at) except *

    @cython.locals(more=int, near=int64_t)
    cdef int64_t _target(self, int control, Py_ssize_t at) except -1

    @cython.locals(number=int64_t, place=Py_ssize_t)
    cdef int64_t _number(self, Py_ssize_t at, int octets) except -1

    @cython.locals(values=int64_t, kind=int, size=int64_t)
    cdef Py_ssize_t _skip(self, Py_ssize_t at) except -1

    cdef str _text(self, Py_ssize_t at, int64_t size)

    @cython.locals(octets=bytes)
    cdef bytes _octets(self, Py_ssize_t at, int64_t size)
