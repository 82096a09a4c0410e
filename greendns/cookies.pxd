cimport cython
from libc.stdint cimport uint64_t

cdef uint64_t _MASK


@cython.locals(
    low=uint64_t, high=uint64_t, word=uint64_t, a=uint64_t, b=uint64_t, c=uint64_t, d=uint64_t,
    at=Py_ssize_t, padded=bytes, digest=object
)
cpdef bytes siphash_2_4(bytes key, bytes message)

cdef (uint64_t, uint64_t, uint64_t, uint64_t) _rounds(
    uint64_t a, uint64_t b, uint64_t c, uint64_t d, int count
) noexcept

cpdef bytes server_cookie(bytes client_cookie, bytes address, object seconds, bytes secret)

cpdef bint is_valid(bytes cookie, bytes address, object seconds, bytes secret) except -1

cpdef bytes answer_cookie(bytes cookie, bytes address, object seconds, bytes secret)

cdef object _age(bytes cookie, object seconds)
