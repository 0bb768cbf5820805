"""What the nodes of a campaign stand on: disks whose power can fail, clocks of their own, and a bus of one or three."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.chaos.shape import Shape
from tests.kit.cluster import BusCluster
from tests.kit.other_clock import OtherClock, can_be_made
from tests.kit.power_disk import PowerDisk, make_power_disk
from tests.kit.small_disk import MIB, run

_HUB_BYTES, _NODE_BYTES = 768 * MIB, 256 * MIB
_SMALL = {
    "FIELDMESH_HUB_LEAST_FREE_BYTES": str(24 * MIB),
    "FIELDMESH_GATEWAY_DISK_FLOOR_BYTES": str(8 * MIB),
}
"""What services leave free: these disks are smaller than they like."""


_SOON = {
    name: os.environ.get(name, value)  # noqa: TID251 - what a mutant is started with goes before
    for name, value in {
        "FIELDMESH_GATEWAY_REPUBLISH_AFTER_S": "5",
        "FIELDMESH_GATEWAY_SILENCE_S": "8",
    }.items()
}
"""What takes minutes elsewhere happens while a fault is in force."""


class Need(StrEnum):
    """What a fault needs beside processes and lines."""

    DISKS = "disks"
    """A file system for each node: root, mkfs.ext4 and loop devices."""
    CLOCKS = "clocks"
    """A clock for each process: a C compiler."""
    OWN_BROKER = "own broker"
    """The broker that the hub runs itself."""
    CLUSTER = "cluster"
    """Three brokers that run by themselves."""


@dataclass(slots=True)
class Ground:
    """Disks and clocks by node: `hub` (with its broker), gateways, crews."""

    folder: Path
    disks: dict[str, PowerDisk] = field(default_factory=dict)
    clocks: dict[str, OtherClock] = field(default_factory=dict)
    cluster: BusCluster | None = None
    """None = the hub runs its broker."""

    def lay(self, shape: Shape, needs: Collection[Need]) -> None:
        """Before anything stands in the folders of the nodes: what is needed is there, if this machine has it."""
        if Need.CLUSTER in needs:
            self.cluster = BusCluster(self.folder / "bus")
        nodes = {name: self.place(name) for name in ("hub", *shape.gateways, *shape.crews)}
        for name, place in nodes.items():
            place.mkdir(parents=True, exist_ok=True)
            if Need.DISKS in needs:
                size = _HUB_BYTES if name == "hub" else _NODE_BYTES
                disk = make_power_disk(place, size_bytes=size)
                if disk is not None:
                    self.disks[name] = disk
            if Need.CLOCKS in needs and can_be_made():
                self.clocks[name] = OtherClock(self.folder / "clocks", name)

    def place(self, node: str) -> Path:
        """The folder in which the node has its own."""
        return self.folder / "nodes" / node

    def offers(self, needs: Collection[Need]) -> bool:
        """Whether all that is here."""
        held: dict[Need, object] = {
            Need.DISKS: self.disks,
            Need.CLOCKS: self.clocks,
            Need.CLUSTER: self.cluster,
            Need.OWN_BROKER: self.cluster is None,
        }
        return all(held[need] for need in needs)

    def environment(self, node: str) -> Mapping[str, str]:
        """What the processes of the node must be started with."""
        clock = self.clocks.get(node)
        small = _SMALL if self.disks else {}
        return {**_SOON, **small, **(clock.environment if clock else {})}

    def release(self) -> None:
        """Nothing is mounted any more; what was on the disks lies in their places."""
        for disk in self.disks.values():
            kept = disk.folder.with_name(f"{disk.folder.name}.kept")
            disk.end_stalling()
            run("cp", "-a", str(disk.folder), str(kept))
            disk.release()
            if kept.exists():
                disk.folder.rmdir()
                kept.rename(disk.folder)
        self.disks.clear()
