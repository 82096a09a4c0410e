cimport cython

from .rrset cimport RRset

cdef int _HEADER, _QR, _TC, _ANSWER, _AUTHORITY, _POINTER_LIMIT, _POINTER_OCTETS, _FIRST_RECORD, _POINTED


cdef tuple _OCTETS, _PAIRS, _COUNTS

cpdef bytes two_octets(int number)

cpdef bytes encode_opt(int udp_payload, int rcode, bint dnssec_ok, object options)

cpdef bytes encode_option(int code, bytes option)

cpdef bytes one_octet(int number)


@cython.final
cdef class Response:
    cdef readonly bytes question
    cdef readonly bytes qname
    cdef public bint is_truncated
    cdef int _answers
    cdef int _authorities
    cdef int _additionals
    cdef list _parts
    cdef Py_ssize_t _room
    cdef Py_ssize_t _size
    cdef dict _names

    @cython.locals(octets="const unsigned char*", size=Py_ssize_t)
    cpdef begin(self, bytes question, Py_ssize_t limit, Py_ssize_t opt_octets, bytes qname)

    cpdef bint is_empty(self) except -1

    cpdef Py_ssize_t room(self)

    cpdef Py_ssize_t size(self)

    @cython.locals(parts=Py_ssize_t, size=Py_ssize_t, index=Py_ssize_t, record=bytes)
    cpdef bint add(self, int section, bytes owner, RRset rrset, object indexes, bint partly=*) except -1

    @cython.locals(parts=Py_ssize_t, size=Py_ssize_t)
    cdef bint _add_ready(self, int section, RRset rrset, object indexes) except -1

    cpdef bint add_encoded(self, int section, bytes record) except -1

    @cython.locals(start=bytes)
    cdef bytes _write_record(self, bytes owner, RRset rrset, Py_ssize_t index)

    @cython.locals(rdata=bytes, octets="const unsigned char*", encoded=bytes, begin=Py_ssize_t, end=Py_ssize_t)
    cdef bytes _frame_names(self, RRset rrset, Py_ssize_t index, Py_ssize_t at)

    @cython.locals(
        names=dict, octets="const unsigned char*", size=Py_ssize_t, begin=Py_ssize_t, suffix=bytes, known=object,
        place=int
    )
    cdef bytes _compress(self, bytes name, Py_ssize_t at)

    @cython.locals(qname=bytes, size=Py_ssize_t, labels=Py_ssize_t, at=Py_ssize_t)
    cdef Py_ssize_t _pointed_from(self) except -1

    cdef _remember(self, dict names, Py_ssize_t begin)

    cdef _forget_unwritten(self)

    cdef _count(self, int section, Py_ssize_t records)

    @cython.locals(questions=int, answers=int, authorities=int, additionals=int)
    cdef bytes _counts(self, int opts)

    @cython.locals(parts=list)
    cpdef bytes encode(self, bytes id, int flags, int rcode, bytes opt)


@cython.locals(response=Response, names=dict)
cpdef bytes encode_behind(Py_ssize_t origin_at, bytes origin, RRset rrset)
