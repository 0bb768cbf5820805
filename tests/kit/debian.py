"""Programs that only tests need, from Debian's packages: installed when they are missing and we may."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

MOST_S = 400
_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"  # noqa: TID251 - servers stand there


def needed(program: str, package: str) -> str:
    """The program's path; root installs its package where it is missing. Others' tests are skipped, and say so."""
    needs(package, program)
    return path_of(program)


def needs(packages: str, *programs: str) -> None:
    """The programs are there; root installs the packages where one is missing. Others' tests are skipped in words."""
    if not _missing(programs):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        with (Path(tempfile.gettempdir()) / "fieldmesh-apt.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side, and apt serves one
            if _missing(programs):
                _install(packages)
    missing = _missing(programs)
    if missing:
        pytest.skip(f"{', '.join(missing)}: not here; apt-get install {packages}")


def path_of(program: str) -> str:
    """Where the program stands."""
    found = shutil.which(program, path=_PATH)
    assert found is not None, program
    return found


def _missing(programs: tuple[str, ...]) -> list[str]:
    return [one for one in programs if shutil.which(one, path=_PATH) is None]


def _install(packages: str) -> None:
    """As much as can be installed is; a server of a package is not started by it (RUNLEVEL)."""
    quiet = {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1", **os.environ, "PATH": _PATH}  # noqa: TID251 - a tool of the tests
    for words in (
        ["update", "-qq"],
        ["install", "-y", "-qq", "--no-install-recommends", *packages.split()],
    ):
        subprocess.run(  # noqa: S603 - our own command
            [path_of("apt-get"), *words],
            env=quiet, check=False, capture_output=True, timeout=MOST_S,
        )  # fmt: skip
