"""``python -m tests.attacks.fuzz --minutes 30``: new seeds until the time is over, and a line for each target."""

import argparse
import asyncio
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.attacks.fuzz.running import BrokenError, run
from tests.attacks.fuzz.targets import TARGETS

KEPT = Path("build") / "fuzz"
TURN_S = 20.0


def main() -> int:
    """0 when nothing broke."""
    options = argparse.ArgumentParser(prog="fuzz")
    options.add_argument("--minutes", type=float, default=5.0)
    options.add_argument("--only", default="", help="one target")
    options.add_argument("--seed", type=int, default=None, help="of the first turn")
    given = options.parse_args()
    names = [given.only] if given.only else list(TARGETS)
    until = time.monotonic() + given.minutes * 60
    seed, broken = given.seed, 0
    while time.monotonic() < until:
        turn_s = min(TURN_S, (until - time.monotonic()) / len(names))
        for name in names:
            broken += _turn(name, seed if seed is not None else secrets.randbits(32), turn_s)
        seed = None
    return 1 if broken else 0


def _turn(name: str, seed: int, seconds: float) -> int:
    folder = Path(tempfile.mkdtemp(prefix="fieldmesh-fuzz-"))
    try:
        work = run(name, TARGETS[name], seed=seed, seconds=seconds, folder=folder, kept=KEPT)
        tally = asyncio.run(work)
    except (BrokenError, AssertionError) as error:
        sys.stdout.write(f"BROKEN {name}, seed {seed}: {error}\n")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write(tally.line() + "\n")
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
