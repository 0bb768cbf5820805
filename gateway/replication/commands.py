"""What the hub and the administrator may order: one set of commands, two ways in."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Final

from google.protobuf.message import DecodeError

from fieldmesh.basics.errors import FieldmeshError, Rejected
from fieldmesh.wire.v1 import replication_pb2
from gateway.replication.requests import to_problem
from gateway.replication.verify import verify
from gateway.storage import cursors, outbox, partitions
from gateway.storage.status import read_status

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from gateway.replication.parts import ReplicationParts

_DAY_MINUTES: Final = 24 * 60


class Commands:
    """Runs commands; every one answers a JSON object."""

    def __init__(
        self,
        parts: ReplicationParts,
        set_bandwidth: Callable[[Sequence[cursors.BandwidthRule]], None],
    ) -> None:
        """Act with these parts; ``set_bandwidth`` makes new hours count at once."""
        self._parts = parts
        self._set_bandwidth = set_bandwidth

    async def status(self) -> dict[str, object]:
        """Where the gateway stands."""
        line = self._parts.signals.hub
        status = await self._parts.database.read(read_status)
        return {
            **status,
            "version": self._parts.version,
            "hub_reachable": line.reachable,
            "hub_lsn": line.hub_lsn,
            "hub_problem": line.problem,
        }

    async def verify(self, *, deep: bool, repair: bool) -> dict[str, object]:
        """Compare with the hub, and repair if asked to."""
        verdict = await verify(self._parts, deep=deep, repair=repair)
        return verdict.to_json()

    async def reseed(self, wanted: Collection[int]) -> dict[str, object]:
        """Fetch partitions anew (none named = all), while the old rows go on being served."""
        now = self._parts.clock.now()
        chosen = sorted(wanted) or None
        count = await self._parts.database.write(
            lambda connection: partitions.seed_again(connection, chosen, now, whole=True)
        )
        self._parts.signals.partitions_changed.give()
        return {"partitions": count}

    async def replay(self, device_id: bytes, received_from: int) -> dict[str, object]:
        """Publish batches once more."""
        count = await self._parts.database.write(
            partial(
                outbox.open_again,
                device_ids=[device_id] if device_id else [],
                received_from=received_from,
            )
        )
        self._parts.signals.outbox_grown.give()
        return {"batches": count}

    async def bandwidth(self, rules: Sequence[cursors.BandwidthRule]) -> dict[str, object]:
        """These hours limit downloads and blobs from now on, also after a restart."""
        for rule in rules:
            if max(rule.from_minute, rule.to_minute) > _DAY_MINUTES:
                raise Rejected("bad_bandwidth_hours", text=str(rule))
        await self._parts.database.write(partial(cursors.set_bandwidth, rules=rules))
        self._set_bandwidth(rules)
        return {"rules": len(rules)}

    async def answer(self, payload: bytes) -> bytes:
        """A command of the hub, answered with a serialized Reply."""
        try:
            result = await self._dispatch(replication_pb2.Command.FromString(payload))
        except DecodeError:
            return to_problem(Rejected("bad_message")).SerializeToString()
        except FieldmeshError as problem:
            return to_problem(problem).SerializeToString()
        reply = replication_pb2.CommandReply(json=json.dumps(result))
        return replication_pb2.Reply(value=reply.SerializeToString()).SerializeToString()

    async def _dispatch(self, command: replication_pb2.Command) -> dict[str, object]:
        match command.WhichOneof("command"):
            case "verify":
                return await self.verify(deep=command.verify.deep, repair=command.verify.repair)
            case "reseed":
                return await self.reseed(command.reseed.partitions)
            case "replay":
                return await self.replay(command.replay.device_id, command.replay.received_from)
            case "status":
                return await self.status()
            case "bandwidth":
                return await self.bandwidth(
                    [
                        cursors.BandwidthRule(
                            hours.from_minute,
                            hours.to_minute,
                            hours.kilobytes_per_second,
                        )
                        for hours in command.bandwidth.hours
                    ]
                )
            case _:
                raise Rejected("bad_message", place="command")


async def answer_hub(parts: ReplicationParts, commands: Commands) -> None:
    """The hub's commands are answered, for as long as the process runs.

    Raises:
        Retry: the line is away; the supervisor begins anew later.
    """
    await parts.bus.respond(f"rpc.gateway.{parts.gateway_id.hex()}.command", commands.answer)
