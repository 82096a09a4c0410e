"""A server is all of its processes together."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.bench import processes
from tests.bench.processes import Cores, Others, Peak, Tree, choose_cores

# A parent and its child; the child touches this much memory, computes for a while, and tells.
MEGABYTES = 40
CHILD = f"""
import time
held = b"x" * {MEGABYTES * 10**6}
ends = time.process_time() + 0.2
while time.process_time() < ends: pass
print("ready", flush=True)
input()
"""
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"


@pytest.fixture(scope="module")
def tree() -> Iterator[Tree]:
    words = [sys.executable, "-c", PARENT, CHILD]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield Tree(process.pid)
        process.communicate("\n")


def test_server_and_client_have_a_core_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first two that this process may use; where there is only one, that is said."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {7, 3, 5})
    two = choose_cores()
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {3})
    one = choose_cores()

    assert (two, two.is_shared) == (Cores(server=3, client=5), False)
    assert (one, one.is_shared) == (Cores(server=3, client=3), True)


def test_a_tree_is_a_process_and_its_children(tree: Tree) -> None:
    """The root is the first."""
    members = tree.members()

    assert members[0] == tree.root
    assert len(members) == 2


def test_processor_time_is_that_of_all(tree: Tree) -> None:
    """The child's too, though nobody has waited for it yet."""
    assert tree.cpu_seconds() >= 0.2


def test_memory_is_that_of_all(tree: Tree) -> None:
    """And the peak is no less."""
    with Peak(tree) as peak:
        together = tree.memory()

    assert together > MEGABYTES
    assert peak.megabytes >= MEGABYTES
    assert tree.largest_peak() >= MEGABYTES


def test_time_of_a_child_that_has_ended_stays_counted() -> None:
    """A worker that was replaced has used its time."""
    words = [sys.executable, "-c", f"{PARENT}; print('alone', flush=True); input()", CHILD]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert [process.stdout.readline() for _ in range(2)] == ["ready\n", "alone\n"]
        spent, members = Tree(process.pid).cpu_seconds(), Tree(process.pid).members()
        process.communicate("\n")

    assert members == [process.pid]
    assert spent >= 0.2


def test_what_we_use_ourselves_is_not_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 10 s of processor time within 3 s, 4 are ours: others had two cores."""
    readings = {"_all_seconds": iter((100.0, 110.0)), "_own_seconds": iter((1.0, 5.0))}
    for name, values in readings.items():
        monkeypatch.setattr(processes, name, values.__next__)
    monkeypatch.setattr(time, "monotonic", iter((50.0, 53.0)).__next__)

    assert Others().cores() == 2.0


def test_a_child_that_has_ended_counts_as_ours_and_within_all() -> None:
    """The kernel's sum for all processors, in ticks of 10 ms, has grown by no less."""
    own, everybodys = processes._own_seconds(), processes._all_seconds()
    subprocess.run([sys.executable, "-c", "import time\nwhile time.process_time() < 0.5: pass"], check=True)

    assert processes._own_seconds() - own >= 0.5
    assert processes._all_seconds() - everybodys >= 0.45
