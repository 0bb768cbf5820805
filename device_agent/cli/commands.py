"""What each command does: one answer, printed as JSON or in words."""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from getpass import getpass
from pathlib import Path

from device_agent.app import DeviceAgent, enroll
from device_agent.cli.showing import (
    Answer,
    bars,
    in_words,
    json_lines,
    nothing,
    plain,
    status_answer,
)
from device_agent.config import DeviceSettings
from device_agent.modes.context import Report
from device_agent.modes.enrol import EnrolmentWish
from device_agent.modes.progress import ProgressCallback
from device_agent.storage.home import Home
from device_agent.storage.keyring import Keyring
from fieldmesh.basics.errors import FieldmeshError, Rejected, Retry
from fieldmesh.basics.identifiers import to_text
from fieldmesh.service.config import load, load_with_origins, show
from fieldmesh.service.storage_problems import file_problem
from fieldmesh.service.translation import _
from fieldmesh.session.transitions import Mode

DONE, REFUSED, TRY_AGAIN = 0, 1, 75
ENVIRONMENT = "FIELDMESH_DEVICE_"
Command = Callable[[DeviceAgent, argparse.Namespace], Awaitable[Answer]]


def run(options: argparse.Namespace) -> int:
    """Runs the command that was parsed; the exit code."""
    try:
        answer = asyncio.run(_run(options))
    except FieldmeshError as error:
        return _refuse(error, options)
    except OSError as error:
        return _refuse(_file_problem(error, str(error.filename or options.home)), options)
    except EOFError:
        return _refuse(Rejected("no_terminal", place="stdin"), options)
    except KeyboardInterrupt:
        return TRY_AGAIN
    if options.json:
        _say(json.dumps(answer, ensure_ascii=False, default=plain))
    else:
        _say(in_words(answer))
    return int(answer.get("exit", DONE))


async def _run(options: argparse.Namespace) -> Answer:
    if options.command == "enroll":
        return await _enroll(options)
    if options.command == "config":
        return _config(options)
    settings = _settings(options)
    agent = await DeviceAgent.open(
        options.home,
        _login(options),
        _password(options),
        settings=settings,
        begin_anew=getattr(options, "force", False),
    )
    async with agent:
        return await COMMANDS[options.verb](agent, options)


async def _enroll(options: argparse.Namespace) -> Answer:
    wish = EnrolmentWish(
        code=options.code,
        gateway_address=options.gateway,
        login=_login(options),
        password=_password(options),
        hardware_id=options.hardware_id,
    )
    again = Home(options.home).is_enrolled
    state = await enroll(options.home, wish)
    text = _("The device is enrolled. Next: fieldmesh-device sync initialize")
    if again:
        text = _("The device has a new certificate and keeps its data. Next: fieldmesh-device sync")
    return {
        "device": to_text(state.device_id),
        "position": to_text(state.position_id) if state.position_id else "",
        "document_prefix": state.document_prefix,
        "spare": bool(state.spare),
        "text": text,
    }


async def _sync(agent: DeviceAgent, options: argparse.Namespace) -> Answer:
    show, close = _shower(options)
    try:
        report = await agent.sync(Mode(options.mode), progress=show, gateway=options.gateway)
    finally:
        close()
    return _sync_answer(report)


def _sync_answer(report: Report) -> Answer:
    answer: Answer = asdict(report)
    answer["gateway_id"] = to_text(report.gateway_id) if report.gateway_id else ""
    if report.outcome == "done":
        answer["text"] = _("Done: {up} rows up, {down} rows down.").format(
            up=report.rows_up, down=report.rows_down
        )
    else:
        answer["exit"] = TRY_AGAIN
        answer["text"] = _("Uploads are safe; the download has to wait: {why}.").format(
            why=report.problem
        )
    return answer


async def _status(agent: DeviceAgent, options: argparse.Namespace) -> Answer:
    del options
    return status_answer(await agent.status())


async def _sql(agent: DeviceAgent, options: argparse.Namespace) -> Answer:
    answer: Answer = {"results": []}
    for statement in options.statement:
        result = await agent.sql(statement)
        answer["rows"] = result.printable()
        answer["rows_changed"] = result.rows_changed
        answer["results"].append({"rows": answer["rows"], "rows_changed": result.rows_changed})
    return answer


async def _tables(agent: DeviceAgent, options: argparse.Namespace) -> Answer:
    del options
    return {"tables": await agent.tables()}


async def _rejects(agent: DeviceAgent, options: argparse.Namespace) -> Answer:
    del options
    return {"rejects": (await agent.rejects()).printable()}


async def _export(agent: DeviceAgent, options: argparse.Namespace) -> Answer:
    content, batches = await agent.export()
    options.file.write_bytes(content)
    return {
        "file": str(options.file),
        "batches": batches,
        "text": _(
            "{n} batches are in the file; any gateway of the same network takes it in."
        ).format(n=batches),
    }


async def _rescue_list(agent: DeviceAgent, options: argparse.Namespace) -> Answer:
    del options
    return {"files": [path.name for path in agent.rescue_files()]}


async def _rescue_import(agent: DeviceAgent, options: argparse.Namespace) -> Answer:
    return {"batches": await agent.take_back(options.file)}


async def _signin_check(agent: DeviceAgent, options: argparse.Namespace) -> Answer:
    del options
    status = await agent.status()
    return {
        "login": agent.login,
        "has_new_password": status.has_new_password,
        "text": _("Signed in."),
    }


async def _signin_add(agent: DeviceAgent, options: argparse.Namespace) -> Answer:
    await agent.add_person(options.person, _read_password(options.person_password_file))
    return {"login": options.person, "text": _("This person can open the device now.")}


async def _order(agent: DeviceAgent, options: argparse.Namespace) -> Answer:
    placed = await agent.order_from_list(outlet=options.outlet, lines=options.lines)
    return {
        "order": to_text(placed.order_id),
        "number": placed.number,
        "amount": str(placed.amount),
        "lines": len(placed.line_ids),
        "notes": placed.notes,
        "text": _("Order {number} is saved.").format(number=placed.number),
    }


async def _orders(agent: DeviceAgent, options: argparse.Namespace) -> Answer:
    lines = _read_text(options.file).splitlines()
    chosen = lines[options.skip : None if options.most is None else options.skip + options.most]
    placed = await agent.place_orders(chosen, name=options.file.name)
    return {
        "orders": len(placed),
        "lines": sum(len(one.line_ids) for one in placed),
        "numbers": [one.number for one in placed],
        "text": _("{count} orders are saved.").format(count=len(placed)),
    }


async def _verify(agent: DeviceAgent, options: argparse.Namespace) -> Answer:
    report = await agent.verify(repair=options.repair)
    wrong = sum(len(ids) for ids in report.wrong.values())
    answer: Answer = {
        "rows_checked": report.rows_checked,
        "rows_pending": report.rows_pending,
        "rows_wrong": wrong,
        "network_is_newer": report.network_is_newer,
        "tables_wrong": {name: len(ids) for name, ids in report.wrong.items()},
        "digests_wrong": report.digests_wrong,
        "equal": wrong == 0 and report.digests_wrong == 0,
    }
    if options.sync and (answer["equal"] or options.repair):
        options.mode = "full"
        answer["sync"] = await _sync(agent, options)
        answer["equal"] = answer["sync"]["outcome"] == "done"
    if not answer["equal"]:
        answer["exit"] = REFUSED
    return answer


async def _photos(agent: DeviceAgent, options: argparse.Namespace) -> Answer:
    kept = [(await agent.keep_photo(_read_bytes(path))).hex() for path in options.add]
    sent = await agent.send_photos(options.gateway) if options.send else 0
    return {"kept": kept, "sent": sent}


async def _wipe(agent: DeviceAgent, options: argparse.Namespace) -> Answer:
    standing = (await agent.status()).standing
    if not options.yes:
        raise Rejected(
            "confirmation_missing",
            text=_(
                "{rows} rows and {batches} batches that head office lacks would be lost."
            ).format(rows=standing.saved_rows, batches=standing.waiting_batches),
            rows=standing.saved_rows,
            batches=standing.waiting_batches,
        )
    await agent.wipe()
    return {
        "rows_lost": standing.saved_rows,
        "text": _("Nothing of this device is left."),
    }


def _config(options: argparse.Namespace) -> Answer:
    loaded = load_with_origins(DeviceSettings, options.home / "device.toml", ENVIRONMENT)
    return {"settings": show(loaded.settings, loaded.origins)}


def _settings(options: argparse.Namespace) -> DeviceSettings:
    return load(DeviceSettings, options.home / "device.toml", ENVIRONMENT)


def _login(options: argparse.Namespace) -> str:
    if options.login:
        return str(options.login)
    logins = Keyring(Home(options.home)).logins()
    return logins[0] if len(logins) == 1 else input(_("Login: "))


def _password(options: argparse.Namespace) -> str:
    if options.password_file:
        return _read_password(options.password_file)
    return getpass(_("Password: "))


def _read_password(path: Path) -> str:
    return _read_text(path).rstrip("\r\n")


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Rejected("file_unreadable", place=str(path)) from error


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Rejected("file_unreadable", place=str(path)) from error


def _shower(options: argparse.Namespace) -> tuple[ProgressCallback, Callable[[], None]]:
    if options.progress_json:
        return json_lines()
    if options.json or not sys.stderr.isatty():
        return nothing()
    return bars()


def _refuse(error: FieldmeshError, options: argparse.Namespace) -> int:
    code = TRY_AGAIN if isinstance(error, Retry) else REFUSED
    if options.json:
        found = {
            "problem": error.code,
            "place": error.place,
            "text": str(error),
            "exit": code,
        }
        _say(json.dumps(found, ensure_ascii=False, default=plain))
    else:
        sys.stderr.write(f"{error}\n")
    return code


def _file_problem(error: OSError, place: str) -> FieldmeshError:
    text = error.strerror or str(error)
    return file_problem(error, place) or Rejected("file_unusable", place=place, text=text)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


COMMANDS: dict[str, Command] = {
    "sync": _sync,
    "status": _status,
    "sql": _sql,
    "tables": _tables,
    "rejects": _rejects,
    "export": _export,
    "order": _order,
    "orders": _orders,
    "verify": _verify,
    "photos": _photos,
    "wipe": _wipe,
    "rescue list": _rescue_list,
    "rescue import": _rescue_import,
    "sign-in check": _signin_check,
    "sign-in add": _signin_add,
}
