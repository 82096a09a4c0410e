"""MaxMind databases: files -> checked `Database`s. Loading: may read files, knows no gevent.

geoip2's Reader opens a file and checks its metadata, maxminddb below it checks that records can be decoded. Their
look-ups are not used: our own tree finds a record's offset, so that each record is read once and not for every query,
and of a record only what a place needs is read; geoip2's country() refuses a City database.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, get_args

from geoip2.database import Reader
from maxminddb import MODE_FD
from maxminddb.decoder import Decoder
from maxminddb.reader import Metadata

from .errors import ConfigError, Problem, UnreadError, ValueProblem
from .geography import Database, Kind
from .mmdbrecord import Records, Shape
from .mmdbtree import ABSENT, Tree
from .regularfile import read_octets

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
# The first name that exists wins.
_FILE_NAMES: Final = ("GeoLite2-{}.mmdb", "GeoIP2-{}.mmdb")

_METADATA_MARKER: Final = b"\xab\xcd\xefMaxMind.com"
# A type that names another kind and not the one asked for lies under a wrong name. Types that
# name none ("GeoIP2-Precision-Enterprise", home-made ones) are taken as asked for. A City
# database says all that a Country database says.
_FOREIGN_WORDS: Final[dict[Kind, tuple[str, ...]]] = {
    "City": ("Country", "ASN"),
    "Country": ("ASN",),
    "ASN": ("City", "Country"),
}
# 500 nodes all over the tree take 30 ms of GeoLite2-City's decoding, and a file that is half new
# and half old has little chance to pass. Small files are checked whole.
_SAMPLED_NODES = 500
_FOUND_CHARACTERS: Final = 120


def find_files(directory: Path | None) -> dict[Kind, Path]:
    """The file of each kind of database in a directory; kinds without a file are left out."""
    found = {kind: _find_file(directory, kind) for kind in KINDS} if directory else {}
    return {kind: path for kind, path in found.items() if path}


def _find_file(directory: Path, kind: Kind) -> Path | None:
    candidates = [directory / name.format(kind) for name in _FILE_NAMES]
    return next(filter(os.path.isfile, candidates), None)


def open_database(path: Path, kind: Kind) -> Database:
    """Read a database into memory and check it. Raises ConfigError with one problem."""
    expected = f"must be a MaxMind {kind} database"
    try:
        # Not mapped into memory: a file that is cut short in its place would be a SIGBUS.
        return _read_database(read_octets(path), str(path), kind)
    except ValueProblem as problem:
        raise ConfigError(Problem(str(path), "", f"{expected}: {problem.expected}", problem.found)) from None
    except OSError as error:
        raise UnreadError(str(path), error) from error
    except Exception as error:
        # A damaged file makes maxminddb raise nearly anything: InvalidDatabaseError, TypeError
        # for a key that is a list, UnicodeDecodeError, AttributeError.
        raise ConfigError(Problem(str(path), "", expected, _one_line(error))) from error


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:_FOUND_CHARACTERS]


def _read_database(content: bytes, path: str, kind: Kind) -> Database:
    data_end = _find_metadata(content)
    metadata = Reader(io.BytesIO(content), mode=MODE_FD).metadata()
    _check_metadata(metadata, kind)
    # Without the metadata, so that no record can point into it.
    buffer = content[:data_end]
    tree = Tree(buffer, metadata.node_count, metadata.record_size, metadata.ip_version)
    decoder = Decoder(buffer, tree.data_start)
    _check_records(tree, decoder)
    return Database(kind, path, metadata.build_epoch, tree, _read_or_none(Records(buffer, tree.data_start)))


def _find_metadata(content: bytes) -> int:
    """Where the metadata starts, and with it the data section ends.

    maxminddb reads an integer or a string that the end of the file cuts as a shorter one, so
    a file without its last octet would do; here its metadata must be whole.
    """
    start = content.rfind(_METADATA_MARKER)
    if start < 0:
        raise ValueProblem("metadata must be at its end")
    after_marker = start + len(_METADATA_MARKER)
    _, end = Decoder(content, after_marker).decode(after_marker)
    if end > len(content):
        raise ValueProblem("metadata must be whole")
    return start


def _check_metadata(metadata: Metadata, kind: Kind) -> None:
    """What maxminddb doesn't check."""
    for name in ("binary_format_major_version", "build_epoch", "node_count", "record_size", "ip_version"):
        _check_integer(name, getattr(metadata, name))
    if metadata.binary_format_major_version != 2:
        raise ValueProblem("the format's major version must be 2", str(metadata.binary_format_major_version))
    if _is_foreign(str(metadata.database_type), kind):
        raise ValueProblem("database_type must not name another kind", str(metadata.database_type)[:_FOUND_CHARACTERS])


def _check_integer(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueProblem(f"{name} must be an integer", repr(value)[:_FOUND_CHARACTERS])


def _is_foreign(database_type: str, kind: Kind) -> bool:
    return kind not in database_type and any(word in database_type for word in _FOREIGN_WORDS[kind])


def _check_records(tree: Tree, decoder: Decoder) -> None:
    """Follow both records of nodes all over the tree: each is a node, absent, or can be decoded."""
    last = tree.node_count - 1
    nodes = [*range(0, last, max(1, last // _SAMPLED_NODES)), last]
    for record in {tree.record(node, side) for node in nodes for side in (0, 1)}:
        if record > tree.node_count:
            _check_record(tree, decoder, record)


def _check_record(tree: Tree, decoder: Decoder, record: int) -> None:
    offset = tree.offset_of(record)
    if offset == ABSENT:
        raise ValueProblem("the search tree must point to its records")
    decoder.decode(tree.data_start + offset)


def _read_or_none(records: Records) -> Callable[[int, Shape], object]:
    """A function that reads what is wanted of the record at an offset of the data section.

    Not every record of a large file was checked. One that turns out to be damaged must not
    take the answer with it: its network is in no known place.
    """

    def read(offset: int, shape: Shape) -> object:
        try:
            return records.read(offset, shape)
        except Exception:
            return None

    return read
