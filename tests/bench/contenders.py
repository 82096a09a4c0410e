"""The servers that are compared, each with the pool's zone, on one core and a free port of 127.0.0.1.

Nothing of a system's own configuration is read or written: every file is in a temporary directory, no server becomes a
daemon, changes its user or its root, and none needs to be started as root.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import masterfile
from tests.bench.poolzone import ORIGIN, Pool, Question, make_packet
from tests.bench.processes import Missing, Peak, Tree, find_program, on_cores, started
from tests.nsdconf import NSD_CONF
from tests.serving import PROGRAM, ROOT

COMPILED, PURE, GDNSD, NSD, GEODNS = "GreenDNS compiled", "GreenDNS as Python", "gdnsd", "NSD", "geodns"
START_SECONDS = 120.0
# How long one early question waits for its answer before it is asked again.
_ASK_SECONDS = 0.02
_PURE = {"GREENDNS_PURE": "1"}
# More than the connections of tests.bench.tcp; NSD takes 100, gdnsd 256.
_TCP_CONNECTIONS = 250


@dataclass(frozen=True)
class Running:
    """A server under measurement.

    start_seconds  from the start of its process to its first answer; `start_cpu` is what its processes used until then
    start_peak     the most memory that its processes had together until then, in megabytes of 10^6 octets
    """

    name: str
    port: int
    tree: Tree
    start_seconds: float
    start_cpu: float
    start_peak: float


@dataclass(frozen=True)
class Contender:
    """A server that can be started; `version` is its own word."""

    name: str
    version: str
    start: Callable[[], AbstractContextManager[Running]]


# -- GreenDNS


def is_compiled(pure: bool = False) -> bool:
    """Whether the answer path is machine code, as a server started in this environment would have it."""
    told = _python("import greendns.answer as module; print(module.__file__)", _PURE if pure else {})
    return not told.endswith(".py")


def _python(code: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@contextmanager
def greendns(
    zones: Path,
    geoip: Path,
    cores: Sequence[int],
    log: Path,
    *,
    pure: bool = False,
    workers: int = 1,
    question: Question = (ORIGIN, "A"),
    program: Sequence[str] = PROGRAM,
    cache: Path | None = None,
) -> Iterator[Running]:
    """GreenDNS over a directory of zones, on these cores; entered after its first answer to `question`."""
    command = [*program, "serve", "--config", str(log.parent), "--zones", str(zones), "--geoip", str(geoip)]
    command += ["--listen", "127.0.0.1:0", "--http", "off", "--workers", str(workers)]
    command += ["--cache", "off" if cache is None else str(cache)]
    environment = {**(_PURE if pure else {}), "PYTHONUNBUFFERED": "1"}
    name = COMPILED if is_compiled(pure) else PURE
    begin = time.monotonic()
    with started(on_cores(cores, command), log, **environment) as process:
        port = int(_wait_word(process, log, r"^listening on .*:(\d+)$"))
        yield _first_answer(name, process, port, log, begin, question)


# -- the others


@contextmanager
def gdnsd(document: dict[str, object], core: int, directory: Path) -> Iterator[Running]:
    """gdnsd, its weighted plugin, one thread for UDP and one for TCP."""
    port = free_port()
    for name in ("etc", "etc/zones", "run", "state"):
        (directory / name).mkdir()
    options = f"listen => [ 127.0.0.1:{port} ]\nudp_threads => 1\ntcp_threads => 1\n"
    options += f"tcp_clients_per_thread => {_TCP_CONNECTIONS}\n"
    options += f'run_dir => "{directory / "run"}"\nstate_dir => "{directory / "state"}"\n'
    weights = masterfile.gdnsd_weights(document)
    (directory / "etc/config").write_text(f"options => {{\n{options}}}\nplugins => {{\n{weights}}}\n")
    (directory / "etc/zones" / ORIGIN).write_text(masterfile.gdnsd_zone(ORIGIN, document))
    command = [find_program("gdnsd", "gdnsd"), "-c", str(directory / "etc"), "start"]
    yield from _serve_elsewhere(GDNSD, command, core, port, directory / "log")


@contextmanager
def nsd(document: dict[str, object], core: int, directory: Path) -> Iterator[Running]:
    """NSD, one server process beside the two that it needs itself."""
    port = free_port()
    text = NSD_CONF.format(
        port=port, directory=directory, connections=_TCP_CONNECTIONS, origin=ORIGIN, zonefile="pool.zone"
    )
    (directory / "nsd.conf").write_text(text)
    (directory / "pool.zone").write_text(masterfile.nsd_zone(ORIGIN, document))
    command = [find_program("nsd", "nsd"), "-d", "-c", str(directory / "nsd.conf")]
    yield from _serve_elsewhere(NSD, command, core, port, directory / "log")


@contextmanager
def geodns(
    program: Path, zones: Path, geoip: Path, core: int, directory: Path, question: Question = (ORIGIN, "A")
) -> Iterator[Running]:
    """geodns, or whatever takes its flags."""
    port = free_port()
    (directory / "geodns.conf").write_text(f"[geoip]\ndirectory={geoip}\n")
    for zone in zones.glob("*.json"):
        (directory / zone.name).write_bytes(zone.read_bytes())
    command = [str(program), "-config", str(directory), "-interface", "127.0.0.1", "-port", str(port), "-http", ""]
    yield from _serve_elsewhere(GEODNS, command, core, port, directory / "log", question)


def _serve_elsewhere(
    name: str, command: Sequence[str], core: int, port: int, log: Path, question: Question = (ORIGIN, "A")
) -> Iterator[Running]:
    begin = time.monotonic()
    with started(on_cores([core], command), log) as process:
        yield _first_answer(name, process, port, log, begin, question)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has at the moment, neither for UDP nor for TCP: these servers want to be told."""
    with socket.socket(type=socket.SOCK_STREAM) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            return free_port()
        return int(tcp.getsockname()[1])


# -- waiting


def _wait_word(process: subprocess.Popen[str], log: Path, pattern: str) -> str:
    """The first group of a line that a server says."""
    ends = time.monotonic() + START_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        match = re.search(pattern, log.read_text(), re.MULTILINE)
        if match:
            return match[1]
        time.sleep(_ASK_SECONDS)
    raise SystemExit(f"the server did not tell where it listens:\n{log.read_text()}")


def _first_answer(
    name: str, process: subprocess.Popen[str], port: int, log: Path, begin: float, question: Question
) -> Running:
    """Ask until the question is answered with a record."""
    tree = Tree(process.pid)
    with Peak(tree) as peak:
        while process.poll() is None and time.monotonic() < begin + START_SECONDS:
            if _is_answered(port, make_packet(*question)):
                taken, used = time.monotonic() - begin, tree.cpu_seconds()
                break
        else:
            raise SystemExit(f"{name} did not answer within {START_SECONDS:.0f} s:\n{log.read_text()}")
    return Running(name, port, tree, taken, used, peak.megabytes)


def _is_answered(port: int, packet: bytes) -> bool:
    """Whether an answer with a record comes within a moment."""
    with socket.socket(type=socket.SOCK_DGRAM) as asking:
        asking.settimeout(_ASK_SECONDS)
        asking.connect(("127.0.0.1", port))
        try:
            asking.send(packet)
            return asking.recv(4096)[6:8] != b"\x00\x00"
        except TimeoutError:
            return False
        except ConnectionRefusedError:
            time.sleep(_ASK_SECONDS)
            return False


# -- who is there


def gather(
    pool: Pool, geoip: Path, core: int, directory: Path, geodns_program: Path | None = None
) -> tuple[list[Contender], list[str]]:
    """All that can take part, and why the others can't."""
    document = json.loads((pool.zones / f"{ORIGIN}.json").read_text())
    found: list[Contender] = []
    notes: list[str] = []
    own = _python("from greendns import __version__; print(__version__)", {})
    if is_compiled():
        found.append(_greendns_contender(COMPILED, own, pool, geoip, core, directory))
    else:
        notes.append(f"{COMPILED}: not in the table: this checkout isn't compiled (pip install -e . with a C compiler)")
    found.append(_greendns_contender(PURE, own, pool, geoip, core, directory))
    for name, start in ((GDNSD, gdnsd), (NSD, nsd)):
        try:
            version = _version(find_program(name.lower(), name.lower()), name)
        except Missing as error:
            notes.append(f"{name}: not in the table: {error}")
            continue
        found.append(Contender(name, version, _starter(start, document, core, directory / name.lower())))
    if geodns_program is None:
        notes.append(f"{GEODNS}: not in the table: --geodns PROGRAM runs one that you have built")
    else:
        config = _made(directory / "geodns")
        version = _version(str(geodns_program), GEODNS)
        found.append(Contender(GEODNS, version, lambda: geodns(geodns_program, pool.zones, geoip, core, config)))
    return found, notes


def _greendns_contender(name: str, version: str, pool: Pool, geoip: Path, core: int, directory: Path) -> Contender:
    log = _made(directory / name.replace(" ", "-")) / "log"
    return Contender(name, version, lambda: greendns(pool.zones, geoip, [core], log, pure=name == PURE))


def _starter(
    start: Callable[[dict[str, object], int, Path], AbstractContextManager[Running]],
    document: dict[str, object],
    core: int,
    directory: Path,
) -> Callable[[], AbstractContextManager[Running]]:
    return lambda: start(document, core, _made(directory))


def _made(directory: Path) -> Path:
    directory.mkdir(parents=True)
    return directory


_VERSION_FLAGS = {GDNSD: "--version", NSD: "-v", GEODNS: "-version"}


def _version(program: str, name: str) -> str:
    """The first number with a dot that a program says when asked for its version; gdnsd says it with its usage."""
    told = subprocess.run([program, _VERSION_FLAGS[name]], capture_output=True, text=True, check=False)
    match = re.search(r"\d+\.\d[\w.]*", told.stdout + told.stderr)
    return match[0] if match else ""
