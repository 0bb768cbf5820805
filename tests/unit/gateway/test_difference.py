"""A device that differs: the figure counts it, and the log names it."""

import logging

import pytest

from fieldmesh.basics.clock import ManualClock
from gateway.metrics import GatewayMetrics
from gateway.serving.repairs import note_difference

DEVICE = b"d" * 16


def test_the_log_says_which_device_differed(caplog: pytest.LogCaptureFixture) -> None:
    """Figures name no device, so an operator who hears the alert looks here."""
    metrics = GatewayMetrics("G1", ManualClock())
    with caplog.at_level(logging.WARNING, logger="gateway.serving.repairs"):
        note_difference(metrics, DEVICE, 3)
    assert metrics.registry.value("fieldmesh_gateway_device_differences_total") == 1
    (record,) = caplog.records
    assert record.getMessage() == "device_differed"
    assert (record.device, record.ranges) == (DEVICE.hex(), 3)  # type: ignore[attr-defined]
