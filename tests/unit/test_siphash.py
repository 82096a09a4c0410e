"""SipHash-1-3 against Python's own, which has a known key where it is told not to draw one."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from greendns.siphash import Secret, siphash_1_3

LENGTHS = range(1, 26)


@pytest.mark.skipif(sys.hash_info.algorithm != "siphash13", reason="this Python hashes otherwise")
def test_the_hash_is_siphash_1_3() -> None:
    """Of every length of a last word, behind up to three whole ones."""
    program = f"import json; print(json.dumps([hash(bytes(range(size))) for size in {LENGTHS!r}]))"
    told = subprocess.check_output([sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": "0"})
    hashed = [siphash_1_3(Secret(bytes(16)), bytes(range(size))) for size in LENGTHS]

    assert hashed == [each % 2**64 for each in json.loads(told)]


def test_another_key_is_another_hash() -> None:
    """Each half of it counts."""
    keys = [bytes(16), bytes([1]) + bytes(15), bytes(15) + bytes([1])]
    assert len({siphash_1_3(Secret(key), b"message") for key in keys}) == len(keys)
