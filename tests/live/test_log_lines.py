"""No octet of a packet or of a file's name gets raw into the log, onto a terminal or into a page."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from tests.serving import Server, run_command, serving, wait_until

ZONE = {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [["192.0.2.1"]]}}}
# A line that was made up, sequences that move the cursor and set a title, C1 controls, an octet that is no UTF-8.
NASTY = b"x\n2026-01-01 ERROR made up\r\x1b[2J\x1b]0;t\x07\xc2\x9b31m\xff\x7f"


def assert_printable(text: str) -> None:
    """Only lines of printable characters."""
    assert [line for line in text.split("\n") if not line.isprintable()] == []
    assert not any(line.startswith("2026-01-01 ERROR made up") for line in text.split("\n"))


def broken_zone(server: Server) -> Path:
    """A zone file of a name that nobody would choose, which says what no zone may say."""
    path = os.path.join(os.fsencode(server.zones), NASTY + b".json")
    with open(path, "wb") as file:
        file.write(b'{"data": {"' + NASTY.replace(b"\n", b"\\n").replace(b"\x1b", b"\\u001b") + b'": 1}, "ttl": "x"}')
    return Path(os.fsdecode(path))


def test_names_of_files_are_escaped(tmp_path: Path) -> None:
    """In the log and in /health, and where `check` prints them."""
    with serving(tmp_path, {"example.com": ZONE}, ["--log-level", "debug"], workers=2) as server:
        path = broken_zone(server)
        server.wait_in_force(lambda: server.health()["status"] == "degraded", "the error")
        wait_until(lambda: "\\u001b[2J" in server.log_text(), "what is logged of it")
        assert_printable(server.log_text())
        assert all(error.isprintable() for error in server.health()["errors"])
        checked = run_command("check", "--zones", server.zones)
        path.unlink()
        wait_until(lambda: server.health()["status"] == "ok", "its end")
        assert_printable(server.log_text())

    assert checked.returncode == 1
    assert_printable(checked.stdout + checked.stderr)


def packets() -> list[bytes]:
    """Questions with every octet in a label, and packets of nothing but such octets."""
    labels = [bytes([octet]) * 3 + NASTY[:40] for octet in range(256)]
    names = [bytes([len(label)]) + label + b"\x07example\x03com\x00" for label in labels]
    head = b"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
    return [head + name + b"\x00\x01\x00\x01" for name in names] + [NASTY, NASTY * 20, head + NASTY, b"\x1b" * 512]


def test_what_is_in_packets_is_not_logged_raw(tmp_path: Path) -> None:
    """Over UDP and over TCP, with all that can be logged; the pages over HTTP show nothing of it either."""
    with serving(tmp_path, {"example.com": ZONE}, ["--log-level", "debug"], workers=2) as server:
        for packet in packets():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(packet, (server.host, server.port))
        with socket.create_connection((server.host, server.port), 5) as stream:
            for packet in packets()[:256]:
                stream.sendall(len(packet).to_bytes(2, "big") + packet)
                octets = int.from_bytes(stream.recv(2, socket.MSG_WAITALL), "big")
                assert len(stream.recv(octets, socket.MSG_WAITALL)) == octets
        assert server.values("www.example.com") == ["192.0.2.1"]
        assert_printable(server.log_text())
        assert_printable(server.get("/metrics")[1])


def test_what_is_in_requests_is_not_logged_raw(tmp_path: Path) -> None:
    """What is wrong with a request is logged where debugging is on: escaped."""
    with serving(tmp_path, {"example.com": ZONE}, ["--log-level", "debug"], workers=2) as server:
        host, _, port = server.http.removeprefix("http://").partition(":")
        for sent in (NASTY, b"GET /" + NASTY[2:] + b" HTTP/9.9", b"GET / HTTP/1.1\r\nContent-Length: \x1b[2J"):
            with socket.create_connection((host, int(port)), 5) as client:
                client.sendall(sent + b"\r\n\r\n")
                client.recv(100)
        wait_until(lambda: "greendns.http" in server.log_text(), "what was wrong")
        assert "Traceback" not in server.log_text()
        assert_printable(server.log_text())
