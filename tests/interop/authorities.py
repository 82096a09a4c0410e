"""NSD, Knot DNS and BIND, each with the zone of the flag-day checks on a free port of 127.0.0.1.

Nothing of a system's own configuration is read or written: every file is in the directory that is handed in, and none
of them becomes a daemon or another user.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench.contenders import free_port
from tests.bench.processes import started
from tests.checks.asking import Transport, ask
from tests.checks.rows import query
from tests.nsdconf import NSD_CONF
from tests.serving import wait_until

# NSD wants to be told.
_TCP_CONNECTIONS = 100

# What the checks look at of `tests.checks.checkzone`.
_ZONE = """\
$ORIGIN example.com.
$TTL 120
@ IN SOA ns1 hostmaster 7 5400 5400 1209600 3600
@ IN NS ns1
@ IN NS ns2.example.net.
@ IN MX 10 mail.example.net.
@ IN TXT "apex"
ns1 IN A 192.0.2.53
ns1 IN AAAA 2001:db8::53
www IN A 192.0.2.1
www IN AAAA 2001:db8::1
*.wild IN TXT "wild"
here.wild IN A 192.0.2.3
below.empty IN A 192.0.2.4
"""
_KNOT = """\
server:
  rundir: "{directory}"
  listen: 127.0.0.1@{port}
database:
  storage: "{directory}"
control:
  listen: "{directory}/knot.sock"
log:
  - target: stderr
    any: warning
zone:
  - domain: example.com
    storage: "{directory}"
    file: example.zone
    zonefile-sync: -1
    journal-content: none
"""
_BIND = """\
options {{
  directory "{directory}";
  pid-file none;
  session-keyfile none;
  managed-keys-directory "{directory}";
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  recursion no;
  dnssec-validation no;
  empty-zones-enable no;
  notify no;
}};
controls {{ }};
zone "example.com" {{ type primary; file "example.zone"; }};
"""


class Authority(NamedTuple):
    """A server of another maker.

    package  of Debian's, in which the program is
    words    of its command, behind which the configuration is named
    """

    name: str
    package: str
    words: Sequence[str]
    configuration: str


AUTHORITIES = (
    Authority("NSD", "nsd", ("nsd", "-d", "-c"), NSD_CONF),
    Authority("Knot DNS", "knot", ("knotd", "-c"), _KNOT),
    Authority("BIND", "bind9", ("named", "-g", "-n", "1", "-c"), _BIND),
)


@contextmanager
def serving_authority(authority: Authority, directory: Path) -> Iterator[list[Transport]]:
    """Run one; gives UDP and TCP once it answers."""
    port = free_port()
    program, *words = authority.words
    path = shutil.which(program, path="/usr/sbin:/usr/local/sbin:/usr/bin")
    assert path is not None, f"{authority.name} is not installed: apt-get install {authority.package}"
    (directory / "example.zone").write_text(_ZONE)
    configuration = directory / f"{program}.conf"
    configuration.write_text(_filled_in(authority.configuration, port, directory))
    log = directory / "log"
    ways = [Transport(name, "127.0.0.1", port, name == "TCP") for name in ("UDP", "TCP")]
    with started([path, *words, str(configuration)], log) as process:
        wait_until(lambda: _is_up(process, ways, log), f"{authority.name} answers")
        yield ways


def _filled_in(configuration: str, port: int, directory: Path) -> str:
    """A configuration takes what it needs of these."""
    return configuration.format(
        port=port, directory=directory, origin="example.com", zonefile="example.zone", connections=_TCP_CONNECTIONS
    )


def _is_up(process: subprocess.Popen[str], ways: Sequence[Transport], log: Path) -> bool:
    """Whether both transports answer with the record."""
    assert process.poll() is None, log.read_text()
    try:
        answers = [ask(way, query("www")) for way in ways]
    except OSError:
        return False
    return all(answer is not None and answer[6:8] == b"\x00\x01" for answer in answers)
