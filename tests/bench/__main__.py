"""make bench: measures, prints a table, writes build/bench.json."""

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.company import Measured, measured
from tests.bench.device import measure_device
from tests.bench.gateway import measure_gateway
from tests.bench.hub import measure_hub

REACH = {
    "initialize.ratio": ("<=", 1.0),
    "fast.ratio": ("<=", 4.0),
    "full.ratio": ("<=", 4.0),
    "gateway.sessions_per_second": (">=", 150.0),
    "gateway.init_storm.fast_p99_ratio": ("<=", 5.0),
    "hub.ingest_rows_per_second": (">=", 20_000.0),
    "hub.ingest_ratio": (">=", 0.35),
    "lag.p99": ("<=", 1.0),
    "device.rss": ("<=", 120.0),
    "gateway.rss": ("<=", 200.0),
    "hub.rss": ("<=", 400.0),
}
"""What measures.md asks for; memory in MiB."""


def main() -> int:
    """Exit code 0: everything was measured. Whether a reach was met is told, not judged."""
    with tempfile.TemporaryDirectory(prefix="fieldmesh-bench-") as folder:
        figures = asyncio.run(_measure(Path(folder)))
    _show(figures)
    target = Path("build/bench.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


async def _measure(folder: Path) -> dict[str, float]:
    figures: dict[str, float] = {}
    async with measured(folder / "net") as network:
        for name, work in (
            ("device", measure_device),
            ("gateway", measure_gateway),
            ("hub", measure_hub),
        ):
            sys.stderr.write(f"measuring the {name} …\n")
            figures |= await work(network, folder)
        figures |= await _memory(network)
    return figures


async def _memory(network: Measured) -> dict[str, float]:
    own = Path(f"/proc/{network.network.hub.service.pid}/status")
    gateway = Path(f"/proc/{network.gateway.service.pid}/status")
    return {"hub.rss": _peak_mib(own), "gateway.rss": _peak_mib(gateway)}


def _peak_mib(status: Path) -> float:
    for line in status.read_text("utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _show(figures: dict[str, float]) -> None:
    table = Table("key", "figure", "reach", "")
    for key, value in figures.items():
        sign, reach = REACH.get(key, ("", 0.0))
        met = "" if not sign else "yes" if (value <= reach) == (sign == "<=") else "NO"
        table.add_row(key, f"{value:,.4g}", f"{sign} {reach:g}" if sign else "", met)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
