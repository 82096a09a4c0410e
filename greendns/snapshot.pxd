cimport cython

from .access cimport Prefixes
from .geography cimport Geo
from .image cimport Image
from .zonedb cimport ZoneDB


@cython.final
cdef class Snapshot:
    cdef readonly ZoneDB zones
    cdef readonly Geo geo
    cdef readonly object options
    cdef readonly object coordinates
    cdef readonly int udp_payload_octets
    cdef readonly tuple opts
    cdef readonly tuple cookie_secrets
    cdef readonly bint cookies_required
    cdef readonly bytes nsid_option
    cdef readonly double idle_seconds
    cdef readonly bint any_is_minimal
    cdef readonly Prefixes may_ask
    cdef readonly frozenset stale_zones


@cython.final
cdef class Tier:
    cdef readonly tuple indexes
    cdef readonly Image choice


@cython.final
cdef class State:
    cdef readonly object health
    cdef readonly dict tiers
