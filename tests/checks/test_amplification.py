"""What an answer by UDP may have, and docs/amplification.md, which tells by how much it is larger than its query."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.checks.amplifying import KINDS, document, sizes
from tests.checks.asking import ask, serving_checks, transports
from tests.checks.rows import edns, query
from tests.checks.table import SECTIONS
from tests.serving import ROOT, Server

OFFERS = (0, 1, 511, 512, 513, 1231, 1232, 1233, 1400, 4096, 16_384, 65_535)
LONGEST = {"many": "A", "exact": "TXT", "full": "ANY", "text": "TXT"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving_checks(tmp_path_factory.mktemp("amplification")) as running:
        yield running


@pytest.mark.parametrize("offer", OFFERS)
def test_no_answer_is_longer_than_offered_or_1232(server: Server, offer: int) -> None:
    """An offer below 512 counts as 512 (RFC 6891 section 6.2.3)."""
    way = transports(server)[0]
    lengths = {
        label: len(ask(way, edns(text=label, qtype=qtype, payload=offer)) or b"") for label, qtype in LONGEST.items()
    }

    assert max(lengths.values()) <= min(max(offer, 512), 1232)
    assert (lengths["exact"] == 1232) == (offer >= 1232)


def test_no_answer_without_edns_is_longer_than_512(server: Server) -> None:
    """And one is as long."""
    way = transports(server)[0]
    lengths = [len(ask(way, query(label, qtype)) or b"") for label, qtype in {**LONGEST, "30": "A"}.items()]

    assert max(lengths) == 512


def test_the_page_tells_what_the_server_sends(server: Server) -> None:
    """`make checks` writes it anew."""
    assert (ROOT / "docs" / "amplification.md").read_text() == document(server)


def test_errors_hardly_amplify(server: Server) -> None:
    """At most by what an extended error adds."""
    found = sizes(server)
    errors = [kind.what for kind in KINDS if kind.what.startswith(("REFUSED", "FORMERR", "BADVERS", "NOTIMP"))]

    assert len(errors) == 6
    assert max([size.factor for what in errors for size in found[what] if size is not None]) < 2.5


def test_no_row_of_the_table_amplifies_more_than_the_page_tells(server: Server) -> None:
    """By UDP: otherwise a kind of answer is missing from it."""
    way = transports(server)[0]
    worst = max([size.factor for pair in sizes(server).values() for size in pair if size is not None])
    rows = [row for rows in SECTIONS.values() for row in rows if row.expectation != "no answer"]

    assert max([len(ask(way, row.wire) or b"") / len(row.wire) for row in rows]) <= worst
