"""What gateways are told at the end of a transaction: receipts, each with the hub's signed tick of its device."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from fieldmesh.codec.hub_tick import HubTick, sign_tick
from fieldmesh.codec.replication import BatchReceipt
from hub.ingest.decisions import header_of
from hub.ingest.verify import Checked
from hub.storage.changes import ChangeWriter


class Answers:
    """The receipts of one transaction. Signatures are made once a device, not once a batch."""

    def __init__(self, sign: Callable[[bytes], bytes]) -> None:
        """Nothing is said yet; ``sign`` signs with the hub's key."""
        self._sign = sign
        self._receipts: list[tuple[bytes, BatchReceipt]] = []
        self._ticks: dict[bytes, HubTick] = {}
        self._moved: set[bytes] = set()

    def moved(self, batch: Checked) -> None:
        """The device's sequence stands at this batch now."""
        tick = _tick(batch)
        self._ticks[tick.device_id] = tick
        self._moved.add(tick.device_id)

    def stands(self, batch: Checked) -> None:
        """The hub has decided on this batch before."""
        tick = _tick(batch)
        held = self._ticks.get(tick.device_id)
        if held is None or _place(held) < _place(tick):
            self._ticks[tick.device_id] = tick

    def give(self, batch: Checked, receipt: BatchReceipt) -> None:
        """The gateway that forwarded the batch gets the receipt."""
        if batch.forwarded.gateway_id:
            self._receipts.append((batch.forwarded.gateway_id, receipt))

    async def send(self, writer: ChangeWriter) -> dict[bytes, bytes]:
        """The receipts are in the transaction. Returns the signed tick of each device that has moved."""
        signed = await asyncio.to_thread(self._sign_all)
        for gateway_id, receipt in self._receipts:
            tick = self._ticks.get(receipt.device_id)
            covered = tick is not None and (receipt.device_epoch, receipt.sequence) <= _place(tick)
            proof = signed[receipt.device_id] if covered else b""
            writer.receipt(gateway_id, replace(receipt, hub_tick=proof))
        return {device_id: signed[device_id] for device_id in self._moved}

    def _sign_all(self) -> dict[bytes, bytes]:
        return {device_id: sign_tick(tick, self._sign) for device_id, tick in self._ticks.items()}


def _tick(batch: Checked) -> HubTick:
    header = header_of(batch)
    return HubTick(header.device_id, header.device_epoch, header.sequence, batch.sha256)


def _place(tick: HubTick) -> tuple[int, int]:
    return tick.device_epoch, tick.sequence
