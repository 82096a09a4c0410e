"""The full-size City database of the package maxminddb-geolite2: 57 MB, July 2018, CC BY-SA 4.0, by MaxMind."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def find_geolite() -> Path:
    """The directory of the database, looked up without running the package's code."""
    spec = find_spec("_maxminddb_geolite2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(
            "maxminddb-geolite2 is missing: pip install -e '.[geolite2]', or name a directory: --geoip DIR"
        )
    return Path(spec.submodule_search_locations[0])
