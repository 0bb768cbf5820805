"""A device that differs from its gateway: found, replaced, repaired; promises 4 and 5."""

from device_agent.app import DeviceAgent
from fieldmesh.session.transitions import Mode
from tests.integration.device.company import identifier
from tests.integration.device.gateway_double import GatewayDouble


async def rows_of(device: DeviceAgent, statement: str) -> list[tuple[object, ...]]:
    """What a query gives."""
    return list((await device.sql(statement)).rows)


async def test_a_difference_is_found_and_repaired(device: DeviceAgent) -> None:
    """Promise 5: a row that was lost on the device comes back, and the report says so."""
    await device.sync(Mode.INITIALIZE)
    await device._context.database.apply(lambda found: found.execute("DELETE FROM outlet"))
    report = await device.sync(Mode.FULL)
    assert report.repaired
    assert (await device.tables())["outlet"] == 5


async def test_rows_of_a_lost_future_give_way_in_the_delta_itself(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Promise 4: until a repair came, a restored price would stand beside names of another state."""
    company = gateway.company
    before = dict(company.rows["outlet"])
    mine, theirs = (identifier(1000 + number) for number in (0, 1))
    await device.sync(Mode.INITIALIZE)
    for row in (mine, theirs):
        company.put("outlet", row, 11, code="LOST", name="Shop")
    await device.sync(Mode.FULL)
    company.rows["outlet"], company.lsn, company.restored = before, company.lsn + (1 << 32), True
    report = await device.sync(Mode.FULL)
    assert not report.repaired
    assert await rows_of(device, "SELECT count(*) FROM outlet WHERE code = 'LOST'") == [(0,)]
    assert await rows_of(device, "SELECT count(*) FROM outlet") == [(len(before),)]


async def test_a_damaged_row_is_found_by_the_deep_check(device: DeviceAgent) -> None:
    """Promise 5: content that is not what the hub hashed cannot hide."""
    await device.sync(Mode.INITIALIZE)
    await device._context.database.apply(
        lambda found: found.execute("UPDATE outlet SET name = 'altered' WHERE code = 'O1'")
    )
    assert len((await device.verify(repair=True)).wrong["outlet"]) == 1
    await device.sync(Mode.FULL)
    assert await rows_of(device, "SELECT name FROM outlet WHERE code = 'O1'") == [("Shop",)]


async def test_text_that_is_none_does_not_stop_a_full_sync(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Promise 5: it had gone up, and no sync came to its end any more: nothing could read the row that is there."""
    values = {"outlet_id": identifier(1001), "name": "Ana"}
    gateway.company.put("contact", identifier(7), 11, **values)
    await device.sync(Mode.INITIALIZE)
    await device.sql("UPDATE contact SET name = CAST(x'416e61fc' AS TEXT)")
    await device.sync(Mode.FAST)
    (place,) = gateway.batches
    gateway.hub_tick = place
    gateway.company.put("contact", identifier(7), 11, **values | {"name": "Anna"})
    assert (await device.sync(Mode.FULL)).outcome == "done"
    assert await rows_of(device, "SELECT name FROM contact") == [("Anna",)]


async def test_a_row_that_a_restored_hub_has_in_a_partition_without_others_comes_at_once(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Promise 4: it had moved on in the lost future, and left its partition empty on the device."""
    company, mine = gateway.company, identifier(2000)
    company.partitions = {11, 12, 13}
    company.put("outlet", mine, 13, code="MOVED", name="Shop")
    before = dict(company.rows["outlet"])
    await device.sync(Mode.INITIALIZE)
    company.put("outlet", mine, 11, code="MOVED", name="Shop")
    await device.sync(Mode.FULL)
    company.rows["outlet"], company.lsn, company.restored = before, company.lsn + (1 << 32), True
    report = await device.sync(Mode.FULL)
    assert not report.repaired
    found = await rows_of(device, "SELECT partition FROM outlet WHERE code = 'MOVED'")
    assert found == [(13,)]


async def test_a_deletion_that_waits_counts_no_row_that_a_restored_hub_has_not(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Promise 5: its partition has no other rows; the device differed from then on, whatever came."""
    company = gateway.company
    company.partitions = {11, 12, 13}
    await device.sync(Mode.INITIALIZE)
    values = {"outlet_id": identifier(1001), "name": "Ana"}
    company.put("contact", identifier(7), 13, **values)
    await device.sync(Mode.FULL)
    await device.sql("DELETE FROM contact")
    company.rows["contact"], company.lsn, company.restored = {}, company.lsn + (1 << 32), True
    report = await device.sync(Mode.FULL)
    assert not report.repaired
    company.put("contact", identifier(7), 13, **values)
    company.restored = False
    await device.sync(Mode.FULL)
    del company.rows["contact"][identifier(7)]
    assert (await device.sync(Mode.FULL)).repaired
    assert not (await device.sync(Mode.FULL)).repaired


async def test_a_row_that_was_deleted_and_made_again_counts_once(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Promise 5: the hub's newer version came while both waited, and every sync needed a repair."""
    values = {"outlet_id": identifier(1001), "name": "Ana"}
    gateway.company.put("contact", identifier(7), 11, **values)
    await device.sync(Mode.INITIALIZE)
    await device.sql("DELETE FROM contact")
    await device.sql(
        "INSERT INTO contact (id, outlet_id, name) VALUES (?, ?, 'Mine')",
        (identifier(7), identifier(1001)),
    )
    gateway.company.put("contact", identifier(7), 11, **values)
    assert not (await device.sync(Mode.FULL)).repaired
    assert await rows_of(device, "SELECT name FROM contact") == [("Mine",)]
