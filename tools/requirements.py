"""requirements/run.txt and dev.txt: what pyproject.toml allows, pinned with hashes, no addresses.

What is pinned stays as it is and what is new is added; ``--upgrade`` takes the newest of everything.

Needs pip-tools, which stands in no requirement of ours: it is put into a folder of its own.
"""

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ("device", "gateway", "hub", "directory")
OPTIONS = (
    "--quiet",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-trusted-host",
    "--no-emit-find-links",
    "--no-annotate",
    "--no-header",
    "--strip-extras",
    "--allow-unsafe",
)


def compile_to(folder: Path, target: Path, extras: tuple[str, ...]) -> None:
    """The target holds what these extras need."""
    command = [str(folder / "bin" / "pip-compile"), *OPTIONS, *sys.argv[1:]]
    command += [part for extra in extras for part in ("--extra", extra)]
    command += ["--output-file", str(target.relative_to(ROOT)), "pyproject.toml"]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - our own command


def main() -> int:
    """Both files are written."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder, with_pip=True)
        install = [str(folder / "bin" / "pip"), "install", "--quiet", "pip-tools"]
        subprocess.run(install, check=True)  # noqa: S603 - our own command
        compile_to(folder, ROOT / "requirements" / "dev.txt", (*EXTRAS, "dev"))
        compile_to(folder, ROOT / "requirements" / "run.txt", EXTRAS)
    print(f"requirements: written{os.linesep}", end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
