"""A small real network for fault tests, and how tests wait: to a deadline, saying what did not come."""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.demo.network import Device, Network
from deploy.demo.processes import TRY_AGAIN, CommandFailedError, program
from deploy.demo.proxy import Line

DEADLINE_S = 60.0
SMALL = ("--offices", "2", "--reps", "2", "--outlets", "5", "--products", "12")


@asynccontextmanager
async def small_network(
    folder: Path, *, gateways: int = 2, line: Line | None = None, size: Sequence[str] = SMALL
) -> AsyncIterator[Network]:
    """A hub, gateways, and two initialized devices: D1 at home at the first gateway, D2 at the last.

    Args:
        folder: where it stands.
        gateways: how many.
        line: between the gateways and the hub; None = an ordinary one.
        size: of the sample company, as the hub's command takes it.
    """
    async with line or Line(0) as to_hub:
        made = Network(folder / "net", to_hub, "sample-password")
        try:
            await made.hub.init("Faults")
            await made.hub.ask("sample", *size)
            await made.hub.start()
            for number in range(1, gateways + 1):
                await made.add_gateway(f"GW{number}", f"OF{number:02d}")
            for number, gateway in ((1, made.gateways[0]), (2, made.gateways[-1])):
                device = await made.add_device(f"D{number}", f"REP{number:04d}", gateway)
                await patiently(device, "initialize", "--gateway", gateway.address)
            yield made
        finally:
            await made.close()


async def eventually(what: str, holds: Callable[[], Awaitable[bool]]) -> None:
    """It holds before the deadline; asked again and again."""
    until = time.monotonic() + DEADLINE_S
    while not await holds():
        if time.monotonic() > until:
            pytest.fail(f"not within {DEADLINE_S:.0f} s: {what}")
        await asyncio.sleep(0.2)


async def patiently(device: Device, mode: str, *more: str) -> dict[str, object]:
    """The mode is done; a session that failed for a passing reason is run again."""
    answers: list[dict[str, object]] = []

    async def is_done() -> bool:
        try:
            answers.append(await device.sync(mode, *more))
        except CommandFailedError as error:
            if error.code != TRY_AGAIN:
                raise
            return False
        return answers[-1]["outcome"] == "done"

    await eventually(f"{device.code} {mode}", is_done)
    return answers[-1]


async def two_ticks(device: Device) -> None:
    """Head office has applied everything that the device has sent."""

    async def is_applied() -> bool:
        await patiently(device, "fast")
        return bool((await device.ask("status"))["all_at_head_office"])

    await eventually(f"second tick of {device.code}", is_applied)


async def orders_at_hub(network: Network) -> tuple[int, int]:
    """Orders and order lines at head office that devices made."""
    made = (await network.hub.ask("status"))["made_on_devices"]
    assert isinstance(made, dict)
    return int(made["sales_order"]), int(made["order_line"])


async def all_agree(network: Network, *devices: Device) -> None:
    """Every tier proves that it holds the same rows, each hash worked out anew."""

    async def is_equal() -> bool:
        try:
            return bool((await network.hub.ask("verify", "--deep"))["ok"])
        except CommandFailedError:
            return False

    await eventually("gateways equal head office", is_equal)
    for device in devices:
        await patiently(device, "full")
        report = await device.ask("verify")
        assert report["equal"], report


async def sync_until_step(
    device: Device, mode: str, step: str, act: Callable[[], Awaitable[None]]
) -> bool:
    """The mode runs until it reports the step; then `act` happens while it runs. It is not waited for further.

    Returns:
        Whether the step came.
    """
    process = await asyncio.create_subprocess_exec(
        program("fieldmesh-device"), "sync", mode, "--progress-json", "--home", str(device.folder),
        "--login", device.login, "--password-file", str(device.password_file),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    came = False
    try:
        async with asyncio.timeout(DEADLINE_S):
            while line := await process.stderr.readline():
                with contextlib.suppress(ValueError):
                    came = json.loads(line).get("step") == step
                if came:
                    break
            await act()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate()
    return came
