"""`fieldmesh-device` as a process of its own, and the example that embeds the agent."""

import asyncio
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.integration.device.company import identifier
from tests.integration.device.gateway_double import GatewayDouble

Answer = dict[str, Any]
ROOT = Path(__file__).parents[3]


async def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a Python process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={
            "PYTHONPATH": str(ROOT),
            "FIELDMESH_DEVICE_DISCOVERY": "false",
            "FIELDMESH_DEVICE_PATIENCE_S": "2",
            "PATH": "/usr/bin",
        },
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


class Shell:
    """A person at a terminal with one device."""

    def __init__(self, folder: Path) -> None:
        """A device in the folder, not enrolled yet."""
        self.home = folder / "device"
        self.password = folder / "password"
        self.password.write_text("secret\n")

    async def __call__(self, *words: str, code: int = 0) -> Answer:
        """The answer of one command, which ends with the exit code."""
        found, out, err = await run(
            "-m", "device_agent.cli", *words, "--home", str(self.home), "--json",
            "--login", "ana", "--password-file", str(self.password),
        )  # fmt: skip
        assert found == code, (out, err)
        answer: Answer = json.loads(out)
        answer["stderr"] = err
        return answer


def with_prices(gateway: GatewayDouble) -> None:
    """The outlets buy from one default price list."""
    company = gateway.company
    company.put("price_list", identifier(40), 11, code="L", is_default=1)
    for number in range(3):
        company.put("product", identifier(50 + number), 11, code=f"P{number}", name="Water")
        company.put(
            "product_unit", identifier(60 + number), 11, product_id=identifier(50 + number),
            order_multiple=4000,
        )  # fmt: skip
        company.put(
            "price", identifier(70 + number), 11, price_list_id=identifier(40),
            product_unit_id=identifier(60 + number), amount=150_000,
        )  # fmt: skip


async def test_a_day_at_the_command_line(gateway: GatewayDouble, tmp_path: Path) -> None:
    """The commands that the demo and the guide use, in their order."""
    with_prices(gateway)
    shell = Shell(tmp_path)
    enrolled = await shell("enroll", "--code", gateway.code, "--gateway", gateway.enrolment_address)
    assert enrolled["document_prefix"] == "K07"
    synced = await shell("sync", "initialize", "--progress-json")
    steps = [json.loads(line)["step"] for line in synced["stderr"].splitlines()]
    assert steps[0] == "pack"
    assert steps[-1] == "done"
    assert {"connect", "upload", "acknowledge", "download", "apply", "verify", "swap"} <= set(steps)
    placed = await shell("order", "--lines", "2")
    assert placed["number"] == "K07-ORD-000001"
    assert Decimal(placed["amount"]) == Decimal("24.00")
    assert placed["notes"] == ["quantities_rounded", "quantities_rounded"]
    exported = await shell("export", str(tmp_path / "carrier"))
    assert exported["batches"] == 1
    synced = await shell("sync", "fast")
    assert (synced["outcome"], synced["rows_up"]) == ("done", 3)
    status = await shell("status")
    assert status["at_gateway_rows"] == 3
    gateway.apply_at_hub()
    await shell("sync", "full")
    assert (await shell("status"))["all_at_head_office"]
    counted = await shell("sql", "SELECT count(*) AS n FROM sales_order WHERE lsn > 0")
    assert counted["rows"] == [{"n": 1}]
    assert (await shell("verify", "--sync"))["equal"]
    assert (await shell("rejects"))["rejects"] == []
    assert (await shell("rescue", "list"))["files"] == []
    assert (await shell("sign-in", "check"))["login"] == "ana"
    assert "stall_s" in (await shell("config", "show"))["settings"]


async def test_refusals_are_clear_and_have_exit_codes(
    gateway: GatewayDouble, tmp_path: Path
) -> None:
    """A script can tell refused (1) from try again (75); a person reads what to do."""
    shell = Shell(tmp_path)
    assert (await shell("status", code=1))["problem"] == "device_not_enrolled"
    wrong = await shell(
        "enroll", "--code", "FM-XXX", "--gateway", gateway.enrolment_address, code=1
    )
    assert wrong["problem"] == "bad_code"
    await shell("enroll", "--code", gateway.code, "--gateway", gateway.enrolment_address)
    refused = await shell("sql", "INSERT INTO outlet (name) VALUES ('x')", code=1)
    assert "head office only" in refused["text"]
    told = await shell("sql", "SELECT json('{')", code=1)
    assert told["problem"] == "sql_refused"
    nowhere = await shell("export", str(tmp_path / "none" / "carrier"), code=1)
    assert nowhere["problem"] == "file_unusable"
    assert nowhere["place"].endswith("none/carrier")
    found, _, err = await run("-m", "device_agent.cli", "status", "--home", str(shell.home))
    assert (found, err.count("Traceback")) == (1, 0)
    assert "--password-file" in err
    found, _, err = await run(
        "-m", "device_agent.cli", "order", "--home", str(shell.home), "--lines", "-1"
    )
    assert (found, "not a number from 0" in err) == (2, True)
    away = await shell("sync", "fast", "--gateway", "127.0.0.1:9", code=75)
    assert away["problem"] == "no_gateway_reachable"
    shell.password.write_text("wrong")
    assert (await shell("status", code=1))["problem"] == "sign_in_refused"
    shell.password.write_text("secret")
    assert (await shell("wipe", code=1))["problem"] == "confirmation_missing"
    await shell("wipe", "--yes")
    assert (await shell("status", code=1))["problem"] == "device_not_enrolled"


async def test_the_embedding_example_runs(gateway: GatewayDouble, tmp_path: Path) -> None:
    """docs/embedding.md shows this file; it must work."""
    with_prices(gateway)
    shell = Shell(tmp_path)
    await shell("enroll", "--code", gateway.code, "--gateway", gateway.enrolment_address)
    await shell("sync", "initialize")
    code, out, err = await run(
        "examples/embed_device_agent.py", str(shell.home), "ana", str(shell.password)
    )
    assert code == 0, err
    assert "K07-ORD-000001: done, 4 rows up" in out
    text = (ROOT / "docs/embedding.md").read_text("utf-8")
    assert (ROOT / "examples/embed_device_agent.py").read_text("utf-8") in text
