"""The other build in a process of its own, asked over a pipe.

Both directions carry frames: four octets of length, then pickled plain values. A frame to the child is a list of
questions, a frame back the list of answers.
"""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, BinaryIO

import greendns
from tests.serving import ROOT
from tests.twin.questions import Build

_LENGTH = struct.Struct("!I")

# A question's name and its arguments.
Question = tuple[Any, ...]


class Twins:
    """This process and a child of the other build, asked the same."""

    def __init__(self) -> None:
        self._ours = Build()
        environment = {name: value for name, value in os.environ.items() if name != "GREENDNS_PURE"}
        if greendns.is_compiled():
            environment["GREENDNS_PURE"] = "1"
        words = [sys.executable, "-c", "from tests.twin.pipe import serve; serve()"]
        self._child = subprocess.Popen(words, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self) -> Twins:
        assert {True, False} == {self._ours.is_compiled(), self._ask_other([("is_compiled",)])[0]}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._child.communicate()
        assert self._child.returncode == 0 or error

    def ask(self, *question: Any) -> Any:
        """What both builds answer to one question; fails the test where they differ or either raises."""
        (answer,) = self.ask_all([question])
        return answer

    def ask_all(self, questions: Sequence[Question]) -> list[Any]:
        """What both builds answer to some questions; fails the test where they differ or either raises."""
        answers = self.ask_broken(questions)
        for question, answer in zip(questions, answers, strict=True):
            assert not was_raised(answer), f"{question!r} raises {answer[1]}"
        return answers

    def ask_broken(self, questions: Sequence[Question]) -> list[Any]:
        """The same, where both may raise the same; then ("raised", its name) is the answer."""
        ours = [self._ours.ask(*question) for question in questions]
        theirs = self._ask_other(questions)
        for question, mine, other in zip(questions, ours, theirs, strict=True):
            # As text: 1 is not True, and a NaN is a NaN.
            assert repr(mine) == repr(other), f"{question!r}, compiled here: {self._ours.is_compiled()}"
        return ours

    def _ask_other(self, questions: Sequence[Question]) -> list[Any]:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        _write(self._child.stdin, list(questions))
        answers = _read(self._child.stdout)
        assert answers is not None, f"the other build died: {self._child.wait()}"
        return answers


def was_raised(answer: Any) -> bool:
    """Whether an answer is the name of an exception."""
    return isinstance(answer, tuple) and len(answer) == 2 and answer[0] == "raised"


def serve() -> None:
    """The child: answers until nobody asks any more."""
    asked, told = sys.stdin.buffer, sys.stdout.buffer
    build = Build()
    while (questions := _read(asked)) is not None:
        _write(told, [build.ask(*question) for question in questions])


def _write(to: BinaryIO, values: list[Any]) -> None:
    frame = pickle.dumps(values)
    to.write(_LENGTH.pack(len(frame)) + frame)
    to.flush()


def _read(from_: BinaryIO) -> list[Any] | None:
    """The next frame; None at the end."""
    head = from_.read(_LENGTH.size)
    if not head:
        return None
    values: list[Any] = pickle.loads(from_.read(*_LENGTH.unpack(head)))
    return values
