"""The HTTP side among strangers: who gets a page, what a request may be, and how many may be at it."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from greendns import httpserver
from tests.processtree import SIDE, memory_octets, named
from tests.serving import Server, serving, wait_until

ZONE = {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [["192.0.2.1"]]}}}
USER, PASSWORD = "opératrice", "pass:wörd"
# What a probe waits for, whatever else is going on.
HEALTH_SECONDS = 2.0
# Between two octets of who drips: often enough that its request goes on.
DRIP_SECONDS = 0.05


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Open to everybody."""
    with serving(tmp_path_factory.mktemp("http"), {"example.com": ZONE}, workers=1) as running:
        yield running


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With a user and a password."""
    directory = tmp_path_factory.mktemp("locked")
    (directory / "greendns.toml").write_text(f'[http]\nuser = "{USER}"\npassword = "{PASSWORD}"\n')
    with serving(directory, {"example.com": ZONE}, workers=0) as running:
        yield running


def connect(server: Server, timeout: float = 20) -> socket.socket:
    host, _, port = server.http.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout)


def exchange(server: Server, sent: bytes) -> bytes:
    """All that comes back until the connection is closed."""
    with connect(server) as client, contextlib.suppress(ConnectionResetError):
        client.sendall(sent)
        return b"".join(iter(lambda: client.recv(65536), b""))
    return b""


def status_of(server: Server, sent: bytes) -> int:
    """The status that comes back; 0 where nothing does."""
    words = exchange(server, sent).split(b" ", 2)
    return int(words[1]) if len(words) > 1 else 0


# -- who gets a page


def with_credentials(user: str, password: str) -> dict[str, str]:
    return with_token(base64.b64encode(f"{user}:{password}".encode()).decode())


def with_token(token: str, scheme: str = "Basic") -> dict[str, str]:
    return {"Authorization": f"{scheme} {token}"}


RIGHT = with_credentials(USER, PASSWORD)
WRONG = [
    {},
    with_credentials(USER, PASSWORD[:-1]),
    with_credentials(USER, PASSWORD + "x"),
    with_credentials(USER, ""),
    with_credentials("", PASSWORD),
    with_credentials(USER + "x", PASSWORD),
    with_credentials("", ""),
    with_token(base64.b64encode(USER.encode()).decode()),
    with_token(base64.b64encode(b":").decode()),
    with_token("not base64!"),
    with_token("="),
    with_token(""),
    with_token(RIGHT["Authorization"].split()[1], "Bearer"),
    with_token("/" * 4000),
]


@pytest.mark.parametrize("path", ["/health", "/metrics", "/version"])
def test_who_knows_user_and_password_gets_pages(locked: Server, path: str) -> None:
    """Both with a colon, or with letters that ASCII has not (RFC 7617: UTF-8)."""
    assert locked.get(path, RIGHT)[0] == 200
    assert locked.get(path, {"Authorization": RIGHT["Authorization"].replace("Basic", "bAsIc")})[0] == 200


@pytest.mark.parametrize("headers", WRONG, ids=range(len(WRONG)))
@pytest.mark.parametrize("path", ["/health", "/nowhere"])
def test_who_does_not_is_asked_for_them(locked: Server, path: str, headers: dict[str, str]) -> None:
    """401, whatever is wrong, and whether there is such a page or not."""
    assert locked.get(path, headers) == (401, "")


def test_both_are_compared_whatever_the_first_says(locked: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A right user takes as long as a wrong one: the comparisons are counted, of a copy in this process."""
    from greendns import statuspage
    from greendns.generations import Start, Succession, server_options

    settings = Start(locked.zones.parent, {}).read()
    generation = Succession(Start(None, {}), server_options(settings, [])).first(settings)
    app = statuspage.StatusApp(None, generation)  # type: ignore[arg-type]
    compared: list[tuple[bytes, bytes]] = []
    monkeypatch.setattr(statuspage.hmac, "compare_digest", lambda a, b: compared.append((a, b)) or a == b)
    told = []
    for user, password in [(USER, PASSWORD), (USER, "x"), ("x", PASSWORD), ("x", "x")]:
        headers = with_credentials(user, password)
        environ = {"REMOTE_ADDR": "192.0.2.1", "REQUEST_METHOD": "GET", "PATH_INFO": "/version"}
        app({**environ, "HTTP_AUTHORIZATION": headers["Authorization"]}, lambda status, _: told.append(status[:3]))

    assert told == ["200", "401", "401", "401"]
    assert [(b == USER.encode(), b == PASSWORD.encode()) for _, b in compared] == [(True, False), (False, True)] * 4


# -- what a request may be


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "get", "X" * 100])
def test_pages_are_only_to_be_read(server: Server, method: str) -> None:
    """405, and which methods there are (RFC 9110 section 15.5.6)."""
    answer = exchange(server, f"{method} /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"\r\nAllow: GET, HEAD\r\n" in answer


@pytest.mark.parametrize("path", ["/health", "/metrics", "/version"])
def test_HEAD_is_GET_without_the_page(server: Server, path: str) -> None:
    """RFC 9110 section 9.3.2."""
    answer = exchange(server, f"HEAD {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    head, _, page = answer.partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 ")
    assert page == b""


@pytest.mark.parametrize(
    "path",
    ["/", "//", "/.", "/..", "/../etc/passwd", "/%2e%2e/etc/passwd", "/health/", "//health", "/zones/", "*", "/\xe9"],
)
def test_there_is_nothing_else(server: Server, path: str) -> None:
    """404: no directory is listed, no file is read."""
    answer = exchange(server, f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode("latin-1"))

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert answer.endswith(b"\r\n\r\n404 page not found\n")


def request(*headers: bytes, line: bytes = b"GET /version HTTP/1.1") -> bytes:
    return b"\r\n".join([line, b"Host: a", b"Connection: close", *headers, b"", b""])


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request(), 200),
        (request(line=b"GET /" + b"x" * 8000 + b" HTTP/1.1"), 404),
        (request(line=b"GET /" + b"x" * 8200 + b" HTTP/1.1"), 414),
        (b"x" * 100_000, 414),
        (request(*[b"X-%d: 1" % number for number in range(60)]), 200),
        (request(*[b"X-%d: 1" % number for number in range(65)]), 431),
        (request(*[b"X-%d: 1" % number for number in range(10_000)]), 431),
        (request(b"X: " + b"x" * 16_000), 200),
        (request(b"X: " + b"x" * 17_000), 431),
        (request(b"X: " + b"x" * 1_000_000), 431),
        (request(*[b"X-%d: " % number + b"x" * 1000 for number in range(20)]), 431),
        (request(line=b"GET"), 400),
        (request(line=b"GET /version HTTP/1.1 x"), 400),
        (request(line=b"GET /version HTTP/2.0"), 400),
        (request(line=b"GET /version HTTP/x.y"), 400),
        (request(line=b"GET /version HTTP/1"), 400),
        (request(line=b"GET /version"), 400),
        (request(line=b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400),
        (request(line=b"\x00" * 50), 400),
        (request(b"Content-Length: 5"), 400),
        (request(b"Content-Length: -1"), 400),
        (request(b"Content-Length: x"), 400),
        (request(b"Content-Length: 99999999999999999999"), 400),
        (request(b"Transfer-Encoding: chunked"), 400),
        (b"\r\n\r\n", 400),
    ],
    ids=range(25),
)
def test_what_is_too_much_or_no_request_is_told(server: Server, sent: bytes, status: int) -> None:
    """By its status; nothing is logged of it, and the next one is answered."""
    assert status_of(server, sent) in (status, 0 if len(sent) > 16_384 else status)
    assert server.health()["status"] == "ok"
    assert "Traceback" not in server.log_text()
    assert "greendns.http" not in server.log_text()


def test_a_request_that_is_broken_off_is_none(server: Server) -> None:
    """Neither in its first line nor in its headers, though what came could be read as HTTP/0.9."""
    for sent in (
        b"GET /version",
        b"GET /version\r\n",
        b"GET /version HTTP/1.1\r\n",
        b"GET /version HTTP/1.1\r\nHost: a\r\n",
    ):
        with connect(server) as client:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            assert b" 200 " not in client.makefile("rb").read()


# -- how many may be at it


@contextlib.contextmanager
def holding(server: Server, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """Connections that have sent something, and are kept open."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(connect(server)) for _ in range(count)]
        for each in held:
            with contextlib.suppress(OSError):
                each.sendall(sent)
        yield held


def assert_healthy_soon(server: Server) -> None:
    began = time.monotonic()
    with connect(server, HEALTH_SECONDS) as client:
        client.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        answer = client.makefile("rb").read()
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == "ok"
    assert time.monotonic() - began < HEALTH_SECONDS


@pytest.mark.parametrize("workers", [1, 0])
@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /hea", b"GET /health HTTP/1.1\r\nX: ", b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n"],
    ids=["silent", "in its first line", "in its headers", "after an answer"],
)
def test_two_hundred_who_hold_on_keep_nobody_out(tmp_path: Path, sent: bytes, workers: int) -> None:
    """/health is answered within two seconds, again and again."""
    with (
        serving(tmp_path, {"example.com": ZONE}, workers=workers) as running,
        holding(running, 200, sent),
    ):
        for _ in range(5):
            assert_healthy_soon(running)


def test_who_holds_on_longest_makes_room(server: Server) -> None:
    """The first are let go, the last are not; never are there more than the limit."""
    with holding(server, 2 * httpserver.CONNECTIONS_MAX, b"GET /") as held:
        assert_healthy_soon(server)
        assert held[0].recv(1) == b""
        held[-1].settimeout(0.2)
        with pytest.raises(TimeoutError):
            held[-1].recv(1)
        held[-1].settimeout(20)
        held[-1].sendall(b"version HTTP/1.0\r\n\r\n")
        assert held[-1].recv(15) == b"HTTP/1.1 200 OK"


def test_many_who_drip_keep_nobody_out(server: Server) -> None:
    """Two hundred, an octet at a time, who come back when they are let go, for as long as others ask."""
    is_over = threading.Event()

    def drip(_: int) -> int:
        octets = 0
        while not is_over.is_set():
            with connect(server) as client, contextlib.suppress(OSError):
                client.sendall(b"GET / HTTP/1.1\r\nX: ")
                while not is_over.wait(DRIP_SECONDS):
                    client.sendall(b"x")
                    octets += 1
        return octets

    with ThreadPoolExecutor(200) as pool:
        dripping = pool.map(drip, range(200))
        try:
            for _ in range(5):
                assert_healthy_soon(server)
        finally:
            is_over.set()
        assert sum(dripping) > 0


def test_those_who_send_without_end_take_no_memory(server: Server) -> None:
    """Headers that go on are cut at the limit, for a hundred at once."""
    [side] = named(server.process.pid, SIDE)
    before = memory_octets(side, "Rss")

    def flood(_: int) -> bytes:
        return exchange(server, request(*[b"X-%d: " % number + b"x" * 50_000 for number in range(40)]))

    with ThreadPoolExecutor(100) as pool:
        assert all(b" 200 " not in answer for answer in pool.map(flood, range(100)))
    assert memory_octets(side, "Rss") - before < 20_000_000


def test_a_request_has_so_long_and_no_longer(server: Server) -> None:
    """However it drips: let go after ten seconds in all, five for each half (G223)."""
    began = time.monotonic()

    def is_gone() -> bool:
        try:
            client.sendall(b"x")
        except OSError:
            return True
        return False

    with connect(server) as client:
        client.sendall(b"GET /version HTTP/1.1\r\nX: ")
        wait_until(is_gone, "the end of the connection")
    assert time.monotonic() - began < 12
