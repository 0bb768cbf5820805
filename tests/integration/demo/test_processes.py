"""Programs as processes, as the demo and the fault tests run them."""

import asyncio
import time
from pathlib import Path

import pytest

from deploy.demo.processes import CommandFailedError, Service, ask, wait_for


async def test_a_refusal_carries_code_and_answer(tmp_path: Path) -> None:
    """Without it a broken promise would look like a crash."""
    with pytest.raises(CommandFailedError) as refused:
        await ask("fieldmesh-hub", "status", "--home", str(tmp_path / "none"))
    assert refused.value.code == 1
    assert refused.value.answer["ok"] is False


async def test_a_command_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    """Without it a hanging program would outlive the demo."""
    await ask("fieldmesh-hub", "init", "--home", str(tmp_path / "hub"), "--company", "Slow")
    with pytest.raises(TimeoutError):
        await ask("fieldmesh-hub", "serve", "--home", str(tmp_path / "hub"), timeout_s=0.2)


async def test_a_service_that_ends_at_once_is_told_with_its_log(tmp_path: Path) -> None:
    """Without it a port in use would show as a time-out."""
    service = Service("fieldmesh-hub", ["serve", "--home", str(tmp_path)], tmp_path / "hub.log")
    await service.start()
    with pytest.raises(RuntimeError, match="fieldmesh-hub has ended"):
        await wait_for(tmp_path / "run" / "ports.json", service)
    assert await service.stop() == 1


async def test_a_killed_service_leaves_no_process(tmp_path: Path) -> None:
    """Without it a message bus of an old demo would hold the next one's port."""
    home = tmp_path / "hub"
    words = ["--company", "Gone", "--https-port", "0", "--bus-port", "0"]
    await ask("fieldmesh-hub", "init", "--home", str(home), *words)
    service = Service("fieldmesh-hub", ["serve", "--home", str(home)], tmp_path / "hub.log")
    await service.start()
    await wait_for(home / "run" / "ports.json", service)
    bus = int((home / "bus" / "nats.pid").read_text())
    await service.kill()
    for pid in (service.pid, bus):
        assert await _is_gone(pid)


async def _is_gone(pid: int) -> bool:
    until = time.monotonic() + 5
    while _lives(pid):
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.02)
    return True


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii")
    except OSError:
        return False
    return state.rpartition(")")[2].split()[0] != "Z"
