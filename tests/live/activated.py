"""Starts a program with sockets passed in, as a service manager does: activated.py SOCKETS PROGRAM ARGUMENTS...

SOCKETS are as "udp 127.0.0.1, tcp 127.0.0.1, http 127.0.0.1": kinds and addresses, on one port that is free and stands
for {port} in the arguments; http is a TCP socket of that name on another port. `shared` behind it is SO_REUSEPORT,
`dual` is IPv4 too, `idle` does not listen; `unix` and `file` are none that is wanted. With LISTEN_PID set, that is whom
they are for.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import sys
from typing import IO

FIRST = 3
# Beyond all that is open here.
HIGH = 200
ATTEMPTS = 16


def bind(kind: str, address: str, marks: list[str], port: int) -> socket.socket | IO[str]:
    """A socket as it is described; of port 0 where it is for HTTP."""
    if kind == "unix":
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        opened.bind(f"\0{address}-{os.getpid()}")
        return opened
    if kind == "file":
        return open(os.devnull)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    if family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, "dual" not in marks)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, "shared" in marks)
    opened.bind((address, 0 if kind == "http" else port))
    if kind != "udp" and "idle" not in marks:
        opened.listen()
    return opened


def bind_all(descriptions: list[list[str]]) -> tuple[int, list[socket.socket | IO[str]]]:
    """Sockets, and the port that is free for all of them."""
    opened: list[socket.socket | IO[str]] = []
    port = 0
    for kind, address, *marks in descriptions:
        made = bind(kind, address, marks, port)
        opened.append(made)
        if kind in ("udp", "tcp") and isinstance(made, socket.socket):
            port = made.getsockname()[1]
    return port, opened


def main(sockets: str, *command: str) -> None:
    """Bind, and become the program."""
    descriptions = [each.split() for each in sockets.split(",")]
    for left in range(ATTEMPTS, 0, -1):
        try:
            port, opened = bind_all(descriptions)
            break
        except OSError as error:
            if error.errno != errno.EADDRINUSE or left == 1:
                raise
    for number, each in enumerate([fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, HIGH) for each in opened]):
        os.dup2(each, FIRST + number)
    os.environ.setdefault("LISTEN_PID", str(os.getpid()))
    os.environ["LISTEN_FDS"] = str(len(opened))
    os.environ["LISTEN_FDNAMES"] = ":".join(["http" if kind == "http" else "dns" for kind, *_ in descriptions])
    os.execv(command[0], [each.replace("{port}", str(port)) for each in command])


if __name__ == "__main__":
    main(*sys.argv[1:])
