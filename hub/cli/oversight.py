"""audit, quarantine, gap, conflict, reject, session, verify."""

import argparse
import json
import sys

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import to_text
from fieldmesh.service.translation import _
from hub.cli.answers import DONE, REFUSED, Answer, Nouns
from hub.cli.asking import actor, opened, sure, when, writing
from hub.fleet.office import Office
from hub.fleet.running import running_ports
from hub.storage import conflicts, contents, early, inbox, journal, nodes, quarantine
from hub.storage.rows import Connection, newest_rows

_SHOWN = 50


def add_commands(nouns: Nouns, shared: argparse.ArgumentParser) -> None:
    """The commands of oversight are known."""
    _add_journal(nouns, shared)
    held = nouns.add_parser("quarantine", help=_("batches that could not be applied"))
    verbs = held.add_subparsers(metavar="VERB", required=True)
    every = verbs.add_parser("list", parents=[shared], help=_("what stands in quarantine"))
    every.add_argument("--all", action="store_true", help=_("also what was decided"))
    every.set_defaults(command=_quarantine_list)
    for name, command, text in (
        ("show", _quarantine_show, _("one entry")),
        ("retry", _quarantine_retry, _("apply it now")),
        ("release", _quarantine_release, _("close it without applying")),
    ):
        verb = verbs.add_parser(name, parents=[shared], help=text)
        verb.add_argument("number", type=int)
        verb.set_defaults(command=command)
        if name == "release":
            verb.add_argument("--yes", action="store_true", help=_("do it without asking"))
    gap = nouns.add_parser("gap", help=_("batches that wait for earlier ones"))
    verbs = gap.add_subparsers(metavar="VERB", required=True)
    verbs.add_parser("list", parents=[shared], help=_("devices with a gap")).set_defaults(
        command=_gap_list
    )
    verbs.add_parser(
        "rows", parents=[shared], help=_("changes that wait for a colleague's row")
    ).set_defaults(command=_gap_rows)
    release = verbs.add_parser("release", parents=[shared], help=_("go on without what is missing"))
    release.add_argument("device")
    release.add_argument("--yes", action="store_true", help=_("do it without asking"))
    release.set_defaults(command=_gap_release)
    conflict = nouns.add_parser("conflict", help=_("column writes that lost against another"))
    verbs = conflict.add_subparsers(metavar="VERB", required=True)
    every = verbs.add_parser("list", parents=[shared], help=_("open conflicts"))
    every.set_defaults(command=_conflict_list)
    overturn = verbs.add_parser("overturn", parents=[shared], help=_("let the losing value stand"))
    overturn.add_argument("number", type=int)
    overturn.set_defaults(command=_conflict_overturn)
    reject = nouns.add_parser("reject", help=_("rows that went back to devices"))
    verbs = reject.add_subparsers(metavar="VERB", required=True)
    every = verbs.add_parser("list", parents=[shared], help=_("the newest rejects"))
    every.set_defaults(command=_reject_list)
    session = nouns.add_parser("session", help=_("sync sessions"))
    verbs = session.add_subparsers(metavar="VERB", required=True)
    every = verbs.add_parser("list", parents=[shared], help=_("the newest sessions"))
    every.set_defaults(command=_session_list)


def _add_journal(nouns: Nouns, shared: argparse.ArgumentParser) -> None:
    audit = nouns.add_parser("audit", help=_("the journal"))
    verbs = audit.add_subparsers(metavar="VERB", required=True)
    verify = verbs.add_parser("verify", parents=[shared], help=_("check the chain of hashes"))
    verify.add_argument(
        "--noted",
        type=_head,
        metavar=_("NUMBER:HASH"),
        help=_("an end that was noted earlier must stand in it"),
    )
    verify.set_defaults(command=_audit_verify)
    every = verbs.add_parser("list", parents=[shared], help=_("the newest entries"))
    every.add_argument("--kind", default="", help=_("only entries of this kind"))
    every.add_argument("--most", type=int, default=_SHOWN, help=_("how many"))
    every.set_defaults(command=_audit_list)
    prove = nouns.add_parser(
        "verify", parents=[shared], help=_("compare the network: gateways against the hub")
    )
    prove.add_argument("--deep", action="store_true", help=_("count every row anew, everywhere"))
    prove.add_argument("--repair", action="store_true", help=_("gateways fetch what differs"))
    prove.set_defaults(command=_verify)


async def _audit_verify(options: argparse.Namespace) -> Answer:
    async with opened(options) as office, office.database.read() as connection:
        head = await journal.verify(connection, options.noted)
    noted = f"{head.number}:{head.hash}"
    lines = [
        _("The journal is whole: {count} entries.").format(count=head.number),
        _("Its end, to be noted elsewhere: {noted}").format(noted=noted),
    ]
    return Answer({"entries": head.number, "end": noted}, lines)


def _head(text: str) -> journal.Head:
    number, _colon, found = text.partition(":")
    if not number.isascii() or not number.isdigit() or not found:
        raise argparse.ArgumentTypeError(_("a number and a hash, as in 1200:3fa9…"))
    return journal.Head(int(number), found)


async def _audit_list(options: argparse.Namespace) -> Answer:
    async with opened(options) as office, office.database.read() as connection:
        entries = await journal.newest(connection, options.most, kind=options.kind)
    rows = [
        {
            "number": one.number,
            "at": when(one.at),
            "kind": one.kind,
            "actor": one.actor,
            "about": one.payload,
        }
        for one in entries
    ]
    return Answer({"entries": rows}, [], rows)


async def _quarantine_list(options: argparse.Namespace) -> Answer:
    async with opened(options) as office, office.database.read() as connection:
        state = "" if options.all else quarantine.OPEN
        rows = [_entry(one) for one in await quarantine.entries(connection, state=state)]
    lines = [] if rows else [_("Nothing stands in quarantine.")]
    return Answer({"entries": rows}, lines, rows)


def _entry(one: quarantine.Held) -> dict[str, object]:
    return {
        "number": one.number,
        "at": when(one.at),
        "device": to_text(one.device_id) if one.device_id else None,
        "batch": f"{one.device_epoch}/{one.sequence}",
        "code": one.code,
        "text": one.text,
        "bytes": one.size,
        "state": one.state,
    }


async def _quarantine_show(options: argparse.Namespace) -> Answer:
    async with opened(options) as office, office.database.read() as connection:
        entry = await _held(connection, options.number)
    facts = {**_entry(entry.without_bytes()), "sha256": entry.sha256.hex()}
    return Answer(facts, [f"{name}: {value}" for name, value in facts.items()])


async def _held(connection: Connection, number: int) -> quarantine.Quarantined:
    entry = await quarantine.entry(connection, number)
    if entry is None:
        text = _("there is no entry {number}").format(number=number)
        raise Rejected("not_found", place="quarantine", text=text)
    return entry


async def _quarantine_retry(options: argparse.Namespace) -> Answer:
    async with opened(options) as office:
        async with office.database.read() as connection:
            entry = await _held(connection, options.number)
        from hub.ingest.making import make_ingest  # noqa: PLC0415 - loads the bus

        async def note(connection: Connection) -> None:
            await quarantine.decide(connection, options.number, quarantine.RETRIED)
            about = {"number": options.number}
            await _note(office, connection, "quarantine_retried", about)

        result = await make_ingest(office).retry(entry.payload, note)
    line = _("Entry {number} was applied: {rows} rows, {refused} refused.")
    return Answer(
        {"number": options.number, "rows": result.rows, "refused": result.refused},
        [line.format(number=options.number, rows=result.rows, refused=result.refused)],
    )


async def _quarantine_release(options: argparse.Namespace) -> Answer:
    sure(options, _("the batch is never applied; its bytes are kept"))
    about = {"number": options.number}
    async with opened(options) as office, writing(office, "quarantine_released", about) as writer:
        await quarantine.decide(writer.connection, options.number, quarantine.RELEASED)
    line = _("Entry {number} is closed.").format(number=options.number)
    return Answer({"number": options.number, "state": quarantine.RELEASED}, [line])


async def _gap_list(options: argparse.Namespace) -> Answer:
    async with opened(options) as office, office.database.read() as connection:
        found = await inbox.gaps(connection)
        names = {one.device_id: one.code for one in await nodes.devices(connection)}
    rows = [
        {
            "device": names.get(device, to_text(device)),
            "decided_up_to": f"{mark.device_epoch}/{mark.sequence}",
            "first_waiting": f"{first.device_epoch}/{first.sequence}",
            "waiting": count,
            "since": when(since),
        }
        for device, mark, first, count, since in found
    ]
    lines = [] if rows else [_("No batch waits for an earlier one.")]
    return Answer({"gaps": rows}, lines, rows)


async def _gap_rows(options: argparse.Namespace) -> Answer:
    async with opened(options) as office, office.database.read() as connection:
        found = await early.everything(connection)
        names = {one.device_id: one.code for one in await nodes.devices(connection)}
    rows = [
        {
            "device": names.get(device, to_text(device)),
            "batch": f"{epoch}/{sequence}",
            "table": one.row[0],
            "row_id": to_text(one.row[1]),
            "since": when(one.received_at),
        }
        for one in found
        for device, epoch, sequence in (one.place,)
    ]
    lines = [] if rows else [_("No change waits for the row of a colleague.")]
    return Answer({"rows": rows}, lines, rows)


async def _gap_release(options: argparse.Namespace) -> Answer:
    sure(options, _("what is missing can only come later, by hand"))
    async with opened(options) as office:
        async with office.database.read() as connection:
            device = await nodes.named_device(connection, options.device)
        from hub.ingest.making import make_ingest  # noqa: PLC0415 - loads the bus

        async def note(connection: Connection) -> None:
            await _note(office, connection, "gap_released", {"device": device.code})

        result = await make_ingest(office).release(device.device_id, note)
    line = _("{count} batches of {device} that waited were applied.")
    return Answer(
        {"device": device.code, "applied": result.applied},
        [line.format(count=result.applied, device=device.code)],
    )


async def _note(
    office: Office, connection: Connection, kind: str, about: dict[str, object]
) -> None:
    """The command stands in the journal, in the transaction that does it. Promise 9 (Audit)."""
    at = office.clock.now()
    await journal.append(connection, at=at, kind=kind, actor=actor(), payload=about)


async def _conflict_list(options: argparse.Namespace) -> Answer:
    async with opened(options) as office, office.database.read() as connection:
        found = await conflicts.conflicts(connection, state=conflicts.OPEN)
    rows = [
        {
            "number": one.number,
            "at": when(one.at),
            "table": one.table_name,
            "column": one.column_name,
            "row_id": to_text(one.row_id),
            "stands": one.standing_value,
            "lost": one.losing_value,
        }
        for one in found
    ]
    lines = [] if rows else [_("There is no open conflict.")]
    return Answer({"conflicts": rows}, lines, rows)


async def _conflict_overturn(options: argparse.Namespace) -> Answer:
    async with opened(options) as office:
        about = {"number": options.number}
        async with writing(office, "conflict_overturned", about) as writer:
            held = await conflicts.overturn(writer, options.number)
    line = _("{table}.{column} is {value} now.").format(
        table=held.table_name, column=held.column_name, value=held.losing_value
    )
    return Answer({"number": options.number, "value": held.losing_value}, [line])


async def _reject_list(options: argparse.Namespace) -> Answer:
    names = ("created_at", "device_id", "table_name", "row_id", "code", "text")
    return await _newest(options, "reject", names, "rejects")


async def _session_list(options: argparse.Namespace) -> Answer:
    names = ("started_at", "device_id", "gateway_id", "tier", "mode", "outcome", "problem")
    figures = ("rows_up", "rows_down", "bytes_up", "bytes_down")
    return await _newest(options, "sync_session", (*names, *figures), "sessions")


async def _newest(
    options: argparse.Namespace, table: str, names: tuple[str, ...], title: str
) -> Answer:
    async with opened(options) as office, office.database.read() as connection:
        found = await newest_rows(connection, table, names, most=_SHOWN)
    rows = []
    for row in found:
        shown: dict[str, object] = {}
        for name, value in zip(names, row, strict=True):
            if isinstance(value, bytes):
                shown[name] = to_text(value)
            else:
                is_time = name.endswith("_at") and isinstance(value, int)
                shown[name] = when(int(value or 0)) if is_time else value
        rows.append(shown)
    return Answer({title: rows}, [], rows)


async def _verify(options: argparse.Namespace) -> Answer:
    """The hub proves itself; each enrolled gateway compares itself with the hub."""
    async with opened(options) as office:
        findings: list[str] = []
        async with office.database.read() as connection:
            entries = (await journal.verify(connection)).number
            if options.deep:
                findings = await _prove(connection, quiet=options.json)
            gateways = [one for one in await nodes.gateways(connection) if one.status == "enrolled"]
        replies: dict[str, object] = {}
        if gateways and running_ports(office.home) is not None:
            from hub.cli.commanding import ask_to_verify  # noqa: PLC0415 - loads the bus

            replies, found = await ask_to_verify(office, gateways, options)
            findings.extend(found)
    lines = [_("Journal: {count} entries, whole.").format(count=entries)]
    lines += [f"{_('Gateway')} {code}: {json.dumps(reply)}" for code, reply in replies.items()]
    lines += findings or [_("Everything that was compared is equal.")]
    facts = {"journal": entries, "gateways": replies, "findings": findings}
    return Answer(facts, lines, code=REFUSED if findings else DONE)


async def _prove(connection: Connection, *, quiet: bool) -> list[str]:
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description} {task.completed:,.0f}"),
        TimeElapsedColumn(),
        transient=True,
        disable=quiet or not sys.stdout.isatty(),
    ) as progress:
        task = progress.add_task(_("rows"), total=None)
        return await contents.prove(connection, lambda _table, count: progress.advance(task, count))
