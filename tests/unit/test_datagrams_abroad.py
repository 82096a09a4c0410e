"""Datagrams on interfaces that are not the loopback's: link-local addresses, and answers that can't leave."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from greendns.snapshot import Snapshot
from tests.networks import Network, cabled, ip, lay_cable, why_none
from tests.packets import QUESTION, header
from tests.responding import DRAWN_QUESTION, Responding, load_snapshot, numbered, respond_with
from tests.unit.datagramkinds import IMPLEMENTATIONS

pytestmark = pytest.mark.skipif(bool(why_none()), reason=why_none())

DEADLINE_SECONDS = 5.0
ASKED = 60


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A small zone."""
    return load_snapshot(tmp_path_factory.mktemp("abroad"))


@pytest.fixture
def ends() -> Iterator[tuple[Network, Network]]:
    """Where the server is, and where the clients are."""
    with cabled("here0", "there0") as both:
        yield both


def opened(network: Network, address: tuple[Any, ...]) -> socket.socket:
    """A socket of a network, bound and not blocking."""
    with network:
        made = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM)
        made.setblocking(False)
        made.bind(address)
        return made


def wait_readable(waiting: socket.socket) -> None:
    """Wait until something has come over the cable."""
    readable, _, _ = select.select([waiting], [], [], DEADLINE_SECONDS)
    assert readable, "nothing has come"


@pytest.mark.parametrize("make", IMPLEMENTATIONS.values(), ids=IMPLEMENTATIONS)
@pytest.mark.parametrize("listening_on", ["::", "fe80::1"])
@pytest.mark.parametrize("client", ["fe80::2", "2001:db8::2"])
def test_a_link_local_address_answers_on_its_own_link(
    ends: tuple[Network, Network], snapshot: Snapshot, make: Callable[..., Any], listening_on: str, client: str
) -> None:
    """Two links with the very same addresses at their ends: the answer leaves by the one that the query came by."""
    here, there = ends
    lay_cable(here, "here1", there, "there1")
    for link in "01":
        with here:
            ip(f"address add fe80::1/64 dev here{link} nodad")
            ip(f"address add 2001:db8::1/64 dev here{link} nodad")
            link_here = socket.if_nametoindex(f"here{link}")
        with there:
            ip(f"address add fe80::2/64 dev there{link} nodad")
            ip(f"address add 2001:db8::2/64 dev there{link} nodad")
            link_there = socket.if_nametoindex(f"there{link}")
        scope = 0 if listening_on == "::" else link_here
        with (
            opened(here, (listening_on, 0, 0, scope)) as listening,
            opened(there, (client, 0, 0, link_there)) as asking,
        ):
            responding = respond_with(snapshot)
            datagrams = make(listening, responding.responder, None)
            asking.connect(("fe80::1", listening.getsockname()[1], 0, link_there))
            for number in range(3):
                asking.send(numbered(number, QUESTION))
                wait_readable(listening)
                datagrams.answer_waiting()
                wait_readable(asking)

                assert asking.recv(65535)[:2] == number.to_bytes(2, "big")
            assert responding.totals().unsent == 0


@pytest.mark.parametrize("make", IMPLEMENTATIONS.values(), ids=IMPLEMENTATIONS)
@pytest.mark.parametrize("listening_on", ["0.0.0.0", "192.0.2.1"])
def test_a_full_send_buffer_costs_answers_and_nothing_else(
    ends: tuple[Network, Network], snapshot: Snapshot, make: Callable[..., Any], listening_on: str
) -> None:
    """Answers to a host that does not tell its hardware address wait in the kernel, and fill the buffer.

    What does not fit is counted and not waited for; once the address is known, what was taken arrives.
    """
    here, there = ends
    with here:
        ip("address add 192.0.2.1/24 dev here0")
        ip("ntable change name arp_cache dev here0 mcast_probes 100")
        hardware_here = hardware_address("here0")
    with there:
        ip("address add 192.0.2.2/24 dev there0")
        ip("link set there0 arp off")
        ip(f"neighbour add 192.0.2.1 lladdr {hardware_here} dev there0 nud permanent")
        hardware_there = hardware_address("there0")
    with opened(here, (listening_on, 0)) as listening, opened(there, ("192.0.2.2", 0)) as asking:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # the kernel makes it its least, 4,608 octets
        responding = respond_with(snapshot)
        datagrams = make(listening, responding.responder, None)
        asking.connect(("192.0.2.1", listening.getsockname()[1]))
        ask_many(asking, listening, datagrams, responding)
        unsent = responding.totals().unsent
        assert 0 < unsent < ASKED

        with here:
            ip(f"neighbour replace 192.0.2.2 lladdr {hardware_there} dev here0 nud permanent")
        answers = receive(asking, ASKED - unsent)
        asking.send(header() + QUESTION)
        wait_readable(listening)
        datagrams.answer_waiting()
        (last,) = receive(asking, 1)

    assert [number.to_bytes(2, "big") for number in range(ASKED - unsent)] == [answer[:2] for answer in answers]
    assert last[:2] == header()[:2]
    assert responding.totals().unsent == unsent


def ask_many(asking: socket.socket, listening: socket.socket, datagrams: Any, responding: Responding) -> None:
    """ASKED questions, all of them read."""
    for number in range(ASKED):
        asking.send(numbered(number, DRAWN_QUESTION))
    while responding.outcomes("udp") != {"answer": ASKED}:
        wait_readable(listening)
        datagrams.answer_waiting()


def receive(asking: socket.socket, count: int) -> list[bytes]:
    """So many answers, in the order they came."""
    answers = []
    for _ in range(count):
        wait_readable(asking)
        answers.append(asking.recv(65535))
    return answers


def hardware_address(interface: str) -> str:
    """Of an interface of the network that this thread is in."""
    return ip(f"-brief link show dev {interface}").split()[2]
