"""A rep who writes to the device's database by hand: what head office takes from them, and what it tells them."""

from collections.abc import Iterator

import pytest

from deploy.demo.network import Device, Network
from tests.kit.network import eventually, orders_at_hub, patiently, two_ticks
from tests.kit.standing import Standing, standing_network

NEW_ID = "randomblob(16)"
ORDER = "SELECT id FROM sales_order ORDER BY created_at DESC LIMIT 1"
COPIED = "created_at, changed_at, order_id, product_unit_id, quantity, price, amount"
ADDED_LINE = f"""INSERT INTO order_line (id, line_number, {COPIED})
 SELECT {NEW_ID}, 99, {COPIED} FROM order_line WHERE order_id = ({ORDER}) LIMIT 1"""
WHO = "SELECT lower(hex(position_id)) AS id FROM fm_device"


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """A network with two reps."""
    with standing_network(tmp_path_factory.mktemp("rep")) as made:
        yield made


def test_nothing_is_added_to_an_order_that_head_office_has(standing: Standing) -> None:
    """Promise 7: the warehouse picks what was ordered; a line slipped in afterwards comes back with a reason."""

    async def work(network: Network) -> None:
        device = network.devices[0]
        orders, lines = await orders_at_hub(network)
        await device.ask("order", "--lines", "2")
        await device.ask("sql", ADDED_LINE)
        await two_ticks(device)
        taken_in = await orders_at_hub(network)
        assert taken_in == (orders + 1, lines + 3)  # What was added before it left is part of it.
        await device.ask("sql", ADDED_LINE)
        assert "document_handed_over" in await _reasons(device)
        assert await orders_at_hub(network) == taken_in
        await patiently(device, "full")
        assert await device.rows("SELECT 1 FROM order_line WHERE lsn = 0") == []

    standing.run(work)


def test_nobody_writes_in_the_name_of_a_colleague(standing: Standing) -> None:
    """Promise 7: commissions and blame follow the name on a document, so it is the writer's or none."""

    async def work(network: Network) -> None:
        device, other = network.devices[:2]
        colleague = (await other.rows(WHO))[0]["id"]
        before = await orders_at_hub(network)
        await device.ask("order", "--lines", "2")
        await device.ask(
            "sql", f"UPDATE sales_order SET position_id = x'{colleague}' WHERE lsn = 0"
        )
        assert "another_name" in await _reasons(device)
        assert await orders_at_hub(network) == before
        await patiently(device, "full")
        assert await device.rows("SELECT 1 FROM sales_order WHERE lsn = 0") == []

    standing.run(work)


async def _reasons(device: Device) -> set[object]:
    """Why rows of the device were refused, once head office has answered."""
    found: set[object] = set()
    seen = len(await _rejects(device))

    async def is_told() -> bool:
        await patiently(device, "fast")
        rejects = await _rejects(device)
        found.update(one["code"] for one in rejects)
        return len(rejects) > seen

    await eventually("the rep was told why", is_told)
    return found


async def _rejects(device: Device) -> list[dict[str, object]]:
    rejects = (await device.ask("rejects"))["rejects"]
    assert isinstance(rejects, list)
    return rejects
