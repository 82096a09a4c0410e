"""What was served last, kept on disk: for a start with files that are broken or out of reach, and for a quick one.

Loading side. In the cache directory there is one file for each image, named by its hash, and an index, which is written
last: until then the one before is in force, whatever becomes of the writer. What the index does not name is removed.
Its first line is the hash of the rest:

    format, byteorder   of the images
    program             which program made them
    source              the directory or pgeodns.conf that the zones are from; `files`: what else they were read from
    images              of each its octets, and its zones by their names, each with its serial and what its source was

What another program made serves where nothing can be made of a zone's file; else it is made anew.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from . import cachefile
from .cachedirectory import BEGUN, make_again, opened, reading, remove, wait_alone, write_whole
from .cachefile import Stored
from .errors import CacheError
from .found import printable
from .image import Image
from .loaded import NOTHING_KEPT, Generation, Kept, LoadedZone
from .regularfile import fingerprint
from .settings import Config

log = logging.getLogger("greendns")

# To be raised by whoever changes what stands in an image, or how it is written: a test notices.
FORMAT = 1
INDEX = "index"
_OURS = re.compile(rf"(?:[0-9a-f]{{64}}|{INDEX})(?:{re.escape(BEGUN)})?")
# Small zones that changed have images of their own. When there are so many at a start they are made anew, and so are
# those of an image that has become mostly others': then they share one again, and there is less to fetch for an answer.
SCATTERED = 100
_SMALL_OCTETS = 1_000_000
# Enough for a million zones with an image each; what is longer is not ours, and would not find room in memory.
_INDEX_OCTETS_MAX = 256 << 20
# A writer may remove an image while we are reading.
_ATTEMPTS = 3


def _program() -> str:
    """What tells this program from others: when its files were written, and how long they are."""
    package = Path(__file__).parent
    seen = sorted((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in package.glob("*.*"))
    return hashlib.sha256(repr((sys.version, seen)).encode()).hexdigest()


# At the start: later they may be another one's, and who serves may not be able to read them.
_PROGRAM = _program()


class _Held(NamedTuple):
    """An image in the directory: how large it is, and what each of its zones was made of, by their names."""

    octets: int
    zones: Mapping[str, str]


@dataclass(frozen=True)
class _Index:
    """See above."""

    program: str = ""
    source: str = ""
    files: tuple[str, ...] = ()
    images: Mapping[str, _Held] = field(default_factory=dict)


class LastGood:
    """What is kept of a server's zones in a directory."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, config: Config) -> Kept:
        """What was served last of the zones of `config`; nothing, with a warning, where that can't be used."""
        try:
            with opened(self.path) as directory:
                return self._read(directory, config)
        except FileNotFoundError:
            return NOTHING_KEPT
        except (OSError, CacheError) as error:
            self._warn(str(error))
            return NOTHING_KEPT

    def _read(self, directory: int, config: Config) -> Kept:
        reader = _Reader(directory, config, _read_index(directory))
        for _ in range(_ATTEMPTS):
            reader.read()
            index = _read_index(directory)
            if not reader.broken or index == reader.index:
                break
            reader = _Reader(directory, config, index)
        if reader.broken:
            self._warn(f"{len(reader.broken)} of its {len(reader.index.images)} images: {reader.broken[0]}")
        return Kept(reader.zones, tuple(map(Path, reader.index.files)))

    def _warn(self, why: str) -> None:
        log.warning("%s: what was served last can't be used (%s): it is written anew", printable(self.path), why)

    def save(self, generation: Generation) -> None:
        """Keep what a generation serves; only what is not there yet is written. Raises OSError and CacheError."""
        make_again(self.path)
        with opened(self.path) as directory:
            # Of two generations one waits for the other.
            wait_alone(directory)
            if _is_nothing_beside_others(directory, generation):
                return
            before = self._index_there(directory)
            images = _write_images(directory, generation, before.images)
            files = tuple([os.path.abspath(path) for path in generation.files])
            index = _Index(_PROGRAM, _source(generation.config), files, images)
            if index != before:
                _write_index(directory, index)
            # Also where there was nothing to write: what is in service is known to be kept.
            os.utime(INDEX, dir_fd=directory)
            for name in os.listdir(directory):
                if _OURS.fullmatch(name) and name not in images and name != INDEX:
                    remove(directory, name)

    def _index_there(self, directory: int) -> _Index:
        """What there is to go on from: nothing where the index can't be read, or is another program's."""
        try:
            index = _read_index(directory)
        except (OSError, CacheError):
            return _Index()
        if index.program != _PROGRAM:
            return _Index()
        there = set(os.listdir(directory))
        return replace(index, images={image: held for image, held in index.images.items() if image in there})


def last_good(settings: Config) -> LastGood | None:
    """Where what is served is kept; None where nothing is."""
    path = settings.cache.find()
    return None if path is None else LastGood(path)


def saved_at(settings: Config) -> float:
    """When all that was served was last known to be kept, in seconds since 1970; 0: never, or it can't be told."""
    path = settings.cache.find()
    seen = None if path is None else fingerprint(path / INDEX)
    return 0.0 if seen is None else seen[0] / 10**9


# -- reading


class _Reader:
    """Reads what an index names.

    zones   by what they are found by in a generation
    broken  what is wrong with the images that can't be used; those that will never be are removed
    """

    def __init__(self, directory: int, config: Config, index: _Index) -> None:
        self._directory = directory
        self._config = config
        self._is_ours = index.program == _PROGRAM
        self.index = index
        self.zones: dict[str, LoadedZone] = {}
        self.broken: list[str] = []

    def read(self) -> None:
        """Read all of it."""
        if self.index.source != _source(self._config):
            raise CacheError(f"it is of {printable(self.index.source)}")
        for image, held in self.index.images.items():
            try:
                self._take(_read_image(self._directory, image), held)
            except OSError as error:
                # It may be whole, and be read at the next start.
                self.broken.append(f"{image}: {error.strerror}")
            except CacheError as error:
                self.broken.append(f"{image}: {error}")
                remove(self._directory, image)
        small = [held.zones for held in self.index.images.values() if held.octets < _SMALL_OCTETS]
        alone = [_key(self._config, name) for names in small if len(names) == 1 for name in names]
        if len(alone) >= SCATTERED:
            self._distrust(alone)

    def _take(self, stored: Stored, held: _Held) -> None:
        keys = {name: _key(self._config, name) for name in held.zones}
        found = cachefile.decode(stored, {name: printable(key) for name, key in keys.items()})
        self.zones.update((keys[name], loaded) for name, loaded in found.items())
        if not self._is_ours or 2 * len(held.zones) < len(stored.head["zones"]):
            self._distrust(keys.values())

    def _distrust(self, keys: Iterable[str]) -> None:
        """Have zones serve only if nothing can be made of their files."""
        for key in keys:
            if key in self.zones:
                self.zones[key] = replace(self.zones[key], digest=None)


def _read_image(directory: int, image: str) -> Stored:
    with reading(directory, image) as file:
        return cachefile.read(file, os.fstat(file.fileno()).st_size, image)


def _read_index(directory: int) -> _Index:
    """Raises OSError and CacheError."""
    with reading(directory, INDEX) as file:
        if os.fstat(file.fileno()).st_size > _INDEX_OCTETS_MAX:
            raise CacheError(f"its index has more than {_INDEX_OCTETS_MAX} octets")
        digest, _, body = file.read().partition(b"\n")
    if cachefile.digest_of([body]).encode() != digest:
        raise CacheError("its index is not as it was written")
    found: dict[str, Any] = json.loads(body)
    if found["format"] != FORMAT:
        raise CacheError(f"its format is {found['format']}, not {FORMAT}")
    if found["byteorder"] != sys.byteorder:
        raise CacheError("it was written by another kind of machine")
    images = {image: _Held(*held) for image, held in found["images"].items()}
    return _Index(found["program"], found["source"], tuple(found["files"]), images)


# -- writing


def _is_nothing_beside_others(directory: int, generation: Generation) -> bool:
    """Whether no zone is served, and what is kept is of another source: then more would be lost than kept.

    Without a configuration file the directory of zones is another one where "zones" is not mounted.
    """
    if any(loaded.zone is not None for loaded in generation.zones.values()):
        return False
    try:
        index = _read_index(directory)
    except (OSError, CacheError):
        return False
    return bool(index.images) and index.source != _source(generation.config)


def _write_images(directory: int, generation: Generation, before: Mapping[str, _Held]) -> dict[str, _Held]:
    """Write the images that are not there yet; returns all that the index is to name."""
    homes = {(held.octets, *zone): image for image, held in before.items() for zone in held.zones.items()}
    images: dict[str, _Held] = {}
    for image, zones in _by_image(generation).items():
        held = _Held(cachefile.octets_of(image), {name: _made_of(loaded) for name, loaded in zones.items()})
        there = {homes.get((held.octets, *zone)) for zone in held.zones.items()}
        # Zones that share an image in memory share one there too.
        home = there.pop() if len(there) == 1 else None
        name = home or _write_image(directory, image, zones)
        beside = images[name].zones if name in images else {}
        images[name] = _Held(held.octets, {**beside, **held.zones})
    return images


def _by_image(generation: Generation) -> dict[Image, dict[str, LoadedZone]]:
    """The zones in service by their names, image by image."""
    by_image: dict[Image, dict[str, LoadedZone]] = {}
    for key, loaded in generation.zones.items():
        if loaded.zone is not None:
            by_image.setdefault(loaded.zone.image, {})[_name(generation.config, key)] = loaded
    return by_image


def _made_of(loaded: LoadedZone) -> str:
    """What tells one version of a zone from another."""
    assert loaded.zone is not None
    return f"{loaded.zone.serial} {loaded.digest.hex()[:16] if loaded.digest else ''}"


def _write_image(directory: int, image: Image, zones: Mapping[str, LoadedZone]) -> str:
    parts = cachefile.encode(image, zones)
    name = cachefile.digest_of(parts)
    write_whole(directory, name, parts)
    return name


def _write_index(directory: int, index: _Index) -> None:
    body = json.dumps({"format": FORMAT, "byteorder": sys.byteorder, **vars(index)}, separators=(",", ":")).encode()
    write_whole(directory, INDEX, (cachefile.digest_of([body]).encode(), b"\n", body))


# -- zones by name


def _source(config: Config) -> str:
    """What all zones are from, wherever the server was started."""
    return os.path.abspath(config.zones.directory if config.zone_format == "json" else config.source or "")


def _key(config: Config, name: str) -> str:
    """What a zone is found by in a generation."""
    return str(config.zones.directory / name) if config.zone_format == "json" else f"{config.source}#{name}"


def _name(config: Config, key: str) -> str:
    """What a zone is found by in the directory."""
    return Path(key).name if config.zone_format == "json" else key.removeprefix(f"{config.source}#")
