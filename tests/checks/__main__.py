"""Write docs/checks.md: every check, and what a live server of this checkout makes of it.

python -m tests.checks
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.checks.asking import serving_checks
from tests.checks.table import document
from tests.serving import ROOT

PAGES = {"checks.md": document}


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, serving_checks(Path(directory)) as server:
        for name, write in PAGES.items():
            (ROOT / "docs" / name).write_text(write(server))


if __name__ == "__main__":
    main()
