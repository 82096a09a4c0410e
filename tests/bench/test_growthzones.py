"""The zones and questions for growth are what their figures speak of, and a server can load and answer them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import dns.edns
import dns.message
import pytest

from greendns import loader
from greendns.answer import answer
from greendns.outcome import Peer
from tests.bench import growth, growthzones, stagebench, stages, workers
from tests.bench.contenders import Running
from tests.bench.growthzones import FEW, MANY, NAMES, ORIGIN
from tests.bench.poolzone import write_pool
from tests.bench.processes import Tree
from tests.databases import write_world


def test_names_have_few_and_many_records() -> None:
    """Twenty of each, in first labels of 16 octets: what --unique makes is as long."""
    data = growthzones.growth_zone()["data"]
    assert isinstance(data, dict)

    counts = [len(label["a"]) for label in data.values() if "a" in label]

    assert sorted(counts) == [FEW] * NAMES + [MANY] * NAMES
    assert {len(name) for name in data if name} == {16}


@pytest.mark.parametrize("kind", ["few", "many"])
def test_the_questions_ask_for_those_names(tmp_path: Path, kind: str) -> None:
    """With plain EDNS, and each is answered."""
    (tmp_path / "zones").mkdir()
    (tmp_path / "zones" / f"{ORIGIN}.json").write_text(json.dumps(growthzones.growth_zone()))
    snapshot = stagebench.load(tmp_path / "zones", tmp_path)

    stage = stagebench.Stages(snapshot, list(growthzones.names_packets(kind)))

    assert len(stage.picked) == NAMES
    assert {len(each.match.rrset) for each in stage.picked} == {FEW if kind == "few" else MANY}


def test_small_zones_are_as_many_as_asked_for(tmp_path: Path) -> None:
    """Each loads without a problem, and questions are for any of them."""
    zones = growthzones.write_small_zones(tmp_path / "zones", 30)

    loaded = loader.load_files(sorted(zones.iterdir()))
    asked = [dns.message.from_wire(wire) for wire in growthzones.zone_packets(30, 600, random.Random(1))]

    assert len(loaded) == 30
    assert [each for each in loaded if each.errors or each.warnings] == []
    assert len({message.question[0].name.parent() for message in asked}) == 30


def test_a_large_zone_has_its_names_and_records(tmp_path: Path) -> None:
    """No address twice, each with a weight."""
    directory = growthzones.write_large_zone(tmp_path / "large", 500, 10)

    (loaded,) = loader.load_files(list(directory.iterdir()))
    data = json.loads((directory / f"{ORIGIN}.json").read_text())["data"]
    records = [tuple(record) for label in data.values() for record in label["a"]]

    assert (loaded.errors, loaded.warnings) == ((), ())
    assert len(data) == 500
    assert len({address for address, _ in records}) == 5000
    assert all(weight > 0 for _, weight in records)


def test_a_random_subnet_is_one_that_resolvers_send() -> None:
    """A /24 or a /56, zero beyond it; all different, of both families; without a source of chance there is none."""
    questions = [("pool.example.com", "A")] * 400

    drawn = [dns.message.from_wire(wire) for wire in growthzones.subnet_packets(questions, random.Random(1))]
    plain = [dns.message.from_wire(wire) for wire in growthzones.subnet_packets(questions, None)]

    options = [option for message in drawn for option in message.options if isinstance(option, dns.edns.ECSOption)]
    assert len(options) == 400
    assert {(option.family, option.srclen, option.scopelen) for option in options} == {(1, 24, 0), (2, 56, 0)}
    assert len({option.address for option in options}) > 390
    assert {message.edns for message in plain} == {0}
    assert {message.options for message in plain} == {()}


def test_unique_numbers_go_on_where_the_last_run_ended() -> None:
    """Two runs never ask for the same name; a run of existing names uses none up."""
    unique = growth.Unique()
    absent = growth.Ask(Running("", 0, Tree(0), 0, 0, 0), Path(), is_unique=True)
    existing = growth.Ask(absent.server, Path())

    first = unique.options(absent)
    unique.used(absent, 1000)
    unique.used(existing, 500)

    assert (first, unique.options(absent), unique.options(existing)) == ({"unique": 0}, {"unique": 1000}, {})


def test_two_workers_are_limited_by_both_cores_and_one_by_its_own() -> None:
    """10 µs of the server and 10 of the client: one core of each does 100,000/s; two cores hold no more."""
    turn = workers.Turn(90_000, 0.9, 0.9, server_cpu=10, client_cpu=10)
    dear = workers.Turn(9_000, 0.9, 0.1, server_cpu=100, client_cpu=10)

    assert (turn.limit(1, 2), turn.limit(2, 2)) == pytest.approx((100_000, 100_000))
    assert (dear.limit(1, 2), dear.limit(2, 2)) == pytest.approx((10_000, 18_181.8), rel=1e-4)


def test_each_stage_does_what_the_whole_answer_does(tmp_path: Path) -> None:
    """The stages together pick as many records, and write as many octets, as an answer to the same packet has."""
    pool = write_pool(tmp_path / "pool", servers=300, queries=300)
    write_world(tmp_path)
    wires = stagebench.read_packets(pool.packets, 200)
    stage = stagebench.Stages(stagebench.load(pool.zones, tmp_path), wires)

    answers = {each.wire: _answer(stage, each.wire) for each in stage.picked}

    assert len(wires) == 200
    assert 100 < len(stage.picked) < 200
    assert all(len(each.indexes) == _records(answers[each.wire]) for each in stage.picked)
    for name in stagebench.STAGES:
        function, count = stage.stage(name)
        function()
        assert count == (200 if name in ("parse", "answer") else len(stage.picked))


def _answer(stage: stagebench.Stages, wire: bytes) -> dns.message.Message:
    answered, _ = answer(wire, Peer(bytes((127, 0, 0, 1)), 4000, False), 0.0, stage.snapshot, stage.state, stage.draw)
    assert answered is not None
    return dns.message.from_wire(answered)


def _records(message: dns.message.Message) -> int:
    return sum(len(rrset) for rrset in message.answer)


def test_pyperfs_file_is_read_by_name(tmp_path: Path) -> None:
    """One benchmark's name stands with it, or with what all have in common where there is only one."""
    runs = [{"values": [1.0, 2.0]}, {"values": [3.0]}, {"warmups": []}]
    several = {"metadata": {}, "benchmarks": [{"metadata": {"name": name}, "runs": runs} for name in ("parse", "pick")]}
    single = {"metadata": {"name": "parse"}, "benchmarks": [{"runs": runs}]}
    (tmp_path / "several.json").write_text(json.dumps(several))
    (tmp_path / "single.json").write_text(json.dumps(single))

    assert stages.read_values(tmp_path / "several.json") == {"parse": [1.0, 2.0, 3.0], "pick": [1.0, 2.0, 3.0]}
    assert stages.read_values(tmp_path / "single.json") == {"parse": [1.0, 2.0, 3.0]}
