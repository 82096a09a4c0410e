"""Only regular files are read, whole, and told apart by what they look like."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from greendns.regularfile import _read_to_end, fingerprint, read_file, read_octets


@pytest.mark.parametrize("size", [0, 1, 5000, 3_000_000])
def test_a_file_is_read_whole_and_looks_as_by_its_path(tmp_path: Path, size: int) -> None:
    """Whatever its size."""
    path = tmp_path / "example.com.json"
    path.write_bytes(os.urandom(size))

    octets, seen = read_file(path)

    assert octets == path.read_bytes()
    assert seen == fingerprint(path)


@pytest.mark.parametrize("size", [0, 1, 999, 1001])
def test_a_file_is_read_to_its_end_whatever_size_it_was_said_to_have(tmp_path: Path, size: int) -> None:
    """It may have grown or been cut since."""
    path = tmp_path / "example.com.json"
    path.write_bytes(b"x" * 1000)

    with path.open("rb") as file:
        assert _read_to_end(file.fileno(), size) == b"x" * 1000


def test_a_directory_a_fifo_and_a_device_are_not_read(tmp_path: Path) -> None:
    """And nobody waits for them."""
    os.mkfifo(tmp_path / "fifo")

    with pytest.raises(OSError, match="Is a directory"):
        read_octets(tmp_path)
    for path in (tmp_path / "fifo", Path("/dev/zero")):
        with pytest.raises(OSError, match="not a regular file"):
            read_octets(path)
