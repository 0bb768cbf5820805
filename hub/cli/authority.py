"""authority show | renew | codes."""

import argparse
import csv
import io
from collections.abc import Sequence
from pathlib import Path

from fieldmesh.basics.codes import authority_fingerprint
from fieldmesh.basics.errors import Rejected
from fieldmesh.service.files import write_durably
from fieldmesh.service.tls import is_issued_by
from fieldmesh.service.translation import _
from hub.cli.answers import Answer, Nouns
from hub.cli.asking import opened, sure, when, writing
from hub.fleet.office import Office
from hub.fleet.running import running_ports
from hub.storage import enrolments, nodes
from hub.storage.rows import Connection
from hub.trust.authority import NodeKind
from hub.trust.enrolment import new_code

_GONE = frozenset({"revoked"})


def add_commands(nouns: Nouns, shared: argparse.ArgumentParser) -> None:
    """The commands on the authority are known."""
    noun = nouns.add_parser("authority", help=_("who signs certificates, and until when"))
    verbs = noun.add_subparsers(metavar="VERB", required=True)
    show = verbs.add_parser(
        "show", parents=[shared], help=_("authorities, their ends, and how many nodes each has")
    )
    show.set_defaults(command=_show)
    renew = verbs.add_parser(
        "renew",
        parents=[shared],
        help=_("a new authority that the old one vouches for; nodes follow by themselves"),
    )
    renew.add_argument("--yes", action="store_true", help=_("do it without asking"))
    renew.set_defaults(command=_renew)
    codes = verbs.add_parser(
        "codes",
        parents=[shared],
        help=_("a code for every node whose certificate is no good any more, as a CSV file"),
    )
    codes.add_argument("file", type=Path, help=_("a new file"))
    codes.set_defaults(command=_codes)


async def _show(options: argparse.Namespace) -> Answer:
    async with opened(options) as office, office.database.read() as connection:
        held = [one.certificate for one in await _certificates(connection)]
    rows = [
        {
            "authority": one.name,
            "fingerprint": authority_fingerprint(one.certificate).hex(),
            "began": when(one.began_at),
            "ends": when(one.ends_at),
            "nodes": sum(is_issued_by(certificate, one.certificate) for certificate in held),
            "state": _state(place, one.ends_at, office.clock.now()),
        }
        for place, one in enumerate(office.trust.authority.roots)
    ]
    return Answer({"authorities": rows}, [], rows)


def _state(place: int, ends_at: int, now: int) -> str:
    if ends_at < now:
        return _("ended")
    return _("issues") if place == 0 else _("trusted until its end")


async def _renew(options: argparse.Namespace) -> Answer:
    sure(options, _("certificates are issued by a new authority; take a backup afterwards"))
    async with opened(options) as office:
        if running_ports(office.home) is not None:
            raise Rejected("hub_runs_already", place=str(options.home))
        made = office.trust.authority.renewed(office.home.trust, office.settings.company)
        fingerprint = authority_fingerprint(made.certificate).hex()
        async with writing(office, "authority_renewed", {"fingerprint": fingerprint}):
            pass
    lines = [
        _("A new authority issues certificates: {fingerprint}").format(fingerprint=fingerprint),
        _("Start the hub: gateways, then devices, follow at their next contact."),
        _("Take a backup: the ones of before do not hold the new key."),
    ]
    return Answer({"authority": fingerprint}, lines)


async def _codes(options: argparse.Namespace) -> Answer:
    if options.file.exists():
        raise Rejected("backup_exists", place=str(options.file))
    async with opened(options) as office:
        rows = await _lost_nodes(office)
        about: dict[str, object] = {"nodes": [row[1] for row in rows]}
        async with writing(office, "codes_made", about) as writer:
            lines = [
                (kind.value, name, await new_code(writer.connection, office.trust, kind, node_id))
                for kind, name, node_id in rows
            ]
    write_durably(options.file, _as_csv(lines))
    line = _(
        "{file} holds {count} codes: gateways first, then devices enrol again in their folders."
    )
    return Answer(
        {"file": str(options.file), "codes": len(lines)},
        [line.format(file=options.file, count=len(lines))],
    )


async def _lost_nodes(office: Office) -> list[tuple[NodeKind, str, bytes]]:
    """Nodes that had a certificate and have none any more that holds; gateways first."""
    authority, now = office.trust.authority, office.clock.now()
    async with office.database.read() as connection:
        good = {
            one.node_id
            for one in await _certificates(connection)
            if one.expires_at > now and authority.is_in_force(one.certificate)
        }
        gateways = [
            (NodeKind.GATEWAY, one.code, one.gateway_id)
            for one in await nodes.gateways(connection)
            if one.bus_key and one.status not in _GONE
        ]
        devices = [
            (NodeKind.DEVICE, one.code, one.device_id)
            for one in await nodes.devices(connection)
            if one.certificate_serial and one.state not in _GONE
        ]
    return [one for one in (*gateways, *devices) if one[2] not in good]


async def _certificates(connection: Connection) -> list[enrolments.StoredCertificate]:
    """The newest certificate of each node, if it was not revoked."""
    newest = {one.node_id: one for one in await enrolments.all_certificates(connection)}
    return [one for one in newest.values() if one.revoked_at is None]


def _as_csv(lines: Sequence[tuple[str, str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("kind", "node", "code"))
    writer.writerows(lines)
    return text.getvalue().encode()
