"""Both sides refuse what may not be said, and say whose fault it is."""

import pytest

from fieldmesh.basics import limits
from fieldmesh.session.device_side import DeviceSession
from fieldmesh.session.gateway_side import GatewaySession
from fieldmesh.session.machine import LocalProtocolError, RemoteProtocolError, SessionMachine
from fieldmesh.session.transitions import Mode, Sender, State

DEVICE_SAYS = {"hello", "batch", "upload_end", "applied"}
FAST = ["hello", "batch", "batch", "upload_end", "welcome", "acknowledgement", "done"]
DOWN = ["download_start", "chunk", "chunk", "download_end", "applied"]
FULL = [*FAST[:-1], *DOWN, "repair", "applied", "repair", "applied", "done"]
INITIALIZE = [*FAST[:-1], *DOWN, "done"]
DIALOGUES = [
    (Mode.FAST, FAST),
    (Mode.UPLOAD, FAST),
    (Mode.FULL, FULL),
    (Mode.INITIALIZE, INITIALIZE),
    (Mode.DUPLICATE, INITIALIZE),
    (Mode.FULL, ["hello", "welcome", "upload_end", "acknowledgement", "done"]),
    (Mode.FAST, ["hello", "done"]),
]


def _hear(device: DeviceSession, gateway: GatewaySession, message: str) -> None:
    if message in DEVICE_SAYS:
        device.send(message)
        if message != "hello":
            gateway.receive(message)
    else:
        gateway.send(message)
        device.receive(message)


def _both(mode: Mode, *messages: str) -> tuple[DeviceSession, GatewaySession]:
    device, gateway = DeviceSession(mode), GatewaySession(mode.value)
    for message in messages:
        _hear(device, gateway, message)
    return device, gateway


@pytest.mark.parametrize(("mode", "dialogue"), DIALOGUES)
def test_each_mode_is_spoken_to_its_end_by_both_sides(mode: Mode, dialogue: list[str]) -> None:
    """The dialogues of docs/protocol.md."""
    device, gateway = _both(mode, *dialogue)
    assert device.is_ended
    assert gateway.is_ended
    assert device.count("batch") == dialogue.count("batch")


@pytest.mark.parametrize(
    ("mode", "before", "message"),
    [
        (Mode.FAST, ["hello"], "download_start"),
        (Mode.FAST, FAST[:-1], "download_start"),
        (Mode.UPLOAD, FAST[:-1], "download_start"),
        (Mode.FULL, ["hello"], "acknowledgement"),
        (Mode.FULL, ["hello", "upload_end"], "download_start"),
        (Mode.FULL, ["hello", "welcome"], "welcome"),
        (Mode.FULL, FAST[:-1], "chunk"),
        (Mode.FULL, FAST[:-1], "repair"),
        (Mode.FULL, [*FAST[:-1], *DOWN], "download_start"),
        (Mode.FULL, FULL[:-1], "repair"),
        (Mode.INITIALIZE, INITIALIZE[:-1], "repair"),
        (Mode.FAST, FAST, "done"),
        (Mode.FAST, ["hello"], "hello"),
        (Mode.FAST, ["hello"], ""),
    ],
)
def test_what_a_gateway_may_not_say_is_refused_on_both_sides(
    mode: Mode, before: list[str], message: str
) -> None:
    """A download that a device did not ask for would replace its work."""
    device, gateway = _both(mode, *before)
    with pytest.raises(RemoteProtocolError) as caught:
        device.receive(message)
    assert caught.value.code == "unexpected_message"
    with pytest.raises(LocalProtocolError):
        gateway.send(message)


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (["hello"], "applied"),
        (["hello", "upload_end"], "batch"),
        (["hello", "upload_end"], "upload_end"),
        (["hello"], "hello"),
        ([*FAST[:-1], *DOWN], "applied"),
        (FAST, "batch"),
        (["hello"], "done"),
    ],
)
def test_what_a_device_may_not_say_is_refused_on_both_sides(
    before: list[str], message: str
) -> None:
    """A stranger with a certificate is still a stranger."""
    device, gateway = _both(Mode.FULL, *before)
    with pytest.raises(LocalProtocolError):
        device.send(message)
    with pytest.raises(RemoteProtocolError):
        gateway.receive(message)


def test_a_refused_message_leaves_the_session_where_it_was() -> None:
    """Saying no changes nothing."""
    device, _ = _both(Mode.FULL, "hello")
    with pytest.raises(LocalProtocolError):
        device.send("applied")
    assert device.state is State.UPLOADING
    assert device.count("applied") == 0


def test_a_session_takes_a_bounded_number_of_batches() -> None:
    """A device that never stops would hold its place for ever."""
    gateway = GatewaySession(Mode.FAST)
    for _ in range(limits.BATCHES_IN_SESSION):
        gateway.receive("batch")
    with pytest.raises(RemoteProtocolError):
        gateway.receive("batch")


def test_an_unknown_mode_is_no_session() -> None:
    """It is refused before anything is promised."""
    with pytest.raises(ValueError, match="sideways"):
        SessionMachine("sideways", Sender.DEVICE)
