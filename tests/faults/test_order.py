"""Two gateways take one device's batches, and the later batch reaches head office first."""

from pathlib import Path

import pytest

from fieldmesh.wire.v1 import batch_pb2
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


def keep_newest(carried: Path) -> None:
    """The file holds the device's newest batch alone."""
    file = batch_pb2.CarrierFile.FromString(carried.read_bytes())
    del file.batches[:-1]
    carried.write_bytes(file.SerializeToString())


async def test_a_batch_that_overtakes_another_waits_for_it(tmp_path: Path) -> None:
    """Promise 3: head office shows the gap, applies nothing behind it, and goes on when the first gateway is back."""
    async with small_network(tmp_path) as network:
        device, (first, second) = network.devices[0], network.gateways
        await two_ticks(device)
        network.line.cut()
        await device.ask("order", "--lines", str(LINES))
        await patiently(device, "fast", "--gateway", first.address)
        await first.service.kill()
        await device.ask("order", "--lines", str(LINES))
        carried = tmp_path / "second.batches"
        await device.ask("export", str(carried))
        keep_newest(carried)
        network.line.mend()
        await second.ask("import", str(carried))

        async def shows_gap() -> bool:
            return bool((await network.hub.ask("gap", "list"))["gaps"])

        await eventually("head office shows the gap", shows_gap)
        assert await orders_at_hub(network) == (0, 0)
        await first.start()

        async def is_healed() -> bool:
            return not (await network.hub.ask("gap", "list"))["gaps"]

        await eventually("the gap is closed", is_healed)
        await two_ticks(device)
        assert await orders_at_hub(network) == (2, 2 * LINES)
        await all_agree(network, device)
