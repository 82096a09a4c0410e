"""packets -> answers, from whatever snapshot is in service: the one place that holds what changes. Compiled.

Nothing escapes: what goes wrong with one packet is answered SERVFAIL and counted, the edge is told, and the next
packet is served. Knows no sockets, no clock and no log: those who call tell the time and are told of faults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from .answer import answer_with, bare_servfail, servfail
from .answering import Answering, truncate
from .counters import COUNTED, DROPPED, TRUNCATED, Counters
from .outcome import WAIT, Peer
from .picker import Draw
from .ratelimit import RateLimiter
from .response import two_octets
from .snapshot import Snapshot, State

Fault = Callable[[Exception], None]
# Told of an answer that is the first one beyond a rate: the client's address and the kind of answer.
Notice = Callable[[bytes, str], None]

# Messages of one connection, and octets of their answers, until others have their turn: some 0.5 ms.
_MESSAGES_MAX = 64
_OCTETS_MAX = 65536

# What the compiled functions look at for each query: see query.py.
_COUNTED, _DROPPED, _TRUNCATED = COUNTED, DROPPED, TRUNCATED


class Responder:
    """Answers packets and counts them.

    detailed   whether queries are counted by label
    draw       is the random source
    tell       is told of each fault of ours; must not raise
    limiter    of the answers that go out by UDP; None where nothing is looked at
    notice     is told of networks that come to be limited; must not raise
    """

    # One answer is in the making at a time: nothing here switches greenlets.
    __slots__ = ("_answering", "_draw", "counters", "detailed", "limiter", "notice", "snapshot", "state", "tell")

    def __init__(
        self, snapshot: Snapshot, counters: Counters, draw: Draw, tell: Fault, notice: Notice | None = None
    ) -> None:
        self.snapshot = snapshot
        self.state = State()
        self.counters = counters
        self.detailed = False
        self.tell = tell
        self.limiter: RateLimiter | None = None
        self.notice = notice
        self._draw = draw
        self._answering = Answering(Peer(b"", 0, is_tcp=False), 0.0, snapshot, self.state, draw)

    def take_snapshot(self, snapshot: Snapshot) -> None:
        """Put another snapshot into service; what was derived from the old one goes with it."""
        self.snapshot = snapshot
        self.state = State(health=self.state.health)
        self.counters.forget_zones()

    def take_health(self, health: Mapping[str, int] | None) -> None:
        """Put the states of all checks into force."""
        if health != self.state.health:
            self.state = State(health=health)

    def respond(self, wire: bytes, peer: Peer, now: float) -> bytes | None:
        """The answer to a packet; None for silence. Never raises, does not switch greenlets.

        now    seconds since 1970
        WAIT, where the peer is in a batch and the answer would hold it up: then nothing was counted, and the packet is
        to be asked about again by a peer of its own greenlet.
        """
        return self._respond(self._answering, wire, peer, now)

    def respond_apart(self, wire: bytes, peer: Peer, now: float) -> bytes | None:
        """The same in a greenlet of its own: this one may switch, and others are answered meanwhile."""
        answering = Answering(peer, now, self.snapshot, self.state, self._draw)
        return self._respond(answering, wire, peer, now)

    def _respond(self, answering: Answering, wire: bytes, peer: Peer, now: float) -> bytes | None:
        try:
            answered = answer_with(answering, wire, peer, now, self.snapshot, self.state)
            if answered is WAIT:
                return answered
            self.counters.count(answering.outcome, peer.is_tcp, self.detailed)
            if self.limiter is not None and answered is not None and not peer.is_tcp:
                return self._limit(self.limiter, answering, answered, now)
            return answered
        except Exception as error:
            return self._fail(wire, peer, error)

    def respond_all(self, octets: bytes, peer: Peer, now: float) -> tuple[bytes, int, bool, list[bytes]]:
        """Answer the whole messages at the beginning of what a connection brought, but not too many at once.

        octets  messages, each behind two octets of its length (RFC 1035 section 4.2.2); the last may be incomplete
        Returns the answers, framed likewise; how many octets were read; whether the connection goes on: it ends at what
        gets no answer, and at a message of no octets; and the messages of which the answer is WAIT.
        """
        parts: list[bytes] = []
        waiting: list[bytes] = []
        at = 0
        sent = 0
        messages = 0
        while at + 2 <= len(octets) and messages < _MESSAGES_MAX and sent < _OCTETS_MAX:
            messages += 1
            end = at + 2 + (octets[at] << 8 | octets[at + 1])
            if end > len(octets):
                break
            message = octets[at + 2 : end]
            answered = self.respond(message, peer, now)
            at = end
            if answered is None:
                return b"".join(parts), at, False, waiting
            if not answered:
                waiting.append(message)
                continue
            parts.append(two_octets(len(answered)))
            parts.append(answered)
            sent += len(answered)
        return b"".join(parts), at, True, waiting

    def _limit(self, limiter: RateLimiter, answering: Answering, answered: bytes, now: float) -> bytes | None:
        """What goes out of an answer by UDP: all of it, where the rate allows; else nothing, or its header and question
        with TC set."""
        # Who has a server cookie of ours has had an answer at this address: it is not forged (RFC 7873 section 5.2.5).
        if answering.has_server_cookie:
            return answered
        if not limiter.is_over(answering.outcome, answering.peer.address, now):
            return answered
        if limiter.has_begun and limiter.tells and self.notice is not None:
            self.notice(answering.peer.address, answering.outcome.kind)
        if not limiter.enforces:
            self.counters.count_limited(_COUNTED)
            return answered
        if not limiter.slip or self._draw(limiter.slip):
            self.counters.count_limited(_DROPPED)
            return None
        self.counters.count_limited(_TRUNCATED)
        return truncate(answering)

    def _fail(self, wire: bytes, peer: Peer, error: Exception) -> bytes | None:
        """SERVFAIL, with the header alone where the fault lies in reading the packet; silence where that fails too."""
        self.tell(error)
        self.counters.count_failure(peer.is_tcp)
        for answer_fault in (servfail, bare_servfail):
            with suppress(Exception):
                return answer_fault(wire)
        return None
