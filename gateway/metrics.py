"""Every figure of a gateway, declared once, with the question that it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from fieldmesh.service.metrics import Registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fieldmesh.basics.clock import Clock

_MICROSECONDS: Final = 1_000_000


class SessionFigures(Protocol):
    """What is counted of a session."""

    mode: str
    outcome: str
    rows_up: int
    rows_down: int
    bytes_up: int
    bytes_down: int


class StoredFigures(Protocol):
    """What is counted of stored batches."""

    @property
    def new(self) -> int:
        """Batches that were not held before."""

    @property
    def known(self) -> int:
        """Batches that were."""

    @property
    def differing(self) -> int:
        """Copies with other bytes."""


class DepthFigures(Protocol):
    """What is counted of the outbox."""

    @property
    def entries(self) -> int:
        """Entries without a receipt."""

    @property
    def oldest_at(self) -> int:
        """Since when the oldest waits; 0 = none."""


class PoolFigures(Protocol):
    """What is counted of a pool."""

    name: str
    inside: int
    waiting: int
    refused: int


class PartitionFigures(Protocol):
    """What is counted of a partition."""

    @property
    def state(self) -> str:
        """Where it stands."""

    @property
    def progressed_at(self) -> int:
        """When it last went on."""


class GatewayMetrics:
    """The figures of one gateway."""

    def __init__(self, node: str, clock: Clock) -> None:
        """All figures stand at nothing."""
        self.registry = registry = Registry(node)
        self._clock = clock
        self._sessions = registry.counter(
            "fieldmesh_gateway_sessions_total",
            "How do sync sessions end?",
            "mode",
            "outcome",
        )
        self._session_time = registry.histogram(
            "fieldmesh_gateway_session_seconds",
            "How long do sync sessions take?",
            "mode",
        )
        self._rows = registry.counter(
            "fieldmesh_gateway_rows_total", "How many rows go up and down?", "direction"
        )
        self._bytes = registry.counter(
            "fieldmesh_gateway_transferred_bytes_total",
            "How much goes up and down?",
            "direction",
        )
        self._batches = registry.counter(
            "fieldmesh_gateway_batches_total",
            "Do batches come once (new) or again?",
            "kind",
        )
        self._differed = registry.counter(
            "fieldmesh_gateway_device_differences_total",
            "How often did a device differ from its gateway (promise 5)?",
        )
        self._ranges = registry.counter(
            "fieldmesh_gateway_differing_ranges_total",
            "How many ranges differed from the hub (promise 5)?",
        )
        self._mark = registry.gauge(
            "fieldmesh_gateway_mark_lsn", "Which hub state does the gateway show?"
        )
        self._lag = registry.gauge(
            "fieldmesh_gateway_mark_lag_seconds",
            "How old was the last mark when applied?",
        )
        self._outbox = registry.gauge(
            "fieldmesh_gateway_outbox_entries", "How much waits for the hub's receipt?"
        )
        self._oldest = registry.gauge(
            "fieldmesh_gateway_outbox_oldest_seconds",
            "How long has the oldest entry waited?",
        )
        self._partitions = registry.gauge(
            "fieldmesh_gateway_held_partitions", "Where do partitions stand?", "state"
        )
        self._stuck = registry.gauge(
            "fieldmesh_gateway_seed_oldest_progress_seconds",
            "How long has the slowest seed made no progress?",
        )
        self._progress = registry.gauge(
            "fieldmesh_gateway_last_progress_timestamp_seconds",
            "When did each loop last go on?",
            "loop",
        )
        self._free = registry.gauge(
            "fieldmesh_gateway_disk_free_bytes", "How much room is on the disk?"
        )
        self._certificate = registry.gauge(
            "fieldmesh_gateway_certificate_ends_timestamp_seconds",
            "When does the gateway's certificate end?",
        )
        self._line = registry.gauge(
            "fieldmesh_gateway_hub_reachable_info",
            "Is the hub reachable (1) or away (0)?",
        )
        self._pool = registry.gauge(
            "fieldmesh_gateway_pool_sessions",
            "Who is in, waits, was sent away?",
            "pool",
            "kind",
        )

    def session_ended(self, row: SessionFigures, *, seconds: float) -> None:
        """A session has ended."""
        self._sessions.labels(mode=row.mode, outcome=row.outcome).inc()
        self._session_time.labels(mode=row.mode).observe(seconds)
        self._rows.labels(direction="up").inc(row.rows_up)
        self._rows.labels(direction="down").inc(row.rows_down)
        self._bytes.labels(direction="up").inc(row.bytes_up)
        self._bytes.labels(direction="down").inc(row.bytes_down)

    def batches_stored(self, stored: StoredFigures) -> None:
        """Batches were stored, or were held already."""
        self._batches.labels(kind="new").inc(stored.new)
        self._batches.labels(kind="known").inc(stored.known)
        self._batches.labels(kind="differing").inc(stored.differing)

    def device_differed(self) -> None:
        """A device's digests were not the gateway's."""
        self._differed.labels().inc()

    def verified(self, ranges: int) -> None:
        """So many ranges differed from the hub."""
        self._ranges.labels().inc(ranges)

    def marked(self, lsn: int, *, lag_us: int) -> None:
        """A mark was applied."""
        self._mark.labels().set(lsn)
        self._lag.labels().set(lag_us / _MICROSECONDS)

    def partitions(self, rows: Sequence[PartitionFigures]) -> None:
        """Where partitions stand now."""
        counts = dict.fromkeys(("wanted", "seeding", "seeded", "ready", "leaving"), 0)
        oldest = now = self._clock.now()
        for row in rows:
            counts[str(row.state)] += 1
            if row.state != "ready":
                oldest = min(oldest, row.progressed_at)
        for state, count in counts.items():
            self._partitions.labels(state=state).set(count)
        self._stuck.labels().set((now - oldest) / _MICROSECONDS)

    def progressed(self, loop: str) -> None:
        """The loop has gone round."""
        self._progress.labels(loop=loop).set(self._clock.now() / _MICROSECONDS)

    def looked(
        self,
        *,
        depth: DepthFigures,
        free_bytes: int,
        reachable: bool,
        certificate_ends_at: int,
        pools: Iterable[PoolFigures],
    ) -> None:
        """Depths and pools as they are now."""
        now = self._clock.now()
        self._outbox.labels().set(depth.entries)
        waited = now - depth.oldest_at if depth.oldest_at else 0
        self._oldest.labels().set(waited / _MICROSECONDS)
        self._free.labels().set(free_bytes)
        self._line.labels().set(int(reachable))
        self._certificate.labels().set(certificate_ends_at / _MICROSECONDS)
        for pool in pools:
            self._pool.labels(pool=pool.name, kind="inside").set(pool.inside)
            self._pool.labels(pool=pool.name, kind="waiting").set(pool.waiting)
            self._pool.labels(pool=pool.name, kind="refused").set(pool.refused)
