"""gdnsd and NSD serve the pool's zone from what is rendered for them: read with dig, over a socket."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.bench import contenders
from tests.bench.contenders import Running
from tests.bench.masterfile import GDNSD_RECORDS, NSD_RECORDS, resolve_aliases
from tests.bench.needed import needs
from tests.bench.poolzone import ORIGIN, Pool, write_pool
from tests.bench.processes import Missing, choose_cores, find_program

Start = Callable[[dict[str, object], int, Path], AbstractContextManager[Running]]


needs_gdnsd = needs("gdnsd", "gdnsd")
needs_nsd = needs("nsd", "nsd")


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    pool: Pool = write_pool(tmp_path_factory.mktemp("pool"), servers=600, queries=1)
    read: dict[str, Any] = json.loads((pool.zones / f"{ORIGIN}.json").read_text())
    return read


def _running(start: Start, document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with start(document, choose_cores().server, tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def gdnsd(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    yield from _running(contenders.gdnsd, document, tmp_path_factory)


@pytest.fixture(scope="module")
def nsd(document: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    yield from _running(contenders.nsd, document, tmp_path_factory)


def dig(server: Running, name: str, rrtype: str) -> list[str]:
    """The rdata of the answer."""
    words = ["dig", "-p", str(server.port), "@127.0.0.1", "+short", "-q", name, "-t", rrtype]
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=20).stdout.splitlines()


def addresses(document: dict[str, Any], label: str, key: str) -> list[str]:
    """The addresses of a label, its alias followed."""
    return [address for address, _ in resolve_aliases(document)[label][key]]


@needs_gdnsd
@pytest.mark.parametrize("label", ["", "2", "us", "0.de", "gb", "3.vendor7"])
def test_gdnsd_answers_one_of_the_first_sixty(gdnsd: Running, document: dict[str, Any], label: str) -> None:
    """Of the name itself, and of what an alias leads to."""
    answered = dig(gdnsd, f"{label}.{ORIGIN}".lstrip("."), "A")

    assert len(answered) == 1
    assert answered[0] in addresses(document, label, "a")[:GDNSD_RECORDS]


@needs_nsd
@pytest.mark.parametrize("label", ["", "2", "us", "0.de", "gb", "3.vendor7"])
def test_nsd_answers_the_first_four(nsd: Running, document: dict[str, Any], label: str) -> None:
    """Always the same."""
    answered = dig(nsd, f"{label}.{ORIGIN}".lstrip("."), "A")

    assert sorted(addresses(document, label, "a")[:NSD_RECORDS]) == sorted(answered)


def assert_serves_the_rest(server: Running, document: dict[str, Any]) -> None:
    """NS, MX, TXT, CNAME, SOA and AAAA as in the pool's zone; no more names than there."""
    servers = {f"{name}." for name in document["data"][""]["ns"]}
    assert servers == set(dig(server, ORIGIN, "NS"))
    assert dig(server, f"1.fr.{ORIGIN}", "MX") == ["0 ."]
    assert dig(server, ORIGIN, "TXT") == [f'"{document["data"][""]["txt"][0]["txt"]}"']
    assert dig(server, f"www.{ORIGIN}", "CNAME") == ["www.example.net."]
    assert len(dig(server, ORIGIN, "SOA")) == 1
    assert set(dig(server, f"2.us.{ORIGIN}", "AAAA")) <= set(addresses(document, "2.us", "aaaa"))
    assert dig(server, f"2.us.{ORIGIN}", "AAAA") != []
    assert dig(server, f"1.us.{ORIGIN}", "AAAA") == []
    assert dig(server, f"time.{ORIGIN}", "A") == []


@needs_gdnsd
def test_gdnsd_serves_the_other_types(gdnsd: Running, document: dict[str, Any]) -> None:
    assert_serves_the_rest(gdnsd, document)


@needs_nsd
def test_nsd_serves_the_other_types(nsd: Running, document: dict[str, Any]) -> None:
    assert_serves_the_rest(nsd, document)


def test_a_server_that_is_not_installed_is_asked_for() -> None:
    """By the name of its package."""
    with pytest.raises(Missing, match="apt-get install no-such-package"):
        find_program("no-such-program", "no-such-package")
