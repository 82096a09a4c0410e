cimport cython
from libc.stdint cimport int64_t


@cython.final
cdef class Tree:
    cdef bytes _buffer
    cdef readonly int64_t node_count
    cdef readonly int record_size
    cdef readonly int ip_version
    cdef readonly Py_ssize_t data_start
    cdef Py_ssize_t _data_octets
    cdef int64_t _ipv4_start

    @cython.locals(node=int64_t, depth=int, bits=int, octets=Py_ssize_t, octet=cython.uint)
    cpdef (Py_ssize_t, int) find(self, bytes address)

    cpdef int64_t record(self, int64_t node, int side) except -1

    @cython.locals(offset=int64_t)
    cpdef Py_ssize_t offset_of(self, int64_t record) noexcept

    @cython.locals(value=int64_t)
    cdef int64_t _read_24(self, Py_ssize_t at) except -1

    @cython.locals(shared=int64_t)
    cdef int64_t _read_28(self, Py_ssize_t at, int side) except -1

    @cython.locals(value=int64_t)
    cdef int64_t _read_32(self, Py_ssize_t at) except -1

    @cython.locals(node=int64_t, bits_left=int)
    cdef int64_t _find_ipv4_start(self) except -1
