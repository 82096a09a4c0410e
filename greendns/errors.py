"""The whole exception tree: what an operator did wrong.

What we did wrong ourselves is an ordinary exception, caught at the edge and counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from .found import printable


class GreenDNSError(Exception):
    """Everything that GreenDNS raises on purpose."""


class ValueProblem(GreenDNSError):
    """A value that a reader cannot take; the caller knows the file and the place.

    expected  a full claim: "weight must be an integer >= 0"
    found     the value as the operator wrote it, as JSON: '"10x"'; empty where there is nothing to show
    """

    def __init__(self, expected: str, found: str = "") -> None:
        super().__init__(f"{expected}, found {found}" if found else expected)
        self.expected = expected
        self.found = found


@dataclass(frozen=True)
class Problem:
    """One thing an operator should mend, told so that it can be found.

    >>> str(Problem("a.json", "ttl", "must be an integer", '"x"'))
    'a.json: ttl: must be an integer, found "x"'
    """

    file: str
    place: str
    expected: str
    found: str = ""

    def __str__(self) -> str:
        where = f"{self.file}: {self.place}: " if self.place else f"{self.file}: "
        told = f"{where}{self.expected}, found {self.found}" if self.found else f"{where}{self.expected}"
        # Names of files and what stands in them may be anything, and this is for terminals.
        return printable(told)


class ConfigError(GreenDNSError):
    """A file or a setting that cannot be used: every problem found in it, in the file's order.

    warnings  what would not have kept it from being used
    """

    def __init__(self, *problems: Problem, warnings: tuple[Problem, ...] = ()) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
        self.warnings = warnings


class UnreadError(ConfigError):
    """A file that could not be read at all, whatever is in it: worth trying again without a change of it."""

    def __init__(self, file: str, error: OSError) -> None:
        super().__init__(Problem(file, "", f"must be a file that can be read: {error.strerror or error}"))


class CacheError(GreenDNSError):
    """What is kept of what was served last can't be used, or kept; never an operator's error but at the start."""
