"""Lists of prefixes -> whether an address is in one of them. Pure.

A list becomes the ranges of addresses that it covers, in order and apart from one another: found by halving, so that
1,000 prefixes take little longer than ten. IPv4 and IPv6 are apart; an IPv4 address mapped into IPv6 (RFC 4291 section
2.5.5.2) is an IPv4 address. A list that covers every address is None, so that asking it costs nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from .errors import ValueProblem
from .found import shown

EVERYBODY = ("0.0.0.0/0", "::/0")
_MAPPED = bytes(10) + b"\xff\xff"
_MAPPED_BITS = 96
_EXPECTED = 'must be ADDRESS/LENGTH, such as "192.0.2.0/24" or "2001:db8::/32"'
_FORM = re.compile("[0-9A-Fa-f.:]+(/[0-9]{1,3})?")


class Prefixes:
    """Addresses that are let in: their ranges by first and last address, 4 octets and 16."""

    __slots__ = ("_firsts", "_firsts6", "_lasts", "_lasts6")

    def __init__(self, of_ipv4: Sequence[IPv4Network], of_ipv6: Sequence[IPv6Network]) -> None:
        """Take prefixes in order and apart from one another."""
        self._firsts = [each.network_address.packed for each in of_ipv4]
        self._lasts = [each.broadcast_address.packed for each in of_ipv4]
        self._firsts6 = [each.network_address.packed for each in of_ipv6]
        self._lasts6 = [each.broadcast_address.packed for each in of_ipv6]

    def has(self, address: bytes) -> bool:
        """Whether an address of 4 or 16 octets is in one of the prefixes."""
        if len(address) == 16:
            if not address.startswith(_MAPPED):
                return _is_within(address, self._firsts6, self._lasts6)
            address = address[12:]
        return _is_within(address, self._firsts, self._lasts)


NOBODY = Prefixes((), ())


def _is_within(address: bytes, firsts: list[bytes], lasts: list[bytes]) -> bool:
    place = bisect_right(firsts, address)
    return place > 0 and address <= lasts[place - 1]


def parse_prefix(text: str) -> IPv4Network | IPv6Network:
    """A prefix as it is written; an address alone is one of full length. Raises ValueProblem.

    >>> parse_prefix("::ffff:192.0.2.0/120")
    IPv4Network('192.0.2.0/24')
    """
    try:
        # ipaddress takes more: masks in place of lengths, and scopes.
        network = ip_network(text, strict=False) if _FORM.fullmatch(text) else None
    except ValueError:
        network = None
    if network is None:
        raise ValueProblem(_EXPECTED, shown(text))
    if "/" in text and network.network_address != ip_network(text.partition("/")[0]).network_address:
        raise ValueProblem(f"must have no bits set beyond its length, as {network} has none", shown(text))
    return _unmapped(network)


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    if network.version == 6 and network.prefixlen >= _MAPPED_BITS and network.network_address.packed[:12] == _MAPPED:
        return IPv4Network((network.network_address.packed[12:], network.prefixlen - _MAPPED_BITS))
    return network


def make_prefixes(texts: Iterable[str]) -> Prefixes | None:
    """What a list of prefixes lets in; None where that is everybody. Raises ValueProblem."""
    networks = [parse_prefix(text) for text in texts]
    of_ipv4 = list(collapse_addresses(each for each in networks if isinstance(each, IPv4Network)))
    of_ipv6 = list(collapse_addresses(each for each in networks if isinstance(each, IPv6Network)))
    if [*map(str, of_ipv4), *map(str, of_ipv6)] == list(EVERYBODY):
        return None
    return Prefixes(of_ipv4, of_ipv6)
