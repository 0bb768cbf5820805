"""Passwords, codes and keys are looked for in everything that the programs write and answer."""

import asyncio
import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo import network as parts
from deploy.demo.network import Network
from deploy.demo.processes import CommandFailedError, ask
from device_agent.storage.home import Home
from device_agent.storage.keyring import Keyring
from tests.kit.network import two_ticks
from tests.kit.standing import Standing, standing_network

SECRET_FILES = ("*.pem", "*.seed", "bus.jwt", "password")
_LEAST = 12
"""Shorter pieces of a file are found anywhere by chance."""


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """A small network."""
    with standing_network(tmp_path_factory.mktemp("secrets")) as made:
        yield made


def test_no_secret_stands_in_a_log_an_answer_or_a_page(
    standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logs are copied to people who may not know them: enrolment, sign-in, sync, refusals, commands leave none."""
    said: list[str] = []

    async def heard(name: str, *words: str, timeout_s: float = 120.0) -> dict[str, object]:
        try:
            answer = await ask(name, *words, timeout_s=timeout_s)
        except CommandFailedError as error:
            said.append(json.dumps(error.answer) + error.error)
            raise
        if words[:2] != ("device", "spare"):  # Its answer is the code, for the person who asked.
            said.append(json.dumps(answer))
        return answer

    async def work(network: Network) -> None:
        secrets = await _live(network)
        monkeypatch.setattr(parts, "ask", heard)
        secrets |= await _enrol_one_more(network)
        await _ask_everything(network)
        secrets |= await asyncio.to_thread(_on_disk, network.folder)
        written = await asyncio.to_thread(_logs, network.folder)
        pages = [await _page(one.metrics_port, "/metrics") for one in network.gateways]
        pages += [await _page(one.metrics_port, "/health") for one in network.gateways]
        assert len(written) >= 2, "hub and gateway have written logs"
        assert len(secrets) > 20, "secrets were found to look for"
        for name, text in [*written.items(), ("answers", "".join(said)), ("pages", "".join(pages))]:
            found = {place for place, secret in secrets if secret in text}
            assert found == set(), f"in {name}"

    standing.run(work)


async def _live(network: Network) -> set[tuple[str, str]]:
    """What people and programs know: the password, and the keys of the devices' databases."""
    found = {("password", network.password)}
    for device in network.devices:
        key = Keyring(Home(device.folder)).open(device.login, network.password)
        found |= {("database key", key.hex()), ("database key", base64.b64encode(key).decode())}
    return found


async def _enrol_one_more(network: Network) -> set[tuple[str, str]]:
    """A device comes in by its code, after a wrong code and a wrong password."""
    gateway = network.gateways[0]
    made = await network.hub.ask("device", "spare", "S9", "--gateway", "GW1", "--for", "D1")
    code = str(made["code"])
    wrong = code[:4] + ("B" if code[4] == "A" else "A") + code[5:]
    device = network.device("S9", "rep0001")
    for typed in (wrong, "FM-NO-CODE"):
        with pytest.raises(CommandFailedError):
            await device.enroll(typed, gateway)
    await device.enroll(code, gateway)
    planted = network.folder / "wrong-password"
    await asyncio.to_thread(planted.write_text, "planted-wrong-password\n")
    right, device.password_file = device.password_file, planted
    with pytest.raises(CommandFailedError):
        await device.ask("status")
    device.password_file = right
    return {
        ("code", code.split("-")[1]),
        ("wrong code", wrong.split("-")[1]),
        ("wrong password", "planted-wrong-password"),
    }


async def _ask_everything(network: Network) -> None:
    """Everybody's usual commands are given."""
    device = network.devices[0]
    await device.ask("order", "--lines", "2")
    await two_ticks(device)
    for words in (("status",), ("rejects",), ("verify",)):
        await device.ask(*words)
    for words in (("status",), ("config", "show")):
        await network.gateways[0].ask(*words)
        await network.hub.ask(*words)
    for words in (("session", "list"), ("quarantine", "list"), ("audit", "verify")):
        await network.hub.ask(*words)


def _on_disk(folder: Path) -> set[tuple[str, str]]:
    """Lines of every key file."""
    return {
        (path.name, line)
        for pattern in SECRET_FILES
        for path in folder.rglob(pattern)
        if "authority.pem" not in path.name and "chain" not in path.name
        for line in path.read_text("latin-1").splitlines()
        if len(line) >= _LEAST and not line.startswith("-----")
    }


def _logs(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8", "replace") for path in folder.rglob("*.log")}


async def _page(port: int, path: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    content = await reader.read()
    writer.close()
    await writer.wait_closed()
    return content.decode("utf-8", "replace")
