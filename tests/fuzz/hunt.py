"""Fuzzing by coverage: atheris changes packets, and keeps what reaches new lines of the answer path.

    python -m tests.fuzz.hunt [--seconds 60] [--directory build/fuzz]

The source is what is watched; all packets kept are then asked once of the compiled build. They stay in the directory
for the next run. Exit status 1 on a finding, whose packet stays there as well: it belongs among the
examples of tests/fuzz/test_packets.py.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests.checks.rows import query
from tests.fuzz.mutating import seeds
from tests.fuzz.packetmaking import DATA
from tests.serving import ROOT

_PACKET_OCTETS = 700
# An answer takes well below a millisecond; libFuzzer tells of what takes as many seconds.
_SLOW_SECONDS = 5
_MEGABYTES = 1024


def main() -> int:
    parser = argparse.ArgumentParser("tests.fuzz.hunt", description="Look for packets that break an answer.")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--directory", type=Path, default=ROOT / "build" / "fuzz")
    arguments = parser.parse_args()
    corpus, found = arguments.directory / "corpus", arguments.directory / "found"
    for directory in (corpus, found):
        directory.mkdir(parents=True, exist_ok=True)
    for wire in [*seeds(), *_known_names()]:
        _keep(corpus, b"\x00" + wire)
    is_clean = _run(corpus, found, f"-max_total_time={arguments.seconds}", GREENDNS_PURE="1") and _run(
        corpus, found, "-runs=0"
    )
    for path in sorted(found.iterdir()):
        print(f"{path}: {path.read_bytes().hex()}")
    return 0 if is_clean and not any(found.iterdir()) else 1


def _known_names() -> list[bytes]:
    """Queries for all that the target's zones hold."""
    return [
        query(f"{label}.{zone}." if label else f"{zone}.", qtype)
        for zone, labels in DATA.items()
        for label in labels
        for qtype in ("A", "ANY")
    ]


def _keep(corpus: Path, octets: bytes) -> None:
    (corpus / hashlib.sha1(octets).hexdigest()).write_bytes(octets)


def _run(corpus: Path, found: Path, *words: str, **environment: str) -> bool:
    """Run the target; False if it ended in a finding, which libFuzzer wrote to `found`."""
    limits = [f"-max_len={_PACKET_OCTETS}", f"-timeout={_SLOW_SECONDS}", f"-rss_limit_mb={_MEGABYTES}"]
    command = [sys.executable, "-m", "tests.fuzz.target", str(corpus), f"-artifact_prefix={found}/", *limits, *words]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
