"""A file of server secrets (RFC 9018 section 5) -> the secrets in force. Loading side: reads a file, no gevent.

One or two lines of 32 hexadecimal digits: the first makes cookies, both verify. No message shows what the file says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .cookies import SECRET_OCTETS
from .errors import ConfigError, Problem, UnreadError
from .found import printable
from .regularfile import UNREAD, Fingerprint, fingerprint, read_file

Secrets = tuple[bytes, ...]

# While a fleet changes its secret a server knows the old one and the new one; more are never needed.
SECRETS_MAX = 2
_SECRET = re.compile(rb"[0-9A-Fa-f]{%d}" % (2 * SECRET_OCTETS))


@dataclass(frozen=True)
class LoadedSecrets:
    """The secrets in force, and the file that they came from.

    fingerprint  of the file as last looked at, broken or not
    """

    path: Path
    fingerprint: Fingerprint
    secrets: Secrets
    errors: tuple[Problem, ...] = ()


def load_secrets(path: Path, before: LoadedSecrets | None, in_force: Secrets) -> LoadedSecrets:
    """What a file says, read if it changed; one that is broken leaves the secrets that are in force."""
    if before is not None and before.path == path and before.fingerprint == fingerprint(path):
        return before
    file = printable(path)
    try:
        octets, seen = read_file(path)
    except OSError as error:
        return LoadedSecrets(path, UNREAD, in_force, UnreadError(file, error).problems)
    try:
        return LoadedSecrets(path, seen, parse_secrets(octets, file))
    except ConfigError as error:
        return LoadedSecrets(path, seen, in_force, error.problems)


def parse_secrets(octets: bytes, file: str) -> Secrets:
    """The secrets that a file holds, 16 octets each. Raises ConfigError with every problem of it."""
    lines = octets.rstrip().splitlines()
    problems = [
        Problem(file, f"line {number}", f"must be {2 * SECRET_OCTETS} hexadecimal digits")
        for number, line in enumerate(lines, 1)
        if not _SECRET.fullmatch(line.rstrip())
    ]
    if not 1 <= len(lines) <= SECRETS_MAX:
        problems.append(Problem(file, "", f"must have 1 to {SECRETS_MAX} lines", str(len(lines))))
    if problems:
        raise ConfigError(*problems)
    return tuple([bytes.fromhex(line.decode()) for line in lines])
