cimport cython
from libc.stdint cimport uint64_t

from .outcome cimport Outcome
from .zone cimport Zone

cdef bytes _IS_TOLD
cdef int _TCP_KINDS, _TRUNCATED_CELL, _NXDOMAIN_RCODE


@cython.final
cdef class Counters:
    cdef uint64_t[::1] _cells
    cdef object _heap
    cdef object _used
    cdef dict _cell_of_line
    cdef dict _cell_of
    cdef dict _plain_cells

    @cython.locals(kind=str, cell=Py_ssize_t, zone=Zone, qtype=int, text=str)
    cpdef count(self, Outcome outcome, bint is_tcp, bint detailed)

    cpdef count_failure(self, bint is_tcp)

    cpdef count_unsent(self, Py_ssize_t datagrams)

    @cython.locals(cells=dict, number=int, cell=object, place=Py_ssize_t)
    cdef _count_plainly(self, str text, int qtype, int rcode)

    @cython.locals(cell=object, place=Py_ssize_t)
    cdef _count_question(self, tuple key)

    cdef Py_ssize_t _find_cell(self, tuple key) except -1
