"""What a gateway says in a session, as plain values.

Generated messages stay in this package; modes see these.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from fieldmesh.codec.columns import TableRows
from fieldmesh.codec.frames import UnpackedFrame
from fieldmesh.replica.digest import Digest
from fieldmesh.session.transitions import Mode

Place = tuple[int, int]
"""Device epoch and sequence of a batch."""


class Outcome(StrEnum):
    """How a gateway ends a session."""

    DONE = "done"
    DEFERRED = "deferred"
    WIPE = "wipe"
    FENCED = "fenced"


class Kind(StrEnum):
    """What a download holds."""

    DELTA = "delta"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True)
class Opening:
    """What the device says first."""

    mode: Mode
    device_id: bytes
    device_epoch: int
    schema_version: int
    app_version: str
    cursor_lsn: int
    partitions: list[int]
    last_sequence: int
    last_sha256: bytes
    device_time: int
    session_id: bytes
    reject_lsn: int
    authority: bytes
    network: str
    resume_download_id: bytes = b""
    resume_offset: int = 0
    presence: bytes = b""
    presence_at: int = 0
    earlier_epoch: int = 0
    handover_epoch: int = 0
    hub_proof: bytes = b""


@dataclass(frozen=True, slots=True)
class SignedBytes:
    """A batch as it is carried: bytes that nobody re-encodes."""

    sequence: int
    header: bytes
    body: bytes
    signature: bytes

    @property
    def size_bytes(self) -> int:
        """Bytes on the wire, about."""
        return len(self.header) + len(self.body) + len(self.signature)


@dataclass(frozen=True, slots=True)
class TicksHeard:
    """What this gateway holds, and what the hub has applied, proven by the hub's signature."""

    gateway: Place = (0, 0)
    hub: Place = (0, 0)
    hub_sha256: bytes = b""
    """Of the header of the batch at `hub`."""
    hub_proof: bytes = b""
    """The hub's signed word itself."""


@dataclass(frozen=True, slots=True)
class HubKnown:
    """What the device needs to tell the hub's word from a gateway's."""

    key: bytes
    """Public key of the hub, DER."""
    device_id: bytes


@dataclass(frozen=True, slots=True)
class Welcomed:
    """The gateway knows the device."""

    gateway_id: bytes
    gateway_time: int
    mark_lsn: int
    granted_epoch: int
    device_state: str
    ticks: TicksHeard
    hub_reachable: bool
    next_sequence: int
    stands_in_for: bytes
    position_id: bytes
    schema_version: int
    authorities: bytes
    earlier_sequence: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The gateway has committed batches; rejects that the device has not seen."""

    ticks: TicksHeard
    rejects: list[TableRows]


@dataclass(frozen=True, slots=True)
class DownloadAnnounced:
    """A download begins, or goes on at `offset`."""

    download_id: bytes
    kind: Kind
    size_bytes: int
    sha256: bytes
    mark_lsn: int
    partitions: list[int]
    whole: list[int]
    dropped: list[int]
    offset: int
    uncompressed_bytes: int
    ticks: TicksHeard


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a download; their digest has been checked."""

    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class DownloadComplete:
    """All bytes were sent; digests that the device must reach."""

    digests: list[Digest]


@dataclass(frozen=True, slots=True)
class RepairSent:
    """Rows of the ranges that differed, and what changed since the download was made."""

    frames: list[UnpackedFrame]
    digests: list[Digest]
    """Of the state that they bring; empty = that of the download."""


@dataclass(frozen=True, slots=True)
class GatewayKnown:
    """A gateway where the device may sync."""

    gateway_id: bytes
    name: str
    addresses: list[str]
    enrolment_address: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over."""

    outcome: Outcome
    reason: str
    retry_after_s: float
    wipe_order: bytes
    rows_up: int
    rows_down: int
    bytes_up: int
    bytes_down: int
    ticks: TicksHeard
    gateways: list[GatewayKnown] = field(default_factory=list)


Message = (
    Welcomed | Acknowledged | DownloadAnnounced | Piece | DownloadComplete | RepairSent | Ended
)
