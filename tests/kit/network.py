"""A small real network for fault tests, and how tests wait: to a deadline, saying what did not come."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.demo.network import Device, Gateway, Network, free_port
from deploy.demo.processes import TRY_AGAIN, CommandFailedError, program
from deploy.demo.proxy import Line
from tests.kit.ready import ready

DEADLINE_S = 60.0
PASSWORD = "sample-password"
_LEFT_OUT = shutil.ignore_patterns("*.sock", "*.log")
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
    if line is not None or size is not SMALL:
        async with line or Line(0) as to_hub, _running(folder / "net", to_hub) as made:
            await _make(made, gateways, size)
            yield made
        return
    kept = _KEPT.get(gateways) or await _keep(gateways)
    async with kept.copy(folder / "net") as made:
        await made.hub.start()
        for gateway in made.gateways:
            await gateway.start()
        yield made


@asynccontextmanager
async def _running(folder: Path, to_hub: Line) -> AsyncIterator[Network]:
    network = Network(folder, to_hub, PASSWORD)
    with ready():
        try:
            yield network
        finally:
            await network.close()


async def _make(network: Network, gateways: int, size: Sequence[str]) -> None:
    await network.hub.init("Faults")
    await network.hub.ask("sample", *size)
    await network.hub.start()
    for number in range(1, gateways + 1):
        await network.add_gateway(f"GW{number}", f"OF{number:02d}")
    for number, gateway in ((1, network.gateways[0]), (2, network.gateways[-1])):
        device = await network.add_device(f"D{number}", f"REP{number:04d}", gateway)
        await patiently(device, "initialize", "--gateway", gateway.address)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A small network as it was made, with the ports that its nodes know each other by."""

    folder: tempfile.TemporaryDirectory[str]
    line: tuple[int, int]
    https_port: int
    gateways: tuple[tuple[str, int, int, int], ...]
    devices: tuple[tuple[str, str], ...]

    @asynccontextmanager
    async def copy(self, folder: Path) -> AsyncIterator[Network]:
        """It stands in another folder; nothing but the line runs. One at a time: the ports are the same."""
        shutil.copytree(self.folder.name, folder, ignore=_LEFT_OUT, dirs_exist_ok=True)
        port, target = self.line
        async with Line(target, port=port) as to_hub, _running(folder, to_hub) as made:
            made.hub.https_port = self.https_port
            made.gateways = [Gateway(code, folder / code, *ports) for code, *ports in self.gateways]
            for code, login in self.devices:
                made.device(code, login)
            yield made


_KEPT: dict[int, _Kept] = {}
"""By how many gateways: made once by a test process, which takes longer than most tests."""


async def _keep(gateways: int) -> _Kept:
    folder = tempfile.TemporaryDirectory(prefix="fieldmesh-kept-")
    async with Line(0, port=free_port()) as to_hub, _running(Path(folder.name), to_hub) as made:
        with without_settings():
            await _make(made, gateways, SMALL)
    _KEPT[gateways] = _Kept(
        folder,
        (to_hub.port, to_hub.target_port),
        made.hub.https_port,
        tuple((one.code, one.port, one.enrolment_port, one.metrics_port) for one in made.gateways),
        tuple((one.code, one.login) for one in made.devices),
    )
    return _KEPT[gateways]


@contextmanager
def without_settings() -> Iterator[None]:
    """What a test has set in the environment is for its own network."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):  # noqa: TID251 - the settings of a test
            if name.startswith("FIELDMESH_"):
                patch.delenv(name)
        yield


async def eventually(
    what: str, holds: Callable[[], Awaitable[bool]], why: Callable[[], str] = str
) -> None:
    """It holds before the deadline; asked again and again; ``why`` tells what stood in its way last."""
    until = time.monotonic() + DEADLINE_S
    while not await holds():
        if time.monotonic() > until:
            pytest.fail(f"not within {DEADLINE_S:.0f} s: {what} {why()}")
        await asyncio.sleep(0.2)


async def patiently(device: Device, mode: str, *more: str) -> dict[str, object]:
    """The mode is done; a session that failed for a passing reason is run again."""
    answers: list[dict[str, object]] = []
    problems: list[str] = [""]

    async def is_done() -> bool:
        try:
            answers.append(await device.sync(mode, *more))
        except CommandFailedError as error:
            if error.code != TRY_AGAIN:
                raise
            problems.append(str(error))
            return False
        return answers[-1]["outcome"] == "done"

    await eventually(f"{device.code} {mode}", is_done, lambda: problems[-1])
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
