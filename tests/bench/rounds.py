"""Servers in turns, round by round: contenders -> figures of each in each round.

Every server runs all the time and is asked only in its turn, so that what the machine does otherwise meets all of them;
each round begins with another one. What counts are ratios within a round: figures move from round to round together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.bench import dnsperf
from tests.bench.contenders import Contender, Running
from tests.bench.processes import Cores

RATE = 10_000


@dataclass(frozen=True)
class Plan:
    """How long everything takes, in seconds, and how often; `rate` is the fixed one, in queries per second."""

    rounds: int = 5
    warm_up: float = 1
    saturated: float = 4
    fixed: float = 3
    rate: int = RATE


# Long enough to see that everything works, too short to believe.
QUICK = Plan(rounds=1, warm_up=0.5, saturated=2, fixed=2)


@dataclass(frozen=True)
class Figures:
    """One server in one round. Processor time is of all its processes, in microseconds per query answered.

    core_share   the part of its core that the server had at saturation: well below 1, the client was the limit, or
                 something else ran there
    fixed_rate   the queries per second that came of the fixed rate: less, the server could not hold it
    memory       in megabytes of 10^6 octets, shared pages counted once
    """

    queries_per_second: float
    saturated_cpu: float
    core_share: float
    fixed_rate: float
    fixed_cpu: float
    sent: int
    lost: int
    memory: float


Rounds = dict[str, list[Figures]]


def measure(
    contenders: Sequence[Contender], packets: Path, plan: Plan, cores: Cores, tell: Callable[[str], None]
) -> Rounds:
    """All rounds; `tell` hears of each turn."""
    found: Rounds = {contender.name: [] for contender in contenders}
    with ExitStack() as stack:
        servers = [stack.enter_context(contender.start()) for contender in contenders]
        for number in range(plan.rounds):
            for server in rotated(servers, number):
                figures = _turn(server, packets, plan, cores)
                found[server.name].append(figures)
                tell(f"round {number + 1}/{plan.rounds}  {server.name}: {figures.queries_per_second:,.0f} queries/s")
    return found


def rotated(servers: Sequence[Running], number: int) -> list[Running]:
    """The servers, begun with another one each time: who comes behind whom must not decide."""
    at = number % len(servers)
    return [*servers[at:], *servers[:at]]


def _turn(server: Running, packets: Path, plan: Plan, cores: Cores) -> Figures:
    dnsperf.ask(server.port, packets, plan.warm_up, cores.client)
    saturated, saturated_cpu = asked(server, packets, plan.saturated, cores)
    fixed, fixed_cpu = asked(server, packets, plan.fixed, cores, plan.rate)
    return Figures(
        queries_per_second=round(saturated.queries_per_second),
        saturated_cpu=_microseconds(saturated_cpu, saturated.completed),
        core_share=round(saturated_cpu / saturated.seconds, 2),
        fixed_rate=round(fixed.queries_per_second),
        fixed_cpu=_microseconds(fixed_cpu, fixed.completed),
        sent=saturated.sent + fixed.sent,
        lost=saturated.lost + fixed.lost,
        memory=round(server.tree.memory(), 1),
    )


def asked(
    server: Running, packets: Path, seconds: float, cores: Cores, rate: int | None = None
) -> tuple[dnsperf.Told, float]:
    """A run of dnsperf, and the seconds of processor time that the server spent on it."""
    before = server.tree.cpu_seconds()
    told = dnsperf.ask(server.port, packets, seconds, cores.client, rate=rate)
    return told, server.tree.cpu_seconds() - before


def _microseconds(seconds: float, queries: int) -> float:
    return round(seconds / max(queries, 1) * 1e6, 2)
