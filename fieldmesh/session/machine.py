"""One session as one side sees it."""

from fieldmesh.basics.errors import Defect, Rejected
from fieldmesh.session.transitions import (
    AFTER_WELCOME,
    MOST_TIMES,
    Mode,
    Sender,
    State,
    next_state,
)


class LocalProtocolError(Defect):
    """This side was about to say something that may not be said here."""


class RemoteProtocolError(Rejected):
    """The other side said something that may not be said here."""


class SessionMachine:
    """Knows where a session stands and refuses what does not belong there."""

    def __init__(self, mode: Mode | str, side: Sender) -> None:
        """Nothing was said yet.

        Args:
            mode: of the session.
            side: who we are.
        """
        self.mode = Mode(mode)
        self.state = State.OPENING
        self._side = side
        self._other = Sender.GATEWAY if side is Sender.DEVICE else Sender.DEVICE
        self._counts: dict[str, int] = {}

    @property
    def is_ended(self) -> bool:
        """Whether Done was said."""
        return self.state is State.ENDED

    def count(self, message: str) -> int:
        """How often a message was said, by either side."""
        return self._counts.get(message, 0)

    def send(self, message: str) -> None:
        """We say this message.

        Raises:
            LocalProtocolError: it may not be said here.
        """
        if not self._step(self._side, message):
            raise LocalProtocolError(
                "unexpected_message", place=f"{self.state}, {self._side} says {message}"
            )

    def receive(self, message: str) -> None:
        """The other side said this message.

        Raises:
            RemoteProtocolError: `unexpected_message`, it may not be said here.
        """
        if not self._step(self._other, message):
            raise RemoteProtocolError(
                "unexpected_message", place=f"{self.state}, {self._other} says {message}"
            )

    def _step(self, sender: Sender, message: str) -> bool:
        target = next_state(self.mode, self.state, sender, message)
        if target is None:
            return False
        count = self._counts.get(message, 0) + 1
        if count > MOST_TIMES.get(message, count):
            return False
        if message in AFTER_WELCOME and not self._counts.get("welcome"):
            return False
        self._counts[message] = count
        self.state = target
        return True
