"""What stands in conf/ to start GreenDNS with: taken by who reads it, and commands that exist."""

from __future__ import annotations

import configparser
import json
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.commands import run_here
from tests.serving import ROOT

UNIT = ROOT / "conf" / "greendns.service"
SOCKET = ROOT / "conf" / "greendns.socket"
SUPERVISORD = ROOT / "conf" / "supervisord.conf"


def lines_of(path: Path, section: str) -> dict[str, str]:
    parser = configparser.RawConfigParser(strict=False, interpolation=None, comment_prefixes=("#", ";"))
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    parser.read(path)
    return dict(parser[section])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze, of systemd, reads units")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """Without a word; but the program is none that is installed here."""
    text = UNIT.read_text()
    (program,) = shlex.split(lines_of(UNIT, "Service")["ExecStart"])[:1]
    (tmp_path / UNIT.name).write_text(text.replace(program, shutil.which("true") or ""))
    (tmp_path / SOCKET.name).write_text(SOCKET.read_text())
    verified = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / UNIT.name), str(tmp_path / SOCKET.name)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")


def container_command() -> str:
    """What a container runs."""
    told = dict(line.partition(" ")[::2] for line in (ROOT / "Dockerfile").read_text().splitlines())
    return shlex.join([*json.loads(told["ENTRYPOINT"]), *json.loads(told["CMD"])])


COMMANDS = {
    "systemd": lines_of(UNIT, "Service")["ExecStart"],
    "supervisord": lines_of(SUPERVISORD, "program:greendns")["command"],
    "container": container_command(),
}


@pytest.mark.parametrize("starter", COMMANDS)
def test_the_command_is_one_of_ours(tmp_path: Path, starter: str) -> None:
    """With arguments that are taken: all that is missing is the directory of the configuration."""
    program, *arguments = shlex.split(COMMANDS[starter])
    missing = str(tmp_path / "missing")
    ended = run_here(*[missing if each == "/etc/greendns" else each for each in arguments])

    assert Path(program).name == "greendns"
    assert ended.stderr == f"greendns: {missing}: must be a file or a directory: No such file or directory\n"
    assert ended.returncode == 2


def test_the_unit_is_no_root_s() -> None:
    """A user from the start, with what binding needs, and a bounding set of no more."""
    service = lines_of(UNIT, "Service")

    assert service["User"] not in ("", "root", "0")
    assert service["AmbientCapabilities"] == service["CapabilityBoundingSet"] == "CAP_NET_BIND_SERVICE CAP_NET_ADMIN"
    assert service["NoNewPrivileges"] == "yes"
