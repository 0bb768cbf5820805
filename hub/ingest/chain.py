"""Whether a batch follows the batch that was decided before it. Promise 3 (Order).

A device signs into each batch the digest of the one before it. Where a device was copied, or an old image of it came
back, two batches of one number exist, both well signed, and a gateway can show one and keep the other. The batch that
follows tells. It is applied all the same, because nobody knows which of the two pasts is the right one, and what was
kept back goes to quarantine when it comes; but it is told.
"""

from collections.abc import Iterable

from hub.ingest.decisions import header_of
from hub.ingest.verify import Checked
from hub.storage import inbox
from hub.storage.rows import Connection


class Chain:
    """The newest decided batch of each device, within one hub transaction."""

    def __init__(self, connection: Connection) -> None:
        """Nothing is known yet; what was decided stands behind ``connection``."""
        self._connection = connection
        self._newest: dict[bytes, bytes] = {}

    async def know(self, devices: Iterable[bytes]) -> None:
        """What was decided last of these devices is known."""
        self._newest |= await inbox.newest_sha256(self._connection, devices)

    def is_broken_by(self, batch: Checked) -> bool:
        """Whether the batch, whose turn it is, names another one before it.

        A new epoch names what the device knew last, which may be on its way; after a gap that was given up nobody
        knows what was before.
        """
        header = header_of(batch)
        before = self._newest.get(header.device_id)
        says = header.previous_sha256
        return header.sequence > 1 and bool(says) and before is not None and before != says

    def settle(self, batch: Checked) -> None:
        """The batch was decided."""
        self._newest[header_of(batch).device_id] = batch.sha256
