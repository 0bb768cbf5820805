"""Proof that a device holds what head office holds: digests of both sides, and every row hashed anew."""

from device_agent.app import DeviceAgent
from fieldmesh.data.model import Tier
from fieldmesh.data.schema import TABLES
from tests.bench.company import Measured

_ON_DEVICES = sorted(table.number for table in TABLES.values() if table.is_at(Tier.DEVICE))


async def prove_equal(agent: DeviceAgent, measured: Measured) -> int:
    """The device's rows are those of the hub's partitions, each as it was hashed. Returns how many.

    Raises:
        AssertionError: a digest or a row differs.
    """
    report = await agent.verify()
    assert not report.wrong, report
    assert not report.digests_wrong, report
    assert not report.rows_pending, report
    columns = 'partition, table_no, "rows", low, high FROM fm_digest'
    numbers = ", ".join(map(str, _ON_DEVICES))
    found = await agent.sql(f"SELECT {columns} WHERE rows <> 0")
    held = {tuple(row) for row in found.rows}
    found = await agent.sql("SELECT partition FROM fm_partition")
    partitions = ", ".join(str(row[0]) for row in found.rows)
    meant = await measured.rows(
        f'SELECT {columns} WHERE partition IN ({partitions}) AND table_no IN ({numbers}) AND "rows" <> 0'
    )
    assert held == set(meant), held ^ set(meant)
    return report.rows_checked
