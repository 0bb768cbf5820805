"""The walking skeleton: one order goes up through gateway and bus to head office, and both ticks come back."""

from pathlib import Path

from tests.kit.network import all_agree, orders_at_hub, patiently, small_network, two_ticks
from tests.kit.ready import WANTED


async def test_one_order_reaches_head_office_and_both_ticks_come_back(tmp_path: Path) -> None:
    """Promises 1 and 2, with nothing going wrong: when this fails, look here first. Every program loads itself."""
    WANTED.set(False)
    async with small_network(tmp_path, gateways=1) as network:
        device = network.devices[0]
        made = await device.ask("order", "--lines", "3")
        answer = await patiently(device, "fast")
        assert answer["gateway_tick"] > [0, 0], answer
        await two_ticks(device)
        assert await orders_at_hub(network) == (1, 3)
        await patiently(device, "full")
        rows = await device.rows(
            f"SELECT lsn > 0 AS confirmed FROM sales_order WHERE number = '{made['number']}'"
        )
        assert rows == [{"confirmed": 1}]
        await all_agree(network, device)
