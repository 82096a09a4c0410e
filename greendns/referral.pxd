cimport cython

from .answering cimport Answering
from .response cimport Response
from .rrset cimport RRset
from .targeting cimport Location
from .zone cimport Zone, first_rrset

cdef int _NS


@cython.locals(response=Response, name=Py_ssize_t, servers=RRset)
cpdef refer(Answering answering, Zone zone, bytes cut, Location location)

@cython.locals(lowered=bytes, name=Py_ssize_t, glue=RRset, fits=bint)
cdef _add_glue(Answering answering, Zone zone, bytes cut, bytes server, tuple targets)
