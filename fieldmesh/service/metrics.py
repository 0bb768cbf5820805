"""Figures of a node: declared once per tier, always with a ``node`` label, served over HTTP.

A tier's ``metrics.py`` declares, with the question that each figure answers:

    registry = Registry(node="gw-7")
    batches = registry.counter("fieldmesh_gateway_batches_total", "How many came?", "source")
    batches.labels(source="wire").inc()
    batches.labels()          # a figure without labels of its own

Many nodes may live in one process (tests, the demo): each has a registry of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.registry import Collector

from fieldmesh.basics.errors import Defect

if TYPE_CHECKING:
    from collections.abc import Sequence

F = TypeVar("F", Counter, Gauge, Histogram)

NODE_LABEL: Final = "node"
NAME: Final = re.compile(
    r"fieldmesh_(device|gateway|hub)_[a-z0-9_]+"
    r"_(total|seconds|bytes|rows|batches|sessions|messages|partitions|lsn|entries|ratio|info|count)"
)
FORBIDDEN_LABELS: Final = frozenset({"device", "device_id", "person", "user", "outlet", "login"})
SECONDS_BUCKETS: Final = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Declaration:
    """One figure as it is documented."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...]


class Figure(Generic[F]):
    """A declared figure of one node."""

    def __init__(self, inner: F, node: str) -> None:
        """Use a `Registry`."""
        self._inner: F = inner
        self._node = node

    def labels(self, **labels: str) -> F:
        """The figure for these labels; the node's is added."""
        return self._inner.labels(**{NODE_LABEL: self._node, **labels})


class Registry:
    """All figures of one node."""

    def __init__(self, node: str) -> None:
        """Figures carry ``node`` as their label."""
        self.node = node
        self.declared: list[Declaration] = []
        self._collected = CollectorRegistry()

    def counter(self, name: str, question: str, *labels: str) -> Figure[Counter]:
        """A count that only grows; its name ends in ``_total``."""
        self._declare(name, "counter", question, labels)
        inner = Counter(name, question, (NODE_LABEL, *labels), registry=self._collected)
        return self._figure(inner, labels)

    def gauge(self, name: str, question: str, *labels: str) -> Figure[Gauge]:
        """A value that goes up and down."""
        self._declare(name, "gauge", question, labels)
        inner = Gauge(name, question, (NODE_LABEL, *labels), registry=self._collected)
        return self._figure(inner, labels)

    def histogram(
        self, name: str, question: str, *labels: str, buckets: Sequence[float] = SECONDS_BUCKETS
    ) -> Figure[Histogram]:
        """Durations or sizes in buckets."""
        self._declare(name, "histogram", question, labels)
        inner = Histogram(
            name, question, (NODE_LABEL, *labels), registry=self._collected, buckets=buckets
        )
        return self._figure(inner, labels)

    def exposition(self) -> bytes:
        """All figures in the Prometheus text format."""
        return generate_latest(self._collected)

    def value(self, name: str, **labels: str) -> float:
        """A figure's value now; 0 if it was never set. For tests and status pages."""
        found = self._collected.get_sample_value(name, {NODE_LABEL: self.node, **labels})
        return 0.0 if found is None else found

    def _declare(self, name: str, kind: str, question: str, labels: tuple[str, ...]) -> None:
        if not NAME.fullmatch(name) or not question or FORBIDDEN_LABELS & set(labels):
            raise Defect("defect", place=name, reason="not a name, question or label of the house")
        self.declared.append(Declaration(name, kind, question, labels))

    def _figure(self, inner: F, labels: tuple[str, ...]) -> Figure[F]:
        if not labels:
            # A figure without labels of its own shows 0 from the start, so that alerts can see it.
            inner.labels(self.node)
        return Figure(inner, self.node)

    def collect_from(self, collector: Collector) -> None:
        """The collector's figures are served with the registry's."""
        self._collected.register(collector)
