"""One UDP socket: batches of datagrams -> answers on their way, by recvmmsg(2) and sendmmsg(2). Linux.

The twin of datagrams.py, which says what each method promises. The vectors of an answer point at the memory of the
bytes object itself, and its address and control message are those that the query came with.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.errno cimport EAGAIN, EINTR, ENOBUFS, errno
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from .outcome cimport Peer
from .responder cimport Responder

from . import datagrams

cdef extern from *:
    """
    #include <arpa/inet.h>
    #include <netinet/in.h>
    #include <sys/socket.h>
    #include <time.h>

    static double seconds_since_1970(void) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        return now.tv_sec + now.tv_nsec / 1e9;
    }

    /* The way back: our address as the query had it, by any interface; a link-local one by its own. */
    static void turn_round(struct msghdr *message) {
        struct cmsghdr *told;
        for (told = CMSG_FIRSTHDR(message); told != NULL; told = CMSG_NXTHDR(message, told)) {
            if (told->cmsg_level == IPPROTO_IP && told->cmsg_type == IP_PKTINFO) {
                struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(told);
                info->ipi_ifindex = 0;
            } else if (told->cmsg_level == IPPROTO_IPV6 && told->cmsg_type == IPV6_PKTINFO) {
                struct in6_pktinfo *info = (struct in6_pktinfo *)CMSG_DATA(told);
                if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
                    info->ipi6_ifindex = 0;
            }
        }
    }
    """
    ctypedef struct iovec "struct iovec":
        void *iov_base
        size_t iov_len
    ctypedef struct msghdr "struct msghdr":
        void *msg_name
        unsigned int msg_namelen
        iovec *msg_iov
        size_t msg_iovlen
        void *msg_control
        size_t msg_controllen
        int msg_flags
    ctypedef struct mmsghdr "struct mmsghdr":
        msghdr msg_hdr
        unsigned int msg_len
    ctypedef struct sockaddr_in "struct sockaddr_in":
        unsigned short sin_port
        unsigned int sin_addr
    ctypedef struct sockaddr_in6 "struct sockaddr_in6":
        unsigned short sin6_port
        unsigned char sin6_addr[16]
    ctypedef struct sockaddr_storage "struct sockaddr_storage":
        unsigned short ss_family
    enum: AF_INET, MSG_DONTWAIT
    int recvmmsg(int, mmsghdr *, unsigned int, int, void *)
    int sendmmsg(int, mmsghdr *, unsigned int, int)
    ssize_t sendmsg(int, const msghdr *, int)
    unsigned short ntohs(unsigned short)
    double seconds_since_1970()
    void turn_round(msghdr *)

cdef enum:
    BATCH = 64
    CONTROL_OCTETS = 64
    DATAGRAM_OCTETS = 65535
    # Not a multiple of a page: buffers that all begin on one would share a few lines of the processor's cache.
    BUFFER_OCTETS = 65536 + 192

cdef int BATCHES = datagrams.BATCHES


cdef struct Slot:
    # What one datagram of a batch came with.
    iovec vector
    sockaddr_storage name
    unsigned char control[CONTROL_OCTETS]


@cython.final
cdef class Datagrams:
    cdef object _listening
    cdef Responder _responder
    cdef object _hold
    cdef int _descriptor
    cdef bint _is_wild
    cdef mmsghdr _queries[BATCH]
    cdef mmsghdr _answers[BATCH]
    cdef iovec _vectors[BATCH]
    cdef Slot *_slots
    cdef unsigned char *_buffers
    cdef list _kept

    def __cinit__(self):
        self._slots = <Slot *>calloc(BATCH, sizeof(Slot))
        # Memory is used as datagrams are long: the first page of each, mostly.
        self._buffers = <unsigned char *>calloc(BATCH, BUFFER_OCTETS)
        if self._slots is NULL or self._buffers is NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self._slots)
        free(self._buffers)

    def __init__(self, listening, Responder responder not None, hold):
        self._listening = listening
        self._descriptor = listening.fileno()
        self._responder = responder
        self._hold = hold
        self._is_wild = datagrams.tell_destinations(listening)
        self._kept = []
        for place in range(BATCH):
            self._slots[place].vector.iov_base = self._buffers + <size_t>place * BUFFER_OCTETS
            self._slots[place].vector.iov_len = DATAGRAM_OCTETS
            self._prepare(place)

    def answer_waiting(self):
        """Answer what is waiting, BATCH * BATCHES datagrams at most. Never raises."""
        for _ in range(BATCHES):
            if self._answer_batch() < BATCH:
                # The queue was empty a moment ago: the hub tells when it is not.
                return

    def send(self, bytes answered not None, tuple way not None):
        """Send one answer that took its time."""
        cdef bytes name = way[0]
        cdef bytes control = way[1]
        cdef iovec vector
        cdef msghdr message
        vector.iov_base = PyBytes_AS_STRING(answered)
        vector.iov_len = PyBytes_GET_SIZE(answered)
        message.msg_name = PyBytes_AS_STRING(name)
        message.msg_namelen = <unsigned int>PyBytes_GET_SIZE(name)
        message.msg_iov = &vector
        message.msg_iovlen = 1
        message.msg_control = PyBytes_AS_STRING(control) if control else NULL
        message.msg_controllen = PyBytes_GET_SIZE(control)
        message.msg_flags = 0
        if sendmsg(self._descriptor, &message, MSG_DONTWAIT) < 0:
            self._responder.counters.count_unsent(1)

    cdef void _prepare(self, int place) noexcept:
        """Make a place of the batch ready for the next datagram: the kernel wrote lengths over."""
        cdef Slot *slot = &self._slots[place]
        cdef msghdr *message = &self._queries[place].msg_hdr
        message.msg_name = &slot.name
        message.msg_namelen = sizeof(sockaddr_storage)
        message.msg_iov = &slot.vector
        message.msg_iovlen = 1
        message.msg_control = slot.control if self._is_wild else NULL
        message.msg_controllen = CONTROL_OCTETS if self._is_wild else 0
        message.msg_flags = 0

    cdef int _answer_batch(self) except -1:
        """Answer one batch; returns how many datagrams it had."""
        cdef int received = recvmmsg(self._descriptor, self._queries, BATCH, MSG_DONTWAIT, NULL)
        cdef int place
        cdef int count = 0
        cdef double now
        cdef bytes wire
        cdef bytes answered
        cdef Peer peer
        if received <= 0:
            # Nothing left to read, or an error that an earlier answer met: no packet's of these.
            return 0
        now = seconds_since_1970()
        for place in range(received):
            wire = PyBytes_FromStringAndSize(
                <char *>self._slots[place].vector.iov_base, self._queries[place].msg_len
            )
            peer = self._peer(place)
            answered = self._responder.respond(wire, peer, now)
            if answered is None:
                continue
            if self._is_wild:
                turn_round(&self._queries[place].msg_hdr)
            if PyBytes_GET_SIZE(answered) == 0:  # WAIT
                try:
                    self._hold(wire, peer, self._way(place))
                except Exception as error:  # the others of the batch have their answers
                    self._responder.tell(error)
                    self._responder.counters.count_failure(False)
                continue
            self._put(count, place, answered)
            count += 1
        self._send(count)
        self._kept.clear()
        for place in range(received):
            self._prepare(place)
        return received

    cdef Peer _peer(self, int place):
        """Who sent the datagram at a place."""
        cdef sockaddr_storage *name = &self._slots[place].name
        cdef Peer peer = Peer.__new__(Peer)
        if name.ss_family == AF_INET:
            peer.address = PyBytes_FromStringAndSize(<char *>&(<sockaddr_in *>name).sin_addr, 4)
            peer.port = ntohs((<sockaddr_in *>name).sin_port)
        else:
            peer.address = PyBytes_FromStringAndSize(<char *>&(<sockaddr_in6 *>name).sin6_addr, 16)
            peer.port = ntohs((<sockaddr_in6 *>name).sin6_port)
        peer.is_tcp = False
        peer.is_batched = True
        return peer

    cdef tuple _way(self, int place):
        """The way back for an answer that comes later: copies, since the place is used again."""
        cdef msghdr *query = &self._queries[place].msg_hdr
        return (
            PyBytes_FromStringAndSize(<char *>query.msg_name, query.msg_namelen),
            PyBytes_FromStringAndSize(<char *>query.msg_control, query.msg_controllen) if self._is_wild else b"",
        )

    cdef void _put(self, int count, int place, bytes answered) except *:
        """Make an answer the next one to send; it lives until then."""
        cdef msghdr *query = &self._queries[place].msg_hdr
        cdef msghdr *message = &self._answers[count].msg_hdr
        self._kept.append(answered)
        self._vectors[count].iov_base = PyBytes_AS_STRING(answered)
        self._vectors[count].iov_len = PyBytes_GET_SIZE(answered)
        message.msg_name = query.msg_name
        message.msg_namelen = query.msg_namelen
        message.msg_iov = &self._vectors[count]
        message.msg_iovlen = 1
        message.msg_control = query.msg_control
        message.msg_controllen = query.msg_controllen
        message.msg_flags = 0

    cdef void _send(self, int count) except *:
        """Send what was put; what the system does not take is counted, and the client asks again."""
        cdef int first = 0
        cdef int sent
        cdef bint is_retried = False
        while first < count:
            sent = sendmmsg(self._descriptor, &self._answers[first], count - first, MSG_DONTWAIT)
            if sent > 0:
                first += sent
            elif errno == EINTR:
                continue
            elif errno != EAGAIN and errno != ENOBUFS:
                # The first of these alone can't be sent: a port of 0, a route that is gone.
                self._responder.counters.count_unsent(1)
                first += 1
            elif is_retried:
                self._responder.counters.count_unsent(count - first)
                return
            else:
                is_retried = True
