"""Settings of a gateway: ``gateway.toml`` in its home, ``FIELDMESH_GATEWAY_*``, flags.

Parts get the few values they need; nothing else reads settings.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


def _setting(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True, slots=True)
class ServingLimits:
    """What sessions need of the settings.

    Attributes:
        silence_s: longest time without a message from a device.
        ready_wait_s: how long a session waits for partitions that are on their way.
        keepalive_s: a device that waits for its download hears so often that it is being made.
    """

    silence_s: float
    ready_wait_s: float
    keepalive_s: float


@dataclass(frozen=True, slots=True)
class ReplicationLimits:
    """What the loops to the hub need of the settings."""

    republish_after_s: float
    keep_batches_days: int
    keep_removals_days: int


@dataclass(frozen=True, slots=True)
class GatewayConfig:
    """What a branch administrator may set on a gateway."""

    listen_host: str = _setting(
        "0.0.0.0",  # noqa: S104 - devices come from the whole network
        "Address on which devices are served.",
    )
    port: int = _setting(7443, "Port where enrolled devices sync; 0 = any free one.")
    enrolment_port: int = _setting(7444, "Port where new devices enrol; 0 = any free one.")
    metrics_host: str = _setting("127.0.0.1", "Address of /health and /metrics.")
    metrics_port: int = _setting(7445, "Port of /health and /metrics; 0 = any free one.")
    announce: bool = _setting(
        default=True, text="Announce the gateway on the local network (mDNS)."
    )
    log_level: str = _setting("info", "error, warning, info or debug.")
    language: str = _setting("", "Language of texts, en or bg; empty = that of the machine.")
    fast_sessions: int = _setting(64, "Fast and upload sessions at once.")
    full_sessions: int = _setting(16, "Full sessions at once.")
    initialize_sessions: int = _setting(6, "Initialize and duplicate sessions at once.")
    blob_transfers: int = _setting(4, "Photo transfers at once.")
    waiting_per_place: int = _setting(8, "Devices that may wait for each place.")
    pool_wait_s: float = _setting(20.0, "Longest wait for a place before a device is sent away.")
    snapshot_builders: int = _setting(2, "Snapshots built at once.")
    silence_s: float = _setting(120.0, "A device that says nothing for so long is given up.")
    ready_wait_s: float = _setting(
        10.0, "How long a device waits here for areas that are being loaded."
    )
    keepalive_s: float = _setting(
        10.0, "A device whose download is being made hears of it so often."
    )
    republish_after_s: float = _setting(
        60.0, "A batch without the hub's receipt is sent again after so long."
    )
    keep_batches_days: int = _setting(
        14, "Days that forwarded batches and photos are kept, for a hub restored from a backup."
    )
    renew_before_s: float = _setting(
        60 * 86_400.0, "The gateway's certificate is renewed so long before it ends."
    )
    keep_removals_days: int = _setting(
        30, "Devices away for longer get their areas whole in the next full sync."
    )
    disk_floor_bytes: int = _setting(
        256 << 20,
        "Below twice this free space downloads are refused, below it uploads too.",
    )
    bandwidth_hours: tuple[str, ...] = _setting(
        (), "Limits by local hours in kilobytes a second, such as 08:00-18:00=500."
    )

    def serving_limits(self) -> ServingLimits:
        """What sessions need."""
        return ServingLimits(self.silence_s, self.ready_wait_s, self.keepalive_s)

    def replication_limits(self) -> ReplicationLimits:
        """What the loops to the hub need."""
        return ReplicationLimits(
            self.republish_after_s, self.keep_batches_days, self.keep_removals_days
        )
