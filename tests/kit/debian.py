"""Programs that only tests need, from Debian's packages: installed when they are missing and we may."""

import os
import shutil
import subprocess

import pytest

MOST_S = 400


def needed(program: str, package: str) -> str:
    """The program's path; root installs its package where it is missing. Others' tests are skipped, and say so."""
    found = shutil.which(program)
    if found is not None:
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip(f"{program} is not here: apt-get install {package}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive", **os.environ}  # noqa: TID251 - a tool of the tests
    for command in (
        ["update", "-qq"],
        ["install", "-y", "-qq", "--no-install-recommends", package],
    ):
        subprocess.run(  # noqa: S603 - our own command
            ["apt-get", *command],  # noqa: S607 - where it stands differs
            env=quiet, check=True, capture_output=True, timeout=MOST_S,
        )  # fmt: skip
    installed = shutil.which(program)
    assert installed is not None, f"{package} holds no {program}"
    return installed
