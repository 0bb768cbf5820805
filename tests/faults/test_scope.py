"""An outlet goes to another rep while both are offline and the old rep still holds an order for it."""

from pathlib import Path

import pytest

from tests.kit.network import (
    all_agree,
    eventually,
    orders_at_hub,
    patiently,
    small_network,
    two_ticks,
)

pytestmark = pytest.mark.chosen

LINES = 2


async def test_an_order_for_an_outlet_that_has_moved_arrives_and_moves_too(tmp_path: Path) -> None:
    """Promises 1 and 6: the old rep's order counts; the outlet, orders and lines leave one device for the other."""
    async with small_network(tmp_path) as network:
        old, new = network.devices
        found = await old.rows("SELECT code FROM outlet WHERE status = 'active' ORDER BY code")
        outlet = str(found[0]["code"])
        await old.ask("order", "--outlet", outlet, "--lines", str(LINES))
        await two_ticks(old)
        await old.ask("order", "--outlet", outlet, "--lines", str(LINES))
        await network.hub.ask("outlet", "move", outlet, "--to", new.login.upper())
        await two_ticks(old)
        assert await orders_at_hub(network) == (2, 2 * LINES)
        held = (
            f"SELECT (SELECT count(*) FROM outlet WHERE code = '{outlet}') AS outlets,"
            " (SELECT count(*) FROM sales_order WHERE state = 'saved') AS orders,"
            " (SELECT count(*) FROM order_line l JOIN sales_order o ON o.id = l.order_id"
            " WHERE o.state = 'saved') AS lines"
        )

        async def has_left() -> bool:
            await patiently(old, "full")
            return await old.rows(held) == [{"outlets": 0, "orders": 0, "lines": 0}]

        async def has_come() -> bool:
            await patiently(new, "full")
            return await new.rows(held) == [{"outlets": 1, "orders": 2, "lines": 2 * LINES}]

        await eventually("the old rep's rows are gone", has_left)
        await eventually("the new rep has the rows", has_come)
        await all_agree(network, old, new)
