"""What is written down of a decision on a batch: its inbox line, its receipt, its quarantine entry."""

from fieldmesh.basics.errors import FieldmeshError, Rejected
from fieldmesh.basics.problems import describe
from fieldmesh.codec.batch import BatchHeader
from fieldmesh.codec.replication import BatchReceipt
from hub.ingest.verify import Checked
from hub.storage import quarantine
from hub.storage.inbox import Decided
from hub.storage.quarantine import Quarantined


def header_of(batch: Checked) -> BatchHeader:
    """Its header.

    Raises:
        Rejected: `bad_batch`, it can't be read.
    """
    if batch.header is None:
        raise Rejected("bad_batch", place="batch header")
    return batch.header


def place_of(batch: Checked) -> tuple[int, int]:
    """Epoch and sequence."""
    header = header_of(batch)
    return header.device_epoch, header.sequence


def is_forged(problem: FieldmeshError) -> bool:
    """Whether nobody knows who made it, so that it must not move the device's sequence on."""
    return problem.code in quarantine.FORGED


def decided(batch: Checked, decision: str, lsn: int, at: int) -> Decided:
    """The inbox line of a decision made in the transaction ``lsn`` at ``at`` (UTC microseconds)."""
    header = header_of(batch)
    return Decided(
        header.device_id,
        header.device_epoch,
        header.sequence,
        batch.sha256,
        decision,
        lsn,
        batch.forwarded.gateway_id or None,
        at,
        header.rows,
    )


def same_place(held: Decided, header: BatchHeader) -> bool:
    """Whether the decision is on a batch of that device, epoch and sequence."""
    return (held.device_id, held.device_epoch, held.sequence) == (
        header.device_id,
        header.device_epoch,
        header.sequence,
    )


def receipt_of(batch: Checked, decision: str, lsn: int) -> BatchReceipt:
    """What its gateway is told; zeros where the header can't be read."""
    header = batch.header
    return BatchReceipt(
        batch.forwarded.outbox_number,
        header.device_id if header else b"",
        header.device_epoch if header else 0,
        header.sequence if header else 0,
        decision,
        lsn,
    )


def quarantine_entry(batch: Checked, problem: FieldmeshError, at: int) -> Quarantined:
    """The batch with its bytes and its reason, for a person; ``at`` is UTC microseconds."""
    header = batch.header
    return Quarantined(
        0,
        header.device_id if header else None,
        header.device_epoch if header else 0,
        header.sequence if header else 0,
        batch.sha256,
        batch.payload,
        problem.code,
        describe(problem),
        batch.forwarded.gateway_id or None,
        at,
        quarantine.OPEN,
    )
