"""Who a device is: revoked and wiped, copied, restored, replaced; through real processes."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo.network import Device, Gateway, Network
from deploy.demo.processes import CommandFailedError
from device_agent.link.discovery import discover
from gateway.serving.discovery import announce
from tests.kit.network import all_agree, eventually, orders_at_hub, patiently, two_ticks
from tests.kit.standing import Standing, refused, standing_network, told

pytestmark = pytest.mark.chosen

LINES = 2
PHOTO_BYTES = 300_000
LONG_S = 10**9
"""Longer than any certificate."""
SIZE = ("--offices", "1", "--reps", "8", "--outlets", "3", "--products", "12")
"""A post for each test's own device."""


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """One gateway for all."""
    with standing_network(tmp_path_factory.mktemp("identity"), size=SIZE) as made:
        yield made


async def new_device(network: Network, code: str, position: str) -> Device:
    """One more device of the position, initialized."""
    device = await network.add_device(code, position, network.gateways[0])
    await patiently(device, "initialize")
    return device


async def order(device: Device, orders: int = 1) -> None:
    """Orders wait on the device."""
    for _ in range(orders):
        await device.ask("order", "--lines", str(LINES))


def copied(network: Network, device: Device, code: str) -> Device:
    """A second folder with the same device in it."""
    shutil.copytree(device.folder, network.folder / code)
    return Device(code, device.login, network.folder / code, device.password_file)


def test_a_revoked_device_is_wiped_and_what_it_had_sent_waits_for_a_person(
    standing: Standing,
) -> None:
    """Promises 1 and 7: nobody knows who made it, so it is kept; nothing stays on a stolen device."""

    async def work(network: Network) -> None:
        device = await new_device(network, "STOLEN", "REP0003")
        before, _ = await orders_at_hub(network)
        network.line.cut()
        await order(device)
        await patiently(device, "fast")
        await network.hub.ask("device", "revoke", "STOLEN", "--yes")
        network.line.mend()

        async def is_wiped() -> bool:
            try:
                await device.sync("fast")
            except Exception as error:  # noqa: BLE001 - judged below
                return "device_wiped" in str(error)
            return False

        await eventually("the device has erased itself", is_wiped)
        assert not list(device.folder.glob("data/*.db"))
        error = await refused(device.ask("status"))
        assert told(error)[0] == "device_not_enrolled", told(error)

        held: list[dict[str, object]] = []

        async def is_held() -> bool:
            entries = (await network.hub.ask("quarantine", "list"))["entries"]
            assert isinstance(entries, list)
            held[:] = [one for one in entries if one["code"] == "device_revoked"]
            return bool(held)

        await eventually("what it had sent is kept aside for a person", is_held)
        assert (await orders_at_hub(network))[0] == before
        await network.hub.ask("quarantine", "retry", str(held[0]["number"]))
        assert (await orders_at_hub(network))[0] == before + 1

    standing.run(work)


def test_of_two_copies_of_a_device_one_is_fenced_and_loses_nothing(standing: Standing) -> None:
    """Promises 1, 2 and 3: the same numbers with other content are found; a new epoch makes room for both."""

    async def work(network: Network) -> None:
        device = await new_device(network, "TWIN", "REP0004")
        before, _ = await orders_at_hub(network)
        copy = copied(network, device, "TWIN-COPY")
        await order(device)
        await order(copy)
        await two_ticks(device)
        error = await refused(copy.sync("fast"))
        assert told(error)[0] == "initialize_needed"
        await patiently(copy, "initialize")
        await two_ticks(copy)
        assert await orders_at_hub(network) == (before + 2, (before + 2) * LINES)
        error = await refused(device.sync("fast"))
        assert told(error)[0] == "initialize_needed"
        await patiently(device, "initialize")
        await all_agree(network, device)

    standing.run(work)


def test_a_restored_image_is_fenced_and_goes_on_in_a_new_epoch(standing: Standing) -> None:
    """Promises 2 and 3: it would use numbers again that head office knows."""

    async def work(network: Network) -> None:
        device = await new_device(network, "OLD", "REP0005")
        before, _ = await orders_at_hub(network)
        image = network.folder / "image"
        shutil.copytree(device.folder, image)
        await order(device)
        await two_ticks(device)
        shutil.rmtree(device.folder)
        image.rename(device.folder)
        await order(device)
        error = await refused(device.sync("fast"))
        assert told(error)[0] == "initialize_needed"
        await patiently(device, "initialize")
        await two_ticks(device)
        assert (await orders_at_hub(network))[0] == before + 2
        await all_agree(network, device)

    standing.run(work)


def test_a_device_that_comes_back_beside_its_spare_loses_nothing(standing: Standing) -> None:
    """Promises 1 and 2: both have orders for the same rep; head office has each once, and both hold the same."""

    async def work(network: Network) -> None:
        first, gateway = await new_device(network, "LOST", "REP0006"), network.gateways[0]
        before, _ = await orders_at_hub(network)
        await order(first)
        made = await network.hub.ask(
            "device", "spare", "SPARE", "--gateway", gateway.code, "--for", "LOST"
        )
        spare = network.device("SPARE", first.login)
        await spare.enroll(str(made["code"]), gateway)
        await patiently(spare, "duplicate")
        await order(spare)
        await patiently(spare, "fast")
        answer = await patiently(first, "fast")
        assert answer["rows_up"] == 1 + LINES

        async def is_suspended() -> bool:
            return (await patiently(first, "fast"))["device_state"] == "suspended"

        await eventually("the first device is told that a spare works", is_suspended)

        async def is_cleared() -> bool:
            return bool((await patiently(spare, "upload"))["cleared"])

        await eventually("the spare has handed over", is_cleared)

        async def is_active() -> bool:
            return (await patiently(first, "full"))["device_state"] == "active"

        await eventually("the first device works again", is_active)
        assert (await orders_at_hub(network))[0] == before + 2
        await all_agree(network, first)

    standing.run(work)


def test_a_key_that_was_replaced_opens_nothing_and_what_waits_there_is_rescued_by_hand(
    standing: Standing, tmp_path: Path
) -> None:
    """Promises 1 and 7: it worked for a year beside the new one; what its folder holds comes by a carrier file."""

    async def work(network: Network) -> None:
        old, gateway = await new_device(network, "MOVED", "REP0008"), network.gateways[0]
        before, _ = await orders_at_hub(network)
        new = network.device("MOVED-2", old.login)
        made = await network.hub.ask("device", "code", "MOVED")
        await new.enroll(str(made["code"]), gateway)

        async def is_out() -> bool:
            try:
                await old.sync("full")
            except CommandFailedError as error:
                return told(error)[0] == "key_replaced"
            return False

        await eventually("the old key is refused", is_out)
        await order(old)
        assert told(await refused(old.sync("fast")))[0] == "key_replaced"
        carried = tmp_path / "old.carrier"
        await old.ask("export", str(carried))
        await gateway.ask("import", str(carried))

        async def is_there() -> bool:
            return (await orders_at_hub(network))[0] == before + 1

        await eventually("the order that waited is at head office", is_there)
        await patiently(new, "initialize")
        await order(new)
        await two_ticks(new)
        assert (await orders_at_hub(network))[0] == before + 2
        network.devices.remove(old)
        await all_agree(network, new)

    standing.run(work)


def test_a_photo_arrives_at_head_office_byte_for_byte(standing: Standing, tmp_path: Path) -> None:
    """Promise 1 holds for files too: they are named by their content."""
    picture = tmp_path / "shelf.jpg"
    picture.write_bytes(bytes(range(256)) * (PHOTO_BYTES // 256))

    async def work(network: Network) -> None:
        assert await _photo_arrives(network, picture)

    standing.run(work)


async def _photo_arrives(network: Network, picture: Path) -> bool:
    device = await new_device(network, "CAMERA", "REP0007")
    network.line.cut()
    await device.ask("photos", "--add", str(picture), "--send")
    network.line.mend()
    content = await asyncio.to_thread(picture.read_bytes)

    async def is_there() -> bool:
        files = [path for path in (network.hub.folder / "blobs").rglob("*") if path.is_file()]
        return any(path.read_bytes() == content for path in files)

    await eventually("the photo is at head office", is_there)
    return (await device.ask("status"))["photos_unsent"] == 0


def test_a_revoked_gateway_is_put_off_the_bus(standing: Standing) -> None:
    """Promise 6: a stolen gateway neither hears nor says anything from the moment it is revoked."""

    async def work(network: Network) -> None:
        gateway = await network.add_gateway("GW9", "OF01")

        async def is_connected() -> bool:
            return bool((await gateway.ask("status"))["hub_reachable"])

        await eventually("the gateway hears head office", is_connected)
        await network.hub.ask("gateway", "revoke", "GW9", "--yes")

        async def is_off() -> bool:
            return not (await gateway.ask("status"))["hub_reachable"]

        await eventually("it hears nothing any more", is_off)
        await gateway.service.stop()
        network.gateways.remove(gateway)

    standing.run(work)


def test_a_certificate_that_ends_soon_is_renewed_after_a_sync(
    standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody travels to a rep because a certificate ends; the device goes on under the new one."""

    async def work(network: Network) -> None:
        device = network.devices[0]
        held = device.folder / "identity" / "certificate.der"
        before = await asyncio.to_thread(held.read_bytes)
        await patiently(device, "fast")
        assert await asyncio.to_thread(held.read_bytes) == before
        monkeypatch.setenv("FIELDMESH_DEVICE_RENEW_BEFORE_S", str(LONG_S))
        await patiently(device, "fast")
        monkeypatch.delenv("FIELDMESH_DEVICE_RENEW_BEFORE_S")
        assert await asyncio.to_thread(held.read_bytes) != before
        await order(device)
        await two_ticks(device)

    standing.run(work)


def test_a_gateway_that_has_moved_is_found_on_the_local_network(
    standing: Standing,
) -> None:
    """Promise 8: its address is another than the one that the device has; it is known by its certificate."""

    async def work(network: Network) -> None:
        device, gateway = network.devices[1], network.gateways[0]
        async with announce(bytes(16), port=1, enrolment_port=1):
            if not await discover(2.0):
                pytest.skip("this machine passes no multicast on")
        await gateway.service.stop()
        moved = Gateway(gateway.code, gateway.folder)
        words = [word for word in moved.service.words if word != "--no-announce"]
        moved.service.words[:] = ["0.0.0.0" if word == "127.0.0.1" else word for word in words]  # noqa: S104
        network.gateways[0] = moved
        await moved.start()
        await order(device)
        await two_ticks(device)

    standing.run(work)
