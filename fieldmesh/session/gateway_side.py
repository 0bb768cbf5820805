"""The gateway's side of a session."""

from fieldmesh.session.machine import SessionMachine
from fieldmesh.session.transitions import Mode, Sender


class GatewaySession(SessionMachine):
    """What the gateway may say, and what it accepts.

    Made when the Hello has told the mode; the Hello counts as received.
    """

    def __init__(self, mode: Mode | str) -> None:
        """A session in this mode, just after the Hello."""
        super().__init__(mode, Sender.GATEWAY)
        self.receive("hello")
