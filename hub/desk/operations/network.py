"""Gateways and devices: registered, given codes, revoked, replaced, told what to do."""

from collections.abc import Mapping

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import N_, _
from hub.desk.operation import Asked, Done, Input, Kind, Operation
from hub.fleet.registry import (
    NewDevice,
    NewGateway,
    add_device,
    add_gateway,
    authorise_spare,
    change_home,
    revoke_device,
    revoke_gateway,
)
from hub.storage import nodes
from hub.storage.changes import ChangeWriter
from hub.storage.rows import one_row
from hub.trust.authority import NodeKind
from hub.trust.enrolment import CODE_HOURS, new_code

_CODE = Input("code", N_("Code"), most=40)


async def _register_gateway(asked: Asked) -> Done:
    office = asked.hands.office
    async with asked.acting("gateway_added", dict(asked.texts)) as writer:
        new = NewGateway(
            asked.text("code"), asked.text("name"),
            await _code(writer, "org_unit", asked.link("unit")),
            await _code(writer, "distributor", asked.link("distributor")),
        )  # fmt: skip
        gateway = await add_gateway(writer, office.maker, new)
        secret = await new_code(writer.connection, office.trust, NodeKind.GATEWAY, gateway)
    return _shown(
        _("Gateway {name} may enrol once within {hours} hours with the code"), new.code, secret
    )


async def _gateway_code(asked: Asked) -> Done:
    return await _new_code(asked, NodeKind.GATEWAY, "gateway_code_made")


async def _device_code(asked: Asked) -> Done:
    return await _new_code(asked, NodeKind.DEVICE, "device_code_made")


async def _new_code(asked: Asked, kind: NodeKind, what: str) -> Done:
    office, record = asked.hands.office, asked.record
    name = str(record.values["code"])
    async with asked.acting(what, {"code": name}, [record.row_id]) as writer:
        secret = await new_code(writer.connection, office.trust, kind, record.row_id)
    return _shown(_("{name} may enrol once within {hours} hours with the code"), name, secret)


async def _revoke_gateway(asked: Asked) -> Done:
    office, record = asked.hands.office, asked.record
    about: dict[str, object] = {"gateway": record.values["code"]}
    async with asked.acting("gateway_revoked", about, [record.row_id]) as writer:
        gateway = await nodes.gateway(writer.connection, record.row_id)
        if gateway is not None:
            about["serials"] = await revoke_gateway(writer, office.maker, gateway)
    return Done(_("Gateway {name} is revoked.").format(name=record.values["code"]))


async def _command(asked: Asked) -> Done:
    record, what = asked.record, asked.text("what")
    options: Mapping[str, object] = {
        "repair": asked.flag("repair"), "deep": asked.flag("deep"), "hours": asked.text("hours"),
    }  # fmt: skip
    about: dict[str, object] = {"gateway": record.values["code"], "what": what, **options}
    subjects = [record.row_id]
    async with asked.acting("gateway_commanded", about, subjects):
        pass
    reply = await asked.hands.command(record.row_id, what, options)
    about["reply"] = reply
    async with asked.acting("gateway_answered", about, subjects):
        pass
    return Done(_("The gateway has answered."), facts=reply)


async def _register_device(asked: Asked) -> Done:
    office = asked.hands.office
    async with asked.acting("device_added", dict(asked.texts)) as writer:
        new = NewDevice(
            asked.text("code"),
            await _code(writer, "position", asked.link("position")),
            await _code(writer, "gateway", asked.link("gateway")),
        )
        device = await add_device(writer, office.maker, new)
        secret = await new_code(writer.connection, office.trust, NodeKind.DEVICE, device)
    return _shown(
        _("Device {name} may enrol once within {hours} hours with the code"), new.code, secret
    )


async def _register_spare(asked: Asked) -> Done:
    office = asked.hands.office
    async with asked.acting("spare_added", dict(asked.texts)) as writer:
        gateway = await _code(writer, "gateway", asked.link("gateway"))
        new = NewDevice(asked.text("code"), None, gateway, spare=True)
        device = await add_device(writer, office.maker, new)
        secret = await new_code(writer.connection, office.trust, NodeKind.DEVICE, device)
    return _shown(
        _("Device {name} may enrol once within {hours} hours with the code"), new.code, secret
    )


async def _authorise(asked: Asked) -> Done:
    office, first_id, spare_id = asked.hands.office, asked.record.row_id, asked.link("spare")
    about = {"spare": asked.text("spare"), "for": asked.record.values["code"]}
    async with asked.acting("spare_authorised", about, [first_id]) as writer:
        spare = await nodes.device(writer.connection, spare_id or b"")
        first = await nodes.device(writer.connection, first_id)
        if spare is None or first is None:
            raise Rejected("not_found", place="spare", text=N_("there is no such record for you"))
        await authorise_spare(writer, office.maker, spare=spare, first=first)
    line = _("{spare} may stand in for {first}: on it, run fieldmesh-device sync duplicate")
    return Done(line.format(spare=spare.code, first=first.code))


async def _revoke_device(asked: Asked) -> Done:
    record = asked.record
    about: dict[str, object] = {"device": record.values["code"], "reason": asked.text("reason")}
    async with asked.acting("device_revoked", about, [record.row_id]) as writer:
        about["serials"] = await _revoke(writer, asked, record.row_id)
    line = _("{device} is revoked: it erases itself when it next meets a gateway.")
    return Done(line.format(device=record.values["code"]))


async def _replace_device(asked: Asked) -> Done:
    office, record = asked.hands.office, asked.record
    about: dict[str, object] = {"device": record.values["code"], "by": asked.text("code")}
    async with asked.acting("device_replaced", about, [record.row_id]) as writer:
        old = await nodes.device(writer.connection, record.row_id)
        if old is None or old.position_id is None or old.gateway_id is None:
            raise Rejected("not_found", place="device", text=_("that device serves no position"))
        await _revoke(writer, asked, record.row_id)
        new = NewDevice(
            asked.text("code"),
            await _code(writer, "position", old.position_id),
            await _code(writer, "gateway", old.gateway_id),
        )
        device = await add_device(writer, office.maker, new)
        secret = await new_code(writer.connection, office.trust, NodeKind.DEVICE, device)
    return _shown(
        _("Device {name} may enrol once within {hours} hours with the code"), new.code, secret
    )


async def _change_home(asked: Asked) -> Done:
    office, record = asked.hands.office, asked.record
    about = {"device": record.values["code"], "gateway": asked.text("gateway")}
    async with asked.acting("device_home_changed", about, [record.row_id]) as writer:
        device = await nodes.device(writer.connection, record.row_id)
        gateway = await nodes.gateway(writer.connection, asked.link("gateway"))
        if device is None or gateway is None:
            raise Rejected("not_found", place="gateway", text=N_("there is no such record for you"))
        await change_home(writer, office.maker, device, gateway)
    line = _("The home of {device} is now {gateway}.")
    return Done(line.format(device=device.code, gateway=gateway.code))


async def _revoke(writer: ChangeWriter, asked: Asked, device_id: bytes) -> list[str]:
    device = await nodes.device(writer.connection, device_id)
    if device is None:
        return []
    order = asked.hands.wipe_order(device_id, asked.text("reason"))
    return await revoke_device(writer, asked.hands.office.maker, device, wipe_order=order)


async def _code(writer: ChangeWriter, table: str, row_id: bytes | None) -> str | None:
    if row_id is None:
        return None
    row = await one_row(writer.connection, table, ("code",), "id", row_id)
    return str(row[0]) if row is not None else None


def _shown(text: str, name: str, secret: str) -> Done:
    said = text.format(name=name, hours=CODE_HOURS)
    return Done(said, facts={"name": name, "code": secret}, secret=secret)


_GATEWAY = Input("gateway", N_("Home gateway"), Kind.LINK, source="gateways")
_LIVE = ("active", "suspended", "spare", "standing_in", "locked")
OPERATIONS = (
    Operation(
        "register", "gateways", N_("Register a gateway"), "gateway.manage", _register_gateway,
        (
            _CODE, Input("name", N_("Name"), required=False),
            Input("unit", N_("Office"), Kind.LINK, required=False, source="offices"),
            Input("distributor", N_("Distributor"), Kind.LINK, required=False, source="distributors"),
        ),
        of_record=False,
    ),
    Operation(
        "code", "gateways", N_("New code"), "gateway.manage", _gateway_code, states=("registered", "enrolled"),
    ),
    Operation(
        "command", "gateways", N_("Tell it what to do"), "gateway.manage", _command,
        (
            Input("what", N_("What"), Kind.CHOICE, choices=(
                ("status", N_("Say how it is")), ("verify", N_("Compare itself with head office")),
                ("reseed", N_("Fetch its areas anew")), ("replay", N_("Send kept batches again")),
                ("bandwidth", N_("Use less of the line")),
            )),
            Input("repair", N_("Fetch what differs"), Kind.FLAG, required=False),
            Input("deep", N_("Count every row anew"), Kind.FLAG, required=False),
            Input("hours", N_("Bandwidth hours"), required=False, hint=N_("08:00-18:00=256, kilobytes a second")),
        ),
        states=("enrolled",),
    ),
    Operation(
        "revoke", "gateways", N_("Revoke"), "gateway.manage", _revoke_gateway,
        warning=N_("The gateway loses all rights; its devices need another home."),
        states=("registered", "enrolled"),
    ),
    Operation(
        "register", "devices", N_("Register a device"), "device.manage", _register_device,
        (_CODE, Input("position", N_("Position"), Kind.LINK, source="positions"), _GATEWAY), of_record=False,
    ),
    Operation(
        "register-spare", "devices", N_("Register a spare"), "device.manage", _register_spare,
        (_CODE, _GATEWAY), of_record=False,
    ),
    Operation("code", "devices", N_("New code"), "device.manage", _device_code, states=_LIVE),
    Operation(
        "spare", "devices", N_("Let a spare stand in"), "device.spare", _authorise,
        (Input("spare", N_("Spare device"), Kind.LINK, source="devices"),), states=("active", "suspended"),
    ),
    Operation("home", "devices", N_("Another home"), "device.manage", _change_home, (_GATEWAY,), states=_LIVE),
    Operation(
        "replace", "devices", N_("Replace a lost device"), "device.manage", _replace_device, (_CODE,),
        warning=N_("The old device erases itself, unsent work included."), states=("active", "suspended"),
    ),
    Operation(
        "revoke", "devices", N_("Revoke and erase"), "device.manage", _revoke_device,
        (Input("reason", N_("Reason, shown to the person"), required=False),),
        warning=N_("The device erases itself, unsent work included."), states=_LIVE,
    ),
)  # fmt: skip
