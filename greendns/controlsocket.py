"""The control socket: where it is, and bound so that only who may control the server can reach it. No gevent.

Its mode, its owner and the directory that it is in are its access control: whoever could put another socket in its
place would be told what is meant for the server. So what others can write to is refused.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import ConfigError, Problem
from .privileges import Account
from .settingkinds import AUTO

CONTROL_NAME = "control.sock"
# Where a service manager's directory for us is by default: for who asks without its environment.
USUAL_DIRECTORY = Path("/run/greendns")
# systemd.exec(5): directories that it made, separated by colons.
_RUNTIME_DIRECTORY = "RUNTIME_DIRECTORY"
_BACKLOG = 64
_PROBE_SECONDS = 1.0
# Nobody but the owner may read or write; there is nothing to execute.
_UMASK = 0o177


@dataclass(frozen=True)
class ControlSocket:
    """The bound socket, and the file that leads to it: its name, its device and number."""

    path: Path
    listening: socket.socket
    file: tuple[int, int]

    def close(self) -> None:
        """Close this process's copy."""
        self.listening.close()

    def remove(self) -> None:
        """Remove the file, if it is ours still; in a directory that is not, it stays, and leads nowhere."""
        with contextlib.suppress(OSError):
            if _identity(self.path) == self.file:
                self.path.unlink()


def control_path(setting: str | Path, environment: Mapping[str, str]) -> Path | None:
    """Where the socket of a server is to be, by control.socket; None for nowhere."""
    if isinstance(setting, Path):
        return setting.absolute()
    directory = environment.get(_RUNTIME_DIRECTORY, "").partition(":")[0]
    return Path(directory) / CONTROL_NAME if setting == AUTO and directory else None


def control_paths(setting: str | Path, environment: Mapping[str, str]) -> list[Path]:
    """Where to look for the socket of a server that runs elsewhere, by control.socket; nowhere if that is off."""
    usual = USUAL_DIRECTORY / CONTROL_NAME if setting == AUTO else None
    return [path for path in (control_path(setting, environment), usual) if path is not None]


def bind_control(path: Path, account: Account | None) -> ControlSocket:
    """Bind it for who we are, or for the user that we become. Raises ConfigError."""
    _check_directory(path, account)
    _make_room(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(_UMASK)
    try:
        listening.bind(str(path))
        if account is not None:
            # The link itself: in the user's own directory something else could be there by now.
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
        listening.listen(_BACKLOG)
        listening.setblocking(False)
        return ControlSocket(path, listening, _identity(path))
    except OSError as error:
        listening.close()
        raise _unusable(path, f"must be a path to listen on: {error.strerror or error}") from error
    finally:
        os.umask(before)


def _check_directory(path: Path, account: Account | None) -> None:
    try:
        directory = os.stat(path.parent)
    except OSError as error:
        raise _unusable(path, f"must be in a directory that is there: {error.strerror}") from error
    if directory.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise _unusable(path, "must be in a directory that nobody but its owner can write to")
    if directory.st_uid not in (0, os.geteuid(), os.geteuid() if account is None else account.uid):
        raise _unusable(path, "must be in a directory of the server's user, or of root")


def _make_room(path: Path) -> None:
    """Remove the socket of a server that was killed; refuse whatever else is there."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise _unusable(path, "must be a socket, or not be there")
        if _is_answered(path):
            raise _unusable(path, "must not be another server's: somebody answers there")
        path.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unusable(path, f"must be a path to listen on: {error.strerror}") from error


def _is_answered(path: Path) -> bool:
    """Whether anybody listens there, also if too busy for us."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_SECONDS)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return False
        except (BlockingIOError, TimeoutError):
            return True
    return True


def _identity(path: Path) -> tuple[int, int]:
    found = os.lstat(path)
    return found.st_dev, found.st_ino


def _unusable(path: Path, claim: str) -> ConfigError:
    return ConfigError(Problem("control socket", str(path), claim))
