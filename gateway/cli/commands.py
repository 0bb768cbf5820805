"""What each command does, as one answer that can be printed as JSON."""

from __future__ import annotations

import asyncio
import getpass
import json
import platform
import secrets
import socket
import sys
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.errors import FieldmeshError, Rejected, Retry
from fieldmesh.basics.identifiers import to_text
from fieldmesh.basics.problems import fill, problem_of
from fieldmesh.basics.release import RELEASE
from fieldmesh.service import config as settings
from fieldmesh.service import logs
from fieldmesh.service.storage_problems import file_problem
from fieldmesh.service.translation import _, set_language
from gateway.app.home import Home
from gateway.app.running import read_stopped, serve
from gateway.cli.showing import show
from gateway.config import GatewayConfig
from gateway.serving.admin import ask
from gateway.serving.bandwidth import parse_hours
from gateway.storage import devices, partitions, people, sessions
from gateway.storage.status import read_status
from gateway.trust import certificates, signin
from gateway.trust.enrolment import Application, enrol

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Coroutine

    Answer = dict[str, Any]
    Command = Callable[["Call"], Coroutine[Any, Any, Answer]]

DONE: Final = 0
REFUSED: Final = 1
TRY_AGAIN: Final = 75
_FLAGS: Final = (
    "listen_host",
    "port",
    "enrolment_port",
    "metrics_port",
    "announce",
    "log_level",
)
_SEED_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Call:
    """One command with what it needs."""

    arguments: argparse.Namespace
    home: Home
    config: GatewayConfig


def run(arguments: argparse.Namespace) -> int:
    """Run the command; the exit code."""
    home = Home(arguments.home.absolute())
    try:
        config = load_config(arguments, home)
        if config.language:
            set_language(config.language)
        logs.setup(level=config.log_level)
        command = _COMMANDS[arguments.command]
        answer = asyncio.run(command(Call(arguments, home, config)))
    except FieldmeshError as refusal:
        return _say_problem(refusal, as_json=arguments.json)
    except OSError as error:
        problem = file_problem(error, str(error.filename or home.path))
        if problem is None:
            raise
        return _say_problem(problem, as_json=arguments.json)
    show(arguments.command, answer, as_json=arguments.json)
    return REFUSED if answer.get("equal") is False else DONE


def load_config(arguments: argparse.Namespace, home: Home) -> GatewayConfig:
    """The settings, with this command's flags on top.

    Raises:
        Rejected: ``settings_invalid``.
    """
    return settings.load(GatewayConfig, home.settings, _PREFIX, _flags(arguments))


_PREFIX: Final = "FIELDMESH_GATEWAY_"


def _flags(arguments: argparse.Namespace) -> dict[str, object]:
    return {name: getattr(arguments, name, None) for name in _FLAGS}


def _say_problem(problem: FieldmeshError, *, as_json: bool) -> int:
    known = problem_of(problem)
    title, remedy = fill(_(known.title), problem, _), fill(_(known.remedy), problem, _)
    if as_json:
        facts = {
            "code": problem.code,
            "place": problem.place,
            "title": title,
            "remedy": remedy,
        }
        sys.stdout.write(json.dumps({"problem": facts}, ensure_ascii=False) + "\n")
    else:
        place = f"{problem.place}: " if problem.place else ""
        sys.stderr.write(f"{place}{title}\n{remedy}\n")
    return TRY_AGAIN if isinstance(problem, Retry) else REFUSED


async def _enroll(call: Call) -> Answer:
    held = _held_identity(call.home)
    if held is not None and held.problem(SystemClock().now()) is None:
        raise Rejected("already_enrolled", place=str(call.home.path))
    call.home.make()
    host = socket.gethostname()
    application = Application(
        code=call.arguments.code,
        hub_url=call.arguments.hub,
        name=call.arguments.name,
        hardware_id=call.arguments.hardware_id or platform.node(),
        app_version=RELEASE,
        addresses=call.arguments.address or [f"{host}:{call.config.port}"],
        enrolment_address=call.arguments.enrolment_address
        or f"{host}:{call.config.enrolment_port}",
    )
    identity = await enrol(application, secrets.token_bytes(_SEED_BYTES))
    if held is not None and held.gateway_id != identity.gateway_id:
        raise Rejected("code_of_another", place="enrolment code")
    certificates.save(call.home.identity, identity)
    return {
        "gateway": to_text(identity.gateway_id),
        "name": identity.name,
        "home": str(call.home.path),
    }


def _held_identity(home: Home) -> certificates.GatewayIdentity | None:
    """The identity in the folder, if there is a whole one; its certificate may be no good any more."""
    try:
        return certificates.load(home.identity)
    except Rejected:
        return None


async def _serve(call: Call) -> Answer:
    logs.setup(level=call.config.log_level, fields={"node": f"gateway {call.home.path.name}"})
    await serve(call.home, call.config)
    return {"stopped": True}


async def _status(call: Call) -> Answer:
    try:
        return await ask(call.home.admin_socket, "status", {})
    except Rejected as problem:
        if problem.code != "gateway_not_running":
            raise
    return {**await read_stopped(call.home, read_status), "running": False}


async def _verify(call: Call) -> Answer:
    return await ask(
        call.home.admin_socket,
        "verify",
        {"deep": call.arguments.deep, "repair": call.arguments.repair},
    )


async def _reseed(call: Call) -> Answer:
    return await ask(call.home.admin_socket, "reseed", {"partitions": call.arguments.partitions})


async def _import(call: Call) -> Answer:
    return await ask(
        call.home.admin_socket, "import", {"path": str(call.arguments.file.absolute())}
    )


async def _partitions(call: Call) -> Answer:
    rows = await read_stopped(call.home, partitions.list_partitions)
    found = []
    for row in rows:
        facts = asdict(row)
        facts["seed_id"] = row.seed_id.hex() if row.seed_id else None
        found.append(facts)
    return {"partitions": found}


async def _devices(call: Call) -> Answer:
    return {"devices": await read_stopped(call.home, devices.list_devices)}


async def _sessions(call: Call) -> Answer:
    rows = await read_stopped(call.home, partial(sessions.newest, most=max(1, call.arguments.most)))
    found = []
    for row in rows:
        facts = asdict(row)
        facts["session_id"], facts["device_id"] = (
            to_text(row.session_id),
            to_text(row.device_id),
        )
        found.append(facts)
    return {"sessions": found}


async def _bandwidth(call: Call) -> Answer:
    rules = [asdict(rule) for rule in parse_hours(call.arguments.hours)]
    return await ask(call.home.admin_socket, "bandwidth", {"rules": rules})


async def _sign_in(call: Call) -> Answer:
    if call.arguments.password_file is not None:
        try:
            password = call.arguments.password_file.read_text("utf-8").rstrip("\n")
        except OSError as error:
            raise Rejected("file_unreadable", place=str(call.arguments.password_file)) from error
    else:
        password = await asyncio.to_thread(getpass.getpass, _("Password: "))
    verifiers = await read_stopped(
        call.home, partial(people.read_verifiers, login=call.arguments.login)
    )
    person = await asyncio.to_thread(signin.check_password, verifiers, password)
    return {"login": call.arguments.login, "person": person}


async def _config(call: Call) -> Answer:
    loaded = settings.load_with_origins(
        GatewayConfig, call.home.settings, _PREFIX, _flags(call.arguments)
    )
    return {"settings": settings.show(loaded.settings, loaded.origins)}


_COMMANDS: Final[dict[str, Command]] = {
    "enroll": _enroll,
    "serve": _serve,
    "status": _status,
    "verify": _verify,
    "reseed": _reseed,
    "import": _import,
    "partitions": _partitions,
    "devices": _devices,
    "sessions": _sessions,
    "bandwidth": _bandwidth,
    "sign-in": _sign_in,
    "config": _config,
}
