"""The metrics of the dashboard itself, for Prometheus. No model, version, user or address is a label."""

import re
from collections import Counter as Counts
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from paiview import __version__
from paiview.registry.clock import seconds

# No second series with the start time of each counter.
disable_created_metrics()  # type: ignore[no-untyped-call]

MEDIA_TYPE: Final = CONTENT_TYPE_LATEST
_BUCKETS_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0)

_ROUTE: Final = re.compile("/api/(?:models|models/[^/]+/(versions|decision))")

_REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=_REGISTRY)
Gauge("paiview_info", "Always 1; the label is the running version.", ["version"], registry=_REGISTRY).labels(
    __version__
).set(1)

PAI_REQUESTS: Final = Counter(
    "paiview_pai_requests", "Requests sent to PAI, retries included.", ["operation", "outcome"], registry=_REGISTRY
)
PAI_SECONDS: Final = Histogram(
    "paiview_pai_request_seconds",
    "Seconds from sending a request to PAI to the end of its response.",
    ["operation"],
    buckets=_BUCKETS_SECONDS,
    registry=_REGISTRY,
)
API_REQUESTS: Final = Counter("paiview_api_requests", "Responses under /api.", ["route", "status"], registry=_REGISTRY)
REFUSED: Final = Counter("paiview_refused", "Connections refused by the guard.", ["code"], registry=_REGISTRY)
SHARED_READS: Final = Counter(
    "paiview_shared_reads", "Reads that looked in the shared cache first.", ["result"], registry=_REGISTRY
)
SCRIPT_ERRORS: Final = Counter(
    "paiview_script_errors", "Page runs that ended with an internal error.", registry=_REGISTRY
)
PAGES: Final = Gauge("paiview_open_pages", "Pages open in browsers.", registry=_REGISTRY)


class _Cache(Collector):
    """Reads the state of the cache when Prometheus scrapes, so that it costs nothing in between."""

    held: Callable[[], Iterable[tuple[str, float]]] = staticmethod(tuple)
    reading: Callable[[], Iterable[str]] = staticmethod(tuple)
    skipped: Callable[[], int] = staticmethod(int)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The snapshots that the cache holds and the reads that are running."""
        now = seconds()
        ages: dict[str, list[float]] = {}
        for kind, read_at in self.held():
            ages.setdefault(kind, []).append(now - read_at)
        kept = GaugeMetricFamily("paiview_snapshots", "Snapshots in the cache.", labels=["kind"])
        newest = GaugeMetricFamily(
            "paiview_snapshot_newest_age_seconds", "Age of the newest snapshot.", labels=["kind"]
        )
        oldest = GaugeMetricFamily(
            "paiview_snapshot_oldest_age_seconds", "Age of the oldest snapshot.", labels=["kind"]
        )
        for kind, of_kind in ages.items():
            kept.add_metric([kind], len(of_kind))
            newest.add_metric([kind], min(of_kind))
            oldest.add_metric([kind], max(of_kind))
        under_way = GaugeMetricFamily("paiview_reads_under_way", "Reads of PAI that are running.", labels=["kind"])
        for kind, number in Counts(self.reading()).items():
            under_way.add_metric([kind], number)
        skipped = GaugeMetricFamily("paiview_skipped_models", "Models not asked for now because their requests hung.")
        skipped.add_metric([], self.skipped())
        yield from (kept, newest, oldest, under_way, skipped)


_CACHE: Final = _Cache()
_REGISTRY.register(_CACHE)


def watch(
    held: Callable[[], Iterable[tuple[str, float]]],
    reading: Callable[[], Iterable[str]],
    skipped: Callable[[], int] = int,
) -> None:
    """Set the cache whose snapshots and reads are exported; it replaces the one before.

    Args:
        held: returns, for each snapshot, its kind (one of a few constants, never an id) and when it was read, in
            seconds of ``paiview.registry.clock``.
        reading: returns the kind of each running read.
        skipped: returns the number of models that are skipped because their requests hung.
    """
    _CACHE.held, _CACHE.reading, _CACHE.skipped = held, reading, skipped


def pai_request(operation: str, outcome: str, seconds: float) -> None:
    """Count one request to PAI."""
    PAI_REQUESTS.labels(operation, outcome).inc()
    PAI_SECONDS.labels(operation).observe(seconds)


def api_response(path: str, status: int) -> None:
    """Count one response under ``/api``. The label is one of four routes, whatever the path is."""
    match = _ROUTE.fullmatch(path)
    API_REQUESTS.labels((match[1] or "models") if match else "other", status).inc()


def shared_read(result: str) -> None:
    """Count one read that looked in the shared cache first."""
    SHARED_READS.labels(result).inc()


def exposition() -> bytes:
    """All metrics in the text format of Prometheus."""
    return generate_latest(_REGISTRY)
