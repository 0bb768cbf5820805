"""A company with two gateways and two initialized devices, made once by real processes and then copied."""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

from device_agent.app import DeviceAgent
from tests.kit.network import all_agree, small_network

LOGINS = {"D1": "rep0001", "D2": "rep0002"}


@dataclass(frozen=True, slots=True)
class Template:
    """Where the company lies, and the keys of its devices' databases."""

    folder: Path
    keys: dict[str, bytes]

    def copy(self, target: Path) -> None:
        """The company stands in another folder, as it was made."""
        shutil.copytree(self.folder, target, ignore=shutil.ignore_patterns("*.sock", "*.log"))


def make_template(folder: Path) -> Template:
    """The company; takes some fifteen seconds."""
    return asyncio.run(_make(folder))


async def _make(folder: Path) -> Template:
    async with small_network(folder) as network:
        first, second = (network.device(code, login) for code, login in LOGINS.items())
        await all_agree(network, first, second)
    made = folder / "net"
    shutil.rmtree(made / "hub" / "bus", ignore_errors=True)
    keys = {}
    for code, login in LOGINS.items():
        async with await DeviceAgent.open(made / code, login, "sample-password") as agent:
            keys[code] = agent.database_key
    return Template(made, keys)
