"""make demo: a company works for a day. Exits with 1 when a promise was broken."""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from deploy.demo.network import Network
from deploy.demo.processes import CommandFailedError
from deploy.demo.proxy import Line
from deploy.demo.story import Day
from deploy.demo.telling import Teller

PASSWORD = "sample-password"  # noqa: S105 - the sample company's, told to everyone
INTERRUPTED = 130


def main() -> int:
    """The demo's exit code."""
    parser = argparse.ArgumentParser(prog="demo", description="A company works for a day.")
    parser.add_argument("--keep", action="store_true", help="leave everything running to explore")
    parser.add_argument("--sample", type=Path, help="folder of real orders")
    parser.add_argument("--folder", type=Path, help="work here instead of in a temporary folder")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of the story")
    options = parser.parse_args()
    named = os.environ.get("FIELDMESH_SAMPLE")  # noqa: TID251 - the demo's one setting
    sample = options.sample or (Path(named) if named else None)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="fieldmesh-demo-"))
    if sample is not None and not sample.is_dir():
        parser.error(f"{sample} is no folder. Name the one that holds orders.csv.gz, or none.")
    teller = Teller(Console(quiet=options.json))
    try:
        code = asyncio.run(_run(folder, sample, teller, keep=options.keep))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print(f"Interrupted; all processes have ended. Logs and databases are in {folder}")
        return INTERRUPTED
    if options.json:
        checks = [asdict(one) for one in teller.checks]
        print(json.dumps({"ok": code == 0, "folder": str(folder), "checks": checks}))
    return code


async def _run(folder: Path, sample: Path | None, teller: Teller, *, keep: bool) -> int:
    """The day is over and its processes have ended, also when it was interrupted."""
    me = asyncio.current_task()
    if me is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)
    started = time.monotonic()
    async with Line(0) as line:
        network = Network(folder, line, PASSWORD)
        try:
            failed = not await _day(network, teller, sample)
            teller.closing_table(time.monotonic() - started)
            if keep:
                await _explore(network, teller)
        finally:
            await network.close()
    kept = teller.all_held and not failed
    if kept and not keep:
        network.forget()
    elif not keep:
        teller.console.print(f"Logs and databases are in {folder}")
    teller.console.print("Every promise was kept." if kept else "[bold red]A promise was broken.")
    return 0 if kept else 1


async def _day(network: Network, teller: Teller, sample: Path | None) -> bool:
    """Whether the day was lived to its end."""
    try:
        await Day(network, teller, sample).live()
    except (CommandFailedError, TimeoutError, RuntimeError, OSError, BaseExceptionGroup) as error:
        teller.console.print(f"[bold red]The day ended early:[/bold red] {_words(error)}")
        return False
    return True


def _words(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(_words(one) for one in error.exceptions)
    return f"{type(error).__name__}: {error}"


async def _explore(network: Network, teller: Teller) -> None:
    home, device = network.hub.folder, network.devices[0] if network.devices else None
    teller.console.print(network.describe())
    teller.console.print("Everything goes on running. Try, in another terminal:")
    teller.console.print(f"  fieldmesh-hub status --home {home}")
    teller.console.print(f"  fieldmesh-hub session list --home {home}")
    if network.gateways:
        teller.console.print(f"  fieldmesh-gateway status --home {network.gateways[0].folder}")
    if device is not None:
        teller.console.print(
            f"  fieldmesh-device sync full --home {device.folder} --login {device.login}"
            f" --password-file {device.password_file}"
        )
    teller.console.print("Ctrl+C ends it.")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return


if __name__ == "__main__":
    sys.exit(main())
