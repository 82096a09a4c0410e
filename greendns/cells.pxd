cimport cython
from libc.stdint cimport int64_t


@cython.final
cdef class Cells:
    cdef readonly const int64_t[::1] numbers
