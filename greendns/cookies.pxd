cimport cython
from libc.stdint cimport int64_t, uint64_t

cdef uint64_t _MASK
cdef int64_t _SECONDS, _HALF
cdef int _WORD_OCTETS, _STAMPED_OCTETS, _COOKIE_OCTETS, _VERSION
cdef int64_t _VALID_SECONDS, _RENEW_SECONDS, _SKEW_SECONDS
cdef object _pack_cookie


@cython.final
cdef class Secret:
    cdef uint64_t _a
    cdef uint64_t _b
    cdef uint64_t _c
    cdef uint64_t _d


# `octets` is a message as a pointer; each index is within what was checked before it.
@cython.locals(
    octets="const unsigned char*", size=Py_ssize_t, rest=Py_ssize_t, at=Py_ssize_t, count=uint64_t,
    word=uint64_t, a=uint64_t, b=uint64_t, c=uint64_t, d=uint64_t
)
cpdef uint64_t siphash_2_4(Secret secret, uint64_t client, uint64_t stamp, bytes address) except? 0

@cython.locals(word=uint64_t, index=Py_ssize_t)
cdef uint64_t _word(const unsigned char* octets, Py_ssize_t at, Py_ssize_t count) noexcept

cdef (uint64_t, uint64_t, uint64_t, uint64_t) _rounds(
    uint64_t a, uint64_t b, uint64_t c, uint64_t d, int count
) noexcept

@cython.locals(own=bytes, client=uint64_t, stamp=uint64_t)
cpdef bytes make_cookie(bytes client_cookie, bytes address, int64_t seconds, Secret secret)

@cython.locals(swapped=uint64_t)
cdef uint64_t _stamp(int64_t seconds) noexcept

@cython.locals(octets="const unsigned char*", client=uint64_t, stamp=uint64_t, told=uint64_t, secret=Secret)
cpdef bint is_valid(bytes cookie, bytes address, int64_t seconds, tuple secrets) except -1

cpdef bint is_young(bytes cookie, int64_t seconds) except -1

@cython.locals(octets="const unsigned char*", made=int64_t, age=int64_t)
cdef int64_t _age(bytes cookie, int64_t seconds) except? -1
