"""Both builds, where both are there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import builds
from tests.twin.pipe import Twins


@pytest.fixture(scope="session")
def twins() -> Iterator[Twins]:
    """Both builds; where nothing is compiled there is nothing to compare, and that is an error where it must be."""
    lacking = builds.uncompiled()
    if lacking and builds.REQUIRED:
        pytest.fail(f"GREENDNS_REQUIRE_COMPILED is set, and these are not compiled: {', '.join(lacking)}")
    if lacking:
        pytest.skip(builds.told())
    with Twins() as both:
        yield both
