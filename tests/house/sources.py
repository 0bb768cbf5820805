"""The repository's own files, as the house tests read them."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("fieldmesh", "device_agent", "gateway", "hub", "deploy")
GENERATED = ("fieldmesh/wire/",)


@cache
def listed() -> tuple[str, ...]:
    """Every file that git knows and that is still there."""
    done = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - whichever git is there
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = done.stdout.decode().split("\0")
    return tuple(name for name in names if name and (ROOT / name).is_file())


@cache
def python_files() -> tuple[str, ...]:
    """Our own Python files of the packages."""
    return tuple(
        name
        for name in listed()
        if name.endswith(".py")
        and name.split("/")[0] in PACKAGES
        and not name.startswith(GENERATED)
    )


@cache
def text(name: str) -> str:
    """A file's text."""
    return (ROOT / name).read_text("utf-8")


@cache
def tree(name: str) -> ast.Module:
    """A Python file, parsed."""
    return ast.parse(text(name))
