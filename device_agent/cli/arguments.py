"""Commands and their flags."""

import argparse
from pathlib import Path

from fieldmesh.service.translation import _

MODES = ("fast", "full", "initialize", "duplicate", "upload")
MOST_COUNT = 1_000_000


def parser() -> argparse.ArgumentParser:
    """The parser of `fieldmesh-device`."""
    top = argparse.ArgumentParser(
        prog="fieldmesh-device", description=_("The device agent of Fieldmesh.")
    )
    verbs = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_sync_verbs(verbs)
    _add_work_verbs(verbs)
    _add_care_verbs(verbs)
    return top


def _count(text: str) -> int:
    """A whole number from 0 to a million."""
    if not text.isdecimal() or len(text) > len(str(MOST_COUNT)) or int(text) > MOST_COUNT:
        raise argparse.ArgumentTypeError(_("not a number from 0 to {most}").format(most=MOST_COUNT))
    return int(text)


def _everywhere() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--home", type=Path, required=True, help=_("folder of the device"))
    shared.add_argument("--json", action="store_true", help=_("one JSON object on stdout"))
    shared.add_argument("--login", default="", help=_("name of the person"))
    shared.add_argument(
        "--password-file",
        type=Path,
        help=_("file with the password; asked for otherwise"),
    )
    return shared


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    key: str = "",
) -> argparse.ArgumentParser:
    added = verbs.add_parser(name, help=text, description=text, parents=[_everywhere()])
    added.set_defaults(verb=key or name)
    return added


def _add_sync_verbs(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    enroll = _verb(verbs, "enroll", _("give the device its identity with a one-time code"))
    enroll.add_argument("--code", required=True, help=_("FM-…, made at the hub"))
    enroll.add_argument("--gateway", required=True, help=_("host:port of the enrolment door"))
    enroll.add_argument("--hardware-id", default="", help=_("serial number or the like"))
    sync = _verb(verbs, "sync", _("run a sync mode"))
    sync.add_argument("mode", choices=MODES)
    sync.add_argument(
        "--force",
        action="store_true",
        help=_("when the database cannot be read: lose what waits in it, and begin anew"),
    )
    _add_progress(sync)
    check = _verb(verbs, "verify", _("work every row's hash out anew"))
    check.add_argument("--repair", action="store_true", help=_("bring wrong rows again"))
    check.add_argument("--sync", action="store_true", help=_("then compare with a gateway"))
    _add_progress(check)
    export = _verb(verbs, "export", _("write batches without a second tick to a file"))
    export.add_argument("file", type=Path)


def _add_work_verbs(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    _verb(verbs, "status", _("where the device stands"))
    sql = _verb(verbs, "sql", _("run SQL on the encrypted database; changes are captured"))
    sql.add_argument("statement", nargs="+")
    _verb(verbs, "tables", _("tables and how many rows each has"))
    _verb(verbs, "rejects", _("what head office refused, and why"))
    order = _verb(verbs, "order", _("place an order from the outlet's price list"))
    order.add_argument("--outlet", default="", help=_("id or code; otherwise the first one"))
    order.add_argument("--lines", type=_count, default=3, help=_("how many products"))
    orders = _verb(verbs, "orders", _("place the orders of a list, all or none"))
    orders.add_argument("file", type=Path, help=_("one JSON order a line"))
    orders.add_argument("--skip", type=_count, default=0, help=_("leave out the first lines"))
    orders.add_argument("--most", type=_count, help=_("place at most so many"))
    photos = _verb(verbs, "photos", _("keep and send photos"))
    photos.add_argument("--add", type=Path, nargs="*", default=[], help=_("files to keep"))
    photos.add_argument("--send", action="store_true", help=_("send what waits"))
    photos.add_argument("--gateway", default="", help=_("host:port; no other is tried"))


def _add_care_verbs(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    wipe = _verb(verbs, "wipe", _("erase the device"))
    wipe.add_argument("--yes", action="store_true", help=_("yes, erase it"))
    rescue = verbs.add_parser("rescue", help=_("rescue files"))
    rescues = rescue.add_subparsers(dest="action", required=True, metavar="ACTION")
    _verb(rescues, "list", _("rescue files, oldest first"), "rescue list")
    back = _verb(
        rescues,
        "import",
        _("let its batches wait in the outbox again"),
        "rescue import",
    )
    back.add_argument("file")
    signin = verbs.add_parser("sign-in", help=_("people of this device"))
    signins = signin.add_subparsers(dest="action", required=True, metavar="ACTION")
    _verb(signins, "check", _("check a name and password"), "sign-in check")
    add = _verb(signins, "add", _("let another person open the device"), "sign-in add")
    add.add_argument("person", help=_("name of the other person"))
    add.add_argument("--person-password-file", type=Path, required=True)
    config = verbs.add_parser("config", help=_("settings"))
    configs = config.add_subparsers(dest="action", required=True, metavar="ACTION")
    _verb(configs, "show", _("settings, and where each comes from"), "config show")


def _add_progress(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--gateway", default="", help=_("host:port; no other is tried"))
    verb.add_argument(
        "--progress-json",
        action="store_true",
        help=_("one JSON line per step on stderr"),
    )
