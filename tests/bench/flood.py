"""A flood with a forged source, and a good client beside it; what limiting responses costs where there is none.

    python -m tests.bench.flood [--quick] [--rounds 3] [--json FILE]

The flood comes from one address of 127.0.0.0/8 at half of what the server answers at saturation, and waits for nothing;
the good client asks the pool's mix 1,000 times a second from 127.0.0.1. Both keep their schedule (openloop.c).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from tests.bench import contenders, report, scene
from tests.bench.contenders import Running
from tests.bench.growthzones import write_packets
from tests.bench.poolzone import OPT, ORIGIN, make_packet
from tests.bench.rounds import rotated
from tests.load import openloop
from tests.load.openloop import Sent

ROUNDS = 3
FLOOD_SECONDS = 10
GOOD_RATE = 1_000
_FORGED = "127.9.9.9"
_OUTSTANDING = 200
# What is compared: nothing looked at; the default, which is far beyond its rate here; a rate that nothing comes to.
MODES = {
    "off": 'mode = "off"',
    "count (default)": 'mode = "count"',
    "limit, nothing beyond the rate": 'mode = "limit"\nanswers_per_second = 1000000\nnodata_per_second = 1000000\n'
    "nxdomain_per_second = 1000000\nerrors_per_second = 1000000",
}


@dataclass(frozen=True)
class Flood:
    """One flood. Rates are per second.

    drops  datagrams that the kernel dropped unread
    """

    asked: str
    flood: Sent
    good: Sent
    drops: int

    @property
    def answers(self) -> float:
        """Sent to the forged network."""
        return self.flood.answered / self.flood.seconds

    @property
    def ratio(self) -> float:
        """Octets sent there, by octets that the flood brought."""
        return self.flood.octets / max(self.flood.sent_octets, 1)


@dataclass(frozen=True)
class Speed:
    """At saturation: queries per second, and microseconds of the server per query."""

    queries: float
    cpu: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parsed = scene.parser("tests.bench.flood", "Flood with a forged source.").parse_args(arguments)
    where = report.machine()
    with scene.opened(parsed) as here:
        rounds = here.rounds or (1 if here.quick else ROUNDS)
        speeds = measure_cost(here, rounds)
        rate = median([each.queries for each in speeds["off"]]) / 2
        floods = [flood for _ in range(rounds) for flood in measure_floods(here, rate)]
        notes = [*here.notes(), *here.aftermath()]
    print(to_text(where, speeds, floods, notes))
    told = {"speeds": {mode: [asdict(each) for each in found] for mode, found in speeds.items()}}
    scene.write_json(parsed.json, {"machine": asdict(where), **told, "floods": [asdict(each) for each in floods]})


@contextmanager
def _server(here: scene.Scene, settings: str) -> Iterator[Running]:
    directory = here.fresh("greendns")
    (directory / "greendns.toml").write_text(f"[rate_limit]\n{settings}\n")
    with contenders.greendns(here.pool.zones, here.geoip, [here.cores.server], directory / "log") as server:
        yield server


# -- what it costs


def measure_cost(here: scene.Scene, rounds: int) -> dict[str, list[Speed]]:
    """All modes in turns, asked as fast as they answer."""
    found: dict[str, list[Speed]] = {mode: [] for mode in MODES}
    for number in range(rounds):
        for mode, settings in rotated(list(MODES.items()), number):
            with _server(here, settings) as server:
                _saturate(here, server, 1)
                found[mode].append(_saturate(here, server, 1 if here.quick else 4))
            scene.progress(f"round {number + 1}/{rounds}  {mode}: {found[mode][-1].queries:,.0f}/s")
    return found


def _saturate(here: scene.Scene, server: Running, seconds: float) -> Speed:
    before = server.tree.cpu_seconds()
    options = {"outstanding": _OUTSTANDING, "seconds": seconds}
    sent = openloop.send(here.sender, server.port, here.pool.packets, [here.cores.client], **options)
    return Speed(sent.queries_per_second, (server.tree.cpu_seconds() - before) / sent.answered * 1e6)


# -- what it does


def measure_floods(here: scene.Scene, rate: float) -> Iterator[Flood]:
    """One name, and the pool's mix, which has hundreds of names."""
    opt = OPT + bytes(2)
    one = write_packets(here.directory / "one-name.bin", [make_packet(ORIGIN, "A", opt)])
    for asked, packets in (("one name", one), ("the pool's mix", here.pool.packets)):
        with _server(here, 'mode = "limit"') as server:
            flood = _flood(here, server, packets, rate, asked)
        scene.progress(f"{asked}: {flood.answers:,.0f} answers/s, good client lost {flood.good.lost_share:.3%}")
        yield flood


def _flood(here: scene.Scene, server: Running, packets: Path, rate: float, asked: str) -> Flood:
    seconds = 2 if here.quick else FLOOD_SECONDS
    cores = [here.cores.client]
    openloop.send(here.sender, server.port, here.pool.packets, cores, rate=GOOD_RATE, seconds=1)
    before = kernel_drops(server.port)
    # The good client is there before, and stays on.
    good = openloop.start(here.sender, server.port, here.pool.packets, cores, rate=GOOD_RATE, seconds=seconds + 1)
    flood = openloop.send(here.sender, server.port, packets, cores, _FORGED, rate=rate, seconds=seconds, patience=500)
    return Flood(asked, flood, openloop.finish(good), kernel_drops(server.port) - before)


def kernel_drops(port: int) -> int:
    """Datagrams to a port of IPv4 that no buffer had room for: the last column of /proc/net/udp."""
    lines = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return sum(int(words[-1]) for words in lines if int(words[1].rpartition(":")[2], 16) == port)


def to_text(
    where: report.Machine, speeds: dict[str, list[Speed]], floods: Sequence[Flood], notes: Sequence[str]
) -> str:
    """A row for each mode, and for each flood."""
    base = speeds["off"]
    cost = [
        [
            mode,
            report.spread(each.queries for each in found).text(),
            report.spread(each.queries / other.queries for each, other in zip(found, base, strict=True)).text(2),
            report.spread(each.cpu / other.cpu for each, other in zip(found, base, strict=True)).text(2),
        ]
        for mode, found in speeds.items()
    ]
    rows = [
        _row(asked, [each for each in floods if each.asked == asked])
        for asked in dict.fromkeys(f.asked for f in floods)
    ]
    return "\n".join(
        [
            report.machine_text(where),
            "",
            *report.columns(["mode, no flood", "queries/s", "by those of off", "CPU/query, by that of off"], cost),
            "",
            *report.columns(
                [
                    "flood of",
                    "queries/s",
                    "answers/s",
                    "octets/s",
                    "out/in",
                    "truncated",
                    "good client lost %",
                    "drops",
                ],
                rows,
            ),
            *notes,
        ]
    )


def _row(asked: str, floods: Sequence[Flood]) -> list[str]:
    return [
        asked,
        report.spread(each.flood.sent / each.flood.seconds for each in floods).text(),
        report.spread(each.answers for each in floods).text(),
        report.spread(each.flood.octets / each.flood.seconds for each in floods).text(),
        report.spread(each.ratio for each in floods).text(3),
        f"{sum(each.flood.truncated for each in floods) / max(sum(each.flood.answered for each in floods), 1):.0%}",
        report.spread(each.good.lost_share * 100 for each in floods).text(3),
        f"{sum(each.drops for each in floods)}",
    ]


if __name__ == "__main__":
    sys.exit(scene.run(main))
