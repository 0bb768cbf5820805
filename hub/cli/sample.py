"""sample: a whole company to try the network with."""

import argparse
from collections import Counter
from pathlib import Path

from rich.progress import Progress

from fieldmesh.service.translation import _
from hub.cli.answers import Answer, Nouns
from hub.cli.asking import opened
from hub.exchange.sample.generated import GeneratedCompany, Size
from hub.exchange.sample.iowa import IowaCompany
from hub.exchange.sample.loading import load_company, write_work
from hub.exchange.sample.source import CompanySource
from hub.fleet.office import Office
from hub.fleet.people import refresh_sign_ins
from hub.fleet.subscriptions import refresh_everything
from hub.storage.org_changes import head_office_write
from hub.trust.signin import make_verifier

PASSWORD = "sample-password"  # noqa: S105 - everybody's in a sample company, and said so in the answer


def add_commands(nouns: Nouns, shared: argparse.ArgumentParser) -> None:
    """The command is known."""
    verb = nouns.add_parser("sample", parents=[shared], help=_("load a sample company"))
    size = Size()
    verb.add_argument("--offices", type=_count, default=size.offices, help=_("how many offices"))
    verb.add_argument("--reps", type=_count, default=size.reps, help=_("how many reps"))
    verb.add_argument("--outlets", type=_count, default=size.outlets_a_rep, help=_("outlets a rep"))
    verb.add_argument("--products", type=_count, default=size.products, help=_("products"))
    verb.add_argument(
        "--orders", type=int, default=size.orders_an_outlet, help=_("past orders an outlet")
    )
    verb.add_argument("--lines", type=_count, default=size.lines_an_order, help=_("lines an order"))
    verb.add_argument(
        "--distributors", type=_count, default=size.distributors, help=_("how many distributors")
    )
    verb.add_argument("--seed", type=int, default=1, help=_("the same seed gives the same company"))
    verb.add_argument(
        "--from",
        dest="folder",
        type=Path,
        help=_("folder of real orders (orders.csv.gz, stores.csv.gz, items.csv.gz)"),
    )
    verb.add_argument(
        "--work", type=Path, help=_("write the day's orders of each rep to this folder")
    )
    verb.add_argument(
        "--report", type=Path, help=_("write what was odd in the data to this CSV file")
    )
    verb.set_defaults(command=_sample)


def _count(text: str) -> int:
    """A whole number from 1 up."""
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(
        _("{text} is no whole number from 1 up").format(text=repr(text))
    )


async def _sample(options: argparse.Namespace) -> Answer:
    async with opened(options) as office:
        source = _source(options, office)
        with Progress(transient=True, disable=options.json) as bars:
            bar = bars.add_task(_("loading"), total=None)

            def show(table: str, rows: int) -> None:
                bars.update(bar, advance=rows, description=table)

            loaded = await load_company(office.database, office.clock, source, show)
        await _put_in_force(office)
        work = write_work(source, options.work) if options.work else {}
        odd = _report(source, options.report)
    rows = sum(loaded.values())
    told = [
        _("{rows} rows of a sample company stand in the hub.").format(rows=rows),
        _("Everybody's password is {password}.").format(password=PASSWORD),
    ]
    told += [
        _("Odd in the data: {kind}: {count}").format(kind=kind, count=count)
        for kind, count in odd.items()
    ]
    return Answer(
        {"rows": rows, "tables": loaded, "work": work, "odd": odd, "password": PASSWORD}, told
    )


def _source(options: argparse.Namespace, office: Office) -> CompanySource:
    verifier = make_verifier(PASSWORD)
    if options.folder is not None:
        return IowaCompany(
            options.folder, offices=options.offices, reps=options.reps, verifier=verifier,
            now=office.clock.now(),
        )  # fmt: skip
    size = Size(
        options.offices,
        options.reps,
        options.outlets,
        options.products,
        options.orders,
        options.lines,
        options.distributors,
    )
    return GeneratedCompany(size, options.seed, office.clock.now(), verifier)


async def _put_in_force(office: Office) -> None:
    async with head_office_write(
        office.database, office.clock, actor="sample", kind="sign_ins_refreshed", about={}
    ) as writer:
        await refresh_sign_ins(writer, office.maker, None)
    await refresh_everything(
        office.database, clock=office.clock, identifiers=office.maker.identifiers
    )


def _report(source: CompanySource, path: Path | None) -> dict[str, int]:
    if not isinstance(source, IowaCompany):
        return {}
    if path is not None:
        source.oddities.write(path)
    return dict(Counter(source.oddities.counts()))
