"""The pages for the night, followed to the letter: their commands are run, what they say is compared.

A page shows `$ command` lines in `console` blocks, and below each what it says; `…` stands for what
differs. A command that only looks is repeated until it says so, as a person would.
"""

import asyncio
import os
import re
import shlex
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.demo.network import Device, Gateway, Network
from deploy.demo.processes import program
from tests.kit.network import DEADLINE_S

PAGES = Path(__file__).parents[2] / "docs" / "operations" / "runbooks"
LOOKS = frozenset({"status", "list", "show", "verify", "partitions", "sync"})
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_CODE = re.compile(r"FM-[A-Z2-7]+-[A-Z2-7]+")
_PLACE = r"(?<![\w.-])(?:{names})(?![\w-])"


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a page, and what it says, line by line."""

    command: str
    says: tuple[str, ...]


def sections_of(page: str) -> dict[str, list[Step]]:
    """The steps of a page by the heading that they stand under; headings without steps are left out."""
    text = (PAGES / f"{page}.md").read_text("utf-8")
    parts = _SECTION.split(text)[1:]
    found = {name: steps_in(body) for name, body in zip(parts[::2], parts[1::2], strict=True)}
    return {name: steps for name, steps in found.items() if steps}


def steps_in(text: str) -> list[Step]:
    """Commands of the console blocks, each with the lines below it."""
    steps: list[Step] = []
    for block in _BLOCK.findall(text):
        for piece in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *says = piece.splitlines()
            steps.append(Step(command, tuple(says)))
    return steps


@dataclass(slots=True)
class Operator:
    """Follows pages in a network.

    Attributes:
        network: where.
        gateway: on whose machine `fieldmesh-gateway` runs.
        device: whose folder is `my-device`.
        spare: whose folder is `spare`.
        names: what stands on the page → what it is here.
    """

    network: Network
    gateway: Gateway
    device: Device
    spare: Device | None = None
    names: dict[str, str] = field(default_factory=dict)
    followed: list[tuple[str, str]] = field(default_factory=list)
    _code: str = ""

    async def follow(self, page: str, section: str) -> None:
        """Every command of the section was run and said what the page says."""
        self.followed.append((page, section))
        for step in sections_of(page)[section]:
            words = shlex.split(self._here(step.command))
            if words[0] == "systemctl":
                await self._service(words[1], words[2])
            else:
                await self._run(words, [self._here(line) for line in step.says])

    def _here(self, text: str) -> str:
        known = {
            "G1": self.gateway.code,
            "D1": self.device.code,
            "ann": self.device.login,
            "my-device": str(self.device.folder),
            "spare": str(self.spare.folder) if self.spare else "spare",
            "gw1.example:7443": self.gateway.address,
            "gw1.example:7444": f"127.0.0.1:{self.gateway.enrolment_port}",
            "https://hub.example:8443": f"https://127.0.0.1:{self.network.hub.https_port}",
            **({"FM-…": self._code} if self._code and "--code" in text else {}),
            **self.names,
        }
        if "device spare" in text:
            del known["spare"]  # The verb.
        names = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
        return re.sub(_PLACE.format(names=names), lambda hit: known[hit[0]], text)

    async def _service(self, verb: str, name: str) -> None:
        node = self.network.hub if name == "fieldmesh-hub" else self.gateway
        if verb in {"stop", "restart"}:
            await node.service.stop()
        if verb in {"start", "restart"}:
            await node.start()

    async def _run(self, words: list[str], says: list[str]) -> None:
        until = time.monotonic() + DEADLINE_S
        while True:
            code, text = await _output([*words, *self._more(words)])
            missing = [line for line in says if not _is_said(line, text)]
            if code == 0 and not missing:
                break
            looks = LOOKS.intersection(words[1:3])
            if not looks or time.monotonic() > until:
                pytest.fail(f"{words}: exit {code}, does not say {missing}:\n{text}")
            await asyncio.sleep(0.5)
        self._code = (_CODE.findall(text) or [self._code])[-1]

    def _more(self, words: list[str]) -> list[str]:
        """What a person would not type: where the node's folder is, and the password."""
        match words[0]:
            case "fieldmesh-hub":
                return ["--home", str(self.network.hub.folder)]
            case "fieldmesh-gateway":
                return ["--home", str(self.gateway.folder)]
            case _:
                return ["--password-file", str(self.device.password_file)]


def _is_said(line: str, text: str) -> bool:
    pieces = [r"\s+".join(map(re.escape, piece.split())) for piece in line.split("…")]
    pattern = r".*".join(pieces)
    return any(re.search(pattern, one) for one in text.splitlines())


async def _output(words: list[str]) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        program(words[0]), *words[1:], stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "en"},  # noqa: TID251 - what people read
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode(errors="replace")
