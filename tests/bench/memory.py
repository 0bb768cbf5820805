"""*.rss: peak memory of the processes that were measured, in MiB."""

from pathlib import Path

from tests.bench.company import Measured
from tests.bench.figures import Figures


async def measure_memory(measured: Measured, figures: Figures) -> None:
    """The peaks of the hub and the gateway in all that was measured before."""
    figures.put("hub.rss", peak_mib(measured.network.hub.service.pid))
    figures.put("gateway.rss", peak_mib(measured.gateway.service.pid))


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
