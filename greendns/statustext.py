"""A report -> lines for people: short, aligned, with few of many zones. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .statusreport import Report

ZONES_SHOWN = 20
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def status_lines(report: Report, shows_all: bool) -> Iterator[str]:
    """The lines of a report, all zones and errors in them or the first of them."""
    yield f"GreenDNS {report['version']} ({report['build']}), process {report['pid']}: {report['status']}"
    yield ""
    yield from aligned(_facts(report))
    yield ""
    yield from aligned([("keeper", "state", "for", "version", "workers"), *_generations(report)])
    if report["zones"]:
        yield ""
        yield from _first(list(aligned([("zone", "serial", "age"), *_zones(report)])), 1, shows_all)
    if report["errors"]:
        yield ""
        yield from _first(["errors", *report["errors"]], 1, shows_all)


def _facts(report: Report) -> list[Sequence[str]]:
    workers, reloads, upgrades = report["workers"], report["reloads"], report["upgrades"]
    reading = f"{workers['reading']} of {workers['configured']} read, {workers['restarts']} replaced"
    return [
        ("up", told_seconds(report["uptime_seconds"])),
        ("workers", reading if workers["configured"] else "one process does everything"),
        ("queries/s", f"{report['queries_per_second']}"),
        ("reloads", f"{reloads['ok']} ok, {reloads['error']} with errors"),
        ("upgrades", f"{upgrades['ok']} ok, {upgrades['error']} failed"),
        ("zones", f"{len(report['zones'])}"),
        ("errors", f"{len(report['errors'])}"),
    ]


def _generations(report: Report) -> Iterator[Sequence[str]]:
    for each in report["generations"]:
        spent = told_seconds(each["seconds"])
        yield f"{each['keeper']}", each["state"], spent, each["version"], f"{each['workers']}"


def _zones(report: Report) -> Iterator[Sequence[str]]:
    for each in report["zones"]:
        yield each["zone"], f"{each['serial']}", told_seconds(each["age_seconds"])


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Rows of as many columns, each column as wide as its widest text.

    >>> list(aligned([("a", "bcd"), ("efg", "h")]))
    ['a    bcd', 'efg  h']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join([text.ljust(width) for text, width in zip(row, widths, strict=True)]).rstrip()


def _first(lines: list[str], heads: int, shows_all: bool) -> Iterator[str]:
    """Lines below their headings, or the first of them and how many there are more."""
    shown = len(lines) if shows_all else heads + ZONES_SHOWN
    yield from lines[:shown]
    if lines[shown:]:
        yield f"and {len(lines) - shown} more (--all shows them)"


def told_seconds(seconds: float) -> str:
    """A time that has passed, in its two greatest units.

    >>> told_seconds(93784.5), told_seconds(59.9), told_seconds(0.2)
    ('1 d 2 h', '59 s', '0 s')
    """
    told: list[str] = []
    rest = max(0, int(seconds))
    for size, unit in _UNITS:
        if rest >= size or told or size == 1:
            told.append(f"{rest // size} {unit}")
            rest %= size
    return " ".join(told[:2])
