"""Rate limiting of responses: what goes out to one network, by kind of answer, in accounts of a table of fixed size.

Pure, and on the hot path. UDP alone is limited, since there a source can be forged: a flood of queries with a victim's
address must not become a flood of answers (Vixie and Schryver 2012, "DNS Response Rate Limiting"; the window and the
slip are named as BIND names them).

An account is one cell of 64 bits: a tag that tells it from others, and a time in microseconds, which lies as far beyond
now as the account is in debt (the generic cell rate algorithm, ITU-T I.371, needs no more than this one number). An
answer adds the time that it takes at the rate. While no more than a second is owed, answers go out: a burst of as many
as the rate. The debt grows on with what is asked meanwhile, up to the window more, so that a source that goes on and on
stays limited until it pauses.

Cells are written by all workers without a lock: what one of two writes is lost at times, and an answer more goes out.
An account is found by a keyed hash (SipHash), whose key lies with the accounts, among the eight cells of one line of
the processor's cache; the one that owes least is given up where there is none yet.
"""

from __future__ import annotations

from typing import NamedTuple

from .access import NOBODY, Prefixes
from .outcome import Outcome
from .siphash import Secret, siphash_1_3

ACCOUNTS_PER_LINE = 8

# Kinds of answers, each with a rate of its own; a positive answer's account is also that of the name and the type.
POSITIVE, NODATA, NXDOMAIN, REFERRAL, ERROR = 0, 1, 2, 3, 4
_KIND_OF = {
    "answer": POSITIVE,
    "chaos": POSITIVE,
    "debug": POSITIVE,
    "nodata": NODATA,
    "nxdomain": NXDOMAIN,
    "referral": REFERRAL,
    "error": ERROR,
    "refused": ERROR,
}

# The layout of a cell: 24 bits of tag, then 40 of time, which comes round every twelve days.
_TIME_BITS = 40
_TIME = 0xFF_FFFF_FFFF
_SECOND = 1_000_000
# 2^64 divided by the golden ratio, and another odd number: the parts of a key are spread by multiplying (Knuth 6.4).
_GOLDEN = 0x9E3779B97F4A7C15
_ODD = 0xC2B2AE3D27D4EB4F
_64_BITS = 0xFFFFFFFFFFFFFFFF

# What the compiled functions look at for each query: see query.py.
_POSITIVE, _ERROR = POSITIVE, ERROR
_LINE = ACCOUNTS_PER_LINE


class Limits(NamedTuple):
    """What is allowed to one network.

    rates     answers a second by kind, 0 without a limit: POSITIVE, NODATA, NXDOMAIN, REFERRAL, ERROR
    window    seconds for which a source that goes on is limited after it has stopped, at most
    slip      of how many limited answers one goes out truncated, so that a real client asks by TCP; 0: none
    ipv4_prefix, ipv6_prefix  how many bits of an address tell its network
    exempt    addresses that nothing is held back from
    """

    rates: tuple[int, int, int, int, int]
    window: int
    slip: int
    ipv4_prefix: int
    ipv6_prefix: int
    exempt: Prefixes = NOBODY


class RateLimiter:
    """Judges answers by what went out before.

    cells     the accounts, of type code "Q", zero in the beginning and shared by all workers; of whole lines a power of
              two
    secret    the key of the hash by which accounts are found: that of all who share them
    slip      see Limits
    enforces  whether answers are held back; else it is only told what would be
    tells     whether the networks that come to be limited are told
    """

    __slots__ = (
        "_cells",
        "_debt_max",
        "_exempt",
        "_ipv4_mask",
        "_ipv4_octets",
        "_ipv6_mask",
        "_ipv6_octets",
        "_line_mask",
        "_micros",
        "_now",
        "_secret",
        "_steps",
        "enforces",
        "has_begun",
        "slip",
        "tells",
    )

    def __init__(
        self, cells: memoryview, secret: Secret, limits: Limits, enforces: bool = True, tells: bool = False
    ) -> None:
        self._cells = cells
        self._secret = secret
        self._line_mask = len(cells) // ACCOUNTS_PER_LINE - 1
        self._steps = tuple([_SECOND // rate if rate else 0 for rate in limits.rates])
        self._exempt = limits.exempt
        self._debt_max = (1 + limits.window) * _SECOND
        self._ipv4_octets, self._ipv4_mask = _prefix_parts(limits.ipv4_prefix)
        self._ipv6_octets, self._ipv6_mask = _prefix_parts(limits.ipv6_prefix)
        self._now = 0.0
        self._micros = 0
        self.slip = limits.slip
        self.enforces = enforces
        self.tells = tells
        self.has_begun = False

    def is_over(self, outcome: Outcome, address: bytes, now: float) -> bool:
        """Put an answer on its account; whether it is more than the rate allows.

        address  of the client, 4 or 16 octets
        now      seconds since 1970
        `has_begun` tells then whether it is the first one that is.
        """
        kind = _KIND_OF.get(outcome.kind, _ERROR)
        step = self._steps[kind]
        if not step:
            return False
        named = self._network(address)
        # The size of the address tells where its network ends and the owner begins.
        spread = kind | len(address) << 3
        if kind == _POSITIVE:
            owner = outcome.owner
            spread |= outcome.qtype << 8
            if owner is not None:
                named += owner
        if kind != _ERROR and outcome.zone is not None:
            spread |= outcome.zone.number << 24
        key = siphash_1_3(self._secret, named)
        key = (key ^ spread * _ODD & _64_BITS) * _GOLDEN & _64_BITS
        if now != self._now:
            # One time for a whole batch.
            self._now = now
            self._micros = int(now * _SECOND) & _TIME
        # Asked only of those who ask much.
        return self._charge(key, step, self._micros) and not self._exempt.has(address)

    def _charge(self, key: int, step: int, now: int) -> bool:
        """Add the time of one answer to the account of a key; whether more is owed then than goes out at once."""
        tag = key >> _TIME_BITS
        first = (key & self._line_mask) * _LINE
        place = first
        least = self._debt_max + 1
        for at in range(first, first + _LINE):
            cell = self._cells[at]
            # A time before now, and one that a clock set back has left, owe nothing.
            debt = (cell & _TIME) - now & _TIME
            if debt > self._debt_max:
                debt = 0
            if cell >> _TIME_BITS == tag:
                place = at
                least = debt
                break
            if debt < least:
                place = at
                least = debt
        else:
            least = 0
        debt = least + step
        is_over = debt > _SECOND
        self.has_begun = is_over and least <= _SECOND
        if debt > self._debt_max:
            debt = self._debt_max
        self._cells[place] = tag << _TIME_BITS | (now + debt & _TIME)
        return is_over

    def _network(self, address: bytes) -> bytes:
        """The octets that tell a client's network."""
        octets = address
        if len(address) == 4:
            size, mask = self._ipv4_octets, self._ipv4_mask
        else:
            size, mask = self._ipv6_octets, self._ipv6_mask
        return octets[:size] + _OCTETS[address[size] & mask] if mask else octets[:size]


_OCTETS = tuple([bytes((octet,)) for octet in range(256)])


def _prefix_parts(bits: int) -> tuple[int, int]:
    """How many whole octets a prefix has, and which bits of the next one."""
    return bits // 8, 0xFF00 >> bits % 8 & 0xFF
