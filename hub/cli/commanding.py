"""Commands to a gateway, through the bus of the running hub."""

import argparse
import json
from collections.abc import Sequence

from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.service.bus import Bus
from fieldmesh.service.translation import _
from hub.cli.asking import writing
from hub.fleet.office import Office
from hub.relay.commands import GatewayCommand, send_command
from hub.relay.line import bus_of_running_hub
from hub.storage.nodes import Gateway


async def ask_gateway(
    office: Office, gateway: Gateway, options: argparse.Namespace
) -> dict[str, object]:
    """The gateway's answer to a command, through the bus of the running hub; both stand in the journal.

    Raises:
        Rejected: `hub_not_running`.
        Retry: `request_timed_out`, the gateway is away.
    """
    command = GatewayCommand(
        what=options.what,
        repair=options.repair,
        deep=options.deep,
        partitions=tuple(options.partition or ()),
        hours=options.hours or "",
    )
    about: dict[str, object] = {
        "gateway": gateway.code, "what": command.what, "repair": command.repair, "deep": command.deep,
        "hours": command.hours, "partitions": list(command.partitions),
    }  # fmt: skip
    async with bus_of_running_hub(office) as bus:
        async with writing(office, "gateway_commanded", about):
            pass
        reply = json.loads(await send_command(bus, gateway.gateway_id, command))
    async with writing(office, "gateway_answered", {**about, "reply": reply}):
        pass
    return reply if isinstance(reply, dict) else {_("answer"): reply}


async def ask_to_verify(
    office: Office, gateways: Sequence[Gateway], options: argparse.Namespace
) -> tuple[dict[str, object], list[str]]:
    """Each gateway has compared itself with the hub: answers by code, and what is wrong in words.

    Raises:
        Rejected: `hub_not_running`.
    """
    command = GatewayCommand("verify", repair=options.repair, deep=options.deep)
    replies: dict[str, object] = {}
    findings: list[str] = []
    async with bus_of_running_hub(office) as bus:
        if command.repair:
            about = {"gateways": [one.code for one in gateways], "what": "verify", "repair": True}
            async with writing(office, "gateway_commanded", about):
                pass
        for gateway in gateways:
            reply, finding = await _verified(bus, gateway, command)
            replies[gateway.code] = reply
            findings.extend(finding)
    return replies, findings


async def _verified(
    bus: Bus, gateway: Gateway, command: GatewayCommand
) -> tuple[dict[str, object], list[str]]:
    try:
        reply = json.loads(await send_command(bus, gateway.gateway_id, command))
    except FieldmeshError as error:
        text = _("gateway {code} did not answer: {text}").format(code=gateway.code, text=error)
        return {"problem": error.code}, [text]
    if reply.get("equal") is False or reply.get("differing"):
        return reply, [_("gateway {code} differs").format(code=gateway.code)]
    return reply, []
