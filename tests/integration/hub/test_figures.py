"""What the hub's figures say before anything has happened: alerts look at an increase, or at an end."""

import pytest

from fieldmesh.basics.clock import ManualClock
from fieldmesh.service.metrics import Registry
from hub.metrics import IngestFigures, StandingFigures


@pytest.mark.parametrize("decision", ["applied", "waiting", "quarantined", "repeated"])
def test_every_decision_shows_nothing_from_the_start(decision: str) -> None:
    """The first batch that goes to quarantine after a start is an increase too."""
    registry = Registry("hub")
    IngestFigures(registry, ManualClock())
    line = f'fieldmesh_hub_ingest_batches_total{{decision="{decision}",node="hub"}} 0.0'
    assert line in registry.exposition().decode()


def test_the_ends_of_authority_and_certificate_are_seconds() -> None:
    """Prometheus compares them with its own time."""
    registry = Registry("hub")
    StandingFigures(registry, 3_000_000, 2_000_000)
    assert registry.value("fieldmesh_hub_authority_ends_timestamp_seconds") == 3
    assert registry.value("fieldmesh_hub_certificate_ends_timestamp_seconds") == 2
