"""What a mode works with: the device's parts, handed in by `app`."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from device_agent.config import DeviceSettings
from device_agent.link.channel import Identity
from device_agent.link.messages import HubKnown
from device_agent.modes.progress import Progress, ProgressCallback, Step, silent
from device_agent.storage import identity
from device_agent.storage.database import DeviceDatabase
from device_agent.storage.home import Home
from device_agent.storage.outbox import Signer
from device_agent.storage.parts import DownloadFolder
from fieldmesh.basics.clock import Clock
from fieldmesh.codec.signature import sign
from fieldmesh.service import tls


@dataclass(slots=True)
class SyncContext:
    """One device, opened. The database is replaced by initialize and duplicate."""

    home: Home
    database: DeviceDatabase
    settings: DeviceSettings
    identity: Identity
    certificate: bytes
    hub_key: bytes
    sign: Signer
    new_identifier: Callable[[], bytes]
    clock: Clock
    chance: random.Random
    progress: ProgressCallback = field(default=silent)

    @property
    def hub(self) -> HubKnown:
        """How the hub's word to this device is known from a gateway's."""
        return HubKnown(self.hub_key, tls.read_certificate(self.certificate).node_id)

    @property
    def downloads(self) -> DownloadFolder:
        """Where a download that was cut waits."""
        return DownloadFolder(self.home, self.database.key)

    def tell(self, step: Step, done: int = 0, total: int = 0, note: str = "") -> None:
        """The person sees how far a step is."""
        self.progress(Progress(step, done, total, note))


@dataclass(slots=True)
class Report:
    """What a sync came to. Times are microseconds UTC."""

    mode: str
    outcome: str = "cut"
    """done, deferred, cut, refused, wiped or fenced."""
    problem: str = ""
    gateway_id: bytes = b""
    gateway_address: str = ""
    batches_sent: int = 0
    rows_up: int = 0
    rows_down: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    rejects: int = 0
    gateway_tick: tuple[int, int] = (0, 0)
    hub_tick: tuple[int, int] = (0, 0)
    mark_lsn: int = 0
    hub_reachable: bool = False
    device_state: str = ""
    resumed: bool = False
    repaired: bool = False
    rescue_file: str = ""
    cleared: bool = False
    retry_after_s: float = 0.0
    sessions: int = 1
    more_waits: bool = False
    """Batches wait that this gateway lacks and that were not sent: sync again."""


def load_identity(home: Home, key: bytes) -> Identity:
    """What the device shows and whom it trusts.

    Raises:
        Rejected: `device_home_damaged`, a file can't be read.
    """
    return Identity(
        certificate_pem=identity.certificate_pem(home.certificate),
        private_key_pem=identity.private_key_pem(identity.load_private_key(home, key)),
        authority_pem=identity.certificate_pem(home.authority),
    )


def signer(home: Home, key: bytes) -> Signer:
    """Signs with the device's key."""
    private_key = identity.load_private_key(home, key)
    return lambda content: sign(private_key, content)
