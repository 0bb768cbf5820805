"""What must not stand in the repository does not."""

import re

from tests.house.sources import listed, text

TEXTS = (
    ".py",
    ".md",
    ".toml",
    ".proto",
    ".sh",
    ".service",
    ".yml",
    ".yaml",
    ".html",
    ".css",
    ".txt",
)
UNFINISHED = re.compile(
    r"(?<!-)\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError|\bfor now\b", re.IGNORECASE
)
ADDRESS = re.compile(r"https?://[^ ]+/(simple|packages)/|--(extra-)?index-url|--find-links")
MACHINE = re.compile(r"/(work|opt|root|tmp)/[a-z]")


def found(pattern: re.Pattern[str], *, skip: tuple[str, ...] = ()) -> list[str]:
    """Where the pattern stands."""
    places = []
    for name in listed():
        if not name.endswith(TEXTS) or name.startswith(("tests/house/", "fieldmesh/wire/", *skip)):
            continue
        for number, line in enumerate(text(name).splitlines(), 1):
            if pattern.search(line):
                places.append(f"{name}:{number}: {line.strip()[:80]}")
    return places


def test_nothing_is_left_for_later() -> None:
    """What is unfinished belongs into an issue."""
    assert found(UNFINISHED) == []


def test_requirements_name_packages_and_no_addresses() -> None:
    """A company's mirror, or ours, must not be written into its software."""
    requirements = [name for name in listed() if name.startswith("requirements/")]
    assert requirements
    bad = [
        name
        for name in requirements
        for line in text(name).splitlines()
        if "://" in line or line.startswith("--")
    ]
    assert bad == []
    assert found(ADDRESS, skip=("tools/",)) == []


def test_no_path_of_a_developers_machine_is_named() -> None:
    """It would work nowhere else."""
    skipped = ("tests/", "deploy/systemd/", "deploy/nats/", "docs/", "README.md")
    assert found(MACHINE, skip=skipped) == []
