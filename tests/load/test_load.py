"""Acts under load are played, and told: that the program works, not what it measures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import report
from tests.bench.needed import needs
from tests.load.__main__ import Found, main, to_text
from tests.load.openloop import Sent

SENT = Sent(
    sent=1000, answered=999, lost=1, seconds=2, cpu_seconds=1, late=5, p50=0.5, p99=2, p999=8, longest=9,
    own_drops=0, rcodes={0: 999}, slowest_rate=450,
)  # fmt: skip


@needs("cc", "build-essential")
def test_an_act_is_played_under_load(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All that was sent meanwhile is told, and nothing was lost."""
    main(["--quick", "--only", "hup,others", "--rate", "200", "--json", str(tmp_path / "told.json")])

    told = capsys.readouterr().out
    assert "5 times HUP, two a second" in told
    assert "5 changes of configuration and GeoIP database" in told


def test_each_act_has_a_row() -> None:
    """And who was late is named."""
    found = [Found("an act", SENT), Found("another", Sent(**{**SENT.__dict__, "late": 50}))]

    lines = to_text(report.machine(), 500, found, ["a note"]).splitlines()

    assert lines[4].split() == "an act 2 1,000 1 450 0.50 2.00 8.00 9.0 5".split()
    assert lines[-2:] == ["another: the sender was late itself", "a note"]


def test_an_act_that_is_not_there_is_told() -> None:
    """By name, with those that are."""
    with pytest.raises(SystemExit):
        main(["--only", "nosuch"])
