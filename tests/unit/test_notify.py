"""Who tells a service manager: the process that it started, and no other."""

from __future__ import annotations

import os

import pytest

from greendns.processes import exit_after, fork

TOLD_TO_ONE = {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}


def test_what_is_forked_knows_of_no_manager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does what it executes; the process itself still does, since it may execute itself anew."""
    for name, value in TOLD_TO_ONE.items():
        monkeypatch.setenv(name, value)
    pid = fork("greendns-test")
    if pid == 0:
        exit_after(lambda: len(TOLD_TO_ONE.keys() & os.environ.keys()))

    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert TOLD_TO_ONE.items() <= os.environ.items()
