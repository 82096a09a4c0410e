"""One UDP socket: batches of datagrams -> answers on their way, as Python; `_datagrams.pyx` is its twin with recvmmsg.

Whatever is ready is answered in place. An answer leaves from the address that its query came to, also where the socket
listens on every address (IP_PKTINFO: ip(7); IPV6_PKTINFO: RFC 3542 section 6.1). No gevent: the socket doesn't block.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable

from .outcome import WAIT, Peer
from .responder import Responder

# Datagrams of one call of the kernel, and such batches in one turn of the hub: TCP, timers and the watcher come to
# their turn in between.
BATCH = 64
BATCHES = 4
DATAGRAM_OCTETS = 65535

_EVERY_ADDRESS = ("0.0.0.0", "::")
_IP_PKTINFO = 8  # <linux/in.h>; the module socket has it since Python 3.14
_PKTINFO = struct.Struct("I4s4s")  # interface, our address, the packet's destination
_PKTINFO_V6 = struct.Struct("16sI")  # destination, interface
_CONTROL_OCTETS = 64
_IS_TCP, _IS_BATCHED = False, True

# The way back: where an answer is sent to, and the control messages that tell from where.
Way = tuple[object, list[tuple[int, int, bytes]]]
Hold = Callable[[bytes, Peer, Way], None]


class Datagrams:
    """The datagrams of a socket that doesn't block.

    hold   is given each packet whose answer would hold up its batch, with its peer and the way back; what it raises is
           told and counted
    """

    def __init__(self, listening: socket.socket, responder: Responder, hold: Hold) -> None:
        self._socket = listening
        self._responder = responder
        self._hold = hold
        self._buffer = bytearray(DATAGRAM_OCTETS)
        self._pack = _pack_v6 if listening.family == socket.AF_INET6 else socket.inet_aton
        self._is_wild = tell_destinations(listening)

    def answer_waiting(self) -> None:
        """Answer what is waiting, BATCH * BATCHES datagrams at most. Never raises."""
        now = time.time()
        control: list[tuple[int, int, bytes]] = []
        for _ in range(BATCH * BATCHES):
            try:
                if self._is_wild:
                    octets, control, _, address = self._socket.recvmsg_into([self._buffer], _CONTROL_OCTETS)
                else:
                    octets, address = self._socket.recvfrom_into(self._buffer)
            except OSError:
                # Nothing left to read, or an error that an earlier answer met: neither is this packet's.
                return
            # Two copies of some 60 octets: bytes of a memoryview take twice as long.
            self._answer(bytes(self._buffer[:octets]), address, control, now)

    def send(self, answered: bytes, way: Way) -> None:
        """Send one answer that took its time."""
        address, control = way
        try:
            self._socket.sendmsg([answered], control, 0, address)  # type: ignore[arg-type]
        except OSError:
            self._responder.counters.count_unsent(1)

    def _answer(self, wire: bytes, address: tuple[str, int], control: list[tuple[int, int, bytes]], now: float) -> None:
        # By place: names would double what the call takes.
        peer = Peer(self._pack(address[0]), address[1], _IS_TCP, _IS_BATCHED)
        answered = self._responder.respond(wire, peer, now)
        if answered is None:
            return
        if answered is WAIT:
            try:
                self._hold(wire, peer, (address, way_back(control)))
            except Exception as error:  # the next packets have their answers
                self._responder.tell(error)
                self._responder.counters.count_failure(False)
            return
        try:
            if control:
                self._socket.sendmsg([answered], way_back(control), 0, address)
            else:
                self._socket.sendto(answered, address)
        except OSError:
            # No room in the send buffer, a port of 0, a route that is gone: UDP may lose it, and the client asks again.
            self._responder.counters.count_unsent(1)


def _pack_v6(text: str) -> bytes:
    """The octets of an IPv6 address; the scope of a link-local one is left out."""
    return socket.inet_pton(socket.AF_INET6, text.partition("%")[0])


def tell_destinations(listening: socket.socket) -> bool:
    """Have the kernel tell to which of our addresses a datagram came, where the socket listens on all of them."""
    if listening.getsockname()[0] not in _EVERY_ADDRESS:
        return False
    if listening.family == socket.AF_INET6:
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        listening.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    return True


def way_back(control: list[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """The control messages of an answer: the destination of the query is where it comes from, by any interface."""
    return [(level, kind, _from_there(level, told)) for level, kind, told in control]


def _from_there(level: int, told: bytes) -> bytes:
    if level == socket.IPPROTO_IPV6:
        address, interface = _PKTINFO_V6.unpack(told)
        # A link-local address is one of its own interface alone.
        is_link_local = address[0] == 0xFE and address[1] & 0xC0 == 0x80
        return _PKTINFO_V6.pack(address, interface if is_link_local else 0)
    _, ours, _ = _PKTINFO.unpack(told)
    return _PKTINFO.pack(0, ours, bytes(4))
