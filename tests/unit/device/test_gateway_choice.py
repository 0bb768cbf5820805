"""Which gateway a device asks first."""

from pathlib import Path

from device_agent.link.gateways import AVOID_US, TRUST_US, Candidate, in_order, is_measured
from device_agent.storage.gateways import DDL, GatewayRow, known_gateways, replace_hub_list
from fieldmesh.service.database import connect

NOW = 10 * TRUST_US


def way(name: str, latency_us: int = 0, measured_at: int = NOW, failed_at: int = 0) -> Candidate:
    """A candidate."""
    return Candidate(
        name.encode(), name, f"{name}:1", latency_us=latency_us, measured_at=measured_at,
        failed_at=failed_at,
    )  # fmt: skip


def test_the_nearest_healthy_gateway_comes_first() -> None:
    """Else a rep in Varna syncs with Sofia."""
    ways = [way("far", 900), way("near", 100), way("sick", 1, failed_at=NOW - 1)]
    assert [found.name for found in in_order(ways, NOW)] == ["near", "far", "sick"]


def test_a_failure_is_forgiven_after_a_while() -> None:
    """Else a gateway that was restarted is never asked again."""
    ways = [way("far", 900), way("near", 100, failed_at=NOW - AVOID_US)]
    assert in_order(ways, NOW)[0].name == "near"


def test_a_failure_under_a_clock_that_was_ahead_is_forgiven() -> None:
    """Else a clock that is set right keeps the nearest gateway away for days."""
    ways = [way("far", 900), way("near", 100, failed_at=NOW + AVOID_US)]
    assert in_order(ways, NOW)[0].name == "near"


def test_an_old_measurement_is_taken_anew() -> None:
    """A device moves: what was near yesterday may be far."""
    assert is_measured([way("near", 100)], NOW)
    assert not is_measured([way("near", 100, measured_at=NOW - TRUST_US)], NOW)
    assert not is_measured([way("near", 100, failed_at=NOW - 1)], NOW)
    assert not is_measured([], NOW)


def test_an_empty_list_takes_nothing_away(tmp_path: Path) -> None:
    """A gateway that has lost its disk knows nobody yet: its answer left a device without any gateway."""
    connection = connect(tmp_path / "device.db")
    connection.executescript(DDL)
    told = [GatewayRow("sofia:1", b"s" * 16, "Sofia"), GatewayRow("varna:1", b"v" * 16, "Varna")]
    replace_hub_list(connection, told)
    replace_hub_list(connection, [])
    kept = known_gateways(connection)
    replace_hub_list(connection, told[:1])
    left = known_gateways(connection)
    connection.close()
    assert (kept, left) == (told, told[:1])
