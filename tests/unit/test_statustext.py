"""What people are told of a server: few of many zones, and all of them if they ask."""

from __future__ import annotations

from greendns.statusreport import Report
from greendns.statustext import ZONES_SHOWN, status_lines


def report(zones: int, errors: int) -> Report:
    """Of a server with so many zones and errors."""
    return {
        "status": "degraded",
        "version": "0.1.0",
        "build": "compiled",
        "pid": 7,
        "uptime_seconds": 3725.5,
        "workers": {"configured": 4, "reading": 3, "restarts": 1},
        "generations": [
            {"keeper": 10, "state": "leaving", "seconds": 90.0, "version": "0.1.0", "workers": 0},
            {"keeper": 1100, "state": "serving", "seconds": 0.5, "version": "0.2.0", "workers": 3},
        ],
        "queries_per_second": 20000.1,
        "reloads": {"ok": 5, "error": 2},
        "upgrades": {"ok": 1, "error": 0},
        "zones": [{"zone": f"z{number}.example", "serial": number, "age_seconds": 61.0} for number in range(zones)],
        "errors": [f"z{number}.json: must be JSON" for number in range(errors)],
    }


def test_all_is_told_in_columns() -> None:
    """Who serves, what of, and what is wrong."""
    assert list(status_lines(report(zones=2, errors=1), shows_all=False)) == [
        "GreenDNS 0.1.0 (compiled), process 7: degraded",
        "",
        "up         1 h 2 min",
        "workers    3 of 4 read, 1 replaced",
        "queries/s  20000.1",
        "reloads    5 ok, 2 with errors",
        "upgrades   1 ok, 0 failed",
        "zones      2",
        "errors     1",
        "",
        "keeper  state    for         version  workers",
        "10      leaving  1 min 30 s  0.1.0    0",
        "1100    serving  0 s         0.2.0    3",
        "",
        "zone        serial  age",
        "z0.example  0       1 min 1 s",
        "z1.example  1       1 min 1 s",
        "",
        "errors",
        "z0.json: must be JSON",
    ]


def test_of_many_zones_the_first_are_told() -> None:
    """And how many there are more, which --all tells."""
    few = list(status_lines(report(zones=ZONES_SHOWN + 5, errors=ZONES_SHOWN + 1), shows_all=False))
    every = list(status_lines(report(zones=ZONES_SHOWN + 5, errors=ZONES_SHOWN + 1), shows_all=True))

    assert [line for line in few if "more" in line] == [f"and {more} more (--all shows them)" for more in (5, 1)]
    assert sum(".example" in line for line in few) == ZONES_SHOWN
    assert sum(".example" in line for line in every) == ZONES_SHOWN + 5
    assert sum(".json" in line for line in every) == ZONES_SHOWN + 1
