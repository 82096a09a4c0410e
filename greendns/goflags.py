"""geodns's command line -> its flags, read as Go's flag package reads them.

A flag is a dataclass field; its default's type is the flag's. Pure: it opens no file.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from .errors import GreenDNSError

# What Go's strconv.ParseBool takes.
_SWITCHES = {
    **dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True),
    **dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False),
}
_TYPE_NAMES = {bool: "", int: " int", str: " string"}
_DIGITS = re.compile(r"[+-]?(?:0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO]?(?:_?[0-7])+|[1-9](?:_?[0-9])*|0)")
INTEGER_MAX = 2**63 - 1  # Go's int


class FlagsError(GreenDNSError):
    """Flags that end the program: `text` goes to standard error, `status` is the exit status."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.text = text
        self.status = status


def _flag(text: str) -> dict[str, str]:
    return {"text": text}


@dataclass(frozen=True)
class GeodnsFlags:
    """The flags of geodns under its own names (G001), and what they mean to us."""

    config: str = field(default="./dns/", metadata=_flag("the directory of zone files"))
    configfile: str = field(
        default="geodns.conf", metadata=_flag("the configuration file; a relative path begins at -config")
    )
    checkconfig: bool = field(default=False, metadata=_flag("check configuration and zones, then exit"))
    identifier: str = field(default="", metadata=_flag("the server's name and its groups: ID,group1,group2"))
    interface: str = field(default="*", metadata=_flag("addresses to answer on, separated by commas; * is every one"))
    port: str = field(default="53", metadata=_flag("the port of an address that names none"))
    http: str = field(default=":8053", metadata=_flag("the address of the HTTP server; empty for none"))
    log: bool = field(default=False, metadata=_flag("log more"))
    cpus: int = field(default=0, metadata=_flag("how many processors to use; 0 is every one"))
    logfile: str = field(default="", metadata=_flag("log to this file"))
    version: bool = field(default=False, metadata=_flag("show the version and exit"))
    cpuprofile: str = field(default="", metadata=_flag("write a processor profile to this file"))
    memprofile: str = field(default="", metadata=_flag("write a memory profile to this file"))

    @property
    def config_path(self) -> Path:
        """The configuration file: -configfile, which begins at -config unless it is absolute (G003)."""
        return Path(self.config) / self.configfile

    @property
    def listen(self) -> tuple[str, ...]:
        """-interface with -port as server.listen takes them; each address once (G007)."""
        addresses = (_with_port(host, self.port) for host in self.interface.split(","))
        return tuple(dict.fromkeys(addresses))

    @property
    def http_listen(self) -> str:
        """-http as http.listen takes it."""
        return self.http or "off"

    @property
    def overrides(self) -> dict[str, object]:
        """Values for our settings, by "section.key"; they win over the file."""
        return {
            "server.listen": self.listen,
            "server.identifier": self.identifier,
            "zones.directory": self.config,
            "http.listen": self.http_listen,
            **({"server.log_level": "debug"} if self.log else {}),
            **({"server.log_file": self.logfile} if self.logfile else {}),
        }


def _with_port(host: str, port: str) -> str:
    """One item of -interface as ADDRESS:PORT; what is no address stays recognisable in it.

    >>> _with_port("2001:db8::1", "53")
    '[2001:db8::1]:53'
    """
    if host.endswith("]"):
        return f"{host}:{port}"
    if host.startswith("["):
        return f"{host}{port}" if host.endswith("]:") else host
    if host.count(":") > 1:
        return f"[{host}]:{port}"
    name, _, own_port = host.partition(":")
    return f"{name or '*'}:{own_port or port}"


_FLAGS = {one.name: one for one in fields(GeodnsFlags)}


def parse_flags(argv: list[str]) -> GeodnsFlags:
    """Read the arguments after the program's name, up to `--` or the first that is no flag (G002).

    Raises FlagsError: status 0 for -h and -help, 2 for what can't be read.
    """
    values: dict[str, Any] = {}
    rest = list(argv)
    while rest and rest[0].startswith("-") and rest[0] not in ("-", "--"):
        name, has_value, value = _split_flag(rest.pop(0))
        if not has_value and not _is_switch(name):
            if not rest:
                raise _wrong_usage(f"flag needs an argument: -{name}")
            value = rest.pop(0)
        values[name] = _read_value(name, value if has_value or not _is_switch(name) else "true")
    return GeodnsFlags(**values)


def _split_flag(argument: str) -> tuple[str, bool, str]:
    """The name of a known flag, whether `=` follows it, and what follows that."""
    body = argument[2:] if argument.startswith("--") else argument[1:]
    if body[0] in "-=":
        raise _wrong_usage(f"bad flag syntax: {argument}")
    name, equals, value = body.partition("=")
    if name in _FLAGS:
        return name, bool(equals), value
    if name in ("h", "help"):
        raise FlagsError(usage(), 0)
    raise _wrong_usage(f"flag provided but not defined: -{name}")


def _is_switch(name: str) -> bool:
    return isinstance(_FLAGS[name].default, bool)


def _read_value(name: str, text: str) -> object:
    if _is_switch(name):
        return _read_switch(name, text)
    if isinstance(_FLAGS[name].default, int):
        return _read_integer(name, text)
    return text


def _read_switch(name: str, text: str) -> bool:
    if text not in _SWITCHES:
        raise _wrong_usage(f"invalid boolean value {_quote(text)} for -{name}: parse error")
    return _SWITCHES[text]


def _read_integer(name: str, text: str) -> int:
    """An integer as Go's strconv.ParseInt takes it: 12, 0x1f, 0b11, 0o17 or 017, 1_000."""
    if not _DIGITS.fullmatch(text):
        raise _wrong_usage(f"invalid value {_quote(text)} for flag -{name}: parse error")
    # Longer than any 64-bit number with its underscores; Python refuses to convert thousands of digits.
    is_long = len(text) > 140
    is_old_octal = re.match(r"[+-]?0_?[0-7]", text)
    number = INTEGER_MAX + 1 if is_long else int(text, 8 if is_old_octal else 0)
    if not -INTEGER_MAX - 1 <= number <= INTEGER_MAX:
        raise _wrong_usage(f"invalid value {_quote(text)} for flag -{name}: value out of range")
    return number


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _wrong_usage(message: str) -> FlagsError:
    return FlagsError(f"{message}\n{usage()}", 2)


def usage(program: str = "geodns") -> str:
    """The flags as Go prints them: by name, each with its type, meaning and default."""
    return f"Usage of {program}:\n" + "".join(_usage_line(name) for name in sorted(_FLAGS))


def _usage_line(name: str) -> str:
    default = _FLAGS[name].default
    told = f" (default {_quote(default) if isinstance(default, str) else default})" if default else ""
    return f"  -{name}{_TYPE_NAMES[type(default)]}\n    \t{_FLAGS[name].metadata['text']}{told}\n"
