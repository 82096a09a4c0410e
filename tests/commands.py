"""Commands that end by themselves, run within the tests' own process: a start of Python for each would take longer."""

from __future__ import annotations

import io
import os
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess

from greendns import cli


def run_here(*arguments: str | Path, cwd: Path | None = None) -> CompletedProcess[str]:
    """What `tests.serving.run_command` gives, for a command that serves nothing."""
    argv = [str(argument) for argument in arguments]
    here = Path.cwd()
    stdout, stderr = io.StringIO(), io.StringIO()
    os.chdir(cwd or here)
    try:
        with redirect_stdout(stdout), redirect_stderr(stderr):
            status = cli.main(argv)
    finally:
        os.chdir(here)
    return CompletedProcess(argv, status, stdout.getvalue(), stderr.getvalue())
