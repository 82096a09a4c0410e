cimport cython

from .rrset cimport RRset

cdef int _CNAME, _DS, _NS, _SOA
cdef Py_ssize_t _LIMIT


@cython.final
cdef class Label:
    cdef readonly str text
    cdef public Name alias
    cdef public bint has_alias
    cdef readonly Py_ssize_t max_hosts
    cdef readonly bint closest
    cdef readonly bint is_checked
    cdef readonly dict rrsets


@cython.final
cdef class Name:
    cdef public Label plain
    cdef readonly dict variants
    cdef public int levels
    cdef public tuple address_prefixes

    cpdef add_variant(self, bytes target, Label label)

    cpdef Label label_for(self, bytes target)

    cpdef bint exists_for(self, tuple targets) except -1

    @cython.locals(label=Label)
    cpdef RRset first_rrset(self, int rrtype, tuple targets)

    cpdef list labels_for(self, tuple targets)


@cython.final
cdef class Match:
    cdef readonly bytes target
    cdef readonly Label label
    cdef readonly RRset rrset


@cython.final
cdef class Zone:
    cdef readonly bytes origin
    cdef readonly str text
    cdef readonly dict names
    cdef readonly Name apex
    cdef readonly frozenset cuts
    cdef readonly int levels
    cdef readonly bint wants_coordinates
    cdef readonly RRset soa
    cdef readonly object serial
    cdef readonly str file
    cdef dict _denials

    @cython.locals(record=bytes)
    cpdef bytes denial(self, Py_ssize_t origin_at)

    @cython.locals(at=Py_ssize_t, cut=bytes)
    cpdef bytes find_cut(self, bytes relative, int qtype)

    cpdef bint hides_apex(self) except -1

    cpdef bint wants_place(self) except -1

    @cython.locals(at=Py_ssize_t, encloser=bytes)
    cpdef tuple find_wildcard(self, bytes relative)


cpdef list find_matches(Name name, int qtype, tuple targets)

@cython.locals(target=bytes, label=Label, rrset=RRset, matches=list)
cpdef Match find_first(Name name, int qtype, tuple targets)

@cython.locals(target=bytes, label=Label, rrset=RRset)
cdef _collect(Name name, int qtype, tuple targets, list matches, list visited)
