"""Every figure of the hub, declared once, with the question that it answers."""

from typing import Protocol

from fieldmesh.basics.clock import Clock
from fieldmesh.service.metrics import Registry

_MICROSECONDS = 1_000_000
_DECISIONS = ("applied", "waiting", "quarantined", "repeated")


class GroupFigures(Protocol):
    """What is counted of one ingest transaction."""

    lsn: int
    applied: int
    rows: int
    refused: int
    waiting: int
    early: int
    breaks: int
    quarantined: int
    repeated: int
    conflicts: int
    sessions: int


class IngestFigures:
    """What ingest did."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        """Figures are declared in ``registry``."""
        self._clock = clock
        self._batches = registry.counter(
            "fieldmesh_hub_ingest_batches_total", "How were batches decided?", "decision"
        )
        for decision in _DECISIONS:
            # All of them show 0 from the start: Prometheus sees no increase without a value before.
            self._batches.labels(decision=decision)
        self._rows = registry.counter(
            "fieldmesh_hub_ingest_rows_total", "How many rows did devices bring?"
        ).labels()
        self._refused = registry.counter(
            "fieldmesh_hub_refused_rows_total", "How many rows went back with a reason?"
        ).labels()
        self._breaks = registry.counter(
            "fieldmesh_hub_chain_breaks_total",
            "How many batches follow another one than was decided before them?",
        ).labels()
        self._early = registry.counter(
            "fieldmesh_hub_early_rows_total",
            "How many rows came before the colleague's row that they change?",
        ).labels()
        self._conflicts = registry.counter(
            "fieldmesh_hub_conflicts_total", "How many column writes lost against another?"
        ).labels()
        self._sessions = registry.counter(
            "fieldmesh_hub_sessions_total", "How many sync sessions were journalled?"
        ).labels()
        self._lsn = registry.gauge(
            "fieldmesh_hub_committed_lsn", "What is the newest commit of ingest?"
        ).labels()
        self._progress = registry.gauge(
            "fieldmesh_hub_ingest_last_progress_timestamp_seconds", "Is ingest alive?"
        ).labels()

    def applied(self, result: GroupFigures) -> None:
        """A transaction was committed."""
        counts = (result.applied, result.waiting, result.quarantined, result.repeated)
        for decision, count in zip(_DECISIONS, counts, strict=True):
            self._batches.labels(decision=decision).inc(count)
        self._rows.inc(result.rows)
        self._refused.inc(result.refused)
        self._early.inc(result.early)
        self._breaks.inc(result.breaks)
        self._conflicts.inc(result.conflicts)
        self._sessions.inc(result.sessions)
        self._lsn.set(result.lsn)

    def progressed(self) -> None:
        """The loop went round."""
        self._progress.set(self._clock.now() / _MICROSECONDS)


class RelayFigures:
    """What the relay did."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        """Figures are declared in ``registry``."""
        self._clock = clock
        self._messages = registry.counter(
            "fieldmesh_hub_published_messages_total", "How many messages went down?"
        ).labels()
        self._lsn = registry.gauge(
            "fieldmesh_hub_published_lsn", "Up to which commit do gateways hear?"
        ).labels()
        self._depth = registry.gauge(
            "fieldmesh_hub_down_outbox_messages", "How many messages wait to go down?"
        ).labels()
        self._progress = registry.gauge(
            "fieldmesh_hub_relay_last_progress_timestamp_seconds", "Is the relay alive?"
        ).labels()

    def published(self, messages: int, lsn: int) -> None:
        """Messages up to the commit are at the broker."""
        self._messages.inc(messages)
        self._lsn.set(lsn)

    def progressed(self, waiting: int) -> None:
        """The loop went round; ``waiting`` messages are still to go."""
        self._depth.set(waiting)
        self._progress.set(self._clock.now() / _MICROSECONDS)


class RequestFigures:
    """Whom the workplace has not served: who asked too often, and who came when too many did."""

    def __init__(self, registry: Registry) -> None:
        """Figures are declared in ``registry``."""
        self._refused = registry.counter(
            "fieldmesh_hub_refused_requests_total", "How many requests came too soon?", "who"
        )
        self._turned_away = registry.counter(
            "fieldmesh_hub_turned_away_requests_total",
            "How many requests were told to come again, because too many came at once?",
        ).labels()

    def refused(self, who: str) -> None:
        """A request came too soon: of a ``person``, of a ``stranger``, or an ``attempt`` to get in."""
        self._refused.labels(who=who).inc()

    def turned_away(self) -> None:
        """A request has waited for its turn longer than a person would."""
        self._turned_away.inc()


class StandingFigures:
    """What runs out: room on the disk, days of authority and certificate; and how old the backup is."""

    def __init__(
        self, registry: Registry, authority_ends_at: int, certificate_ends_at: int
    ) -> None:
        """Figures are declared in ``registry``.

        Args:
            registry: the hub's.
            authority_ends_at: UTC microseconds.
            certificate_ends_at: UTC microseconds; of the servers' certificate, which is made at each start.
        """
        self._free = registry.gauge(
            "fieldmesh_hub_disk_free_bytes", "How much room is on the hub's disk?"
        ).labels()
        self._backup = registry.gauge(
            "fieldmesh_hub_backup_age_seconds",
            "How old is the newest backup, or how long is the hub up without one? On SQL Server 0.",
        ).labels()
        ends = registry.gauge(
            "fieldmesh_hub_authority_ends_timestamp_seconds", "When does the authority end?"
        )
        ends.labels().set(authority_ends_at / _MICROSECONDS)
        certificate = registry.gauge(
            "fieldmesh_hub_certificate_ends_timestamp_seconds",
            "When does the certificate end that the hub has made at its start?",
        )
        certificate.labels().set(certificate_ends_at / _MICROSECONDS)

    def looked(self, free_bytes: int, *, backup_age_us: int) -> None:
        """The disk has so much room, and the newest backup is so old."""
        self._free.set(free_bytes)
        self._backup.set(backup_age_us / _MICROSECONDS)
