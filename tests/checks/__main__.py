"""Write docs/checks.md and docs/amplification.md: what a live server of this checkout makes of every check.

python -m tests.checks
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.checks import amplifying, table
from tests.checks.asking import serving_checks
from tests.serving import ROOT

PAGES = {"checks.md": table.document, "amplification.md": amplifying.document}


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, serving_checks(Path(directory)) as server:
        for name, write in PAGES.items():
            (ROOT / "docs" / name).write_text(write(server))


if __name__ == "__main__":
    main()
