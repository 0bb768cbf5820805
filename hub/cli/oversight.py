"""audit"""
import argparse
from typing import TYPE_CHECKING
from fieldmesh.service.translation import _
from hub.cli.answers import Answer
from hub.cli.asking import opened
from hub.storage import journal
if TYPE_CHECKING:
    Nouns = argparse._SubParsersAction[argparse.ArgumentParser]

def add_commands(nouns: "Nouns", shared: argparse.ArgumentParser) -> None:
    """The commands of oversight are known."""
    audit = nouns.add_parser("audit", help=_("the journal"))
    verbs = audit.add_subparsers(metavar="VERB", required=True)
    verify = verbs.add_parser("verify", parents=[shared])
    verify.set_defaults(command=_verify)

async def _verify(options: argparse.Namespace) -> Answer:
    async with opened(options) as office, office.database.read() as connection:
        count = await journal.verify(connection)
    return Answer({"entries": count}, [f"{count}"])
