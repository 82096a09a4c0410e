"""What holds for the files of the repository: their size, what must not be in them, and that their examples work."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import ROOT, run_command

FUNCTION_LINES = 60
MODULE_LINES = 420

# Directories that only exist where somebody builds or lives. /usr/home is where some systems have the latter.
BUILD_PATH = re.compile(r"(?<![\w.])/(?:work|root|workspace|builds?|Users|home)/[\w.-]+")
# Places that every reader of the documentation may have.
ALLOWED_PATHS: frozenset[str] = frozenset()
TEXT_SUFFIXES = frozenset(
    ".py .pyx .pxd .md .toml .txt .json .conf .ini .cfg .service .sh .yml .yaml .in .typed".split()
) | {""}
GENERATED = frozenset(
    ".git .venv .tox .hypothesis .mypy_cache .pytest_cache .ruff_cache __pycache__ build dist .eggs".split()
)

FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def committed() -> list[Path]:
    """The text files of the repository; of a checkout without git, all that nobody generates."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    paths = [ROOT / line for line in listed.stdout.splitlines()] if listed.returncode == 0 else list(ROOT.rglob("*"))
    return sorted(path for path in paths if path.is_file() and is_ours(path) and path.suffix in TEXT_SUFFIXES)


def is_ours(path: Path) -> bool:
    parts = path.relative_to(ROOT).parts
    return not GENERATED & set(parts) and not any(part.endswith(".egg-info") for part in parts)


def sources() -> list[Path]:
    """The modules that are not tests."""
    return [path for path in committed() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] != "tests"]


def documents() -> list[Path]:
    """README.md and what stands in docs/."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def test_no_file_tells_of_the_machine_it_was_made_on() -> None:
    """No path of a home or a work directory."""
    told = [
        f"{place(path, number)}: {found[0]}"
        for path in committed()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        for found in BUILD_PATH.finditer(line)
        if found[0] not in ALLOWED_PATHS
    ]

    assert told == []


def test_a_path_of_a_machine_would_be_seen() -> None:
    """The check above is not blind, and does not take a URL's path for one."""
    machine = "/".join(["", "work", "checkout"])

    assert BUILD_PATH.search(f"see {machine}/file")
    assert not BUILD_PATH.search("https://example.com/home/page")


def function_lengths(path: Path) -> Iterator[tuple[int, str]]:
    """Every function's length in lines, and where it is."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert node.end_lineno is not None
            yield node.end_lineno - node.lineno + 1, f"{place(path, node.lineno)}: {node.name}"


def test_functions_are_short() -> None:
    """Whoever needs more lines asks more than one question."""
    long = [
        f"{where} has {lines}"
        for path in sources()
        for lines, where in function_lengths(path)
        if lines >= FUNCTION_LINES
    ]

    assert long == []


def test_modules_are_short() -> None:
    """Rooms that can be read in one sitting."""
    lengths = {path: len(path.read_text().splitlines()) for path in sources()}
    long = [f"{path.relative_to(ROOT)} has {lines}" for path, lines in lengths.items() if lines > MODULE_LINES]

    assert long == []


def zone_examples() -> list[tuple[str, str]]:
    """(place, text) of every fenced example that is a zone file: an object with "data"."""
    found = []
    for path in documents():
        text = path.read_text()
        for fence in FENCE.finditer(text):
            if fence[1] in ("json", "console", "") and is_zone(fence[2]):
                found.append((place(path, text.count("\n", 0, fence.start()) + 1), fence[2]))
    return found


def is_zone(text: str) -> bool:
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        return False
    return isinstance(document, dict) and "data" in document


def test_every_json_example_is_json() -> None:
    """An ellipsis in an example can't be tried out."""
    broken = []
    for path in documents():
        text = path.read_text()
        for fence in FENCE.finditer(text):
            if fence[1] == "json" and not is_json(fence[2]):
                broken.append(place(path, text.count("\n", 0, fence.start()) + 1))

    assert broken == []


def is_json(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return False
    return True


def test_every_zone_in_the_documentation_loads(tmp_path: Path) -> None:
    """`greendns check` takes each, and has nothing to remark."""
    examples = zone_examples()
    files = [tmp_path / where.replace("/", "-") / "example.com.json" for where, _ in examples]
    for file, (_, text) in zip(files, examples, strict=True):
        file.parent.mkdir()
        file.write_text(text)

    checked = run_command("check", *files)

    assert files
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert str(tmp_path) not in checked.stdout + checked.stderr, checked.stdout + checked.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "conf").rglob("*.json")), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_zone_that_we_ship_loads(path: Path) -> None:
    """Without a warning."""
    checked = run_command("check", path)

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert str(path) not in checked.stdout + checked.stderr
