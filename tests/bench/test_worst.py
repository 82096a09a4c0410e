"""How the worst packet is looked for: what is asked, and how callgrind's words are read."""

from __future__ import annotations

from greendns.query import parse
from tests.bench.worst import PACKETS, read_dump, to_text
from tests.bench.worstpackets import MESSAGE_OCTETS, OVER_TCP, PACKET_OCTETS, PLAIN

DUMP = """\
# callgrind format
version: 1
part: 7
desc: Timerange: Basic block 5 - 9
desc: Trigger: Client Request: 12

events: Ir
fn=(1) main
16 4

totals: 199480
"""


def test_a_dump_tells_which_packet_and_how_many_instructions() -> None:
    """Of all rounds together."""
    assert read_dump(DUMP) == (12, 199480)


def test_packets_are_no_longer_than_they_may_be() -> None:
    """And long enough to matter: several as long as they may be."""
    lengths = [len(wire) for what, wire in PACKETS.items() if what not in OVER_TCP]

    assert max(lengths) == PACKET_OCTETS
    assert max(map(len, OVER_TCP.values())) == MESSAGE_OCTETS


def test_names_made_to_be_long_are_names() -> None:
    """What is meant to be looked up is no FORMERR at once."""
    for what in PACKETS:
        if "labels" in what and ":" not in what:
            query = parse(PACKETS[what])
            assert query is not None
            assert query.verdict == 0, what


def test_the_dearest_come_first() -> None:
    """With how much dearer they are than a plain query."""
    text = to_text({what: 20.0 if what == "debug labels" else 10.0 for what in PACKETS})

    lines = text.splitlines()
    assert PLAIN in text
    assert lines[1].split()[-1] == "2.00"
