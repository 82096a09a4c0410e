cimport cython

from .image cimport Image
from .zone cimport Zone

cdef double NO_LIMIT_TOLD


# One for each datagram, and rarely more than one at a time: its memory is used again.
@cython.freelist(8)
@cython.final
cdef class Peer:
    cdef readonly bytes address
    cdef readonly int port
    cdef readonly bint is_tcp
    cdef readonly bint is_batched
    cdef public double idle_seconds


@cython.final
cdef class Outcome:
    cdef public str kind
    cdef public int rcode
    cdef public int qtype
    cdef public Zone zone
    cdef public bytes owner
    cdef public Image image
    cdef public Py_ssize_t label
    cdef public tuple targets
    cdef public int scope
    cdef public bint is_truncated

    cpdef begin(self, str kind, int rcode, int qtype)
