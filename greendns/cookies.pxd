cimport cython
from libc.stdint cimport int64_t, uint64_t

from .siphash cimport Secret, read_word, siphash_2_4

cdef int64_t _SECONDS, _HALF
cdef int _WORD_OCTETS, _STAMPED_OCTETS, _COOKIE_OCTETS, _VERSION
cdef int64_t _VALID_SECONDS, _RENEW_SECONDS, _SKEW_SECONDS
cdef object _pack_cookie


@cython.locals(own=bytes, client=uint64_t, stamp=uint64_t)
cpdef bytes make_cookie(bytes client_cookie, bytes address, int64_t seconds, Secret secret)

@cython.locals(swapped=uint64_t)
cdef uint64_t _stamp(int64_t seconds) noexcept

@cython.locals(client=uint64_t, stamp=uint64_t, told=uint64_t, secret=Secret)
cpdef bint is_valid(bytes cookie, bytes address, int64_t seconds, tuple secrets) except -1

cpdef bint is_young(bytes cookie, int64_t seconds) except -1

# `octets` is a cookie as a pointer; each index is within what was checked before it.
@cython.locals(octets="const unsigned char*", made=int64_t, age=int64_t)
cdef int64_t _age(bytes cookie, int64_t seconds) except? -1
