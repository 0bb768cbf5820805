"""Whether a download can be made now, or has to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fieldmesh.basics.errors import Retry
from fieldmesh.data.schema import SCHEMA_VERSION
from gateway.storage import cursors, partitions

if TYPE_CHECKING:
    from gateway.storage.transaction import Transaction

_NOT_READY_RETRY_S: Final = 15.0
_OLDER_RETRY_S: Final = 600.0


def check_served(connection: Transaction, wanted: set[int]) -> None:
    """All partitions can be given to a device.

    Raises:
        Retry: ``partition_not_ready``.
    """
    missing = partitions.not_served(connection, wanted)
    if missing:
        raise Retry("partition_not_ready", delay_s=_NOT_READY_RETRY_S, partitions=len(missing))


def check_ahead(connection: Transaction, cursor_lsn: int) -> None:
    """The device does not stand above this gateway's mark, as far as its state is one of the hub's still.

    Raises:
        Retry: ``gateway_behind``: the device would be shown a state older than its own.
    """
    state = cursors.read_state(connection)
    if cursors.what_stands(cursor_lsn, state.epochs) > state.mark_lsn:
        raise Retry("gateway_behind", delay_s=_NOT_READY_RETRY_S)


def check_known(schema_version: int) -> None:
    """This gateway has every column that a device of that schema version has.

    A download without them would empty them on the device, under hashes that say all is well.

    Raises:
        Retry: ``gateway_older``.
    """
    if schema_version > SCHEMA_VERSION:
        raise Retry("gateway_older", delay_s=_OLDER_RETRY_S)
