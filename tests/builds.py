"""Which builds of GreenDNS there are to test: the compiled one, the Python source, or both."""

from __future__ import annotations

import os
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import greendns

# Set where a compiler is known to be: what needs the compiled build must not be skipped there.
REQUIRED = os.environ.get("GREENDNS_REQUIRE_COMPILED", "0") not in ("", "0")


def uncompiled() -> list[str]:
    """The modules that should have an extension for this Python beside their source, and have none."""
    package = Path(greendns.__file__).parent
    compilable = {path.stem for pattern in ("*.pxd", "*.pyx") for path in package.glob(pattern)}
    compiled = {path.name for end in EXTENSION_SUFFIXES for path in package.glob(f"*{end}")}
    return sorted(name for name in compilable if not compiled & {name + end for end in EXTENSION_SUFFIXES})


def told() -> str:
    """Which build these tests run on, and why nothing is compared where there is only one."""
    lacking = uncompiled()
    if not lacking:
        return f"{greendns.build_text()}; tests/twin compare it with the other build"
    return f"{greendns.build_text()}; nothing is compiled here, so tests/twin have no other build to compare with"
