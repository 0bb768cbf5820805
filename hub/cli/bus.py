"""bus files: what the servers of a NATS cluster need."""

import argparse
from pathlib import Path

from fieldmesh.service.translation import _
from hub.cli.answers import Answer, Nouns
from hub.cli.asking import opened
from hub.relay.revocations import Revocations
from hub.trust.bus_servers import places, write_servers


def add_commands(nouns: Nouns, shared: argparse.ArgumentParser) -> None:
    """The commands about the message bus are known."""
    noun = nouns.add_parser("bus", help=_("the message bus"))
    verbs = noun.add_subparsers(metavar="VERB", required=True)
    files = verbs.add_parser(
        "files",
        parents=[shared],
        help=_("make the files of the NATS servers that bus.servers names; again renews them"),
    )
    files.add_argument("folder", type=Path, help=_("a folder for each server is made in this one"))
    files.set_defaults(command=_files)


async def _files(options: argparse.Namespace) -> Answer:
    async with opened(options) as office:
        servers = places(office.settings.bus.servers)
        made = write_servers(
            options.folder,
            servers,
            office.trust,
            await Revocations(office).accounts(),
            most_bytes=office.settings.bus.store_bytes,
        )
    facts = [
        {"server": one.name, "host": one.host, "port": one.port, "folder": str(folder)}
        for one, folder in zip(servers, made, strict=True)
    ]
    carry = _("Carry {folder} to {host} as /var/lib/fieldmesh-nats, readable by its user only.")
    return Answer(
        {"servers": facts},
        [carry.format(folder=one["folder"], host=one["host"]) for one in facts],
    )
