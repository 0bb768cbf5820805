"""kill -9 of device, gateway or hub at every step of every mode: nothing lost, nothing doubled, all tiers equal."""

import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from deploy.demo.network import Device, Network
from deploy.demo.processes import Service
from tests.kit.network import (
    all_agree,
    eventually,
    orders_at_hub,
    patiently,
    small_network,
    sync_until_step,
    two_ticks,
)

pytestmark = pytest.mark.chosen

STEPS = {
    "fast": ("pack", "connect", "upload", "acknowledge"),
    "full": ("pack", "connect", "upload", "acknowledge", "download", "apply", "verify"),
    "initialize": ("connect", "upload", "acknowledge", "download", "apply", "verify", "swap"),
    "duplicate": ("connect", "download", "apply", "verify", "swap"),
    "upload": ("pack", "connect", "upload", "acknowledge"),
}
"""What the device reports, in the order in which it comes."""
LINES = 2


def chosen(mode: str, *, thorough: bool, seed: int) -> list[str]:
    """All steps of a mode, or a seeded two of them."""
    steps = STEPS[mode]
    return list(steps) if thorough else random.Random(f"{seed} {mode}").sample(steps, 2)


async def nothing() -> None:
    """The device itself is the victim: it is killed anyway."""


def killer(service: Service, start: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Kills a service and starts it again."""

    async def act() -> None:
        await service.kill()
        await start()

    return act


def victim_of(network: Network, name: str) -> Callable[[], Awaitable[None]]:
    """What happens at the step."""
    if name == "hub":
        return killer(network.hub.service, network.hub.start)
    if name == "gateway":
        return killer(network.gateways[0].service, network.gateways[0].start)
    return nothing


@pytest.mark.parametrize("victim", ["device", "gateway", "hub"])
async def test_a_kill_at_any_step_loses_and_doubles_nothing(
    tmp_path: Path,
    victim: str,
    thorough: bool,  # noqa: FBT001 - a fixture
) -> None:
    """Promises 1, 2, 4 and 5: an acknowledgement before a commit, or a cursor moved early, shows here."""
    async with small_network(tmp_path, gateways=1) as network:
        device = network.devices[0]
        act, placed = victim_of(network, victim), 0
        for mode in ("fast", "full", "initialize"):
            for step in chosen(mode, thorough=thorough, seed=placed):
                await device.ask("order", "--lines", str(LINES))
                placed += 1
                assert await sync_until_step(device, mode, step, act), f"{mode} has no step {step}"
                await patiently(device, mode)
        await two_ticks(device)
        placed += await _spare_day(network, device, act, thorough=thorough)
        assert await orders_at_hub(network) == (placed, placed * LINES)
        await all_agree(network, device, network.devices[1])


async def _spare_day(
    network: Network, first: Device, act: Callable[[], Awaitable[None]], *, thorough: bool
) -> int:
    """A spare stands in and hands over, killed on the way. Returns the orders that it made."""
    gateway = network.gateways[0]
    made = await network.hub.ask(
        "device", "spare", "S1", "--gateway", gateway.code, "--for", first.code
    )
    spare = network.device("S1", first.login)
    await spare.enroll(str(made["code"]), gateway)
    for step in chosen("duplicate", thorough=thorough, seed=1):
        await sync_until_step(spare, "duplicate", step, act)
        await patiently(spare, "duplicate")
    await spare.ask("order", "--lines", str(LINES))
    for step in chosen("upload", thorough=thorough, seed=1)[:1]:
        await sync_until_step(spare, "upload", step, act)

    async def is_cleared() -> bool:
        return bool((await patiently(spare, "upload"))["cleared"])

    await eventually("the spare is cleared", is_cleared)
    network.devices.remove(spare)
    return 1
