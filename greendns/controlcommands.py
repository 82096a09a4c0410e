"""`greendns status` and `greendns reload`: a running server asked over its control socket, and what it says printed."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from . import config
from .controlclient import LateError, UnreachableError, ask, find_control, reading_report, reload
from .controlsocket import control_paths
from .errors import ConfigError
from .found import printable
from .guardsettings import ControlSettings
from .statustext import status_lines

# A load of a million records takes seconds; so does one that waits for a disk.
RELOAD_SECONDS = 60.0
WRONG_STATUS = 1  # the server says that something is to be mended


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser], usual_place: Path) -> None:
    """Add the two commands; `usual_place` is where the configuration is, unless it is told."""
    status_parser = commands.add_parser("status", help="tell how the running server is; exits 1 if something is wrong")
    _add_places(status_parser)
    status_parser.add_argument("--json", action="store_true", help="for programs")
    status_parser.add_argument("--all", action="store_true", help="tell of every zone")
    status_parser.set_defaults(run=lambda parsed: status(parsed, usual_place))

    reload_parser = commands.add_parser("reload", help="have it look at all files, and wait until that is in force")
    _add_places(reload_parser)
    reload_parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=float,
        default=RELOAD_SECONDS,
        help=f"how long to wait (default: {RELOAD_SECONDS:g})",
    )
    reload_parser.set_defaults(run=lambda parsed: reload_server(parsed, usual_place))


def _add_places(parser: argparse.ArgumentParser) -> None:
    """How a running server is found."""
    parser.add_argument("--control", metavar="FILE", type=Path, help="the server's control socket")
    parser.add_argument(
        "--config", metavar="FILE-OR-DIR", type=Path, help="its configuration, which may name the control socket"
    )


def status(parsed: argparse.Namespace, usual_place: Path) -> int:
    """Print how a server is; 0 if all is well, 1 if something is to be mended."""
    path = _find(parsed, usual_place)
    report = ask(path, "GET", "/status")
    with reading_report(path):
        lines = [json.dumps(report, indent=2)] if parsed.json else map(printable, status_lines(report, parsed.all))
        lines, is_ok = list(lines), report["status"] == "ok"
    for line in lines:
        print(line)
    return 0 if is_ok else WRONG_STATUS


def reload_server(parsed: argparse.Namespace, usual_place: Path) -> int:
    """Have a server look at all files, wait until that is in force, and tell what came of it; 1 if that is errors."""
    path = _find(parsed, usual_place)
    try:
        with reading_report(path):
            report = reload(path, parsed.timeout)
            errors, zones = list(map(printable, report["errors"])), report["zones"]
    except LateError as error:
        print(f"greendns: {printable(error)}", file=sys.stderr)
        return WRONG_STATUS
    for problem in errors:
        print(problem, file=sys.stderr)
    if errors:
        return WRONG_STATUS
    print(f"all that lies there is in force, zones: {zones}")
    return 0


def _find(parsed: argparse.Namespace, usual_place: Path) -> Path:
    """The control socket to try: as told, else as the configuration says. Raises UnreachableError."""
    if parsed.control is not None:
        return Path(parsed.control)
    paths = control_paths(_setting(parsed.config or usual_place), os.environ)
    if not paths:
        raise UnreachableError("control.socket is off: no server can be reached")
    return find_control(paths)


def _setting(place: Path) -> str | Path:
    """What the configuration says of the socket; one that can't be used is for the server to tell about."""
    try:
        return config.load(place).control.socket
    except ConfigError:
        return ControlSettings().socket
