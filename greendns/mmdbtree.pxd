cimport cython
from libc.stdint cimport int64_t, uint32_t

cdef int _IPV4_OCTETS, _IPV6_OCTETS, _TOP_BITS, _UNKNOWN, _ABSENT


@cython.final
cdef class Tree:
    cdef bytes _buffer
    cdef readonly int64_t node_count
    cdef readonly int record_size
    cdef readonly int ip_version
    cdef readonly Py_ssize_t data_start
    cdef Py_ssize_t _data_octets
    cdef int64_t _first_record
    cdef int64_t _ipv4_start
    cdef uint32_t[::1] _top_nodes
    cdef unsigned char[::1] _top_depths

    @cython.locals(octets=Py_ssize_t, top=int, node=int64_t, depth=int, offset=int64_t)
    cpdef (Py_ssize_t, int) find(self, bytes address)

    @cython.locals(node=int64_t, depth=int)
    cdef int _walk_top(self, bytes address, int top) except -1

    @cython.locals(nodes=int64_t)
    cdef (int64_t, int) _walk(self, bytes address, int64_t node, int depth, int bits) except *

    cpdef int64_t record(self, int64_t node, int side) except -1

    cdef int64_t _read(self, int64_t node, int side) noexcept

    @cython.locals(offset=int64_t)
    cpdef Py_ssize_t offset_of(self, int64_t record) noexcept

    # Pointers into nodes that `record` and `_walk` have found to be there, all of which `_check_fits` has found in the buffer.
    @cython.locals(value=int64_t, octets="const unsigned char*")
    cdef int64_t _read_24(self, Py_ssize_t at) noexcept

    @cython.locals(shared=int64_t, octets="const unsigned char*")
    cdef int64_t _read_28(self, Py_ssize_t at, int side) noexcept

    @cython.locals(value=int64_t, octets="const unsigned char*")
    cdef int64_t _read_32(self, Py_ssize_t at) noexcept

    @cython.locals(node=int64_t, bits_left=int)
    cdef int64_t _find_ipv4_start(self) except -1
