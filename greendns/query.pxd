cimport cython

cdef int _HEADER, _NAME, _QUERY, _NOERROR, _FORMERR, _NOTIMP, _BADVERS
cdef int _OPT, _IXFR, _TSIG, _NSID, _SUBNET, _COOKIE, _OPTIONS


@cython.final
cdef class ClientSubnet:
    cdef readonly int family
    cdef readonly int source_prefix
    cdef readonly bytes address
    cdef readonly bytes option


@cython.final
cdef class Query:
    cdef readonly bytes id
    cdef readonly int flags
    cdef readonly int opcode
    cdef readonly int verdict
    cdef readonly bytes question
    cdef readonly bytes qname_sent
    cdef readonly bytes qname
    cdef readonly int qtype
    cdef readonly int qclass
    cdef readonly bint has_edns
    cdef readonly int edns_version
    cdef readonly int udp_payload
    cdef readonly bint dnssec_ok
    cdef readonly bint wants_nsid
    cdef readonly bytes cookie
    cdef readonly ClientSubnet subnet

    cpdef clear(self)


# `octets` is the packet as a pointer, so that a slice is one copy. Each is within what was checked before it.
@cython.locals(octets="const unsigned char*")
cpdef bint read(Query query, bytes wire) except -1

@cython.locals(query=Query)
cpdef Query parse(bytes wire)

@cython.locals(qdcount=int, at=Py_ssize_t, verdict=int)
cdef int _judge(Query query, bytes wire) except -1

@cython.locals(at=Py_ssize_t, end=Py_ssize_t, octets="const unsigned char*")
cdef Py_ssize_t _read_question(Query query, bytes wire) except -2

@cython.locals(ancount=int, nscount=int, arcount=int, last_type=int)
cdef int _read_records(Query query, bytes wire, Py_ssize_t at) except -1

@cython.locals(octet=int)
cdef Py_ssize_t _skip_name(bytes wire, Py_ssize_t at) except -2

cdef int _record_type(bytes wire, Py_ssize_t at) except -2

cdef Py_ssize_t _skip_record(bytes wire, Py_ssize_t at) except -2

@cython.locals(end=Py_ssize_t, start=Py_ssize_t, code=int, octets="const unsigned char*")
cdef Py_ssize_t _read_opt(Query query, bytes wire, Py_ssize_t at) except -2

cdef int _read_option(Query query, int code, bytes option) except -1

@cython.locals(family=int, source_prefix=int, bits=int, address=bytes, octets="const unsigned char*")
cpdef ClientSubnet parse_client_subnet(bytes option)
