cimport cython

from .geography cimport Database, Geo
from .place cimport Place

cdef bytes _IS_GLOBAL
cdef int _IP, _ASN, _OF_ADDRESS, _OF_CITY, _OF_PLACE


@cython.final
cdef class Location:
    cdef readonly bytes address
    cdef readonly bint from_subnet
    cdef public Place place
    cdef public int place_prefix
    cdef public int asn_prefix
    cdef public bint has_place
    cdef public tuple targets

    cpdef begin(self, bytes address, bint from_subnet)


@cython.locals(location=Location)
cpdef Location locate(bytes address, bint from_subnet, int levels, bint wants_coordinates, Geo geo)

@cython.locals(database=Database, found=tuple, targets=tuple)
cpdef look_up(Location location, int levels, bint wants_coordinates, Geo geo)

cpdef bint is_locatable(bytes address) except -1

@cython.locals(first=int, second=int)
cdef bint _is_locatable_v4(bytes address) except -1

@cython.locals(scope=int)
cpdef int scope_prefix(Location location, int levels, tuple address_prefixes) except -1
