"""What the dashboard counts about itself, for Prometheus: no model, version, user or address is a label."""

from collections import Counter as Counts
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from paiview import __version__
from paiview.registry.clock import seconds

# Without a series of its own for when each counter was begun, which nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]

MEDIA_TYPE: Final = CONTENT_TYPE_LATEST
_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)

_REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=_REGISTRY)
Gauge("paiview_info", "1; the version that runs is the label.", ["version"], registry=_REGISTRY).labels(
    __version__
).set(1)

PAI_REQUESTS: Final = Counter(
    "paiview_pai_requests", "Requests sent to PAI, retries included.", ["operation", "outcome"], registry=_REGISTRY
)
PAI_SECONDS: Final = Histogram(
    "paiview_pai_request_seconds",
    "Seconds from sending a request to PAI until its whole answer.",
    ["operation"],
    buckets=_SECONDS,
    registry=_REGISTRY,
)
API_REQUESTS: Final = Counter("paiview_api_requests", "Answers under /api.", ["route", "status"], registry=_REGISTRY)
REFUSED: Final = Counter(
    "paiview_refused", "Connections refused before anything was read.", ["code"], registry=_REGISTRY
)
SHARED_READS: Final = Counter(
    "paiview_shared_reads", "Reads that asked the shared cache first.", ["result"], registry=_REGISTRY
)
SCRIPT_ERRORS: Final = Counter("paiview_script_errors", "Runs of a page that failed by a fault.", registry=_REGISTRY)
PAGES: Final = Gauge("paiview_open_pages", "Pages open in browsers.", registry=_REGISTRY)


class _Cache(Collector):
    """Asks the cache when Prometheus asks, so that reading costs nothing between."""

    held: Callable[[], Iterable[tuple[str, float]]] = staticmethod(tuple)
    reading: Callable[[], Iterable[str]] = staticmethod(tuple)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give what the cache holds and reads now."""
        now = seconds()
        ages: dict[str, list[float]] = {}
        for kind, read_at in self.held():
            ages.setdefault(kind, []).append(now - read_at)
        kept = GaugeMetricFamily("paiview_snapshots", "Snapshots kept.", labels=["kind"])
        newest = GaugeMetricFamily("paiview_snapshot_newest_age_seconds", "Age of the newest.", labels=["kind"])
        oldest = GaugeMetricFamily("paiview_snapshot_oldest_age_seconds", "Age of the oldest.", labels=["kind"])
        for kind, of_kind in ages.items():
            kept.add_metric([kind], len(of_kind))
            newest.add_metric([kind], min(of_kind))
            oldest.add_metric([kind], max(of_kind))
        under_way = GaugeMetricFamily("paiview_reads_under_way", "Reads of PAI under way.", labels=["kind"])
        for kind, number in Counts(self.reading()).items():
            under_way.add_metric([kind], number)
        yield from (kept, newest, oldest, under_way)


_CACHE: Final = _Cache()
_REGISTRY.register(_CACHE)


def watch(held: Callable[[], Iterable[tuple[str, float]]], reading: Callable[[], Iterable[str]]) -> None:
    """Show the snapshots of a cache and the reads it has under way, in place of those shown before.

    Args:
        held: gives the kind of each snapshot kept, one of the few queries there are and never whose, and when it was
            read by ``paiview.registry.clock``.
        reading: gives the kinds that are being read.
    """
    _CACHE.held, _CACHE.reading = held, reading


def pai_request(operation: str, outcome: str, seconds: float) -> None:
    """Count one request to PAI."""
    PAI_REQUESTS.labels(operation, outcome).inc()
    PAI_SECONDS.labels(operation).observe(seconds)


def shared_read(result: str) -> None:
    """Count one read that asked the shared cache first."""
    SHARED_READS.labels(result).inc()


def exposition() -> bytes:
    """Everything counted, as Prometheus reads it."""
    return generate_latest(_REGISTRY)
