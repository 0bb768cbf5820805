"""Pages for the night: every alert leads to one, and every command on them is one that the programs know."""

import re
import shlex

import pytest

from device_agent.cli.arguments import parser as device_parser
from gateway.cli.arguments import parser as gateway_parser
from hub.cli.program import parser as hub_parser
from tests.faults.test_runbooks import STORIES
from tests.house.sources import ROOT, listed, text
from tests.kit.runbooks import sections_of

RUNBOOKS = "docs/operations/runbooks/"
ALERTS = "deploy/prometheus/alerts.yml"
COMMAND = re.compile(
    r"^(?:\s{4,}|\$ )(?:sudo -u fieldmesh /opt/fieldmesh/bin/)?(fieldmesh-(?:hub|gateway|device) .*)$",
    re.MULTILINE,
)
PARSERS = {
    "fieldmesh-hub": hub_parser,
    "fieldmesh-gateway": gateway_parser,
    "fieldmesh-device": device_parser,
}


def commands() -> list[str]:
    """Every command line of the runbooks, guides and first pages, without the remarks behind it."""
    folders = (RUNBOOKS, "docs/guide/", "docs/operations/installing.md", "README.md")
    pages = [name for name in listed() if name.startswith(folders) and name.endswith(".md")]
    lines = [
        line.partition("  #")[0].strip() for name in pages for line in COMMAND.findall(text(name))
    ]
    found: set[str] = set()
    for line in lines:
        first, *more = line.split(" · ")
        found.update((first, *(f"{first.split()[0]} {words}" for words in more)))
    return sorted(line for line in found if "…" not in line.replace("FM-…", ""))


@pytest.mark.parametrize("line", commands())
def test_a_command_on_a_page_is_one_that_its_program_takes(line: str) -> None:
    """At night nobody finds out what was meant."""
    name, *words = shlex.split(line)
    try:
        PARSERS[name]().parse_args(words)
    except SystemExit as stopped:
        pytest.fail(f"{line}: exit {stopped.code}")


def test_every_alert_leads_to_a_runbook_and_every_runbook_stands_on_the_list() -> None:
    """An alert without a page is a riddle."""
    alerts = re.split(r"- alert: ", text(ALERTS))[1:]
    pages = [re.search(r"runbook: (\S+)", alert) for alert in alerts]
    assert all(page and (ROOT / page[1]).is_file() for page in pages), pages
    there = {
        name.removeprefix(RUNBOOKS)
        for name in listed()
        if name.startswith(RUNBOOKS) and not name.endswith("README.md")
    }
    assert there == set(re.findall(r"\]\(([a-z-]+\.md)\)", text(f"{RUNBOOKS}README.md")))


def test_every_section_with_commands_is_followed_by_a_test() -> None:
    """A page that nobody has followed is a guess."""
    pages = [
        name.removeprefix(RUNBOOKS).removesuffix(".md")
        for name in listed()
        if name.startswith(RUNBOOKS) and not name.endswith("README.md")
    ]
    there = {(page, section) for page in pages for section in sections_of(page)}
    assert there == {pair for story in STORIES for pair in story.sections}
