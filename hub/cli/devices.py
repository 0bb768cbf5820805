"""device add | spare | authorise | replace | home | code | revoke | list."""

import argparse

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import from_text, to_text
from fieldmesh.service.translation import _
from hub.cli.answers import Answer, Nouns
from hub.cli.asking import opened, sure, writing
from hub.fleet.office import Office
from hub.fleet.registry import (
    NewDevice,
    add_device,
    authorise_spare,
    change_home,
    revoke_device,
)
from hub.relay.wipe_order import signed_wipe_order
from hub.storage import nodes
from hub.storage.changes import ChangeWriter
from hub.storage.rows import rows_where
from hub.trust.authority import NodeKind
from hub.trust.enrolment import CODE_HOURS, new_code


def add_commands(nouns: Nouns, shared: argparse.ArgumentParser) -> None:
    """The commands about devices are known."""
    noun = nouns.add_parser("device", help=_("devices: register, spare, revoke"))
    verbs = noun.add_subparsers(metavar="VERB", required=True)
    add = verbs.add_parser("add", parents=[shared], help=_("register a main device"))
    add.add_argument("code", help=_("short code of the device"))
    add.add_argument("--position", required=True, help=_("code of the position it serves"))
    add.add_argument("--gateway", required=True, help=_("code of its home gateway"))
    add.add_argument(
        "--id", help=_("after a restore: the id of a device that was registered since the backup")
    )
    add.add_argument("--prefix", default="", help=_("with --id: the number prefix that it has"))
    add.set_defaults(command=_add)
    spare = verbs.add_parser("spare", parents=[shared], help=_("register a spare device"))
    spare.add_argument("code", help=_("short code of the device"))
    spare.add_argument("--gateway", help=_("code of its home gateway"))
    spare.add_argument(
        "--for", dest="first", help=_("authorise it at once to stand in for this device")
    )
    spare.set_defaults(command=_spare)
    authorise = verbs.add_parser("authorise", parents=[shared], help=_("let a spare stand in"))
    authorise.add_argument("spare")
    authorise.add_argument("--for", dest="first", required=True, help=_("the device it replaces"))
    authorise.set_defaults(command=_authorise)
    replace = verbs.add_parser(
        "replace",
        parents=[shared],
        help=_("revoke a lost device and register a new one in its place"),
    )
    replace.add_argument("device")
    replace.add_argument("code", help=_("short code of the new device"))
    replace.add_argument("--yes", action="store_true", help=_("do it without asking"))
    replace.set_defaults(command=_replace)
    home = verbs.add_parser("home", parents=[shared], help=_("change the home gateway"))
    home.add_argument("device")
    home.add_argument("gateway")
    home.set_defaults(command=_home)
    code = verbs.add_parser("code", parents=[shared], help=_("a new enrolment code"))
    code.add_argument("device")
    code.set_defaults(command=_code)
    revoke = verbs.add_parser(
        "revoke", parents=[shared], help=_("revoke and order it to erase itself")
    )
    revoke.add_argument("device")
    revoke.add_argument("--reason", default="", help=_("shown to the person"))
    revoke.add_argument("--yes", action="store_true", help=_("do it without asking"))
    revoke.set_defaults(command=_revoke)
    every = verbs.add_parser("list", parents=[shared], help=_("all devices"))
    every.set_defaults(command=_list)


async def _add(options: argparse.Namespace) -> Answer:
    known = _known_id(options)
    new = NewDevice(
        options.code,
        options.position,
        options.gateway,
        device_id=known,
        document_prefix=options.prefix,
    )
    async with opened(options) as office:
        about = {"code": options.code, "position": options.position, "id": options.id or ""}
        async with writing(office, "device_added", about) as writer:
            if known is None:
                return await _registered(writer, office, new)
            await add_device(writer, office.maker, new)
    line = _("Device {name} is known again. What it sent meanwhile: fieldmesh-hub quarantine list")
    return Answer(
        {"device": options.code, "device_id": to_text(known)}, [line.format(name=options.code)]
    )


def _known_id(options: argparse.Namespace) -> bytes | None:
    if bool(options.id) != bool(options.prefix):
        raise Rejected("usage", text=_("--id and --prefix go together"))
    try:
        return from_text(options.id) if options.id else None
    except ValueError:
        raise Rejected("usage", text=_("--id is no id")) from None


async def _spare(options: argparse.Namespace) -> Answer:
    new = NewDevice(options.code, gateway=options.gateway, spare=True)
    async with opened(options) as office:
        about = {"code": options.code, "for": options.first}
        async with writing(office, "spare_added", about) as writer:
            answer = await _registered(writer, office, new)
            if options.first:
                await _let_stand_in(writer, office, options.code, options.first)
            return answer


async def _authorise(options: argparse.Namespace) -> Answer:
    async with opened(options) as office:
        about = {"spare": options.spare, "for": options.first}
        async with writing(office, "spare_authorised", about) as writer:
            await _let_stand_in(writer, office, options.spare, options.first)
    line = _("{spare} may stand in for {first}: on it, run fieldmesh-device sync duplicate")
    return Answer(about, [line.format(spare=options.spare, first=options.first)])


async def _let_stand_in(writer: ChangeWriter, office: Office, spare: str, first: str) -> None:
    await authorise_spare(
        writer,
        office.maker,
        spare=await nodes.named_device(writer.connection, spare),
        first=await nodes.named_device(writer.connection, first),
    )


async def _replace(options: argparse.Namespace) -> Answer:
    sure(options, _("{device} is revoked and erases itself").format(device=options.device))
    async with opened(options) as office:
        about = {"device": options.device, "by": options.code}
        async with writing(office, "device_replaced", about) as writer:
            old = await nodes.named_device(writer.connection, options.device)
            position = await _code_of(writer, "position", old.position_id)
            gateway = await _code_of(writer, "gateway", old.gateway_id)
            if position is None or gateway is None:
                raise Rejected("not_found", text=_("that device serves no position"))
            await _revoke_one(writer, office, old, _("replaced"))
            return await _registered(writer, office, NewDevice(options.code, position, gateway))


async def _registered(writer: ChangeWriter, office: Office, new: NewDevice) -> Answer:
    device_id = await add_device(writer, office.maker, new)
    code = await new_code(writer.connection, office.trust, NodeKind.DEVICE, device_id)
    return _code_answer(new.code, device_id, code)


async def _code(options: argparse.Namespace) -> Answer:
    async with opened(options) as office:
        about = {"device": options.device}
        async with writing(office, "device_code_made", about) as writer:
            device = await nodes.named_device(writer.connection, options.device)
            if device.state == "revoked":
                raise Rejected("device_revoked", place=device.code)
            code = await new_code(
                writer.connection, office.trust, NodeKind.DEVICE, device.device_id
            )
    return _code_answer(device.code, device.device_id, code)


def _code_answer(name: str, device_id: bytes, code: str) -> Answer:
    return Answer(
        {"device": name, "device_id": to_text(device_id), "code": code},
        [
            _("Device {name} may enrol once within {hours} hours with the code").format(
                name=name, hours=CODE_HOURS
            ),
            f"  {code}",
            _("On it: fieldmesh-device enroll --gateway GATEWAY:PORT --code CODE"),
        ],
    )


async def _home(options: argparse.Namespace) -> Answer:
    async with opened(options) as office:
        about = {"device": options.device, "gateway": options.gateway}
        async with writing(office, "device_home_changed", about) as writer:
            device = await nodes.named_device(writer.connection, options.device)
            gateway = await nodes.named_gateway(writer.connection, options.gateway)
            await change_home(writer, office.maker, device, gateway)
    line = _("The home of {device} is now {gateway}.")
    return Answer(about, [line.format(device=device.code, gateway=gateway.code)])


async def _revoke(options: argparse.Namespace) -> Answer:
    sure(options, _("{device} erases itself, unsent work included").format(device=options.device))
    async with opened(options) as office:
        about: dict[str, object] = {"device": options.device, "reason": options.reason}
        async with writing(office, "device_revoked", about) as writer:
            device = await nodes.named_device(writer.connection, options.device)
            about["serials"] = await _revoke_one(writer, office, device, options.reason)
    line = _("{device} is revoked: it erases itself when it next meets a gateway.")
    return Answer({"device": device.code, "state": "revoked"}, [line.format(device=device.code)])


async def _revoke_one(
    writer: ChangeWriter, office: Office, device: nodes.Device, reason: str
) -> list[str]:
    order = signed_wipe_order(
        device.device_id,
        ordered_at=office.clock.now(),
        reason=reason,
        sign=office.trust.signer.sign,
    )
    return await revoke_device(writer, office.maker, device, wipe_order=order)


async def _list(options: argparse.Namespace) -> Answer:
    async with opened(options) as office, office.database.read() as connection:
        found = await nodes.devices(connection)
        positions = await rows_where(
            connection, "position", ("id", "code"), "id", {one.position_id for one in found}
        )
        titles = {row[0]: row[1] for row in positions}
        names = {one.device_id: one.code for one in found}
        homes = {one.gateway_id: one.code for one in await nodes.gateways(connection)}
        rows = [
            {
                "code": one.code,
                "kind": one.kind,
                "state": one.state,
                "position": titles.get(one.position_id),
                "gateway": homes.get(one.gateway_id or b""),
                "stands_in_for": names.get(one.stands_in_for or b""),
                "prefix": one.document_prefix,
                "app_version": one.app_version,
                "device_id": to_text(one.device_id),
            }
            for one in found
        ]
    lines = [] if rows else [_("There is no device yet: fieldmesh-hub device add CODE …")]
    return Answer({"devices": rows}, lines, rows)


async def _code_of(writer: ChangeWriter, table: str, row_id: bytes | None) -> str | None:
    rows = await rows_where(writer.connection, table, ("code",), "id", [row_id])
    return str(rows[0][0]) if rows else None
