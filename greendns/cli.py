"""The command line: serve, status, reload, check, explain, convert, and geodns's own flags."""

from __future__ import annotations

import argparse
import ipaddress
import json
import logging
import os
import random
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from . import __version__, build_text, config, controlcommands, goflags, loader, name
from .codes import RRTYPE_NAMES
from .errors import ConfigError, GreenDNSError, Problem, ValueProblem
from .found import shown_text
from .generations import Start, server_options
from .healthfiles import HealthFiles
from .loaded import Generation
from .sample import settings_help
from .settings import Config
from .snapshot import ServerOptions, State

log = logging.getLogger("greendns")

DEFAULT_PLACE = "/etc/greendns"
USAGE_STATUS = 2  # what argparse and Go's flag package exit with too
INTERRUPTED_STATUS = 130  # as a shell reports SIGINT
TERMINATED_STATUS = 143  # and SIGTERM
# That of a container: the system has no default for its signals, and what it does not handle is lost.
_FIRST_PROCESS = 1

# Flags of geodns that are taken and do nothing here.
_IDLE_FLAGS = ("cpus", "cpuprofile", "memprofile")

_OVERRIDES = {
    "zones": "zones.directory",
    "geoip": "geoip.directory",
    "listen": "server.listen",
    "http": "http.listen",
    "control": "control.socket",
    "workers": "server.workers",
    "cache": "cache.directory",
    "identifier": "server.identifier",
    "user": "server.user",
    "allow_root": "server.allow_root",
    "pid_file": "server.pid_file",
    "log_file": "server.log_file",
    "log_level": "server.log_level",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if os.getpid() == _FIRST_PROCESS:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED_STATUS))
    try:
        if arguments[:1] == ["geodns"]:
            return geodns(arguments[1:])
        parsed = _parser().parse_args(arguments)
        run: Callable[[argparse.Namespace], int] = parsed.run
        return run(parsed)
    except ConfigError as error:
        _print_problems(error.problems)
        return USAGE_STATUS
    except GreenDNSError as error:
        print(f"greendns: {error}", file=sys.stderr)
        return USAGE_STATUS
    except BrokenPipeError:
        # The reader of our output has seen enough.
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED_STATUS


def _print_problems(problems: Sequence[Problem]) -> None:
    for problem in problems:
        print(f"greendns: {problem}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="greendns",
        description="An authoritative GeoDNS server that reads geodns's zone files.",
        epilog="greendns COMMAND --help tells more. Settings of greendns.toml:\n\n" + settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"greendns {__version__} ({build_text()})")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    serve_parser = commands.add_parser("serve", help="answer queries")
    _add_common(serve_parser)
    serve_parser.add_argument(
        "--cache", metavar="DIR|off", help="the directory where what is served is kept, for a restart"
    )
    serve_parser.set_defaults(run=serve)

    controlcommands.add_parsers(commands, Path(DEFAULT_PLACE))

    check_parser = commands.add_parser("check", help="load everything as serve would, and print what is wrong")
    check_parser.add_argument("files", nargs="*", metavar="FILE", type=Path, help="check just these zone files")
    _add_common(check_parser)
    check_parser.set_defaults(run=check)

    explain_parser = commands.add_parser("explain", help="tell why a client gets what it gets")
    explain_parser.add_argument("name", metavar="NAME", help="the name asked for")
    explain_parser.add_argument("type", metavar="TYPE", nargs="?", default="A", help="the record type (default: A)")
    explain_parser.add_argument("--client", metavar="ADDR", default="127.0.0.1", help="the client's address")
    explain_parser.add_argument("--json", action="store_true", help="for programs")
    _add_common(explain_parser)
    explain_parser.set_defaults(run=explain)

    convert_parser = commands.add_parser("convert", help="turn a pgeodns.conf into zone files")
    convert_parser.add_argument("file", metavar="pgeodns.conf", type=Path)
    convert_parser.add_argument("outdir", metavar="OUTDIR", type=Path)
    convert_parser.set_defaults(run=convert)

    commands.add_parser("geodns", help="geodns's own flags: greendns geodns -help", add_help=False)
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    """Arguments that win over the configuration file."""
    parser.add_argument(
        "--config",
        metavar="FILE-OR-DIR",
        type=Path,
        help=f"greendns.toml, geodns.conf or pgeodns.conf, or a directory with one of them (default: {DEFAULT_PLACE})",
    )
    parser.add_argument("--zones", metavar="DIR", help="the directory of zone files")
    parser.add_argument("--geoip", metavar="DIR", help="the directory of MaxMind databases")
    parser.add_argument(
        "--listen", metavar="ADDR:PORT", action="append", help="an address to answer on; may be given again"
    )
    parser.add_argument("--http", metavar="ADDR:PORT|off", help="where /metrics, /health and /version are served")
    parser.add_argument("--control", metavar="FILE|auto|off", help="the socket of greendns status and greendns reload")
    parser.add_argument(
        "--workers", metavar="N|auto", type=_count_or_text, help="processes that answer; 0: one does everything"
    )
    parser.add_argument("--identifier", metavar="ID", help="the server's name, and its groups: ID,group1,group2")
    parser.add_argument("--user", metavar="NAME", help="the user to become once all addresses are bound")
    parser.add_argument(
        "--allow-root", action="store_const", const=True, help="let root serve on low ports without another user"
    )
    parser.add_argument("--pid-file", metavar="FILE", help="where the process to signal writes its number")
    parser.add_argument("--log-file", metavar="FILE", help="where to log, in place of standard error")
    parser.add_argument("--log-level", metavar="L", help="debug, info, warning or error")


def _count_or_text(text: str) -> int | str:
    """A number where it is one; the setting itself knows what may stand in its place."""
    return int(text) if re.fullmatch("-?[0-9]{1,9}", text) else text


def _overrides(parsed: argparse.Namespace) -> dict[str, object]:
    given = {setting: getattr(parsed, argument, None) for argument, setting in _OVERRIDES.items()}
    return {setting: value for setting, value in given.items() if value is not None}


def _place(parsed: argparse.Namespace) -> Path | None:
    """Where the configuration is: as told, else the usual place; none is needed where the zones are told."""
    usual = Path(DEFAULT_PLACE)
    return parsed.config or (None if parsed.zones and not usual.exists() else usual)


# -- the commands


def serve(parsed: argparse.Namespace) -> int:
    """Answer queries until told to stop."""
    # Only who serves needs gevent.
    from .launch import run_server

    return run_server(Start(_place(parsed), _overrides(parsed)), _refuse)


def _refuse(error: ConfigError) -> None:
    _print_problems(error.problems)


def check(parsed: argparse.Namespace) -> int:
    """Load everything as serve would; 1 if anything is wrong, 0 otherwise."""
    if parsed.files:
        loaded = loader.load_files(parsed.files)
        errors = [problem for each in loaded for problem in each.errors]
        warnings = [problem for each in loaded for problem in each.warnings]
        return _print_findings(errors, warnings, len([each for each in loaded if each.zone is not None]))
    try:
        settings = config.load(_place(parsed), _overrides(parsed))
    except ConfigError as error:
        return _print_findings(error.problems, (), 0)
    generation = loader.load(settings, ServerOptions())
    return _print_findings(generation.errors(), (*settings.notices, *generation.warnings()), len(generation.serving()))


def _print_findings(errors: Sequence[Problem], warnings: Sequence[Problem], zones: int) -> int:
    for problem in warnings:
        print(f"warning: {problem}")
    for problem in errors:
        print(problem)
    print(f"{_count(zones, 'zone')}, {_count(len(errors), 'error')}, {_count(len(warnings), 'warning')}")
    return 1 if errors else 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def explain(parsed: argparse.Namespace) -> int:
    """Walk one question through the stages of an answer."""
    from . import explain as explaining

    try:
        qname = name.from_text(parsed.name).lower()
    except ValueProblem as error:
        raise ConfigError(Problem("command line", "NAME", error.expected, shown_text(parsed.name))) from error
    rrtype, client = _rrtype(parsed.type), _address(parsed.client)
    settings = config.load(_place(parsed), _overrides(parsed))
    # Nothing is bound here: an unnamed server that would call itself by its address is called by the host's name.
    generation: Generation = loader.load(settings, server_options(settings, []))
    _print_problems(generation.errors())
    state, draw = _state(settings), random.Random().randrange
    told = explaining.walk(qname, rrtype, client, time.time(), generation.snapshot, state, draw)
    print(json.dumps(told, indent=2) if parsed.json else explaining.tell(told))
    return 0


def _address(text: str) -> bytes:
    """An IPv4 or IPv6 address: 4 or 16 octets."""
    try:
        return ipaddress.ip_address(text).packed
    except ValueError as error:
        raise ConfigError(Problem("command line", "--client", "must be an IP address", shown_text(text))) from error


def _state(settings: Config) -> State:
    directory = settings.health.directory
    return State(health=None if directory is None else HealthFiles(directory).read())


def _rrtype(text: str) -> int:
    """A record type by its mnemonic or as TYPEn."""
    upper = text.upper()
    for number, mnemonic in RRTYPE_NAMES.items():
        if mnemonic == upper:
            return number
    if re.fullmatch("TYPE[0-9]{1,5}", upper) and int(upper[4:]) <= 65535:
        return int(upper[4:])
    expected = "must be a record type such as A or TYPE65280"
    raise ConfigError(Problem("command line", "TYPE", expected, shown_text(text)))


def convert(parsed: argparse.Namespace) -> int:
    """Write the bases of a pgeodns.conf as zone files (P40, P41)."""
    from . import convert as converting

    converting.convert(parsed.file, parsed.outdir, report=print)
    return 0


def geodns(argv: list[str]) -> int:
    """Run with geodns's own flags (G001-G012), so that an existing unit file needs one word changed."""
    from .launch import run_server

    try:
        flags = goflags.parse_flags(argv)
    except goflags.FlagsError as error:
        print(error.text, file=sys.stderr)
        return error.status
    if flags.version:
        print(f"geodns {__version__} (GreenDNS)")
        return 0
    start = Start(flags.config_path, flags.overrides)
    if flags.checkconfig:
        return _check_geodns(start.read())
    idle = [Problem("command line", f"-{flag}", "has no effect") for flag in _IDLE_FLAGS if getattr(flags, flag)]
    return run_server(start, _refuse, idle, warns_root=True)


def _check_geodns(settings: Config) -> int:
    """-checkconfig: 2 when anything fails, 0 otherwise (G009)."""
    generation = loader.load(settings, ServerOptions())
    _print_problems(generation.errors())
    return USAGE_STATUS if generation.errors() else 0
