"""Fixtures for all tests: small databases of a made-up world, and servers."""

from __future__ import annotations

from pathlib import Path

import hypothesis
import pytest

from tests import builds
from tests.databases import write_world

# The same examples in every run, and no deadline: a busy machine is no fault of the code.
hypothesis.settings.register_profile("stable", deadline=None, derandomize=True)
hypothesis.settings.load_profile("stable")


def pytest_report_header() -> str:
    """Which build is tested, in a line above the tests."""
    return f"greendns: {builds.told()}"


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with City, Country and ASN databases of `tests.databases.WORLD`."""
    directory = tmp_path_factory.mktemp("world")
    write_world(directory)
    return directory
