"""Trouble with devices and their batches, for the pages that are followed in `test_runbooks`."""

import shutil
from pathlib import Path

from deploy.demo.network import Network
from fieldmesh.service import tls
from fieldmesh.wire.v1 import batch_pb2
from tests.kit.certificates import authority_key, ended
from tests.kit.dishonest import rewrite_waiting_batches
from tests.kit.network import all_agree, eventually, orders_at_hub, patiently, two_ticks
from tests.kit.runbooks import Operator


async def order(operator: Operator) -> None:
    """An order waits on the device."""
    await operator.device.ask("order", "--lines", "1")


def keep_one(carried: Path, *, newest: bool) -> None:
    """The file holds the device's newest batch alone, or the one before it."""
    file = batch_pb2.CarrierFile.FromString(carried.read_bytes())
    if newest:
        del file.batches[:-1]
    else:
        del file.batches[1:]
    carried.write_bytes(file.SerializeToString())


async def overtaken(network: Network, operator: Operator, folder: Path) -> Path:
    """A batch is held by a gateway that is down; a later one has reached head office. Returns both by hand."""
    device, (first, second) = operator.device, network.gateways
    await two_ticks(device)
    network.line.cut()
    await order(operator)
    await patiently(device, "fast", "--gateway", first.address)
    await first.service.kill()
    await order(operator)
    carried, later = folder / "both.batches", folder / "later.batches"
    await device.ask("export", str(carried))
    shutil.copy(carried, later)
    keep_one(later, newest=True)
    network.line.mend()
    await second.ask("import", str(later))

    async def shows_gap() -> bool:
        return bool((await network.hub.ask("gap", "list"))["gaps"])

    await eventually("head office shows the gap", shows_gap)
    return carried


async def a_batch_is_elsewhere(network: Network, operator: Operator, folder: Path) -> None:
    """The device still has it, and the gateway comes back."""
    await overtaken(network, operator, folder)
    await operator.follow("gap", "First look")
    await network.gateways[0].start()
    await operator.follow("gap", "It is still somewhere")
    assert (await orders_at_hub(network))[0] == 2


async def a_batch_is_gone(network: Network, operator: Operator, folder: Path) -> None:
    """It is given up, and comes after all."""
    carried = await overtaken(network, operator, folder)
    await operator.follow("gap", "First look")
    await operator.follow("gap", "It is gone for good")
    assert (await orders_at_hub(network))[0] == 1
    keep_one(carried, newest=False)
    await network.gateways[1].ask("import", str(carried))
    operator.names["7"] = await number_in_quarantine(network, "late_batch")
    await operator.follow("quarantine", "First look")
    await operator.follow("quarantine", "Apply it")
    assert (await orders_at_hub(network))[0] == 2


async def number_in_quarantine(network: Network, code: str) -> str:
    """The number of the only entry, which has that code."""
    found: list[dict[str, object]] = []

    async def is_there() -> bool:
        entries = (await network.hub.ask("quarantine", "list"))["entries"]
        assert isinstance(entries, list)
        found[:] = entries
        return bool(found)

    await eventually("something stands in quarantine", is_there)
    assert [one["code"] for one in found] == [code]
    return str(found[0]["number"])


async def a_batch_was_altered(network: Network, operator: Operator, folder: Path) -> None:
    """By a gateway that lies; the device sends it another way."""
    del folder
    device, (first, second) = operator.device, network.gateways
    await two_ticks(device)
    network.line.cut()
    await order(operator)
    await patiently(device, "fast", "--gateway", first.address)
    await first.service.stop()
    assert rewrite_waiting_batches(first.folder)
    await first.start()
    network.line.mend()
    operator.names["7"] = await number_in_quarantine(network, "signature_invalid")
    await operator.follow("quarantine", "First look")
    await first.service.stop()
    await patiently(device, "fast", "--gateway", second.address)
    await operator.follow("quarantine", "Close it")

    async def is_there() -> bool:
        return (await orders_at_hub(network))[0] == 1

    await eventually("the order has come another way", is_there)


async def a_device_is_stuck(network: Network, operator: Operator, folder: Path) -> None:
    """From a wrong row to a stolen device."""
    del folder
    device = operator.device
    await order(operator)
    await operator.follow("stuck-device", "First look")
    await operator.follow("stuck-device", "It reaches no gateway")
    await two_ticks(device)
    await operator.follow("stuck-device", "Its rows are wrong")
    operator.spare = network.device("SP1", device.login)
    await operator.follow("stuck-device", "The device is broken")
    await operator.follow("stuck-device", "It is lost or stolen")

    async def is_wiped() -> bool:
        try:
            await device.sync("fast")
        except Exception as error:  # noqa: BLE001 - judged below
            return "device_wiped" in str(error)
        return False

    await eventually("the stolen device has erased itself", is_wiped)
    assert (await orders_at_hub(network))[0] == 1


async def a_device_came_from_an_image(network: Network, operator: Operator, folder: Path) -> None:
    """It has told already what the image does not know."""
    device, image = operator.device, folder / "image"
    shutil.copytree(device.folder, image)
    await order(operator)
    await two_ticks(device)
    shutil.rmtree(device.folder)
    image.rename(device.folder)
    await order(operator)
    await operator.follow("restored-image", "A device")
    await two_ticks(device)
    assert (await orders_at_hub(network))[0] == 2
    await all_agree(network, device)


async def a_devices_certificate_ended(network: Network, operator: Operator, folder: Path) -> None:
    """It was away for a year, with an order in hand."""
    del folder
    end_certificate(network, operator.device.folder / "identity" / "certificate.der")
    await order(operator)
    await operator.follow("expired-certificates", "A device")
    await two_ticks(operator.device)
    assert (await orders_at_hub(network))[0] == 1


def end_certificate(network: Network, path: Path) -> None:
    """The certificate in the file ended yesterday."""
    gone = ended(path.read_bytes(), authority_key(network.hub.folder))
    tls.certificate_ends(gone)
    path.write_bytes(gone)
