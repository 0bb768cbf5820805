"""make demo: a company works for a day. Exits with 1 when a promise was broken."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from deploy.demo.network import Network
from deploy.demo.processes import CommandFailedError
from deploy.demo.proxy import Line
from deploy.demo.story import Day
from deploy.demo.telling import Teller

PASSWORD = "sample-password"  # noqa: S105 - the sample company's, told to everyone


def main() -> int:
    """The demo's exit code."""
    parser = argparse.ArgumentParser(prog="demo", description="A company works for a day.")
    parser.add_argument("--keep", action="store_true", help="leave everything running to explore")
    parser.add_argument("--sample", type=Path, help="folder of real orders")
    parser.add_argument("--folder", type=Path, help="work here instead of in a temporary folder")
    options = parser.parse_args()
    named = os.environ.get("FIELDMESH_SAMPLE")  # noqa: TID251 - the demo's one setting
    sample = options.sample or (Path(named) if named else None)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="fieldmesh-demo-"))
    return asyncio.run(_run(folder, sample, keep=options.keep))


async def _run(folder: Path, sample: Path | None, *, keep: bool) -> int:
    teller = Teller()
    started = time.monotonic()
    async with Line(0) as line:
        network = Network(folder, line, PASSWORD)
        failed = False
        try:
            await Day(network, teller, sample).live()
        except (
            CommandFailedError,
            TimeoutError,
            RuntimeError,
            OSError,
            BaseExceptionGroup,
        ) as error:
            failed = True
            teller.console.print(f"[bold red]The day ended early:[/bold red] {_words(error)}")
        teller.closing_table(time.monotonic() - started)
        if keep:
            await _explore(network, teller)
        await network.close()
    kept = teller.all_held and not failed
    if kept and not keep:
        network.forget()
    elif not keep:
        teller.console.print(f"Logs and databases are in {folder}")
    teller.console.print("Every promise was kept." if kept else "[bold red]A promise was broken.")
    return 0 if kept else 1


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
