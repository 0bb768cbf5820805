"""make chaos: a campaign. Exit codes: 0 every promise was kept, 3 one was broken; others: it could not be run."""

import argparse
import asyncio
import logging
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.campaign import Orders, Verdict, run
from tests.chaos.faults.fault import find
from tests.chaos.shape import company
from tests.chaos.telling import RESULT, stories, table, write_json

KEPT, BROKEN, INTERRUPTED = 0, 3, 130


def main() -> int:
    """The campaign's exit code."""
    parser = argparse.ArgumentParser(prog="chaos", description="a company works while things fail")
    parser.add_argument("--seed", type=int, help="of all plans; none = a new one, which is told")
    parser.add_argument("--minutes", type=float, default=5.0, help="of work under faults")
    parser.add_argument("--faults", default="", help="words such as kill,cut; none = all")
    parser.add_argument("--gateways", type=int, default=3)
    parser.add_argument("--devices", type=int, default=12)
    parser.add_argument("--at-once", type=int, default=4, help="lanes of faults")
    parser.add_argument("--cluster", action="store_true", help="three brokers, not the hub's own")
    parser.add_argument("--folder", type=Path, help="where everything lies; it is kept then")
    parser.add_argument("--list", action="store_true", help="the faults that there are")
    options = parser.parse_args()
    words = tuple(word for word in options.faults.split(",") if word)
    try:
        faults = find(words)
    except ValueError as error:
        parser.error(str(error))
    if options.list:
        _say(*faults)
        return KEPT
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    command = f"make chaos SEED={seed} MINUTES={options.minutes:g}"
    command += f" FAULTS={options.faults}" if options.faults else ""
    command += " CLUSTER=1" if options.cluster else ""
    folder = options.folder or Path(tempfile.mkdtemp(prefix="fieldmesh-chaos-"))
    crews = min(options.devices, max(2, options.devices // 4))
    shape = company(gateways=options.gateways, devices=options.devices, crews=crews)
    orders = Orders(
        folder, shape, seed, options.minutes * 60, words, options.at_once, options.cluster
    )
    _say(
        f"{command}: {len(faults)} faults, {options.gateways} gateways, {options.devices} devices in {crews} crews"
    )
    logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of every broker that goes away
    began = time.monotonic()
    try:
        verdict = asyncio.run(_until_told(orders))
    except (KeyboardInterrupt, asyncio.CancelledError):
        _say(
            f"Interrupted; all processes have ended. Histories, databases and logs are in {folder}"
        )
        return INTERRUPTED
    write_json(verdict, RESULT, command)
    _say(*table(verdict), *stories(verdict, command))
    _say(
        f"{verdict.days} days in {(time.monotonic() - began) / 60:.1f} minutes; figures are in {RESULT}"
    )
    if verdict.violations:
        _say(f"Histories, databases and logs are in {folder}")
    elif options.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    return BROKEN if verdict.violations else KEPT


async def _until_told(orders: Orders) -> Verdict:
    """The verdict; somebody who ends the campaign ends all its processes with it."""
    me = asyncio.current_task()
    if me is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)
    return await run(orders, _say)


def _say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
