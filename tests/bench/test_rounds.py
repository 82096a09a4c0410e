"""A round measures a real server: dnsperf asks it, /proc tells of it. Figures are not judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench import burst, contenders, dnsperf, report, tcp
from tests.bench.contenders import Contender, Running
from tests.bench.needed import needs
from tests.bench.poolzone import Pool, write_pool
from tests.bench.processes import choose_cores
from tests.bench.rounds import Plan, measure
from tests.databases import write_world
from tests.load import openloop
from tests.load.openloop import Sent

SHORT = Plan(rounds=2, warm_up=0.2, saturated=0.5, fixed=0.5, rate=200)
SENT = Sent(
    sent=1000,
    answered=900,
    lost=100,
    seconds=1.0,
    cpu_seconds=0.5,
    late=0,
    p50=0.1,
    p99=1.0,
    p999=2.0,
    longest=3.0,
    own_drops=0,
    rcodes={0: 900},
)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    return write_pool(tmp_path_factory.mktemp("pool"), servers=300, queries=2000)


@pytest.fixture(scope="module")
def contender(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Contender:
    directory = write_world(tmp_path_factory.mktemp("server"))
    cores = [choose_cores().server]
    start = lambda: contenders.greendns(pool.zones, directory, cores, directory / "log", pure=True)  # noqa: E731
    return Contender(contenders.PURE, "0", start)


@pytest.fixture(scope="module")
def server(contender: Contender) -> Iterator[Running]:
    with contender.start() as running:
        yield running


@needs("dnsperf", "dnsperf")
def test_rounds_give_every_figure_of_a_server(contender: Contender, pool: Pool) -> None:
    """Each round has its own; each turn is told."""
    told: list[str] = []

    found = measure([contender], pool.packets, SHORT, choose_cores(), told.append)

    assert list(found) == [contenders.PURE]
    assert len(found[contenders.PURE]) == len(told) == 2
    for figures in found[contenders.PURE]:
        assert figures.queries_per_second > 0
        assert figures.saturated_cpu > 0
        assert figures.fixed_cpu > 0
        assert figures.sent >= figures.queries_per_second * 0.5
        assert figures.memory > 1


def test_a_server_is_timed_from_its_start(server: Running) -> None:
    """To its first answer; its peak is no less than what it has."""
    assert server.name == contenders.PURE
    assert server.start_seconds > 0
    assert server.start_peak > 1


@needs("dnsperf", "dnsperf")
def test_a_fixed_rate_is_kept(server: Running, pool: Pool) -> None:
    """Not more than asked for."""
    told = dnsperf.ask(server.port, pool.packets, 0.5, choose_cores().client, rate=200)

    assert 0 < told.completed <= 101
    assert "NOERROR" in told.codes


@needs("dnsperf", "dnsperf")
def test_tcp_is_asked_over_connections(server: Running, pool: Pool) -> None:
    """Every answer comes."""
    told = dnsperf.ask(
        server.port, pool.packets, 0.5, choose_cores().client, transport="tcp", clients=10, outstanding=10
    )

    assert told.completed > 0
    assert "NOERROR" in told.codes


@needs("cc", "build-essential")
def test_every_name_of_the_pool_that_exists_is_answered(server: Running, pool: Pool, tmp_path: Path) -> None:
    """One query in twenty is for a name that doesn't exist: no other is denied, and none is refused or fails."""
    sender = openloop.build(tmp_path)

    sent = openloop.send(sender, server.port, pool.packets, outstanding=20, total=2000, patience=20_000)

    assert sent.answered == 2000
    assert set(sent.rcodes) == {0, 3}
    assert 50 < sent.rcodes[3] < 150


def test_a_burst_tells_of_a_sender_that_was_late() -> None:
    """What is lost then may be its own."""
    late = Sent(**{**SENT.__dict__, "late": 500})
    found = {"punctual": {"20,000/s": [SENT]}, "late": {"20,000/s": [late]}}

    text = burst.to_text(report.machine(), found, ["a note"])

    assert "late, 20,000/s: the sender was late itself" in text
    assert "punctual, 20,000/s: the sender" not in text
    assert "10.00 (10.00-10.00)" in text
    assert text.endswith("a note")


def test_tcp_has_a_row_for_each_number_outstanding() -> None:
    """With the median of the rounds."""
    found = {
        "server": {100: [tcp.Turn(30_000, 10.0, 1.0, 0), tcp.Turn(40_000, 9.0, 0.9, 1), tcp.Turn(35_000, 9.5, 1, 0)]}
    }

    text = tcp.to_text(report.machine(), found, [])

    assert "server, 100 outstanding  35,000 (30,000-40,000)" in text
