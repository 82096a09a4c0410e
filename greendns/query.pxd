cimport cython

cdef int _HEADER, _NAME, _QUERY, _NOERROR, _FORMERR, _NOTIMP, _BADVERS
cdef int _OPT, _IXFR, _TSIG, _NSID, _SUBNET, _COOKIE, _KEEPALIVE, _PADDING, _OPTIONS, _OPT_OCTETS
cdef tuple _ZEROS


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
    cdef public int verdict
    cdef readonly bytes question
    cdef readonly bytes qname_sent
    cdef readonly bytes qname
    cdef readonly int qtype
    cdef readonly int qclass
    cdef readonly bint has_edns
    cdef readonly bint has_options
    cdef readonly int edns_version
    cdef readonly int udp_payload
    cdef readonly bint dnssec_ok
    cdef readonly bint wants_nsid
    cdef readonly bint wants_padding
    cdef readonly Py_ssize_t keepalive_octets
    cdef readonly bytes cookie
    cdef readonly ClientSubnet subnet
    cdef ClientSubnet _own_subnet

    cpdef clear(self)


# `octets` is the packet as a pointer, so that a slice is one copy. Each is within what was checked before it.
@cython.locals(octets="const unsigned char*", first=int)
cpdef bint read(Query query, bytes wire) except -1

@cython.locals(query=Query)
cpdef Query parse(bytes wire)

@cython.locals(has_question=bint, at=Py_ssize_t, verdict=int)
cdef int _judge(Query query, bytes wire) except -1

@cython.locals(
    at=Py_ssize_t, size=Py_ssize_t, end=Py_ssize_t, octet=int, sent=bytes, octets="const unsigned char*"
)
cdef Py_ssize_t _read_question(Query query, bytes wire) except -2

@cython.locals(arcount=int)
cdef int _read_records(Query query, bytes wire, Py_ssize_t at) except -1

@cython.locals(octet=int)
cdef Py_ssize_t _skip_name(bytes wire, Py_ssize_t at) except -2

@cython.locals(end=Py_ssize_t)
cdef Py_ssize_t _skip_tsig(bytes wire, Py_ssize_t at) except -2

cdef Py_ssize_t _skip_record(bytes wire, Py_ssize_t at) except -2

@cython.locals(end=Py_ssize_t)
cdef Py_ssize_t _read_opt(Query query, bytes wire, Py_ssize_t at) except -2

@cython.locals(start=Py_ssize_t, code=int, octets="const unsigned char*")
cdef _read_options(Query query, bytes wire, Py_ssize_t at, Py_ssize_t end)

cdef int _read_option(Query query, int code, bytes option) except -1

@cython.locals(subnet=ClientSubnet)
cpdef ClientSubnet parse_client_subnet(bytes option)

@cython.locals(
    size=Py_ssize_t, family=int, source_prefix=int, address_octets=Py_ssize_t, address=bytes,
    octets="const unsigned char*"
)
cdef bint read_client_subnet(ClientSubnet subnet, bytes option) except -1
