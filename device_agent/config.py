"""Settings of a device: `device.toml` in its home folder, `FIELDMESH_DEVICE_*`, flags.

Parts get the few values they need; nothing else reads settings.
"""

from dataclasses import dataclass, field

from fieldmesh.basics.limits import SMALL_DOWNLOAD_BYTES


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """What a branch administrator may set on a device."""

    gateways: list[str] = field(
        default_factory=list,
        metadata={"help": "Addresses (host:port) to try besides the hub's list."},
    )
    discovery: bool = field(
        default=True, metadata={"help": "Look for gateways on the local network."}
    )
    discovery_window_s: float = field(
        default=1.5,
        metadata={"help": "How long to listen for gateways on the local network."},
    )
    stall_s: float = field(
        default=30.0,
        metadata={"help": "A transfer that stands still for so long is given up."},
    )
    patience_s: float = field(
        default=60.0,
        metadata={"help": "How long a sync goes on trying when gateways are full or not ready."},
    )
    network: str = field(
        default="",
        metadata={"help": "Kind of line told to the hub: wifi, cellular or wired."},
    )
    small_download_bytes: int = field(
        default=SMALL_DOWNLOAD_BYTES,
        metadata={"help": "Downloads up to this size are begun again when cut, not resumed."},
    )
    renew_before_s: float = field(
        default=30 * 86_400.0,
        metadata={"help": "A certificate that ends sooner than this is renewed after a sync."},
    )
