"""What the value of a setting may be: a reader for each kind; and when a change of it is taken. Pure.

A reader takes what the file or the command line says, and returns what the server uses; it raises ValueProblem.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .access import parse_prefix
from .codes import STRING_OCTETS
from .errors import ValueProblem
from .found import shown

LOG_LEVELS = ("debug", "info", "warning", "error")
OFF = "off"
HTTP_OFF = OFF
EVERY_ADDRESS = "*"
AUTO = "auto"
# More processes than any machine has use for: a slip of the finger must not fork without end.
WORKERS_MAX = 256

Kind = Callable[[object], Any]


def reload_takes(kind: Kind, text: str) -> dict[str, object]:
    """The metadata of a setting that a reload takes."""
    return {"kind": kind, "text": text, "reloadable": True}


def restart_takes(kind: Kind, text: str) -> dict[str, object]:
    """The metadata of a setting that only a restart takes."""
    return {"kind": kind, "text": text, "reloadable": False}


def parse_listen(text: str) -> tuple[str, int]:
    """Split ADDRESS:PORT; every address is "*", written `*:53` or `:53`; port 0 is a free port.

    Raises ValueProblem.

    >>> parse_listen("[::1]:53")
    ('::1', 53)
    """
    host, colon, port = text.rpartition(":")
    if not (colon and port.isascii() and port.isdecimal() and len(port) <= 5 and int(port) <= 65535):
        raise ValueProblem('must be ADDRESS:PORT, such as "*:53" or "[::1]:53"', shown(text))
    return _parse_host(host, text), int(port)


def _parse_host(host: str, text: str) -> str:
    if host in ("", EVERY_ADDRESS):
        return EVERY_ADDRESS
    if host == "localhost":
        return "127.0.0.1"
    try:
        if host.startswith("[") and host.endswith("]"):
            return str(ipaddress.IPv6Address(host[1:-1]))
        return str(ipaddress.IPv4Address(host))
    except ValueError as error:
        raise ValueProblem(
            'must begin with an IPv4 address, an IPv6 address in brackets, or "*"', shown(text)
        ) from error


def read_listen_list(value: object) -> tuple[str, ...]:
    if not (isinstance(value, (list, tuple)) and value and all(isinstance(one, str) for one in value)):
        raise ValueProblem('must be a list of at least one "ADDRESS:PORT"', shown(value))
    for one in value:
        parse_listen(one)
    return tuple(value)


def read_prefixes(value: object) -> tuple[str, ...]:
    """A list of prefixes; what is wrong is told with its place in it."""
    if not (isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value)):
        raise ValueProblem('must be a list of prefixes, such as ["192.0.2.0/24", "2001:db8::/32"]', shown(value))
    for place, one in enumerate(value, 1):
        try:
            parse_prefix(one)
        except ValueProblem as problem:
            raise ValueProblem(f"prefix {place} {problem.expected}", problem.found) from None
    return tuple(value)


def read_listen_or_off(value: object) -> str:
    text = read_text(value)
    if text != HTTP_OFF:
        parse_listen(text)
    return text


def read_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueProblem("must be a text", shown(value))
    return value


def read_user(value: object) -> str:
    """The name of a user; whether there is one is looked at where it is needed."""
    text = read_text(value)
    if not (text.isascii() and text.isprintable()) or " " in text or ":" in text:
        raise ValueProblem("must be the name of a user", shown(value))
    return text


def read_identifier(value: object) -> str:
    """What goes into a TXT record and into NSID (RFC 5001), and is read by people there."""
    text = read_text(value)
    if len(text) > STRING_OCTETS or not (text.isascii() and text.isprintable()):
        raise ValueProblem(f"must be printable ASCII of at most {STRING_OCTETS} characters", shown(value))
    return text


def read_secret(value: object) -> str:
    """A text that no message may show."""
    if not isinstance(value, str):
        raise ValueProblem("must be a text")
    return value


def read_switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueProblem("must be true or false", shown(value))
    return value


def read_choice(*choices: str) -> Kind:
    """A reader of one of these words."""

    def read(value: object) -> str:
        if value not in choices:
            raise ValueProblem(f"must be one of {', '.join(choices)}", shown(value))
        return str(value)

    return read


def read_whole(low: int, high: int | None = None) -> Kind:
    """A reader of integers from `low` to `high`; true and false are not integers."""
    claim = f"must be an integer >= {low}" if high is None else f"must be an integer from {low} to {high}"

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < low or (high is not None and value > high):
            raise ValueProblem(claim, shown(value))
        return value

    return read


def read_power_of_two(low: int, high: int) -> Kind:
    """A reader of powers of two from `low` to `high`."""
    read_integer = read_whole(low, high)

    def read(value: object) -> int:
        number: int = read_integer(value)
        if number & (number - 1):
            raise ValueProblem(f"must be a power of two from {low} to {high}", shown(value))
        return number

    return read


def read_workers(value: object) -> int | str:
    try:
        number: int | str = AUTO if value == AUTO else read_whole(0, WORKERS_MAX)(value)
    except ValueProblem as problem:
        raise ValueProblem(f'{problem.expected}, or "{AUTO}"', problem.found) from None
    return number


def read_seconds(value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < math.inf:
        raise ValueProblem("must be a number of seconds > 0", shown(value))
    return float(value)


def read_directory(value: object) -> Path:
    if not isinstance(value, (str, Path)) or not str(value) or "\0" in str(value):
        raise ValueProblem("must be a directory's path", shown(value))
    return Path(value)


def read_directory_or_none(value: object) -> Path | None:
    return None if value == "" else read_directory(value)


def read_directory_or_auto(value: object) -> Path | str:
    return str(value) if value in (AUTO, OFF) else read_directory(value)


def read_file_or_none(value: object) -> Path | None:
    if value == "":
        return None
    if not isinstance(value, (str, Path)) or "\0" in str(value):
        raise ValueProblem("must be a file's path", shown(value))
    return Path(value)


def read_control(value: object) -> str | Path:
    """One of the two words, or a path."""
    if value in (AUTO, OFF):
        return str(value)
    if not isinstance(value, (str, Path)) or not str(value) or "\0" in str(value):
        raise ValueProblem(f'must be "{AUTO}", "{OFF}" or a path', shown(value))
    return Path(value)
