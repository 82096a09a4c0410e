"""What the side process tells its keeper."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from greendns.side import decode_change, encode_change
from greendns.watcher import Change

# Names as the file system gives them: any octets but "/" and 0.
paths = st.binary(min_size=1, max_size=8).map(lambda name: Path("/z/" + os.fsdecode(bytes(o or 1 for o in name))))
fingerprints = st.none() | st.tuples(*[st.integers(0, 2**63)] * 4)


@given(st.dictionaries(paths, fingerprints), st.frozensets(paths))
def test_a_change_is_told_in_one_line_and_read_as_it_was(
    settled: dict[Path, tuple[int, int, int, int] | None], unsettled: frozenset[Path]
) -> None:
    """Whatever the files are called."""
    change = Change(settled, unsettled)
    line = encode_change(change)

    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert decode_change(line) == change
