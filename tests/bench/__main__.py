"""make bench: measures, prints a table, writes build/bench.json."""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.company import REFERENCE, Measured, Shape, measured
from tests.bench.device import measure_fast, measure_full, measure_initialize
from tests.bench.fanout import FANOUT, QUICK_FANOUT, measure_fanout
from tests.bench.figures import Figures
from tests.bench.fleet import FLEET, QUICK_FLEET, measure_fleet
from tests.bench.gateway import measure_sessions
from tests.bench.ingest import measure_ingest
from tests.bench.lag import measure_lag
from tests.bench.memory import measure_device_memory, measure_memory
from tests.bench.reports import measure_reports
from tests.bench.round_trips import measure_round_trips
from tests.bench.scale import measure_scale
from tests.bench.storm import QUICK_STORM, STORM, measure_storm
from tests.bench.web import QUICK_WEB, WEB, measure_web

REACH = {
    "initialize.ratio": ("<=", 1.0),
    "fast.ratio": ("<=", 4.0),
    "fast.round_trips": ("<=", 1.0),
    "full.ratio": ("<=", 4.0),
    "gateway.sessions_per_second": (">=", 150.0),
    "gateway.init_storm.fast_p99_ratio": ("<=", 5.0),
    "hub.ingest_rows_per_second": (">=", 20_000.0),
    "hub.ingest_ratio": (">=", 0.35),
    "hub.fanout.cost_ratio": ("<=", 1.25),
    "lag.p99": ("<=", 1.0),
    "web.p95": ("<=", 0.2),
    "report.seconds": ("<=", 2.0),
    "fleet.rows_lost": ("<=", 0.0),
    "fleet.rows_doubled": ("<=", 0.0),
    "fleet.drain_seconds": ("<=", 600.0),
    "fleet.gateway_mib": ("<=", 60.0),
    "scale.search_p95": ("<=", 0.2),
    "scale.move_seconds": ("<=", 2.0),
    "device.rss": ("<=", 120.0),
    "gateway.rss": ("<=", 200.0),
    "hub.rss": ("<=", 400.0),
}
"""What is wanted; memory in MiB."""

TARGET = Path("build/bench.json")
SAMPLES = 5
_WIDTH = 110
_WHOLE = 100
HEADINGS = ("key", "figure", "least … most (samples)", "reach", "met")
SIGNS = {"<=": "≤", ">=": "≥"}
Work = Callable[[Measured, Figures], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What measures the figures whose keys begin so. ``only_named``: takes so long that somebody has to ask for it."""

    keys: tuple[str, ...]
    work: Work
    shape: Shape = REFERENCE
    quick: Shape = REFERENCE
    only_named: bool = False

    def is_named(self, wanted: list[str]) -> bool:
        """Whether someone wants one of its figures; no wish = everything that takes no hours."""
        return (not wanted and not self.only_named) or any(
            key.startswith(wish) or wish.startswith(f"{key}_")
            for key in self.keys
            for wish in wanted
        )


def _keys(first: str, *rest: str) -> tuple[str, ...]:
    return tuple(f"{first}.{one}" for one in rest)


BENCHMARKS = (
    Benchmark(_keys("initialize", "rows", "seconds", "limit_seconds", "ratio"), measure_initialize),
    Benchmark(_keys("fast", "seconds", "limit_seconds", "ratio", "bytes"), measure_fast),
    Benchmark(_keys("fast", "round_trips"), measure_round_trips),
    Benchmark(_keys("full", "seconds", "limit_seconds", "ratio", "bytes"), measure_full),
    Benchmark(_keys("device", "rss"), measure_device_memory),
    Benchmark(_keys("gateway", "sessions_per_second", "sessions_p99"), measure_sessions),
    Benchmark(_keys("hub", "ingest"), measure_ingest),
    Benchmark(_keys("lag", "p50", "p99", "up_p99", "down_p99"), measure_lag),
    Benchmark(
        _keys("report", "seconds", "fill_seconds", "follow_seconds", "rss_added"), measure_reports
    ),
    Benchmark(("hub.rss", "gateway.rss"), measure_memory),
    Benchmark(("gateway.init_storm",), measure_storm, STORM, QUICK_STORM),
    Benchmark(("hub.fanout",), measure_fanout, FANOUT, QUICK_FANOUT),
    Benchmark(_keys("web", "p50", "p95", "p99", "rate"), measure_web, WEB, QUICK_WEB),
    Benchmark(("fleet",), measure_fleet, FLEET, QUICK_FLEET, only_named=True),
    Benchmark(_keys("scale", "search", "page", "preview", "move"), measure_scale, only_named=True),
)
"""In this order: the first one needs a device that has never sent anything."""


def main() -> int:
    """Exit code 0: everything was measured. Whether a reach was met is told, not judged."""
    options = _options()
    chosen = [one for one in BENCHMARKS if one.is_named(options.only)]
    if not chosen:
        known = ", ".join(key for one in BENCHMARKS for key in one.keys)
        sys.stderr.write(f"no benchmark has such a key; there are: {known}\n")
        return 2
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="fieldmesh-bench-") as folder:
        asyncio.run(_measure(chosen, figures, Path(folder), options))
    _show(figures)
    _write_page(figures, options.out.with_suffix(".md"))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--only", action="append", default=[], metavar="KEY-PREFIX",
        help="only what has such keys, such as fast. or hub.ingest; may be given again",
    )  # fmt: skip
    parser.add_argument("--repeat", type=int, default=SAMPLES, help="samples a key")
    parser.add_argument("--quick", action="store_true", help="fewer rows and devices")
    parser.add_argument("--out", type=Path, default=TARGET, help="where the figures are written")
    options = parser.parse_args()
    options.only = [key for wish in options.only for key in wish.split(",") if key]
    options.repeat = max(1, options.repeat)
    return options


async def _measure(
    chosen: list[Benchmark], figures: Figures, folder: Path, options: argparse.Namespace
) -> None:
    """Benchmarks that need the same company share a network."""
    shapes = [one.quick if options.quick else one.shape for one in chosen]
    for number, shape in enumerate(dict.fromkeys(shapes)):
        sys.stderr.write(f"making a company of {shape.reps} reps …\n")
        async with measured(folder / str(number), shape) as network:
            network.repeat, network.quick = options.repeat, options.quick
            for one, wanted in zip(chosen, shapes, strict=True):
                if wanted == shape:
                    await _run(one, network, figures)
                    figures.write(options.out)  # A run that is cut leaves what it has measured.


async def _run(one: Benchmark, network: Measured, figures: Figures) -> None:
    started = time.perf_counter()
    sys.stderr.write(f"measuring {', '.join(one.keys)} …\n")
    await one.work(network, figures)
    sys.stderr.write(f"  took {time.perf_counter() - started:.0f} s\n")


def _show(figures: Figures) -> None:
    table = Table()
    for heading in HEADINGS:
        table.add_column(heading, no_wrap=True)
    for line in _lines(figures):
        table.add_row(*line)
    console = Console(width=_WIDTH)
    console.print(table)
    for note in figures.notes:
        console.print(f"note: {note}", markup=False)


def _write_page(figures: Figures, path: Path) -> None:
    """The same table for a page of the documentation."""
    text = ["| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    text += [f"| `{key}` | " + " | ".join(rest) + " |" for key, *rest in _lines(figures)]
    text += ["", *(f"- {note}" for note in figures.notes)]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")


def _lines(figures: Figures) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, value in figures.values.items():
        sign, reach = REACH.get(key, ("", 0.0))
        met = "" if not sign else "yes" if (value <= reach) == (sign == "<=") else "no"
        met = "doubtful" if key in figures.doubted else met
        spread = figures.spreads.get(key)
        between = (
            f"{_number(spread.least)} … {_number(spread.most)} ({spread.samples})" if spread else ""
        )
        asked = f"{SIGNS[sign]} {reach:g}" if sign else ""
        found.append((key, _number(value), between, asked, met))
    return found


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= _WHOLE else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main())
