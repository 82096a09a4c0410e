"""GreenDNS: an authoritative GeoDNS server on gevent that reads geodns's zone files.

A module with a `.pxd` beside it is on the hot path and is compiled where there is a compiler; the extension lies beside
its source and wins the import. With GREENDNS_PURE=1 in the environment the source runs, as it does where nothing was
compiled.
"""

import os
import sys
from importlib.machinery import SOURCE_SUFFIXES, ExtensionFileLoader, FileFinder, PathFinder, SourceFileLoader
from pathlib import Path

__version__ = "0.1.0"

_DIRECTORY = Path(__file__).parent
# What setup.py compiles, by the same glob.
_COMPILABLE = frozenset(path.stem for pattern in ("*.pxd", "*.pyx") for path in _DIRECTORY.glob(pattern))

if os.environ.get("GREENDNS_PURE", "0") not in ("", "0"):
    # A finder for this directory that knows no extensions.
    sys.path_importer_cache[str(_DIRECTORY)] = FileFinder(str(_DIRECTORY), (SourceFileLoader, SOURCE_SUFFIXES))


def is_compiled() -> frozenset[str]:
    """The modules of the package that run compiled in this process, empty for pure Python."""
    specs = {name: PathFinder.find_spec(f"{__name__}.{name}", [str(_DIRECTORY)]) for name in _COMPILABLE}
    return frozenset(name for name, spec in specs.items() if spec and isinstance(spec.loader, ExtensionFileLoader))


def build_text() -> str:
    """Which build runs, for people."""
    compiled = is_compiled()
    if compiled == _COMPILABLE:
        return "compiled"
    return f"pure Python but for {', '.join(sorted(compiled))}" if compiled else "pure Python"
