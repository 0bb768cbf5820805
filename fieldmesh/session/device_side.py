"""The device's side of a session."""

from fieldmesh.session.machine import SessionMachine
from fieldmesh.session.transitions import Mode, Sender


class DeviceSession(SessionMachine):
    """What the device may say, and what it accepts."""

    def __init__(self, mode: Mode | str) -> None:
        """A session in this mode, before the Hello."""
        super().__init__(mode, Sender.DEVICE)
