"""user add | password | code | unlock | second-factor."""

import argparse
import sys
from getpass import getpass
from pathlib import Path

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.logins import folded
from fieldmesh.service.translation import _
from hub.cli.answers import Answer, Nouns
from hub.cli.asking import opened, writing
from hub.desk.guard import factor_name, forgive, login_name
from hub.desk.passwords import CODE_HOURS, Passwords, make_code, must_change
from hub.desk.second_factor import remove_factor
from hub.fleet.people import add_user, set_password
from hub.fleet.posts import assign
from hub.fleet.standard import assign_role
from hub.storage.logins import row_of_login
from hub.storage.rows import Connection
from hub.storage.web_sessions import end_sessions_of
from hub.trust.signin import make_verifier


def add_commands(nouns: Nouns, shared: argparse.ArgumentParser) -> None:
    """The commands about people are known."""
    user = nouns.add_parser("user", help=_("people who sign in"))
    verbs = user.add_subparsers(metavar="VERB", required=True)
    add = verbs.add_parser("add", parents=[shared], help=_("add a person"))
    add.add_argument("login")
    add.add_argument("--person", default="", help=_("full name"))
    add.add_argument("--position", help=_("code of the position that the person fills"))
    add.add_argument(
        "--role", help=_("role at head office, such as administrator, analyst or branch_it")
    )
    password = verbs.add_parser("password", parents=[shared], help=_("set a new password"))
    password.add_argument("login")
    for command, run in ((add, _add_user), (password, _set_password)):
        command.add_argument(
            "--password-file", type=Path, help=_("file with the password; without it you are asked")
        )
        command.add_argument(
            "--must-change",
            action="store_true",
            help=_("the person chooses another one when they first sign in at the workplace"),
        )
        command.set_defaults(command=run)
    for name, run, text in (
        ("code", _code, _("a code with which the person chooses a new password once")),
        ("unlock", _unlock, _("let the name try again at once")),
        ("second-factor", _remove_factor, _("remove the second factor of a lost phone")),
    ):
        command = verbs.add_parser(name, parents=[shared], help=text)
        command.add_argument("login")
        command.set_defaults(command=run)


async def _add_user(options: argparse.Namespace) -> Answer:
    verifier = make_verifier(_password(options))
    async with opened(options) as office:
        login = folded(options.login)
        about = {"login": login, "position": options.position, "role": options.role}
        async with writing(office, "user_added", about) as writer:
            user = await add_user(
                writer,
                office.maker,
                login=login,
                person=options.person,
                verifier=verifier,
            )
            if options.position:
                await assign(writer, office.maker, user=user, position=options.position)
            if options.role:
                await assign_role(writer, office.maker, user=user, role=options.role)
            if options.must_change:
                await must_change(writer.connection, user)
    return Answer(about, [_("{login} may sign in.").format(login=login)])


async def _set_password(options: argparse.Namespace) -> Answer:
    verifier = make_verifier(_password(options))
    about = {"login": options.login}
    async with opened(options) as office, writing(office, "password_set", about) as writer:
        user = await set_password(writer, office.maker, login=options.login, verifier=verifier)
        await end_sessions_of(writer.connection, user)
        if options.must_change:
            await must_change(writer.connection, user)
    line = _("The password of {login} is new; devices learn it with their next full sync.")
    return Answer({"login": options.login}, [line.format(login=options.login)])


async def _code(options: argparse.Namespace) -> Answer:
    about = {"login": options.login}
    async with opened(options) as office:
        async with writing(office, "password_code_made", about) as writer:
            user = await _user(writer.connection, options.login)
            code = await make_code(writer.connection, user, office.clock.now())
        address = Passwords.of(office).address_of(code)
    line = _("Within {hours} hours {login} may choose a new password under").format(
        hours=CODE_HOURS, login=options.login
    )
    return Answer({**about, "code": code, "address": address}, [line, address])


async def _unlock(options: argparse.Namespace) -> Answer:
    about = {"login": options.login}
    async with opened(options) as office, writing(office, "name_unlocked", about) as writer:
        user = await _user(writer.connection, options.login)
        await forgive(writer.connection, [login_name(options.login), factor_name(user)])
    return Answer(about, [_("{login} may try again.").format(login=options.login)])


async def _remove_factor(options: argparse.Namespace) -> Answer:
    about = {"login": options.login}
    async with opened(options) as office, writing(office, "second_factor_removed", about) as writer:
        user = await _user(writer.connection, options.login)
        await remove_factor(writer.connection, user)
        await end_sessions_of(writer.connection, user)
    line = _("{login} signs in without a second factor.")
    return Answer(about, [line.format(login=options.login)])


async def _user(connection: Connection, login: str) -> bytes:
    row = await row_of_login(connection, ("id",), login)
    if row is None or not isinstance(row[0], bytes):
        raise Rejected("not_found", place="login", text=f"there is no user {login}")
    return row[0]


def _password(options: argparse.Namespace) -> str:
    if options.password_file is None:
        if not sys.stdin.isatty():
            raise Rejected("usage", text=_("give --password-file, or run it at a keyboard"))
        return getpass(_("Password: "))
    try:
        return str(options.password_file.read_text("utf-8")).rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise Rejected("file_unreadable", place=str(options.password_file)) from None
