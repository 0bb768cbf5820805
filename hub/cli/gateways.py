"""gateway add | list | code | revoke | command."""

import argparse

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import to_text
from fieldmesh.service.translation import _
from hub.cli.answers import Answer, Nouns
from hub.cli.asking import opened, sure, writing
from hub.fleet.registry import NewGateway, add_gateway, revoke_gateway
from hub.storage import nodes
from hub.trust.authority import NodeKind
from hub.trust.enrolment import CODE_HOURS, new_code


def add_commands(nouns: Nouns, shared: argparse.ArgumentParser) -> None:
    """The commands about gateways are known."""
    noun = nouns.add_parser("gateway", help=_("gateways: register, list, revoke, command"))
    verbs = noun.add_subparsers(metavar="VERB", required=True)
    add = verbs.add_parser("add", parents=[shared], help=_("register a gateway; prints its code"))
    add.add_argument("code", help=_("short code of the gateway"))
    add.add_argument("--name", default="", help=_("name for people"))
    add.add_argument("--unit", help=_("code of its organisation unit"))
    add.add_argument("--distributor", help=_("code of its distributor"))
    add.set_defaults(command=_add)
    every = verbs.add_parser("list", parents=[shared], help=_("all gateways"))
    every.set_defaults(command=_list)
    code = verbs.add_parser("code", parents=[shared], help=_("a new enrolment code"))
    code.add_argument("gateway")
    code.set_defaults(command=_code)
    revoke = verbs.add_parser("revoke", parents=[shared], help=_("take its rights away"))
    revoke.add_argument("gateway")
    revoke.add_argument("--yes", action="store_true", help=_("do it without asking"))
    revoke.set_defaults(command=_revoke)
    command = verbs.add_parser(
        "command", parents=[shared], help=_("tell a gateway to do something")
    )
    command.add_argument("gateway")
    command.add_argument("what", choices=["status", "verify", "reseed", "replay", "bandwidth"])
    command.add_argument("--repair", action="store_true", help=_("verify: fetch what differs"))
    command.add_argument("--deep", action="store_true", help=_("verify: count every row anew"))
    command.add_argument("--partition", type=int, action="append", help=_("reseed: only these"))
    command.add_argument("--hours", help=_("bandwidth: 08:00-18:00=256,…, kilobytes a second"))
    command.set_defaults(command=_command)


async def _add(options: argparse.Namespace) -> Answer:
    async with opened(options) as office:
        about = {"code": options.code}
        async with writing(office, "gateway_added", about) as writer:
            new = NewGateway(options.code, options.name, options.unit, options.distributor)
            gateway_id = await add_gateway(writer, office.maker, new)
            code = await new_code(writer.connection, office.trust, NodeKind.GATEWAY, gateway_id)
    return _code_answer(options.code, gateway_id, code)


async def _code(options: argparse.Namespace) -> Answer:
    async with opened(options) as office:
        about = {"gateway": options.gateway}
        async with writing(office, "gateway_code_made", about) as writer:
            gateway = await nodes.named_gateway(writer.connection, options.gateway)
            if gateway.status == "revoked":
                raise Rejected(
                    "enrolment_refused", place=gateway.code, text=_("this gateway was revoked")
                )
            code = await new_code(
                writer.connection, office.trust, NodeKind.GATEWAY, gateway.gateway_id
            )
    return _code_answer(gateway.code, gateway.gateway_id, code)


def _code_answer(name: str, gateway_id: bytes, code: str) -> Answer:
    return Answer(
        {"gateway": name, "gateway_id": to_text(gateway_id), "code": code},
        [
            _("Gateway {name} may enrol once within {hours} hours with the code").format(
                name=name, hours=CODE_HOURS
            ),
            f"  {code}",
            _("On its machine: fieldmesh-gateway enroll --hub https://HUB:PORT --code CODE"),
        ],
    )


async def _list(options: argparse.Namespace) -> Answer:
    async with opened(options) as office, office.database.read() as connection:
        rows = [
            {
                "code": one.code,
                "name": one.name,
                "status": one.status,
                "addresses": ", ".join(one.addresses),
                "enrolment_address": one.enrolment_address,
                "gateway_id": to_text(one.gateway_id),
            }
            for one in await nodes.gateways(connection)
        ]
    lines = [] if rows else [_("There is no gateway yet: fieldmesh-hub gateway add CODE")]
    return Answer({"gateways": rows}, lines, rows)


async def _revoke(options: argparse.Namespace) -> Answer:
    sure(options, _("gateway {name} loses all rights").format(name=options.gateway))
    async with opened(options) as office:
        about: dict[str, object] = {"gateway": options.gateway}
        async with writing(office, "gateway_revoked", about) as writer:
            gateway = await nodes.named_gateway(writer.connection, options.gateway)
            about["serials"] = await revoke_gateway(writer, office.maker, gateway)
    line = _("Gateway {name} is revoked.").format(name=gateway.code)
    return Answer({"gateway": gateway.code, "status": "revoked"}, [line])


async def _command(options: argparse.Namespace) -> Answer:
    async with opened(options) as office:
        async with office.database.read() as connection:
            gateway = await nodes.named_gateway(connection, options.gateway)
        from hub.cli.commanding import ask_gateway  # noqa: PLC0415 - loads the bus

        reply = await ask_gateway(office, gateway, options)
    lines = [f"{name}: {value}" for name, value in reply.items()]
    return Answer({"gateway": gateway.code, "reply": reply}, lines)
