"""What is logged is lines of printable characters, whatever was in it."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greendns.logbook import PrintableFormatter, start_logging

NASTY = "a\nERROR greendns: made up\r\x1b[2J\x1b]0;title\x07\x9b31m\u2028\u202e\udc80\x00"


def written(message: str, error: BaseException | None = None) -> str:
    """A message as it is logged, without its time."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PrintableFormatter("%(levelname)s %(name)s: %(message)s"))
    record = logging.LogRecord("greendns", logging.ERROR, "", 0, "%s", (message,), None)
    if error is not None:
        record.exc_info = (type(error), error, error.__traceback__)
    handler.emit(record)
    return stream.getvalue()


def test_control_characters_are_escaped() -> None:
    """Ends of lines, escape sequences of terminals, what turns the direction of writing, octets that are no text."""
    told = "a\\nERROR greendns: made up\\r\\u001b[2J\\u001b]0;title\\u0007\\u009b31m\\u2028\\u202e\\udc80\\u0000"

    assert written(NASTY) == f"ERROR greendns: {told}\n"


@given(st.text())
def test_a_message_is_one_line(message: str) -> None:
    """Of printable characters, whatever is in it."""
    line = written(message)

    assert line.endswith("\n")
    assert line[:-1].isprintable()


def test_an_exception_can_t_look_like_a_record() -> None:
    """Each line of a traceback is indented, and its text escaped."""
    try:
        raise ValueError(NASTY)
    except ValueError as error:
        first, *more, last, end = written("a fault", error).split("\n")

    assert first == "ERROR greendns: a fault"
    assert more
    assert all(line.startswith("  ") and line.isprintable() for line in (*more, last))
    assert last.startswith("  ERROR greendns: made up\\r\\u001b")
    assert end == ""


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """The logger of all, which is as it was at the end."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:], root.level = handlers, level


def test_a_log_file_gets_the_same_lines(root_logger: logging.Logger, tmp_path: Path) -> None:
    """And standard error too, of what can't be logged."""
    file = tmp_path / "log"
    start_logging("info", str(file))

    logging.getLogger("greendns").error("%s", NASTY)
    (line,) = file.read_text().splitlines()
    assert line.endswith("\\u0000")
    assert line.isprintable()


def test_what_can_t_be_logged_is_printable_too(
    root_logger: logging.Logger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard error, with why."""
    directory = tmp_path / "logs"
    directory.mkdir()
    start_logging("info", str(directory / "log"))
    (directory / "log").unlink()
    directory.rmdir()

    logging.getLogger("greendns").error("%s", NASTY)
    (line,) = capsys.readouterr().err.splitlines()
    assert "No such file or directory" in line
    assert line.isprintable()
