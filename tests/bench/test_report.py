"""Rounds become medians, spreads and ratios round by round; dnsperf's words become numbers; bars become a picture."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest

from tests.bench import dnsperf, plot, report
from tests.bench.contenders import GDNSD, PURE, Running
from tests.bench.processes import Tree
from tests.bench.rounds import Figures, rotated

FIGURES = Figures(
    queries_per_second=100,
    saturated_cpu=10.0,
    core_share=1.0,
    fixed_rate=10_000,
    fixed_cpu=20.0,
    sent=1000,
    lost=0,
    memory=50.0,
)
# The machine halves its speed in the second round: the ratio stays.
ROUNDS = {
    PURE: [replace(FIGURES, queries_per_second=speed) for speed in (100, 50, 90)],
    GDNSD: [replace(FIGURES, queries_per_second=speed) for speed in (1000, 500, 1000)],
}
VERSIONS = {PURE: "0.1", GDNSD: "3.8"}

DNSPERF_OUTPUT = """\
Statistics:

  Queries sent:         20000
  Queries completed:    19900 (99.50%)
  Queries lost:         100 (0.50%)

  Response codes:       NOERROR 19020 (95.10%), NXDOMAIN 980 (4.90%)
  Average packet size:  request 53, response 108
  Run time (s):         2.000000
  Queries per second:   9950.000000

  Average Latency (s):  0.000124 (min 0.000020, max 0.006120)
"""


def test_a_ratio_is_taken_within_each_round() -> None:
    """A round in which the machine was slow for both changes nothing."""
    ratio = report.ratio(ROUNDS[PURE], ROUNDS[GDNSD], "queries_per_second")

    assert (ratio.median, ratio.low, ratio.high) == pytest.approx((0.1, 0.09, 0.1))


def test_a_spread_is_the_middle_the_least_and_the_most() -> None:
    spread = report.spread([3, 1, 2])

    assert spread == report.Spread(2, 1, 3)
    assert spread.text() == "2 (1-3)"


def test_the_json_holds_every_round_and_what_they_come_to() -> None:
    """A server is not compared with itself, and not with one that did not take part."""
    told = report.to_json(report.machine(), VERSIONS, ROUNDS, ["a note"])

    assert [turn["queries_per_second"] for turn in told["servers"][PURE]["rounds"]] == [100, 50, 90]
    assert told["servers"][PURE]["medians"]["queries_per_second"] == {"median": 90, "low": 50, "high": 100}
    assert set(told["servers"][PURE]["ratios"]) == {GDNSD}
    assert told["servers"][GDNSD]["ratios"] == {}


def test_the_text_tells_what_a_figure_can_not_say() -> None:
    """A server that did not use its core, one that did not hold the rate, and who is missing."""
    idle = {PURE: [replace(FIGURES, core_share=0.5, fixed_rate=7000)]}

    text = report.to_text(report.machine(), VERSIONS, idle, ["NSD: not in the table"], 10_000)

    assert f"{PURE}: used 0.50 of its core" in text
    assert f"{PURE}: answered 7,000/s of 10,000/s" in text
    assert text.endswith("NSD: not in the table")


def test_columns_line_up() -> None:
    """Names to the left, figures to the right."""
    assert report.columns(["", "q/s"], [["a", "1"], ["bcd", "1000"]]) == ["      q/s", "a       1", "bcd  1000"]


def test_every_server_is_the_first_of_a_round_in_turn() -> None:
    """And all of them take part in each."""
    servers = [Running(name, 0, Tree(0), 0.0, 0.0, 0.0) for name in "abc"]

    firsts = [[server.name for server in rotated(servers, number)] for number in range(4)]

    assert firsts == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]]


def test_dnsperfs_words_become_numbers() -> None:
    """Queries per second are answered ones."""
    told = dnsperf.parse(DNSPERF_OUTPUT)

    assert (told.sent, told.completed, told.lost, told.seconds) == (20000, 19900, 100, 2.0)
    assert told.queries_per_second == 9950
    assert told.codes.startswith("NOERROR 19020")


def test_the_plot_is_xml_and_its_bars_are_to_scale() -> None:
    """Also with names that XML would take for its own."""
    bars = [plot.Bar("<a & b>", 50, 40, 60, "50", True), plot.Bar("c", 100, 90, 100, "100", False)]

    root = ElementTree.fromstring(plot.draw("a < b", [plot.Group("first & only", bars)], "here & now"))

    space = "{http://www.w3.org/2000/svg}"
    widths = [float(bar.attrib["width"]) for bar in root.iter(f"{space}rect")]
    words = [text.text for text in root.iter(f"{space}text")]
    assert widths[1] == pytest.approx(2 * widths[0], abs=0.2)
    assert {"<a & b>", "c", "first & only", "here & now"} <= set(words)
    assert root.attrib["width"] == str(plot.WIDTH)
