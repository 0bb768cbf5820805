"""org import | show, import KIND FILE, outlet move, price set."""

import argparse
import sys
from pathlib import Path

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from fieldmesh.basics.errors import Rejected
from fieldmesh.service.translation import _
from hub.cli.answers import DONE, REFUSED, Answer, Nouns
from hub.cli.asking import actor, opened, writing
from hub.exchange.csv_batch import Imported
from hub.exchange.csv_import import import_all_or_nothing, import_csv
from hub.exchange.csv_kinds import (
    KEYS,
    SHAPES_SCOPE,
    SHAPES_SIGN_IN,
    Kind,
    all_kinds,
    kind_named,
)
from hub.exchange.csv_reading import check_file
from hub.exchange.prices import parse_price, set_price
from hub.fleet.office import Office
from hub.fleet.outlets import move_outlets
from hub.fleet.people import refresh_sign_ins
from hub.fleet.subscriptions import refresh_everything, today
from hub.storage.rows import all_rows, count_rows

_MOST_SHOWN = 50


def add_commands(nouns: Nouns, shared: argparse.ArgumentParser) -> None:
    """The commands about the organisation are known."""
    _add_imports(nouns, shared)
    outlet = nouns.add_parser("outlet", help=_("outlets: who serves them"))
    verbs = outlet.add_subparsers(metavar="VERB", required=True)
    move = verbs.add_parser("move", parents=[shared], help=_("give outlets to another position"))
    move.add_argument("outlet", nargs="+", help=_("codes of outlets"))
    move.add_argument("--to", required=True, dest="position", help=_("code of the position"))
    move.set_defaults(command=_move)
    price = nouns.add_parser("price", help=_("prices"))
    verbs = price.add_subparsers(metavar="VERB", required=True)
    change = verbs.add_parser(
        "set", parents=[shared], help=_("set the price of a product from today")
    )
    change.add_argument("price_list", help=_("code of the price list"))
    change.add_argument("product", help=_("code of the product"))
    change.add_argument("amount", help=_("price of one unit"))
    change.add_argument("--unit", help=_("code of the unit; without it each priced unit"))
    change.set_defaults(command=_price)


def _add_imports(nouns: Nouns, shared: argparse.ArgumentParser) -> None:
    org = nouns.add_parser("org", help=_("the organisation"))
    verbs = org.add_subparsers(metavar="VERB", required=True)
    many = verbs.add_parser(
        "import", parents=[shared], help=_("load several CSV files, each named after its kind")
    )
    many.add_argument(
        "files", nargs="+", type=Path, help=_("files such as org_unit.csv, or folders")
    )
    many.set_defaults(command=_import_many)
    show = verbs.add_parser("show", parents=[shared], help=_("positions as a tree, and counts"))
    show.set_defaults(command=_show)
    one = nouns.add_parser("import", parents=[shared], help=_("load one CSV file"))
    one.add_argument("kind", metavar="KIND", choices=sorted(KEYS), help=", ".join(sorted(KEYS)))
    one.add_argument("file", type=Path)
    one.set_defaults(command=_import_one)
    for command in (many, one):
        command.add_argument(
            "--all-or-nothing",
            action="store_true",
            help=_("load nothing of any file when a line is bad"),
        )


async def _import_one(options: argparse.Namespace) -> Answer:
    return await _import(options, [(kind_named(options.kind), options.file)])


async def _import_many(options: argparse.Namespace) -> Answer:
    files: list[Path] = []
    for path in options.files:
        files.extend(sorted(path.glob("*.csv")) if path.is_dir() else [path])
    named = {path: path.stem.lstrip("0123456789_-") for path in files}
    order = {kind.name: place for place, kind in enumerate(all_kinds())}
    work = [(kind_named(kind, place=str(path)), path) for path, kind in named.items()]
    if not work:
        raise Rejected("not_found", text=_("there is no CSV file in what was named"))
    work.sort(key=lambda one: order[one[0].name])
    return await _import(options, work)


async def _import(options: argparse.Namespace, work: list[tuple[Kind, Path]]) -> Answer:
    for kind, path in work:
        check_file(kind, path)
    async with opened(options) as office:
        results = await _load_all(office, options, work)
        await _settle(office, {kind.name for kind, _path in work})
    problems = [str(problem) for _path, one in results for problem in one.problems]
    bad = sum(one.bad for _path, one in results)
    rows = [
        {
            "file": path.name,
            "lines": one.lines,
            "loaded": one.loaded,
            "changed": one.changed,
            "bad": one.bad,
        }
        for path, one in results
    ]
    lines = problems[:_MOST_SHOWN]
    if len(problems) > _MOST_SHOWN:
        more = _("… and {count} more; --json tells up to 1,000 of each file.")
        lines.append(more.format(count=len(problems) - _MOST_SHOWN))
    code = REFUSED if bad else DONE
    return Answer({"files": rows, "bad": bad, "problems": problems}, lines, rows, code)


async def _load_all(
    office: Office, options: argparse.Namespace, work: list[tuple[Kind, Path]]
) -> list[tuple[Path, Imported]]:
    if options.all_or_nothing:
        done = await import_all_or_nothing(office.database, work, clock=office.clock, actor=actor())
        return [(path, one) for (_kind, path), one in zip(work, done, strict=True)]
    return [(path, await _load(office, kind, path, options)) for kind, path in work]


async def _load(office: Office, kind: Kind, path: Path, options: argparse.Namespace) -> Imported:
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description} {task.completed:,.0f}"),
        TimeElapsedColumn(),
        transient=True,
        disable=options.json or not sys.stdout.isatty(),
    ) as progress:
        task = progress.add_task(path.name, total=None)
        return await import_csv(
            office.database,
            kind,
            path,
            clock=office.clock,
            actor=actor(),
            progress=lambda done: progress.update(task, completed=done),
        )


async def _settle(office: Office, tables: set[str]) -> None:
    """Scopes and sign-in follow what was loaded."""
    if tables & SHAPES_SIGN_IN:
        async with writing(office, "sign_ins_refreshed", {"tables": sorted(tables)}) as writer:
            await refresh_sign_ins(writer, office.maker, None)
    if tables & SHAPES_SCOPE:
        await refresh_everything(
            office.database, clock=office.clock, identifiers=office.maker.identifiers
        )


async def _show(options: argparse.Namespace) -> Answer:
    async with opened(options) as office, office.database.read() as connection:
        names = ("id", "code", "name", "parent_position_id", "role_id")
        positions = await all_rows(connection, "position", names)
        roles = {row[0]: row[1] for row in await all_rows(connection, "role", ("id", "code"))}
        counts = {
            table: await count_rows(connection, table)
            for table in (
                "org_unit",
                "territory",
                "position",
                "distributor",
                "outlet",
                "legal_party",
            )
        }
    codes = {row[0]: row[1] for row in positions}
    rows = [
        {
            "position": row[1],
            "name": row[2],
            "role": roles.get(row[4]),
            "above": codes.get(row[3]),
        }
        for row in sorted(positions, key=lambda row: str(row[1]))
    ]
    lines = [f"{table.replace('_', ' ')}: {count}" for table, count in counts.items()]
    return Answer({"counts": counts, "positions": rows}, lines, rows)


async def _move(options: argparse.Namespace) -> Answer:
    async with opened(options) as office:
        about = {"outlets": options.outlet, "position": options.position}
        async with writing(office, "outlets_moved", about) as writer:
            done = await move_outlets(
                writer, office.maker, outlets=options.outlet, position=options.position
            )
            lsn = writer.lsn
    line = _("{count} outlets are served by {position} from now on.")
    return Answer(
        {
            "moved": len(options.outlet),
            "position": options.position,
            "lsn": lsn,
            "rows": done.moved,
        },
        [line.format(count=len(options.outlet), position=options.position)],
    )


async def _price(options: argparse.Namespace) -> Answer:
    amount = parse_price(options.amount)
    async with opened(options) as office:
        about = {
            "price_list": options.price_list,
            "product": options.product,
            "amount": options.amount,
        }
        async with writing(office, "price_set", about) as writer:
            changed = await set_price(
                writer,
                office.maker.identifiers,
                price_list=options.price_list,
                product=options.product,
                unit=options.unit,
                amount=amount,
                day=today(office.clock),
            )
            lsn = writer.lsn
    line = _("{product} costs {amount} in list {price_list} from today.").format(**about)
    return Answer({"changed": changed, "lsn": lsn, **about}, [line])
