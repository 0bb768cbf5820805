"""Copies that come back: head office from an older backup, batches by hand and twice, batches that were rewritten."""

import asyncio
import random
import shutil

from typing_extensions import override

from deploy.demo.processes import CommandFailedError
from tests.chaos.arena import Arena
from tests.chaos.faults.fault import (
    Effect,
    NothingStruckError,
    OfDevices,
    OfGateways,
    OfHub,
    registered,
)
from tests.kit.dishonest import rewrite_waiting_batches

_CARRIED_TO = 2
_QUEUE_S = 2.0
"""How long batches pile up at a gateway before somebody rewrites them."""


@registered
class RestoreHub(OfHub):
    """Head office's machine is lost, and it goes on from the backup that was taken when the fault began."""

    name = "restore_hub"
    lasts_s = (4.0, 10.0)
    weight = 1
    effects = frozenset({Effect.HUB_RESTORED})
    explains = frozenset({"outside_scope", "not_your_table"})
    """In the lost future a rep had an outlet, or a spare a post, that they have no longer."""

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        self.backup = network.folder / "backup.tar"
        self.backup.unlink(missing_ok=True)
        network.office.note_backup()
        made = await network.hub.ask("backup", str(self.backup))
        return f"a backup was taken at LSN {made['lsn']}; the hub is lost later"

    @override
    async def heal(self, network: Arena) -> None:
        async with network.office.closed:
            await network.office.close()
            await network.hub.service.kill()
            made = await network.hub.ask("restore", "--replace", str(self.backup))
            shutil.rmtree(str(made["aside"]))
            await network.office.note_scopes()
        await network.office.enter_again()
        await network.hub.start()


@registered
class ByHand(OfDevices):
    """What waits on a device is carried in a file to two gateways, while the device itself goes on with its own."""

    name = "by_hand"
    lasts_s = (1.0, 4.0)

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        file = network.folder / f"{self.node}.batches"
        told = await network.crew_of(self.node).ask("export", device=self.node, file=str(file))
        taken = 0
        gateways = list(network.shape.gateways)
        for code in choose.sample(gateways, min(_CARRIED_TO, len(gateways))):
            try:
                await network.gateway(code).ask("import", str(file), timeout_s=8.0)
                taken += 1
            except (CommandFailedError, TimeoutError):
                continue
        return (
            f"{told['batches']} batches of {self.node} went by hand, and {taken} gateways took them"
        )

    @override
    async def heal(self, network: Arena) -> None:
        """What was carried stays where it is."""


@registered
class RewrittenBatches(OfGateways):
    """A gateway rewrites what waits in its outbox, so well that only the devices' signatures tell.

    It spares what nobody else holds: batches in the name of devices that were restored or copied.
    """

    name = "rewritten"
    effects = frozenset({Effect.COPIES_SPOILT})
    explains = frozenset({"signature_invalid"})

    @property
    @override
    def holds(self) -> frozenset[str]:
        return frozenset({self.node, f"bus:{self.node}"})

    @override
    async def begin(self, network: Arena, choose: random.Random) -> str:
        network.lines[f"bus:{self.node}"].cut()
        await asyncio.sleep(_QUEUE_S)
        await network.service(self.node).kill()
        count = await asyncio.to_thread(
            rewrite_waiting_batches,
            network.gateway(self.node).folder,
            but_of=network.forked_devices,
        )
        if not count:
            raise NothingStruckError(f"no batch waited at {self.node}")
        return f"{self.node} rewrote {count} batches"

    @override
    async def heal(self, network: Arena) -> None:
        await network.lines[f"bus:{self.node}"].clear()
        await network.gateway(self.node).start()
