"""What the documents promise is there."""

import re
import subprocess
import sys

import pytest

from tests.house.sources import ROOT, listed, text

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
FIGURE = re.compile(r"fieldmesh_(?:gateway|hub|device)_[a-z0-9_]+")
SUFFIXES = re.compile(r"_(bucket|sum|count)$")
DECISIONS = "docs/decisions/"


def test_every_link_between_documents_leads_somewhere() -> None:
    """A manual with dead links is not read twice."""
    dead = []
    for name in listed():
        if not name.endswith(".md"):
            continue
        folder = (ROOT / name).parent
        dead += [
            f"{name} → {target}"
            for target in LINK.findall(text(name))
            if "://" not in target and not (folder / target).resolve().exists()
        ]
    assert dead == []


def test_alerts_and_dashboards_use_declared_figures_only() -> None:
    """An alert on a figure that nobody sets never fires."""
    declared = set(FIGURE.findall(text("docs/operations/metrics.md")))
    used = {
        SUFFIXES.sub("", figure) if figure not in declared else figure
        for name in listed()
        if name.startswith("deploy/prometheus/")
        for figure in FIGURE.findall(text(name))
    }
    assert sorted(used - declared) == []


@pytest.mark.parametrize("tool", ["docs", "translations"])
def test_what_is_written_from_code_is_up_to_date(tool: str) -> None:
    """A page that differs from the program is worse than none."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, f"tools/{tool}.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_decisions_are_numbered_without_a_gap_and_complete() -> None:
    """Each says what was weighed, what it costs, and what would change it."""
    names = sorted(
        name.removeprefix(DECISIONS)
        for name in listed()
        if name.startswith(DECISIONS) and name[len(DECISIONS)].isdigit()
    )
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    wanted = (
        "## Context",
        "## Options",
        "## Decision",
        "## Price",
        "## What would change our mind",
    )
    short = [
        f"{name}: {title}"
        for name in names
        for title in wanted
        if title not in text(DECISIONS + name)
    ]
    assert short == []
