cimport cython
from libc.stdint cimport int64_t

from .chance cimport Uniform


@cython.final
cdef class Line:
    cdef const int64_t[::1] cells


@cython.final
cdef class WeightedChoice:
    cdef Line _line
    cdef Py_ssize_t _first
    cdef object _indexes
    cdef Py_ssize_t _positives
    cdef WeightedChoice _zeros

    cdef const int64_t[::1] _bounds(self) except *

    cpdef list pick(self, Py_ssize_t count, object draw)

    @cython.locals(position=Py_ssize_t)
    cdef Py_ssize_t _index(self, Py_ssize_t position) except -1


@cython.locals(position=Py_ssize_t, left=int64_t)
cpdef list draw_by_cuts(const int64_t[::1] bounds, Py_ssize_t count, object draw)

@cython.locals(uniform=Uniform)
cdef int64_t _below(object draw, int64_t n) except -1

@cython.locals(low=Py_ssize_t, high=Py_ssize_t, middle=Py_ssize_t)
cdef Py_ssize_t _find(const int64_t[::1] bounds, int64_t point) except -1

@cython.locals(position=Py_ssize_t, moved=int64_t, reached=int64_t)
cdef int64_t _step_over(const int64_t[::1] bounds, list drawn, int64_t point) except -1

@cython.locals(position=Py_ssize_t, size=Py_ssize_t, left=int64_t, width=int64_t)
cpdef list draw_by_tree(const int64_t[::1] bounds, Py_ssize_t count, object draw)

@cython.locals(size=Py_ssize_t, position=Py_ssize_t, step=Py_ssize_t, node=Py_ssize_t, covered=int64_t)
cdef Py_ssize_t _descend(const int64_t[::1] bounds, list taken, int64_t point) except -1

@cython.locals(node=Py_ssize_t)
cdef _take(list taken, Py_ssize_t position, int64_t width)

cdef list _draw_up_to(Py_ssize_t count, Py_ssize_t size, const int64_t[::1] bounds, object draw)
