"""Tests that need a program of another package: skipped without it, with how to install it."""

from __future__ import annotations

import pytest

from tests.bench.processes import Missing, find_program


def needs(program: str, package: str) -> pytest.MarkDecorator:
    """A mark for tests that can't run without a program."""
    reason = _why_missing(program, package)
    return pytest.mark.skipif(bool(reason), reason=reason)


def _why_missing(program: str, package: str) -> str:
    try:
        find_program(program, package)
    except Missing as error:
        return str(error)
    return ""
