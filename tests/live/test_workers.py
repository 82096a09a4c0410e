"""Several processes serve: what dies is replaced, what changes is handed over, what ends leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dns.message
import pytest
from prometheus_client.parser import text_string_to_metric_families

from greendns.seats import WELL_SECONDS
from tests.live.openloop import questioning
from tests.processtree import (
    KEEPER,
    SIDE,
    WORKER,
    age_seconds,
    descendants,
    is_running,
    memory_octets,
    named,
    open_descriptors,
)
from tests.serving import PROGRAM, Server, serving, wait_until, write_zones

OLD, NEW = "192.0.2.1", "192.0.2.2"
WORKERS = 2
TRANSPORTS = ("udp", "tcp")


def zone(address: str) -> dict[str, Any]:
    return {"data": {"": {"ns": ["ns1.example.net."]}, "www": {"a": [[address]]}}}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of its own for each test."""
    with serving(tmp_path, {"example.com": zone(OLD)}, workers=WORKERS) as running:
        yield running


def processes(server: Server, name: str) -> list[int]:
    """The server's processes of a kind."""
    return named(server.process.pid, name)


def send_to(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        os.kill(pid, number)


def alive(server: Server) -> float:
    return server.metric("greendns_workers", state="alive")


def restarts(server: Server) -> float:
    return server.metric("greendns_worker_restarts_total")


def oldest_worker(server: Server) -> int:
    return max(processes(server, WORKER), key=age_seconds)


def kill_worker(server: Server, victim: int) -> None:
    """Kill one of the workers, and wait until another one is in its place."""
    before = restarts(server)
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: restarts(server) == before + 1 and alive(server) == WORKERS, "the replacement")


def reload_once(server: Server) -> None:
    """Have everything looked at and handed over."""
    before = reloads(server)
    server.process.send_signal(signal.SIGHUP)
    wait_until(lambda: reloads(server) > before, "the reload")


def reloads(server: Server) -> float:
    return sum(server.metric("greendns_reloads_total", result=result) for result in ("ok", "error"))


def settled(server: Server) -> bool:
    """Whether there is one generation, and all of it."""
    kinds = [len(processes(server, name)) for name in (KEEPER, SIDE, WORKER)]
    return kinds == [1, 1, WORKERS] and len(descendants(server.process.pid)) == sum(kinds)


# -- who answers


@contextmanager
def asking_from_many_ports(server: Server, ports: int = 32) -> Iterator[list[socket.socket]]:
    """Sockets of as many ports, each of which has asked once."""
    wire = dns.message.make_query("www.example.com", "A").to_wire()
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(ports)]
    try:
        for each in sockets:
            each.connect((server.host, server.port))
            each.setblocking(False)
            each.send(wire)
        yield sockets
    finally:
        for each in sockets:
            each.close()


def take_answers(sockets: list[socket.socket]) -> list[socket.socket]:
    """Those of `sockets` that have had no answer yet."""

    def has_answer(each: socket.socket) -> bool:
        try:
            return bool(each.recv(65535))
        except BlockingIOError:
            return False

    return [each for each in sockets if not has_answer(each)]


def test_the_kernel_spreads_questions_over_the_workers(server: Server) -> None:
    """While one stands still the other answers its share; the rest waits, and is answered when it goes on."""
    stopped, _ = processes(server, WORKER)
    os.kill(stopped, signal.SIGSTOP)
    try:
        with asking_from_many_ports(server) as sockets:
            waiting = sockets

            def is_only_the_stopped_ones_left() -> bool:
                nonlocal waiting
                waiting = take_answers(waiting)
                return server.metric("greendns_packets_total", transport="udp") + len(waiting) == len(sockets)

            wait_until(is_only_the_stopped_ones_left, "the other worker's answers")
            assert waiting
            os.kill(stopped, signal.SIGCONT)

            def is_nobody_left() -> bool:
                nonlocal waiting
                waiting = take_answers(waiting)
                return not waiting

            wait_until(is_nobody_left, "the answers of the one that stood still")
    finally:
        os.kill(stopped, signal.SIGCONT)


def test_metrics_tell_how_many_workers_there_are(server: Server) -> None:
    """As configured, and as many read."""
    assert server.metric("greendns_workers", state="configured") == WORKERS
    assert alive(server) == WORKERS


# -- who dies


def test_a_worker_that_is_killed_is_replaced(server: Server) -> None:
    """Ten times under load: no more is lost than what each had in hand; logged, and counted."""
    kills = 10
    with questioning(server, ["www.example.com"]) as report:
        for _ in range(kills):
            wait_until(lambda: age_seconds(oldest_worker(server)) > WELL_SECONDS, "a worker that was well")
            kill_worker(server, oldest_worker(server))

    assert report.sent > kills
    assert report.lost <= kills
    assert restarts(server) == kills
    assert server.log_text().count("ended (SIGKILL): replaced") == kills
    assert settled(server)


def test_a_side_process_that_is_killed_is_replaced(server: Server) -> None:
    """Pages are served again, and changes are seen again; no answer is late for it."""
    (side,) = processes(server, SIDE)
    os.kill(side, signal.SIGKILL)

    wait_until(lambda: processes(server, SIDE) not in ([side], []), "the replacement")
    assert server.health()["status"] == "ok"
    write_zones(server.zones, {"example.com": zone(NEW)})
    wait_until(lambda: server.values("www.example.com") == [NEW], "a change")
    assert restarts(server) == 0


def test_a_keeper_that_is_killed_leaves_its_workers_serving(server: Server) -> None:
    """Another one loads all anew, what changed since too, and takes over; nothing is lost."""
    (keeper,) = processes(server, KEEPER)
    workers = processes(server, WORKER)
    with questioning(server, ["www.example.com"]) as report:
        write_zones(server.zones, {"example.com": zone(NEW)})
        os.kill(keeper, signal.SIGKILL)
        wait_until(lambda: server.values("www.example.com") == [NEW], "the other keeper")
        wait_until(lambda: settled(server) and not set(workers) & set(processes(server, WORKER)), "one generation")

    assert report.lost == 0
    assert f"the keeper (process {keeper}) ended (SIGKILL)" in server.log_text()
    reload_once(server)


def test_all_leave_with_an_arbiter_that_is_killed(server: Server, tmp_path: Path) -> None:
    """At once: another server can take the port."""
    below = descendants(server.process.pid)
    server.process.kill()
    server.process.wait()
    wait_until(lambda: not any(map(is_running, below)), "the others to leave", 2)

    listen = (f"127.0.0.1:{server.port}",)
    with serving(tmp_path / "second", {"example.com": zone(NEW)}, listen=listen) as second:
        assert second.values("www.example.com") == [NEW]


@contextmanager
def loading(server: Server, names: int = 20_000) -> Iterator[int]:
    """The process that loads a zone which takes it a while."""
    (keeper,) = processes(server, KEEPER)
    labels = {f"n{number}": {"a": [[OLD, 10], [NEW, 10]]} for number in range(names)}
    write_zones(server.zones, {"big.example.com": {"data": labels}})
    yield next(pid for pid in wait_until(lambda: processes(server, KEEPER)[1:], "the loader") if pid != keeper)


def test_a_load_that_is_killed_changes_nothing(server: Server) -> None:
    """What was in service stays; it is logged and counted, and the load is tried again."""
    with loading(server) as loader:
        os.kill(loader, signal.SIGKILL)
        wait_until(lambda: server.metric("greendns_reloads_total", result="error") == 1, "the count")
        assert "what was in service stays" in server.log_text()
        assert server.values("www.example.com") == [OLD]
        wait_until(lambda: server.ask("n1.big.example.com").answer, "the second try")
    wait_until(lambda: server.metric("greendns_reloads_total", result="ok") == 1, "its count")


def test_a_keeper_that_dies_takes_the_load_with_it(server: Server) -> None:
    """All is loaded anew instead, by one process."""
    (keeper,) = processes(server, KEEPER)
    with loading(server) as loader:
        os.kill(keeper, signal.SIGKILL)
        wait_until(lambda: not is_running(loader), "its end")
        wait_until(lambda: server.ask("n1.big.example.com").answer, "the zone")
        wait_until(lambda: settled(server), "one generation")


# -- hand-over


def test_reloads_without_a_pause_lose_nothing(server: Server) -> None:
    """However often it is told to look: one hand-over at a time, at most one a second."""
    with questioning(server, ["www.example.com"]) as report:
        for _ in range(3):
            for _ in range(20):
                server.process.send_signal(signal.SIGHUP)
            reload_once(server)

    assert report.lost == 0
    assert report.came("www.example.com") == {OLD}
    assert reloads(server) <= 8


def test_a_question_over_tcp_is_answered_through_a_hand_over(server: Server) -> None:
    """A connection from before goes on where it is, until it has been idle for as long as a stop may take."""
    wire = dns.message.make_query("www.example.com", "A").to_wire()
    framed = len(wire).to_bytes(2, "big") + wire
    with socket.create_connection((server.host, server.port), timeout=5) as connection:
        connection.sendall(framed[:5])
        reload_once(server)
        connection.sendall(framed[5:])
        assert connection.recv(65535)[2:4] == wire[:2]


def test_a_name_that_is_no_utf8_goes_through_a_hand_over(server: Server) -> None:
    """Its octets are told to the process that loads as they are."""
    path = os.fsencode(server.zones) + b"/\xff\xfe.json"
    Path(os.fsdecode(path)).write_text("{")
    wait_until(lambda: server.health()["errors"], "the broken file")
    Path(os.fsdecode(path)).unlink()
    wait_until(lambda: not server.health()["errors"], "its removal")


def test_reloads_leave_nothing_behind(server: Server) -> None:
    """No process, no descriptor, in none of them."""

    def count() -> list[int]:
        wait_until(lambda: settled(server), "one generation")
        kinds = [processes(server, name) for name in (KEEPER, SIDE, WORKER)]
        return [open_descriptors(pid) for pid in (server.process.pid, *[pid for pids in kinds for pid in pids])]

    reload_once(server)
    before = count()
    for _ in range(4):
        reload_once(server)

    assert count() == before


def workers_text(count: int) -> str:
    return f'[server]\nlisten = ["127.0.0.1:0"]\nworkers = {count}\nworkers_max = 3\n[http]\nlisten = "127.0.0.1:0"\n'


def test_another_number_of_workers_loses_nothing(tmp_path: Path) -> None:
    """Fewer read from the sockets of all, and as many as there are sockets for can be had; no more, which is told."""
    file = tmp_path / "greendns.toml"
    file.write_text(workers_text(2))
    write_zones(tmp_path / "zones", {"example.com": zone(OLD)})
    command = ("serve", "--config", str(file))
    with serving(tmp_path, command=command) as server, questioning(server, ["www.example.com"]) as report:
        for count in (1, 3, 2):
            file.write_text(workers_text(count))
            wait_until(lambda count=count: [count, 1] == numbers(server), f"{count} workers")
            assert server.metric("greendns_workers", state="configured") == count
            assert alive(server) == count
        file.write_text(workers_text(4))
        wait_until(lambda: "only a restart takes server.workers" in server.log_text(), "what is told")
        server.wait_in_force(lambda: reloads(server) == 4, "the reload")
        assert numbers(server) == [2, 1]

    assert report.sent > 500
    assert report.lost == 0


def numbers(server: Server) -> list[int]:
    """How many workers and keepers there are."""
    return [len(processes(server, name)) for name in (WORKER, KEEPER)]


# -- counters


def counters(server: Server) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every counter of ours."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(server.get("/metrics")[1])
        for sample in family.samples
        if family.type == "counter" and family.name.startswith(("dns_", "greendns_"))
    }


def test_no_counter_falls_and_outcomes_sum_to_the_packets(server: Server) -> None:
    """Workers are killed and reloads made between questions: each of them is counted once, for ever."""
    asked = {"answer": 0, "nxdomain": 0, "refused": 0}
    names = {"answer": "www.example.com", "nxdomain": "nope.example.com", "refused": "www.example.org"}
    seen = counters(server)
    for step in range(6):
        for outcome, name in names.items():
            for tcp in (False, True, False):
                server.ask(name, tcp=tcp)
                asked[outcome] += 1
        now = counters(server)
        assert [key for key, value in seen.items() if now.get(key, 0) < value] == []
        told = {
            outcome: sum(
                server.metric("greendns_packets_total", outcome=outcome, transport=each) for each in TRANSPORTS
            )
            for outcome in asked
        }
        assert told == asked
        seen = now
        if step % 2:
            reload_once(server)
        else:
            kill_worker(server, oldest_worker(server))

    assert sum(value for (name, _), value in seen.items() if name == "greendns_packets_total") == sum(asked.values())
    assert sum(value for (name, _), value in seen.items() if name == "dns_queries_total") == sum(asked.values())


def test_what_the_kernel_drops_is_counted(tmp_path: Path) -> None:
    """Of more packets than a small buffer holds: what was not dropped is answered."""
    (tmp_path / "greendns.toml").write_text("[server]\nreceive_buffer_octets = 4096\n")
    wire = dns.message.make_query("www.example.com", "A").to_wire()
    with serving(tmp_path, {"example.com": zone(OLD)}, workers=1) as server:
        workers = processes(server, WORKER)
        assert server.metric("greendns_receive_buffer_drops_total", transport="udp") == 0
        send_to(workers, signal.SIGSTOP)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(200):
                sender.sendto(wire, (server.host, server.port))
        dropped = server.metric("greendns_receive_buffer_drops_total", transport="udp")
        send_to(workers, signal.SIGCONT)
        assert 0 < dropped < 200
        wait_until(lambda: server.metric("greendns_packets_total", outcome="answer") == 200 - dropped, "the rest")


# -- the end


def test_a_stop_ends_all_with_status_0(server: Server) -> None:
    """And the port is free."""
    below = descendants(server.process.pid)
    server.process.send_signal(signal.SIGTERM)

    assert server.process.wait(10) == 0
    wait_until(lambda: not any(map(is_running, below)), "the others' end", 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((server.host, server.port))


def test_a_second_signal_does_not_wait(server: Server) -> None:
    """A client that keeps its connection open holds up a stop for 3 seconds, but not the second one."""
    with socket.create_connection((server.host, server.port)):
        assert server.values("www.example.com", tcp=True) == [OLD]
        (keeper,) = processes(server, KEEPER)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not processes(server, SIDE), "the stop to be under way")
        assert is_running(keeper)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(2) == 0
    assert not is_running(keeper)


def test_a_worker_that_stands_still_is_killed_in_the_end(server: Server) -> None:
    """When the time for a stop is over."""
    workers = processes(server, WORKER)
    send_to(workers[:1], signal.SIGSTOP)
    server.process.send_signal(signal.SIGTERM)

    assert server.process.wait(10) == 0
    assert not any(map(is_running, workers))


def test_a_stop_while_the_first_load_goes_on(tmp_path: Path) -> None:
    """Status 0, and nobody is left."""
    labels = {f"n{number}": {"a": [[OLD, 10]]} for number in range(20_000)}
    write_zones(tmp_path / "zones", {"example.com": {"data": labels}})
    arguments = ["--zones", tmp_path / "zones", "--config", tmp_path, "--http", "off", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen([*PROGRAM, "serve", *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    try:
        below = wait_until(lambda: named(process.pid, KEEPER), "the loader")
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=5)
        assert (process.returncode, told) == (0, "")
        assert not any(map(is_running, below))
    finally:
        process.kill()
        process.wait()


# -- memory


def test_workers_share_what_was_loaded(tmp_path: Path) -> None:
    """Four of them and a zone of 40,000 names: together they have far less than four times what one sees."""
    labels = {f"n{number}": {"a": [[OLD, 10], [NEW, 10]]} for number in range(40_000)}
    with serving(tmp_path, {"example.com": {"data": labels}}, workers=4) as server:
        for number in range(200):
            server.ask(f"n{number * 100}.example.com")
        workers = processes(server, WORKER)
        resident = sum(memory_octets(pid, "Rss") for pid in workers)
        shared = sum(memory_octets(pid, "Pss") for pid in workers)

    assert len(workers) == 4
    assert shared < 0.5 * resident
