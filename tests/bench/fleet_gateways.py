"""Many gateways in one process: each has its own home, database, ports and line to the hub, and the product's code.

python -m tests.bench.fleet_gateways PLAN    at the line "serve" serves, and tells the ports; at "standing" tells where
                                             they stand, at "verify" what differs
"""

import asyncio
import json
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from fieldmesh.service import logs
from gateway.app.building import Gateway
from gateway.app.home import Home
from gateway.app.running import running
from gateway.config import GatewayConfig
from gateway.storage import outbox

LOCAL = "127.0.0.1"
_OPEN_PARTITIONS = "SELECT count(*) FROM fm_partition WHERE state <> 'ready'"


async def _serve_all(plan: dict[str, Any]) -> None:
    homes = {one["code"]: Home(Path(one["home"])) for one in plan["gateways"]}
    config = GatewayConfig(
        listen_host=LOCAL, port=0, enrolment_port=0, metrics_port=0, announce=False
    )
    async with AsyncExitStack() as stack:
        gateways: list[Gateway] = []
        while line := await asyncio.to_thread(sys.stdin.readline):
            match line.strip():
                case "serve":
                    gateways += [
                        await stack.enter_async_context(running(home, config))
                        for home in homes.values()
                    ]
                    ports = [one.ports["gateway"] for one in gateways]
                    _tell(dict(zip(homes, ports, strict=True)))
                case "standing":
                    _tell(await _standing(gateways))
                case "verify":
                    _tell(await _verified(gateways))


def standing_of(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """Its mark, areas that are not ready, and entries without a receipt, of one gateway's database."""
    (mark,) = connection.execute("SELECT mark_lsn FROM fm_state").fetchone()
    (missing,) = connection.execute(_OPEN_PARTITIONS).fetchone()
    return mark, missing, outbox.depth(connection).entries


async def _standing(gateways: Sequence[Gateway]) -> dict[str, object]:
    """The least mark, areas that are not ready, and what has no receipt, of all together."""
    found = [await one.database.read(standing_of) for one in gateways]
    marks, missing, waiting = zip(*found, strict=True)
    return {"mark": min(marks), "missing": sum(missing), "waiting": sum(waiting)}


async def _verified(gateways: Sequence[Gateway]) -> dict[str, object]:
    """Gateways of which not every digest is that of the hub."""
    differing = []
    for one in gateways:
        verdict = await one.commands.verify(deep=False, repair=False)
        if not verdict["equal"]:
            differing.append({"gateway": one.identity.name, **verdict})
    return {"differing": differing}


def _tell(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logs.setup(level="warning", fields={})
    asyncio.run(_serve_all(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
