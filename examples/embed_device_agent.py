"""Embeds the device agent: a visit and an order are saved offline, then synced.

Run it on an enrolled device: python examples/embed_device_agent.py HOME LOGIN PASSWORD_FILE
"""
# ruff: noqa: INP001 - a program, not a package

import asyncio
import sys
from pathlib import Path

from device_agent.app import DeviceAgent
from device_agent.modes.progress import Progress
from device_agent.work.documents import NewVisit
from fieldmesh.session.transitions import Mode


def show(progress: Progress) -> None:
    """One line per step."""
    sys.stdout.write(f"{progress.step} {progress.done}/{progress.total} {progress.note}\n")


async def main(home: Path, login: str, password: str) -> None:
    """A day in four lines: a full sync, a visit, an order, a fast sync."""
    async with await DeviceAgent.open(home, login, password) as agent:
        await agent.sync(Mode.FULL, progress=show)
        outlet = (await agent.sql("SELECT id FROM outlet ORDER BY code LIMIT 1")).rows[0][0]
        visit = NewVisit(outlet_id=bytes(outlet), started_at=1_760_000_000_000_000)
        await agent.record_visit(visit)
        placed = await agent.order_from_list(outlet=bytes(outlet).hex(), lines=2)
        report = await agent.sync(Mode.FAST)
        sys.stdout.write(f"{placed.number}: {report.outcome}, {report.rows_up} rows up\n")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]).read_text("utf-8").strip()))
