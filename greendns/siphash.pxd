cimport cython
from libc.stdint cimport uint64_t

cdef uint64_t _MASK
cdef int _WORD_OCTETS, _TWO_WORDS_OCTETS


@cython.final
cdef class Secret:
    cdef uint64_t _a
    cdef uint64_t _b
    cdef uint64_t _c
    cdef uint64_t _d


# `octets` is a message as a pointer; each index is within what was checked before it.
@cython.locals(
    octets="const unsigned char*", size=Py_ssize_t, over=Py_ssize_t, at=Py_ssize_t, count=uint64_t,
    word=uint64_t, a=uint64_t, b=uint64_t, c=uint64_t, d=uint64_t
)
cpdef uint64_t siphash_2_4(Secret secret, uint64_t first, uint64_t second, bytes rest) except? 0

@cython.locals(
    octets="const unsigned char*", size=Py_ssize_t, over=Py_ssize_t, at=Py_ssize_t, count=uint64_t,
    word=uint64_t, a=uint64_t, b=uint64_t, c=uint64_t, d=uint64_t
)
cpdef uint64_t siphash_1_3(Secret secret, bytes message) except? 0

@cython.locals(octets="const unsigned char*")
cpdef uint64_t read_word(bytes message, Py_ssize_t at) except? 0

@cython.locals(word=uint64_t, index=Py_ssize_t)
cdef uint64_t _word(const unsigned char* octets, Py_ssize_t at, Py_ssize_t count) noexcept

cdef (uint64_t, uint64_t, uint64_t, uint64_t) _rounds(
    uint64_t a, uint64_t b, uint64_t c, uint64_t d, int count
) noexcept
