"""Everything that `make check` looks at, two at a time; prints what is wrong, and nothing else."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PACKAGES = ("fieldmesh", "device_agent", "gateway", "hub")
LINTED = (*PACKAGES, "deploy", "tests", "tools", "protos", "examples")


@dataclass(frozen=True)
class Check:
    """One command, and what its success means."""

    name: str
    command: tuple[str, ...]


def checks() -> list[Check]:
    """All checks, the slow ones first."""
    linted = tuple(name for name in LINTED if (ROOT / name).is_dir())
    typed = (*PACKAGES, *(("deploy",) if (ROOT / "deploy").is_dir() else ()))
    python = str(BIN / "python")
    return [
        Check("types", (_tool("mypy"), *(part for name in typed for part in ("-p", name)))),
        Check("layers", (_tool("lint-imports"), "--no-logo")),
        Check("dead code", (_tool("vulture"),)),
        Check("words", (_tool("codespell"), *linted, "docs", *_texts())),
        Check("dependencies", (_tool("deptry"), ".")),
        Check("lint", (_tool("ruff"), "check", "--quiet", "--output-format", "concise", *linted)),
        Check(
            "format", (_tool("ruff"), "format", "--check", "--output-format", "concise", *linted)
        ),
        Check("protos up to date", (python, "protos/generate.py", "--check")),
        Check("docs up to date", (python, "tools/docs.py", "--check")),
        Check("translations up to date", (python, "tools/translations.py", "--check")),
    ]


def _tool(name: str) -> str:
    return str(BIN / name)


def _texts() -> tuple[str, ...]:
    return tuple(str(path.relative_to(ROOT)) for path in ROOT.glob("*.md"))


def run(check: Check) -> tuple[Check, float, str]:
    """The check, its seconds, and what it complains about (empty = it passed)."""
    began = time.monotonic()
    done = subprocess.run(  # noqa: S603 - our own commands
        check.command, cwd=ROOT, capture_output=True, text=True, check=False
    )
    said = (done.stdout + done.stderr).strip()
    problem = (said or f"exit code {done.returncode}") if done.returncode else ""
    return check, time.monotonic() - began, problem


def main() -> int:
    """0 if all checks pass."""
    chosen = set(sys.argv[1:])
    wanted = [check for check in checks() if not chosen or check.name.split()[0] in chosen]
    failed = []
    with ThreadPoolExecutor(2) as pool:
        for check, seconds, problem in pool.map(run, wanted):
            print(f"{'FAILED' if problem else 'ok':>6}  {check.name} ({seconds:.1f} s)", flush=True)
            if problem:
                failed.append(check.name)
                print(problem, flush=True)
    if failed:
        print(f"check: {len(failed)} of {len(wanted)} failed: {', '.join(failed)}")
        return 1
    print(f"check: all {len(wanted)} passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
