"""Every row of the table, sent to a live server over each transport; and docs/checks.md, which tells of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.checks.asking import serving_checks
from tests.checks.rows import Row, StreamRow
from tests.checks.table import SECTIONS, STREAMS, Got, check, check_stream, document
from tests.serving import ROOT, Server

ROWS = {f"{title}: {row.what} ({'+'.join(row.over)})": row for title, rows in SECTIONS.items() for row in rows}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all rows."""
    with serving_checks(tmp_path_factory.mktemp("checks")) as running:
        yield running


def faults(got: list[Got]) -> list[Got]:
    return [each for each in got if each.faults]


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_a_message_gets_what_is_expected(server: Server, row: Row) -> None:
    """Over each of its transports, IPv4 and IPv6."""
    got = check(row, server)

    assert len(got) == 2 * len(row.over)
    assert faults(got) == []


@pytest.mark.parametrize("row", STREAMS, ids=[row.what for row in STREAMS])
def test_a_connection_gets_what_is_expected(server: Server, row: StreamRow) -> None:
    """Over IPv4 and IPv6."""
    got = check_stream(row, server)

    assert len(got) == 2
    assert faults(got) == []


def test_no_check_ended_in_an_exception(server: Server) -> None:
    """Asked of a server that has had every row."""
    for rows in SECTIONS.values():
        for row in rows:
            check(row, server)

    assert server.metric("greendns_failures_total") == 0
    assert "Traceback" not in server.log_text()


def test_rows_are_told_apart() -> None:
    """By section, words and transports."""
    assert len(ROWS) == sum(map(len, SECTIONS.values()))


def test_the_page_tells_what_the_server_does(server: Server) -> None:
    """`make checks` writes it anew."""
    assert (ROOT / "docs" / "checks.md").read_text() == document(server)
