"""Counters of what became of packets, and everything as Prometheus metrics: geodns's names first (G221, G222).

No gevent. Counting is a dictionary of plain integers; prometheus_client turns it into text when asked. No label comes
from a client: a qname only if it stands in the zone file, a type only if it has a name.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from .codes import RRTYPE_NAMES, Rcode, rcode_name
from .loader import Generation
from .name import relative_text
from .snapshot import ServerOptions
from .zone import Zone

# What geodns writes for a name that is not told, and for one that is not there (G221).
UNTOLD = "_"
NOT_THERE = "_error"
OTHER = "other"


class Counters:
    """What became of every packet read: each moves exactly one `outcomes` cell."""

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self.queries: Counter[tuple[str, str, str, str]] = Counter()
        self.truncated = 0
        self.failures = 0
        self.unsent = 0
        self.reloads: Counter[str] = Counter()

    def count_packet(self, transport: str, kind: str) -> None:
        """Move the one cell of a packet that was read."""
        self.outcomes[transport, kind] += 1

    def count_query(self, zone: Zone | None, qtype: int, owner: bytes | None, rcode: int, detailed: bool) -> None:
        """Count a question as geodns does: debug names are not counted (G184), refused ones are (G111)."""
        qname = UNTOLD
        if rcode == Rcode.NXDOMAIN:
            qname = NOT_THERE
        elif detailed and owner is not None:
            qname = relative_text(owner)
        type_name = RRTYPE_NAMES.get(qtype, OTHER)
        self.queries[zone.text if zone is not None else UNTOLD, type_name, qname, rcode_name(rcode)] += 1


class ServerCollector(Collector):
    """Counters and the generation in service, as metric families."""

    def __init__(self, counters: Counters, groups: tuple[str, ...]) -> None:
        self.counters = counters
        self.group = groups[0] if groups else ""
        self.generation: Generation | None = None

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead of time: what there is depends on what is loaded."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Every family, as it is now."""
        yield from self._queries()
        if self.generation is not None:
            yield from self._instance(self.generation.snapshot.options)
            yield from self._zones(self.generation)
            yield from self._databases(self.generation)

    def _queries(self) -> Iterator[Metric]:
        queries = CounterMetricFamily("dns_queries", "Questions answered", labels=("zone", "qtype", "qname", "rcode"))
        for labels, count in list(self.counters.queries.items()):
            queries.add_metric(labels, count)
        yield queries
        packets = CounterMetricFamily(
            "greendns_packets", "Packets read, by what became of them", labels=("transport", "outcome")
        )
        for packet_labels, count in list(self.counters.outcomes.items()):
            packets.add_metric(packet_labels, count)
        yield packets
        yield CounterMetricFamily(
            "greendns_truncated_answers", "Answers with TC set, for want of room", value=self.counters.truncated
        )
        yield CounterMetricFamily(
            "greendns_failures", "Packets answered SERVFAIL because of a fault of ours", value=self.counters.failures
        )
        yield CounterMetricFamily(
            "greendns_unsent_answers", "Answers that the system did not take", value=self.counters.unsent
        )
        reloads = CounterMetricFamily("greendns_reloads", "Loads of changed files, by result", labels=("result",))
        for result in ("ok", "error"):
            reloads.add_metric((result,), self.counters.reloads[result])
        yield reloads

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
