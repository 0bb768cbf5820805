"""What a device knows of the gateways that it meets, against a gateway double over real gRPC and TLS."""

import dataclasses

from device_agent.app import DeviceAgent
from fieldmesh.session.transitions import Mode
from tests.integration.device.conftest import SETTINGS
from tests.integration.device.gateway_double import GatewayDouble
from tests.integration.device.test_device_modes import visit


async def test_a_gateway_given_by_its_address_is_asked_once_who_it_is(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Asking is a round trip: a fast sync has only one."""
    gateway.listed = False
    await device.sync(Mode.INITIALIZE, gateway=gateway.address)
    asked = gateway.asked
    for _ in range(4):
        await visit(device)
        await device.sync(Mode.FAST, gateway=gateway.address)
    assert gateway.asked <= asked + 1


async def test_a_gateway_that_was_given_once_and_is_in_the_hubs_list_is_chosen_by_itself(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """What the first sync was told by hand is found without it from then on."""
    gateway.listed = False
    await device.sync(Mode.INITIALIZE, gateway=gateway.address)
    gateway.listed = True
    for address in (gateway.address, ""):
        assert (await device.sync(Mode.FAST, gateway=address)).outcome == "done"


async def test_another_gateway_at_a_known_address_is_known_from_then_on(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """A gateway was made anew in its place: it is offered everything, and not taken for the old one again."""
    await device.sync(Mode.INITIALIZE, gateway=gateway.address)
    await visit(device)
    await device.sync(Mode.FAST, gateway=gateway.address)
    gateway.gateway_id = bytes(range(16, 32))
    gateway.batches.clear()
    for _ in range(2):
        report = await device.sync(Mode.FAST, gateway=gateway.address)
        assert report.outcome == "done"
    assert list(gateway.batches) == [(2, 1)]
    assert gateway.sessions[-1].last_sequence == 1


async def test_a_gateway_that_lost_its_disk_is_offered_everything_again(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Promise 1: the device is the copy that is left."""
    await device.sync(Mode.INITIALIZE)
    for _ in range(3):
        await visit(device)
        await device.sync(Mode.FAST)
    gateway.batches.clear()
    await device.sync(Mode.FAST)
    assert sorted(gateway.batches) == [(2, 1), (2, 2), (2, 3)]


async def test_a_gateway_that_lost_its_disk_is_offered_batches_of_earlier_epochs_too(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Promise 1: a tick of the present epoch says nothing of them, and head office waits for them."""
    await device.sync(Mode.INITIALIZE)
    await visit(device)
    await device.sync(Mode.FAST)
    await device.sync(Mode.INITIALIZE)
    await device.sync(Mode.FAST)
    assert gateway.sessions[-1].earlier_epoch == 2
    gateway.batches.clear()
    await device.sync(Mode.FAST)
    assert sorted(gateway.batches) == [(2, 1)]
    sessions = len(gateway.sessions)
    assert (await device.sync(Mode.FAST)).batches_sent == 0
    assert len(gateway.sessions) == sessions + 1


async def test_a_download_that_stays_deferred_ends_as_that(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """The gateway was there, has everything, and said why; that none was reachable would be a wrong reason."""
    device._context.settings = dataclasses.replace(SETTINGS, patience_s=0.5)
    gateway.faults.defer = 1000
    report = await device.sync(Mode.INITIALIZE)
    assert (report.outcome, report.problem) == ("deferred", "told")
