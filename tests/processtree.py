"""The processes of a running server, as /proc tells them: Linux alone."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

KEEPER, SIDE, WORKER = "greendns-keeper", "greendns-side", "greendns-worker"


def children(pid: int) -> set[int]:
    """Every process that one is the parent of, those included that have ended and that it has not reaped."""
    return {child for child, parent in _parents() if parent == pid}


def descendants(pid: int) -> set[int]:
    """Every process below one."""
    below: dict[int, list[int]] = {}
    for child, parent in _parents():
        below.setdefault(parent, []).append(child)
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        new = below.get(waiting.pop(), [])
        found.update(new)
        waiting += new
    return found


def _parents() -> Iterator[tuple[int, int]]:
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = _read(int(entry), "stat").rpartition(")")[2].split()
            if fields:
                yield int(entry), int(fields[1])


def _read(pid: int, file: str) -> str:
    """A file of a process; nothing of one that has ended."""
    try:
        return Path(f"/proc/{pid}/{file}").read_text()
    except OSError:
        return ""


def named(pid: int, name: str) -> list[int]:
    """The processes below one that have a name, in the order of their pids."""
    return sorted(each for each in descendants(pid) if _read(each, "comm").strip() == name)


def is_running(pid: int) -> bool:
    """Whether there is such a process that is more than an entry for its parent."""
    fields = _read(pid, "stat").rpartition(")")[2].split()
    return bool(fields) and fields[0] != "Z"


def age_seconds(pid: int) -> float:
    """How long ago a process was forked; 0 if it has ended (proc(5): field 22, in ticks since the machine started)."""
    fields = _read(pid, "stat").rpartition(")")[2].split()
    if not fields:
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """What a process has used of the processors; 0 if it has ended (proc(5): fields 14 and 15)."""
    fields = _read(pid, "stat").rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def open_descriptors(pid: int) -> int:
    """How many files and sockets a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory_octets(pid: int, kind: str) -> int:
    """Its Rss, or its Pss, in which pages that several share count by their share."""
    match = re.search(rf"^{kind}:\s+(\d+) kB", _read(pid, "smaps_rollup"), re.MULTILINE)
    assert match is not None, f"process {pid} has no {kind}"
    return int(match[1]) * 1024


def status_of(pid: int) -> dict[str, str]:
    """What /proc/PID/status tells of a process by its words, such as {"Uid": "0 0 0 0"} (proc(5))."""
    pairs = [line.partition(":") for line in _read(pid, "status").splitlines()]
    return {word: " ".join(value.split()) for word, _, value in pairs}
