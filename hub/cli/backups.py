"""backup, restore, recover."""

import argparse
import asyncio
import datetime
import sys
from functools import partial
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from fieldmesh.basics.clock import SystemClock
from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import _
from hub.cli.answers import Answer, Nouns
from hub.cli.asking import opened, sure, when, writing
from hub.config import HubHome
from hub.fleet.carried import Ended, carry_over, ended_at
from hub.fleet.office import Office, open_office
from hub.fleet.running import note_backup, running_ports
from hub.storage import down_outbox
from hub.storage.backup import Backup, take_backup, unpack_backup
from hub.storage.enrolments import drop_all_codes
from hub.storage.person_facts import forget_all_password_codes
from hub.storage.web_sessions import end_all_sessions


def add_commands(nouns: Nouns, shared: argparse.ArgumentParser) -> None:
    """The commands on backups are known."""
    backup = nouns.add_parser(
        "backup", parents=[shared], help=_("the whole hub into one file; it may run meanwhile")
    )
    backup.add_argument(
        "file", type=Path, help=_("a new file, or a folder in which one is made, named by the time")
    )
    backup.set_defaults(command=_backup)
    restore = nouns.add_parser(
        "restore", parents=[shared], help=_("a hub from a backup, in a new hub epoch")
    )
    restore.add_argument("file", type=Path, help=_("what fieldmesh-hub backup has made"))
    restore.add_argument(
        "--replace", action="store_true", help=_("set the hub aside that stands in --home")
    )
    restore.set_defaults(command=_restore)
    recover = nouns.add_parser(
        "recover",
        parents=[shared],
        help=_("after a database was put back by other means: a new hub epoch, gateways replay"),
    )
    recover.add_argument("--yes", action="store_true", help=_("do it without asking"))
    recover.set_defaults(command=_recover)


async def _backup(options: argparse.Namespace) -> Answer:
    async with opened(options) as office:
        if office.database.dialect != "sqlite":
            raise Rejected("backup_by_server", place=str(options.home))
        now = office.clock.now()
        target = options.file
        if target.is_dir():
            target = target / f"fieldmesh-hub-{_compact(now)}.tar"
        work = partial(take_backup, office.home, target, taken_at=now)
        made = await _with_bar(options, work)
        size = target.stat().st_size
        note_backup(office.home, now)
        async with writing(office, "hub_backed_up", {"file": str(target), "lsn": made.lsn}):
            pass
    line = _("{file} holds the hub as of {time}: {size:,} bytes, {files:,} files.")
    text = line.format(file=target, time=when(now), size=size, files=len(made.files))
    keys = _("It holds the keys of the network too: keep it where only you can read it.")
    facts = {"file": str(target), "bytes": size, "files": len(made.files), **_facts(made)}
    return Answer(facts, [text, keys])


async def _restore(options: argparse.Namespace) -> Answer:
    home = HubHome(options.home)
    if running_ports(home) is not None:
        raise Rejected("hub_runs_already", place=str(options.home))
    there = options.home.exists() and any(options.home.iterdir())
    if there and not options.replace:
        raise Rejected("restore_over_hub", place=str(options.home))
    beside = options.home.absolute()
    stamp = _compact(SystemClock().now())
    fresh = beside.with_name(f"{beside.name}.restoring-{stamp}")
    made = await _with_bar(options, partial(unpack_backup, options.file, fresh))
    ended = await ended_at(home.database_file) if there else None
    office = await open_office(fresh)
    try:
        epoch = await _begin_epoch(office)
        carried = [] if ended is None else await _carry_over(office, ended)
    finally:
        await office.database.close()
    aside = beside.with_name(f"{beside.name}.before-{stamp}") if there else None
    if aside is not None:
        beside.rename(aside)
    elif beside.exists():
        beside.rmdir()
    fresh.rename(beside)
    lines = [
        _("The hub stands as it was at {time}, in hub epoch {epoch}.").format(
            time=when(made.taken_at), epoch=epoch
        ),
        *carried,
        _(
            "Revoke again what was revoked after {time}, and give who was blocked a new password."
        ).format(time=when(made.taken_at)),
        _(
            "Authorise spares, assign outlets and fill posts again as after it: what comes again is judged by that."
        ),
        _("Codes and sessions of before hold no longer: make new codes, people sign in again."),
        _("Start the hub: gateways send again what they hold since then."),
    ]
    if aside is not None:
        lines.append(_("What stood there before is in {folder}.").format(folder=aside))
    return Answer({**_facts(made), "epoch": epoch, "aside": str(aside or "")}, lines)


async def _recover(options: argparse.Namespace) -> Answer:
    sure(options, _("commits after the backup no longer count; gateways send again what they hold"))
    async with opened(options) as office:
        if running_ports(office.home) is not None:
            raise Rejected("hub_runs_already", place=str(options.home))
        epoch = await _begin_epoch(office)
    line = _("Hub epoch {epoch} begins. Start the hub: gateways replay when they meet it.")
    lines = [
        line.format(epoch=epoch),
        _(
            "Before that, revoke again what was revoked since, and give who was blocked a new password."
        ),
        _("Codes and sessions of before hold no longer: make new codes, people sign in again."),
    ]
    return Answer({"epoch": epoch}, lines)


async def _begin_epoch(office: Office) -> int:
    async with office.database.write() as connection:
        epoch = await down_outbox.start_new_epoch(connection, office.clock.now())
        # Used or ended since the backup: they must not hold once more.
        await drop_all_codes(connection)
        await end_all_sessions(connection)
        await forget_all_password_codes(connection)
    async with writing(office, "hub_recovered", {"epoch": epoch}):
        pass
    await asyncio.sleep(1)  # The same backup restored again must meet another second.
    return epoch


async def _carry_over(office: Office, ended: Ended) -> list[str]:
    about: dict[str, object] = {}
    async with writing(office, "revocations_carried", about) as writer:
        done = await carry_over(writer, office.maker, ended)
        about["nodes"] = done
    line = _("Revoked as in the hub that stood there: {names}.")
    return [line.format(names=", ".join(done))] if done else []


async def _with_bar(options: argparse.Namespace, work: partial[Backup]) -> Backup:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        transient=True,
        disable=options.json or not sys.stdout.isatty(),
    ) as progress:
        task = progress.add_task(options.file.name, total=None)
        return await asyncio.to_thread(
            work, step=lambda done, total: progress.update(task, completed=done, total=total)
        )


def _facts(backup: Backup) -> dict[str, object]:
    return {"taken_at": backup.taken_at, "lsn": backup.lsn}


def _compact(at: int) -> str:
    moment = datetime.datetime.fromtimestamp(at // 1_000_000, tz=datetime.UTC)
    return moment.strftime("%Y%m%dT%H%M%SZ")
