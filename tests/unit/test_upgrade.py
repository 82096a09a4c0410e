"""What is handed over to another program, and what becomes of it where that one can't be run, or takes too long."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from greendns import config
from greendns.activation import PassedSockets
from greendns.errors import ConfigError
from greendns.keepergroup import KeeperGroup
from greendns.listeners import bind_sockets
from greendns.pidfile import pid_file_held
from greendns.processes import HANDLED
from greendns.trial import TRIAL_SECONDS, begin_trial
from greendns.upgrade import VARIABLE, Holdings, become_next, describe, document_of, hold, read_handover, take_over

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has memory that outlives a program")


@pytest.fixture
def holdings(tmp_path: Path) -> Iterator[Holdings]:
    """Of a server with two workers, and generations of each state."""
    told = {"server.listen": ["127.0.0.1:0", "[::1]:0"], "http.listen": "127.0.0.1:0", "server.workers": 2}
    settings = config.load(None, {"zones.directory": str(tmp_path), **told})
    sockets = bind_sockets(settings, 2, PassedSockets())
    with pid_file_held(tmp_path / "pid") as pid_file:
        held = hold(settings, sockets, 2, pid_file)
        for number, state in enumerate(("serving", "loading", "leaving")):
            held.generations[1001 + number] = KeeperGroup(1001 + number, state=state, bank=number)  # type: ignore[arg-type]
        held.bank = 0
        yield held
    sockets.close()


def run_by(monkeypatch: pytest.MonkeyPatch, *command: str) -> None:
    """Have the program that lies there be this one."""
    monkeypatch.setattr(sys, "executable", command[0])
    monkeypatch.setattr(sys, "orig_argv", list(command))


def descriptors() -> int:
    """How many are open, once those are gone that a test before left to the collector."""
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def test_what_is_handed_over_is_what_is_taken_over(holdings: Holdings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads the document goes on with the same sockets, memory, names and generations."""
    holdings.table.count_upgrade("ok")
    with document_of(describe(holdings)) as (document, handed):
        assert len(handed) == len(set(handed)) == 2 * 2 * 2 + 1 + 1 + 2 + 4 + 1
        monkeypatch.setenv(VARIABLE, str(os.dup(document)))
        handover = read_handover()
    assert handover is not None
    assert VARIABLE not in os.environ
    taken = take_over(handover)

    assert [str(each) for each in taken.sockets.dns] == [str(each) for each in holdings.sockets.dns]
    assert taken.sockets.told() == holdings.sockets.told()
    assert replace(taken.options, may_debug=None) == replace(holdings.options, may_debug=None)
    assert taken.settings.server == holdings.settings.server
    assert (taken.table.upgrades("ok"), taken.table.is_adopted) == (1, True)
    assert taken.pid_file == holdings.pid_file
    assert (taken.lifeline, taken.keepers, taken.bank) == (holdings.lifeline, holdings.keepers, 0)
    assert [(each.pid, each.state, each.bank, each.is_ours) for each in taken.generations.values()] == [
        (1001, "serving", 0, False),
        (1002, "loading", 1, False),
        (1003, "leaving", 2, False),
    ]
    # They are the same descriptors: only one of the two may close them.
    assert taken.sockets.http is not None
    taken.sockets.http.detach()
    for listener in taken.sockets.dns:
        for each in (*listener.udp, *listener.tcp):
            each.detach()


def test_a_document_of_another_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that is none."""
    for text in (b'{"format": 0}', b"{", b""):
        document = os.memfd_create("document")
        os.write(document, text)
        monkeypatch.setenv(VARIABLE, str(document))
        with pytest.raises(ConfigError, match="upgrade: "):
            read_handover()


def test_a_program_that_can_t_be_run_changes_nothing(holdings: Holdings, monkeypatch: pytest.MonkeyPatch) -> None:
    """No descriptor is left open or can be inherited, and signals come as before."""
    run_by(monkeypatch, "/nonexistent/python")
    before = descriptors()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    error = become_next(holdings)

    assert error.strerror == "No such file or directory"
    assert descriptors() == before
    assert not any(os.get_inheritable(each) for each in describe(holdings).descriptors())
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask
    assert not mask.intersection(HANDLED)


def test_a_trial_that_takes_too_long_is_ended(
    holdings: Holdings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not a moment before."""
    run_by(monkeypatch, "/bin/sleep", "60")
    before = descriptors()
    trial = begin_trial(holdings)
    trial.end_if_due(trial.due - 0.1)
    assert os.waitpid(trial.pid, os.WNOHANG) == (0, 0)
    trial.end_if_due(trial.due)
    status = os.waitstatus_to_exitcode(os.waitpid(trial.pid, 0)[1])

    assert trial.judge(status) == ""
    assert f"was not ready within {TRIAL_SECONDS:.0f} s: nothing changes" in caplog.text
    trial.close()
    assert descriptors() == before
