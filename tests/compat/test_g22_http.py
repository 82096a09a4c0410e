"""The HTTP side: /version, /metrics, timeouts (G220-G223)."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import gevent
import pytest
from gevent.socket import create_connection
from prometheus_client.parser import text_string_to_metric_families

from greendns import httpserver
from greendns.httpserver import HttpServer
from tests.serving import Server, serving

ZONE = {
    "data": {
        "": {"ns": ["ns1.example.net."], "a": [["192.0.2.1"]]},
        "www": {"a": [["192.0.2.1"]]},
        "*.wild": {"a": [["192.0.2.1"]]},
    }
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an identifier and two groups."""
    directory = tmp_path_factory.mktemp("http")
    with serving(directory, {"example.com": ZONE}, ["--identifier", "testid,europe,other"]) as running:
        yield running


@pytest.fixture(scope="module")
def detailed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that counts by label."""
    directory = tmp_path_factory.mktemp("detailed")
    (directory / "greendns.toml").write_text("[dns]\ndetailed_metrics = true\n")
    with serving(directory, {"example.com": ZONE}) as running:
        yield running


def read_metrics(server: Server) -> dict[str, list[dict[str, str]]]:
    """The labels of every sample by its name."""
    samples: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(server.get("/metrics")[1]):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append(sample.labels)
    return samples


def counted(server: Server, **labels: str) -> float:
    """One sample of dns_queries_total; 0 if it is not there yet."""
    return server.metric("dns_queries_total", **labels)


def test_G220_version_ends_in_a_literal_backslash_n(server: Server) -> None:
    """One line without a line's end, as geodns writes it; with our own name."""
    status, body = server.get("/version")

    assert status == 200
    assert re.fullmatch(r"GreenDNS \d+\.\d+\S*\\n", body)


@pytest.mark.parametrize("path", ["/version?x", "/", "/status", "/status.json", "/version/", "/VERSION", "/metrics/x"])
def test_G220_other_paths_are_not_found(server: Server, path: str) -> None:
    """404, also for /version with a query string."""
    assert server.get(path)[0] == 404


def test_G221_queries_are_counted_by_zone_type_and_rcode(server: Server) -> None:
    """dns_queries_total{zone,qtype,qname,rcode}; the name is not told."""
    labels = {"zone": "example.com", "qtype": "A", "qname": "_", "rcode": "NOERROR"}
    before = counted(server, **labels)

    for name in ("www.example.com", "WWW.example.com", "example.com"):
        server.ask(name)
    assert counted(server, **labels) == before + 3
    assert all(set(sample) == set(labels) for sample in read_metrics(server)["dns_queries_total"])


def test_G221_each_type_is_counted_by_itself(server: Server) -> None:
    """The mnemonic as it is written in zone files."""
    for rrtype in ("AAAA", "MX", "SOA", "ANY"):
        before = counted(server, zone="example.com", qtype=rrtype)
        server.ask("example.com", rrtype)
        assert counted(server, zone="example.com", qtype=rrtype) == before + 1


def test_G221_a_name_that_is_not_there_is_an_error(server: Server) -> None:
    """qname `_error`, rcode NXDOMAIN."""
    labels = {"zone": "example.com", "qtype": "A", "qname": "_error", "rcode": "NXDOMAIN"}
    before = counted(server, **labels)

    server.ask("nope.example.com")
    assert counted(server, **labels) == before + 1


@pytest.mark.parametrize(
    ("name", "label"), [("www.example.com", "www"), ("example.com", ""), ("WWW.EXAMPLE.com", "www")]
)
def test_G221_detailed_metrics_tell_the_label(detailed: Server, name: str, label: str) -> None:
    """The label; the apex is the empty text."""
    labels = {"zone": "example.com", "qtype": "A", "qname": label, "rcode": "NOERROR"}
    before = counted(detailed, **labels)

    detailed.ask(name)
    assert counted(detailed, **labels) == before + 1


def test_G221_detailed_metrics_never_tell_a_name_that_a_client_made_up(detailed: Server) -> None:
    """`_error` where it is not there, and the wildcard's own label where one answers: so the labels are bounded."""
    for number in range(5):
        detailed.ask(f"made-up-{number}.example.com")
        detailed.ask(f"made-up-{number}.wild.example.com")

    names = {sample["qname"] for sample in read_metrics(detailed)["dns_queries_total"]}
    assert {"_error", "*.wild"} <= names
    assert not any("made-up" in name for name in names)


def test_G222_the_instance_tells_identifier_address_and_first_group(server: Server) -> None:
    """geodns_instance_info{ID,IP,Group} 1; on loopback there is no address (G006), of the groups the first (G005)."""
    assert read_metrics(server)["geodns_instance_info"] == [{"ID": "testid", "IP": "", "Group": "europe"}]
    assert server.metric("geodns_instance_info") == 1


def test_G222_the_start_is_told(server: Server) -> None:
    """In seconds since 1970."""
    assert time.time() - 600 < server.metric("geodns_start_time_seconds") <= time.time()


def test_G222_build_and_process_are_told(server: Server) -> None:
    """geodns_build_info with its version, and the collectors of process and language."""
    metrics = read_metrics(server)
    (build,) = metrics["geodns_build_info"]

    assert f"GreenDNS {build['version']}\\n" == server.get("/version")[1]
    assert {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"} <= set(metrics)


# -- timeouts: in this process, so that the seconds can be made short


def test_G223_the_timeouts_are_those_of_geodns() -> None:
    """Read 5 s, idle 10 s, write 10 s."""
    assert (httpserver.READ_SECONDS, httpserver.IDLE_SECONDS, httpserver.WRITE_SECONDS) == (5, 10, 10)


def big_page(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """An application whose answer is more than sockets hold, if /big is asked for."""
    body = bytes(50_000_000 if environ["PATH_INFO"] == "/big" else 50)
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpServer]:
    """A server of `big_page` with short timeouts."""
    monkeypatch.setattr(httpserver, "READ_SECONDS", 0.3)
    monkeypatch.setattr(httpserver, "IDLE_SECONDS", 0.3)
    monkeypatch.setattr(httpserver, "WRITE_SECONDS", 0.3)
    server = HttpServer(socket.create_server(("127.0.0.1", 0)), big_page)
    server.start()
    yield server
    server.stop(timeout=1)


@pytest.mark.parametrize("sent", [b"", b"GET /ver", b"GET /version HTTP/1.1\r\n", b"GET /version HTTP/1.1\r\nHost: a"])
def test_G223_a_client_that_does_not_finish_its_request_is_let_go(
    hasty: HttpServer, sent: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever it sent so far; the connection ends without a trace in the log."""
    with gevent.Timeout(5), create_connection(hasty.address) as client:
        client.sendall(sent)
        while client.recv(4096):
            pass
    assert capfd.readouterr().err == ""


def test_G223_a_drip_of_octets_does_not_hold_a_connection(hasty: HttpServer) -> None:
    """The time is for the whole request, not for each octet."""
    with gevent.Timeout(5), create_connection(hasty.address) as client:
        client.sendall(b"GET /version HTTP/1.1\r\n")
        dripping = gevent.spawn(drip, client)
        answer = b"".join(iter(lambda: client.recv(4096), b""))
        dripping.kill()
    assert b" 200 " not in answer


def drip(client: Any) -> None:
    """Send one octet of a header again and again."""
    try:
        while True:
            client.sendall(b"x")
            gevent.sleep(0.02)
    except OSError:
        return


def test_G223_a_connection_without_a_next_request_is_let_go(hasty: HttpServer) -> None:
    """Not after the first answer, but when no other request follows."""
    with gevent.Timeout(5), create_connection(hasty.address) as client:
        for _ in range(2):
            client.sendall(b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
        while client.recv(4096):
            pass


def test_G223_a_client_that_does_not_read_its_answer_is_let_go(
    hasty: HttpServer, capfd: pytest.CaptureFixture[str]
) -> None:
    """What did not fit into the sockets' buffers is given up, without a trace in the log."""
    with gevent.Timeout(5), create_connection(hasty.address) as client:
        client.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        received = len(client.recv(1))
        hasty.pool.join()
        while part := client.recv(1 << 20):
            received += len(part)
    assert 0 < received < 50_000_000
    assert capfd.readouterr().err == ""
