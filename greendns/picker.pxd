cimport cython
from libc.stdint cimport int64_t

from .chance cimport Uniform
from .image cimport Image

cdef Py_ssize_t _POSITIVES, _SHIFT, _ORDER, _ZEROS, _BOUNDS, _CUTS_MAX


@cython.locals(positives=Py_ssize_t, picks=list, order=Py_ssize_t, position=Py_ssize_t)
cpdef list pick(Image image, Py_ssize_t at, Py_ssize_t count, object draw)

@cython.locals(size=Py_ssize_t)
cdef list _draw_up_to(Image image, Py_ssize_t at, Py_ssize_t count, object draw)

@cython.locals(position=Py_ssize_t, bounds=Py_ssize_t, left=int64_t)
cpdef list draw_by_cuts(Image image, Py_ssize_t at, Py_ssize_t count, object draw)

@cython.locals(uniform=Uniform)
cdef int64_t _below(object draw, int64_t n) except -1

@cython.locals(
    bounds=Py_ssize_t,
    low=Py_ssize_t,
    high=Py_ssize_t,
    middle=Py_ssize_t,
    shift=int64_t,
    guide=Py_ssize_t,
)
cdef Py_ssize_t _find(Image image, Py_ssize_t at, int64_t point) except -1

@cython.locals(position=Py_ssize_t, moved=int64_t, reached=int64_t, start=int64_t)
cdef int64_t _step_over(Image image, Py_ssize_t bounds, list drawn, int64_t point) except -1

@cython.locals(position=Py_ssize_t, bounds=Py_ssize_t, size=Py_ssize_t, left=int64_t, width=int64_t)
cpdef list draw_by_tree(Image image, Py_ssize_t at, Py_ssize_t count, object draw)

@cython.locals(
    size=Py_ssize_t,
    position=Py_ssize_t,
    step=Py_ssize_t,
    node=Py_ssize_t,
    covered=int64_t,
)
cdef Py_ssize_t _descend(Image image, Py_ssize_t bounds, list taken, int64_t point) except -1

@cython.locals(node=Py_ssize_t)
cdef _take(list taken, Py_ssize_t position, int64_t width)

cpdef tuple weights_of(Image image, Py_ssize_t at)
