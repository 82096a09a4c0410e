cimport cython
from libc.stdint cimport int64_t

from .image cimport Image
from .rrset cimport RRset

cdef int _DS, _NS, _SOA, _CLOSEST, _CHECKED, _SETTING_BITS
cdef Py_ssize_t _LIMIT


@cython.final
cdef class Match:
    cdef readonly RRset rrset
    cdef readonly Image image
    cdef readonly bytes target
    cdef readonly Py_ssize_t label
    cdef readonly Py_ssize_t max_hosts
    cdef readonly bint closest
    cdef readonly bint is_checked

    @cython.locals(settings=int64_t)
    cpdef begin(self, Image image, bytes target, Py_ssize_t label, Py_ssize_t at)

    cpdef str label_text(self)


# What each query looks at comes first, so that it stands in as few lines of the processor's cache as can be.
@cython.final
@cython.no_gc
cdef class Zone:
    cdef readonly Py_ssize_t origin_octets
    cdef readonly Image image
    cdef readonly Py_ssize_t table
    cdef readonly frozenset cuts
    cdef readonly int levels
    cdef readonly bint wants_coordinates
    cdef public Py_ssize_t number
    cdef readonly bytes origin
    cdef readonly Py_ssize_t text_cell
    cdef readonly Py_ssize_t soa_at
    cdef readonly object serial
    cdef readonly str file
    cdef dict _denials
    cdef bytes _cut_lengths

    cpdef RRset soa(self)

    cpdef Py_ssize_t find(self, bytes relative) except -1

    @cython.locals(record=bytes)
    cpdef bytes denial(self, Py_ssize_t origin_at)

    @cython.locals(octets="const unsigned char*", size=Py_ssize_t, at=Py_ssize_t, cut=bytes, above=bytes)
    cpdef bytes find_cut(self, bytes relative, int qtype)

    cpdef bint hides_apex(self) except -1

    cpdef bint wants_place(self) except -1

    @cython.locals(
        octets="const unsigned char*", size=Py_ssize_t, labels=Py_ssize_t, missing=Py_ssize_t,
        there=Py_ssize_t, step=Py_ssize_t, middle=Py_ssize_t, wildcard=bytes,
    )
    cpdef tuple find_wildcard(self, bytes relative)


@cython.locals(labels=Py_ssize_t, at=Py_ssize_t)
cdef Py_ssize_t _count_labels(bytes relative) except -1

@cython.locals(at=Py_ssize_t)
cdef Py_ssize_t _skip_labels(bytes relative, Py_ssize_t labels) except -1


cpdef list find_matches(Image image, Py_ssize_t name, int qtype, tuple targets)

@cython.locals(target=bytes, label=Py_ssize_t, at=Py_ssize_t, matches=list, first=Match)
cpdef bint find_first(Image image, Py_ssize_t name, int qtype, tuple targets, Match match) except -1

@cython.locals(target=bytes, label=Py_ssize_t, at=Py_ssize_t, beside=Py_ssize_t, alias=Py_ssize_t)
cdef _collect(Image image, Py_ssize_t name, int qtype, tuple targets, list matches, list visited)

@cython.locals(target=bytes, label=Py_ssize_t, at=Py_ssize_t)
cpdef RRset first_rrset(Image image, Py_ssize_t name, int rrtype, tuple targets)
