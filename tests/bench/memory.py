"""*.rss: peak memory of the processes that were measured, in MiB."""

import asyncio
from pathlib import Path

from deploy.demo.processes import program
from tests.bench.company import Measured
from tests.bench.figures import Figures

_LOOK_S = 0.005


async def measure_device_memory(measured: Measured, figures: Figures) -> None:
    """A device's process that initializes, and one that syncs in full."""
    async with measured.working_agent():
        pass
    peaks = [await _sync(measured, mode) for mode in ("initialize", "full")]
    figures.put("device.rss", max(peaks))
    figures.expect("device.rss", least=30.0, most=1000.0, why="a Python process with gRPC")


async def measure_memory(measured: Measured, figures: Figures) -> None:
    """The peaks of the hub and the gateways in all that was measured before."""
    figures.put_peak("hub.rss", peak_mib(measured.network.hub.service.pid))
    for gateway in measured.network.gateways:
        figures.put_peak("gateway.rss", peak_mib(gateway.service.pid))


def peak_mib(pid: int) -> float:
    """The most memory that the process has had so far; 0 when it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text("utf-8")
    except OSError:
        return 0.0
    for line in text.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


async def _sync(measured: Measured, mode: str) -> float:
    device = measured.device
    process = await asyncio.create_subprocess_exec(
        program("fieldmesh-device"), "sync", mode, "--home", str(device.folder), "--login", device.login,
        "--password-file", str(device.password_file), stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    peak = 0.0
    while process.returncode is None:
        peak = max(peak, peak_mib(process.pid))
        await asyncio.sleep(_LOOK_S)
    assert process.returncode == 0, f"sync {mode} failed"
    return peak
