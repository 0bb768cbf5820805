"""After the hub was restored from a backup: nothing that this gateway holds is lost.

The batches whose receipts name a commit of the lost future are published again, and every photo
is offered again: the hub says of those that it still has that they are complete. Partitions
that hold rows of that future are seeded anew, and those rows give way to the hub's; what the
batches brought is shown as provisional until the hub has them again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from gateway.storage import blobs, cache, outbox, partitions, provisional_due

if TYPE_CHECKING:
    from gateway.storage.transaction import Transaction

LOG = logging.getLogger(__name__)


def recover(connection: Transaction, now: int) -> None:
    """What the hub has lost is sent again, what it never had is fetched away."""
    again = outbox.open_again_after_restore(connection, lost_above=0)
    provisional_due.mark_again(connection, again)
    photos = blobs.send_again(connection)
    suspects = cache.partitions_with_lost_rows(connection) | partitions.with_lost_seeds(connection)
    cache.forget_lost_removals(connection)
    partitions.seed_again(connection, suspects, now, whole=False)
    LOG.warning(
        "hub_restored",
        extra={
            "batches_again": len(again),
            "photos_again": photos,
            "partitions_again": len(suspects),
        },
    )
