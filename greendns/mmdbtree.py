"""The search tree of a MaxMind DB (specification 2.0): address -> record offset, prefix length.

Bytes in, integers out; nothing is decoded here. Each node holds two records, left for a zero bit
and right for a one. A record below `node_count` is the next node, `node_count` itself says that
the network is absent, and what is above points into the data section:

    [ nodes: node_count * record_size / 4 octets ][ 16 zero octets ][ data section ... ]

All that a corrupt tree can do is to send an address astray: sizes are checked once, every value
read is compared with them, and a walk ends after as many steps as the address has bits.
"""

from __future__ import annotations

from typing import Final

from .errors import ValueProblem

ABSENT: Final = -1
# "16 bytes of NULLs in between the search tree and the data section" (MaxMind DB 2.0).
SEPARATOR_OCTETS: Final = 16
_IPV4_OCTETS: Final = 4
_IPV6_OCTETS: Final = 16
_TOP_BITS: Final = 16
_UNKNOWN: Final = 255
_ABSENT = ABSENT


class Tree:
    """The search tree at the start of `buffer`, whose end is the end of the data section.

    record_size  bits of one record: 24, 28 or 32
    ip_version   4 or 6; a tree of version 6 holds IPv4 below ::/96
    Raises ValueProblem if a number is not one of these, if the tree does not fit, or if
    no separator follows it, as in a file that was written over with another.
    """

    # _top_nodes, _top_depths  by the first 16 bits of an IPv4 address, once one was walked, where they lead: so half of
    # the steps are taken once for each of 65,536 networks, and those in cold memory least of all
    __slots__ = (
        "_buffer",
        "_data_octets",
        "_first_record",
        "_ipv4_start",
        "_top_depths",
        "_top_nodes",
        "data_start",
        "ip_version",
        "node_count",
        "record_size",
    )

    def __init__(self, buffer: bytes, node_count: int, record_size: int, ip_version: int) -> None:
        _check_numbers(node_count, record_size, ip_version)
        self._buffer = buffer
        self.node_count = node_count
        self.record_size = record_size
        self.ip_version = ip_version
        self.data_start = node_count * (record_size // 4) + SEPARATOR_OCTETS
        self._first_record = node_count + SEPARATOR_OCTETS
        self._data_octets = len(buffer) - self.data_start
        self._check_fits()
        self._ipv4_start = self._find_ipv4_start()
        # A record has 32 bits at most.
        self._top_nodes = memoryview(bytearray(4 << _TOP_BITS)).cast("I")
        self._top_depths = memoryview(bytearray([_UNKNOWN]) * (1 << _TOP_BITS))

    def find(self, address: bytes) -> tuple[int, int]:
        """The offset of an address's record in the data section, or ABSENT, and the prefix length.

        address  4 or 16 octets
        The prefix is that of the network in which every address gets this answer, also if the
        answer is ABSENT, and counts in the address's own family. Where the path to ::/96 ends
        before its 96th bit, all of IPv4 has one answer and the prefix length is 0, as maxminddb
        says too. An IPv6 address is not in a tree of IPv4: (ABSENT, 0).
        """
        octets = len(address)
        if octets == _IPV4_OCTETS:
            # From where the first 16 bits lead, as once walked.
            top = address[0] << 8 | address[1]
            depth = self._top_depths[top]
            if depth == _UNKNOWN:
                depth = self._walk_top(address, top)
            node = self._top_nodes[top]
            if depth == _TOP_BITS:
                node, depth = self._walk(address, node, _TOP_BITS, 32)
        elif octets == _IPV6_OCTETS and self.ip_version == 6:
            node, depth = self._walk(address, 0, 0, 128)
        else:
            return ABSENT, 0
        # As `offset_of`.
        offset = node - self._first_record
        return (offset if 0 <= offset < self._data_octets else _ABSENT), depth

    def _walk_top(self, address: bytes, top: int) -> int:
        """Walk the first 16 bits of an IPv4 address, which are `top`, and keep where they lead; returns how deep."""
        node, depth = self._walk(address, self._ipv4_start, 0, _TOP_BITS)
        # The depth last: it tells that the other is there.
        self._top_nodes[top] = node
        self._top_depths[top] = depth
        return depth

    def _walk(self, address: bytes, node: int, depth: int, bits: int) -> tuple[int, int]:
        """Go on from a node at a depth, to the end or to so many bits; returns the record reached, and how deep."""
        nodes = self.node_count
        while depth < bits and node < nodes:
            node = self._read(node, address[depth >> 3] >> 7 - (depth & 7) & 1)
            depth += 1
        return node, depth

    def record(self, node: int, side: int) -> int:
        """The left (0) or right (1) record of a node, 0 <= node < node_count."""
        if node < 0 or node >= self.node_count:
            raise IndexError("there is no such node")
        return self._read(node, side)

    def _read(self, node: int, side: int) -> int:
        """The same of a node that is known to be one."""
        if self.record_size == 24:
            return self._read_24(node * 6 + side * 3)
        if self.record_size == 28:
            return self._read_28(node * 7, side)
        return self._read_32(node * 8 + side * 4)

    def offset_of(self, record: int) -> int:
        """Where in the data section a record points, ABSENT if it points to no place in it."""
        offset = record - self._first_record
        return offset if 0 <= offset < self._data_octets else _ABSENT

    def _read_24(self, at: int) -> int:
        # Octet by octet into one variable, here and below: in C a shift of the octet itself
        # would be one of 32 bits with a sign.
        octets = self._buffer
        value = octets[at]
        value = (value << 8) | octets[at + 1]
        return (value << 8) | octets[at + 2]

    def _read_28(self, at: int, side: int) -> int:
        """Three octets of a node of seven; the one in the middle has the high bits of both records."""
        octets = self._buffer
        shared = octets[at + 3]
        if side:
            return ((shared & 0x0F) << 24) | self._read_24(at + 4)
        return ((shared & 0xF0) << 20) | self._read_24(at)

    def _read_32(self, at: int) -> int:
        octets = self._buffer
        value = octets[at + 3]
        return (self._read_24(at) << 8) | value

    def _check_fits(self) -> None:
        if self._data_octets < 0:
            raise ValueProblem(f"the search tree needs {self.data_start} octets", str(len(self._buffer)))
        if self._buffer[self.data_start - SEPARATOR_OCTETS : self.data_start] != bytes(SEPARATOR_OCTETS):
            raise ValueProblem("16 zero octets must follow the search tree")

    def _find_ipv4_start(self) -> int:
        """The record in which a walk of 96 zero bits ends: a node, or what all of IPv4 gets."""
        node = 0
        bits_left = 0 if self.ip_version == 4 else 96
        while bits_left > 0 and node < self.node_count:
            node = self.record(node, 0)
            bits_left -= 1
        return node


def _check_numbers(node_count: int, record_size: int, ip_version: int) -> None:
    if node_count < 1:
        raise ValueProblem("node_count must be an integer >= 1", str(node_count))
    if record_size not in (24, 28, 32):
        raise ValueProblem("record_size must be 24, 28 or 32", str(record_size))
    if ip_version not in (4, 6):
        raise ValueProblem("ip_version must be 4 or 6", str(ip_version))
