"""The worst packet: how many instructions answers take, beside that of a plain query; counted, not timed.

    python -m tests.bench.worst

valgrind counts in user space, of the build that is there: octets in, octets out, with all that counts them. The packets
are those of `tests.bench.worstpackets` and the table of checks, none over 512 octets, and some of 64 kB over TCP.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench import contenders, report
from tests.bench.processes import Missing, find_program
from tests.bench.worstpackets import MADE, OVER_TCP, PLAIN, of_the_table
from tests.checks.table import SECTIONS
from tests.serving import ROOT

ROUNDS = 20
PACKETS = {**MADE, **of_the_table(SECTIONS), **OVER_TCP}
_SOURCE = Path(__file__).with_name("marks.c")
_SHOWN = 25


def main() -> int:
    try:
        with tempfile.TemporaryDirectory(prefix="greendns-bench-") as directory:
            print(to_text(count(Path(directory))))
    except Missing as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def count(directory: Path) -> dict[str, float]:
    """Instructions per packet. Raises Missing."""
    valgrind, compiler = find_program("valgrind", "valgrind"), find_program("cc", "build-essential")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(directory / "marks.so"), str(_SOURCE)], check=True)
    out = directory / "callgrind"
    command = [valgrind, "-q", "--tool=callgrind", f"--callgrind-out-file={out}", sys.executable]
    subprocess.run([*command, "-m", "tests.bench.worstrun", str(directory)], cwd=ROOT, check=True)
    names = list(PACKETS)
    dumps = [path.read_text() for path in directory.glob("callgrind.*")]
    return {names[number]: total / ROUNDS for number, total in map(read_dump, dumps)}


def read_dump(text: str) -> tuple[int, int]:
    """The number of a packet, and the instructions of all its rounds, from one dump of callgrind's."""
    trigger = re.search(r"^desc: Trigger: Client Request: (\d+)$", text, re.MULTILINE)
    total = re.search(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)
    assert trigger is not None, text[:500]
    assert total is not None, text[-500:]
    return int(trigger[1]), int(total[1])


def to_text(found: dict[str, float]) -> str:
    """The dearest first, those over TCP behind."""
    plain = found[PLAIN]
    ordered = sorted((what for what in found if what not in OVER_TCP), key=lambda what: -found[what])
    chosen = [*ordered[:_SHOWN], *[what for what in MADE if what not in ordered[:_SHOWN]], *OVER_TCP]
    rows = [[what, f"{len(PACKETS[what])}", f"{found[what]:,.0f}", f"{found[what] / plain:.2f}"] for what in chosen]
    build = "compiled" if contenders.is_compiled() else "as Python"
    head = [f"{len(found)} packets, {build}", "octets", "instructions", "times a plain query"]
    return "\n".join(report.columns(head, rows))


if __name__ == "__main__":
    sys.exit(main())
