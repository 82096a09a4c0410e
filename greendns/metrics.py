"""The sums of all counters, and what else there is to tell, as Prometheus metrics: geodns's names first (G221, G222).

No gevent. Workers count in rows of shared memory; prometheus_client turns their sums into text when asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from .counters import LIMITED
from .countertable import CounterTable
from .lastgood import saved_at
from .loaded import Generation
from .snapshot import ServerOptions


class ServerCollector(Collector):
    """The sums of a table and the generation in service, as metric families.

    groups  of the server: the first one is told
    bank    of the generation in service; None where one process does everything
    drops   tells how many datagrams the kernel dropped because a receive buffer was full
    """

    def __init__(
        self, table: CounterTable, groups: tuple[str, ...], bank: int | None, drops: Callable[[], int]
    ) -> None:
        self.table = table
        self.group = groups[0] if groups else ""
        self.bank = bank
        self.drops = drops
        self.generation: Generation | None = None

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead of time: what there is depends on what is loaded."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every family, as it is now."""
        yield from self._packets()
        yield from self._processes()
        if self.generation is not None:
            yield from self._instance(self.generation.snapshot.options)
            yield from self._zones(self.generation)
            yield from self._databases(self.generation)
            if self.generation.config.cache.find() is not None:
                yield GaugeMetricFamily(
                    "greendns_cache_saved_timestamp_seconds",
                    "When all that was served was last found to be kept in the cache directory, since 1970",
                    value=saved_at(self.generation.config),
                )

    def _packets(self) -> Iterator[Metric]:
        totals = self.table.totals()
        queries = CounterMetricFamily("dns_queries", "Questions answered", labels=("zone", "qtype", "qname", "rcode"))
        for labels, count in totals.questions.items():
            if count:
                queries.add_metric(labels, count)
        yield queries
        packets = CounterMetricFamily(
            "greendns_packets", "Packets read, by what became of them", labels=("transport", "outcome")
        )
        for packet_labels, count in totals.outcomes.items():
            if count:
                packets.add_metric(packet_labels, count)
        yield packets
        limited = CounterMetricFamily(
            "greendns_rate_limited_answers",
            "Answers beyond the rate allowed to a network, by what became of them",
            labels=("action",),
        )
        for action in LIMITED:
            limited.add_metric((action,), totals.limited[action])
        yield limited
        drops = CounterMetricFamily(
            "greendns_receive_buffer_drops",
            "Packets that the kernel dropped unread, for want of room",
            labels=("transport",),
        )
        drops.add_metric(("udp",), self.drops())
        yield drops
        for name, text, count in (
            ("greendns_truncated_answers", "Answers with TC set, for want of room", totals.truncated),
            ("greendns_failures", "Packets answered SERVFAIL because of a fault of ours", totals.failures),
            ("greendns_unsent_answers", "Answers that the system did not take", totals.unsent),
            ("greendns_unlabelled_queries", "Questions counted as `other`: too many labels", totals.unlabelled),
        ):
            yield CounterMetricFamily(name, text, value=count)
        yield GaugeMetricFamily("greendns_tcp_connections", "TCP connections that are open", value=totals.connections)
        closures = CounterMetricFamily("greendns_tcp_closed", "TCP connections that ended, by why", labels=("reason",))
        for why, count in totals.closures.items():
            closures.add_metric((why,), count)
        yield closures

    def _processes(self) -> Iterator[Metric]:
        reloads = CounterMetricFamily("greendns_reloads", "Loads of changed files, by result", labels=("result",))
        reloads.add_metric(("ok",), self.table.reloads("ok"))
        reloads.add_metric(("error",), self.table.reloads("error"))
        yield reloads
        if self.bank is None or self.generation is None:
            return
        workers = GaugeMetricFamily("greendns_workers", "Processes that answer, by state", labels=("state",))
        workers.add_metric(("configured",), self.generation.config.server.worker_count)
        workers.add_metric(("alive",), self.table.readers(self.bank))
        yield workers
        yield CounterMetricFamily(
            "greendns_worker_restarts", "Workers that died and were replaced", value=self.table.restarts()
        )
        upgrades = CounterMetricFamily("greendns_upgrades", "Upgrades in place, by result", labels=("result",))
        upgrades.add_metric(("ok",), self.table.upgrades("ok"))
        upgrades.add_metric(("error",), self.table.upgrades("error"))
        yield upgrades

    def _instance(self, options: ServerOptions) -> Iterator[Metric]:
        instance = GaugeMetricFamily("geodns_instance_info", "Who this server is", labels=("ID", "IP", "Group"))
        instance.add_metric((options.identifier, options.address, self.group), 1)
        yield instance
        yield GaugeMetricFamily("geodns_start_time_seconds", "When it started, since 1970", value=options.started)
        build = GaugeMetricFamily("geodns_build_info", "The program", labels=("version",))
        build.add_metric((options.version,), 1)
        yield build

    def _zones(self, generation: Generation) -> Iterator[Metric]:
        now = time.time()
        serial = GaugeMetricFamily("greendns_zone_serial", "Serial in service", labels=("zone",))
        age = GaugeMetricFamily("greendns_zone_age_seconds", "Time since the zone was loaded", labels=("zone",))
        took = GaugeMetricFamily("greendns_zone_load_seconds", "What loading the zone took", labels=("zone",))
        for loaded in generation.serving():
            assert loaded.zone is not None
            serial.add_metric((loaded.zone.text,), loaded.zone.serial)
            age.add_metric((loaded.zone.text,), now - loaded.loaded)
            took.add_metric((loaded.zone.text,), loaded.load_seconds)
        errors = GaugeMetricFamily(
            "greendns_file_errors", "Errors in the file as it is; its last good version serves", labels=("file",)
        )
        for loaded in generation.zones.values():
            errors.add_metric((loaded.file,), len(loaded.errors))
        for database in generation.databases.values():
            errors.add_metric((str(database.path),), len(database.errors))
        yield from (serial, age, took, errors)

    def _databases(self, generation: Generation) -> Iterator[Metric]:
        built = GaugeMetricFamily(
            "greendns_geoip_build_timestamp_seconds",
            "When the GeoIP database was built, since 1970",
            labels=("database",),
        )
        for kind, loaded in generation.databases.items():
            if loaded.database is not None:
                built.add_metric((kind,), loaded.database.build_epoch)
        yield built


def registry_of(collector: ServerCollector) -> CollectorRegistry:
    """A registry of ours and of the process's metrics, apart from the library's global one."""
    registry = CollectorRegistry()
    registry.register(collector)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def render(registry: CollectorRegistry) -> bytes:
    """The Prometheus text format."""
    return generate_latest(registry)
