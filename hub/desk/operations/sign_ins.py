"""How people sign in, settled by branch IT: a code for a new password, a waiting name, a lost phone, open sessions."""

from contextlib import AbstractAsyncContextManager

from fieldmesh.service.translation import N_, _
from hub.desk.authority import need_to_manage
from hub.desk.guard import factor_name, forgive, login_name
from hub.desk.operation import Asked, Done, Input, Kind, Operation
from hub.desk.passwords import CODE_HOURS, Passwords, make_code
from hub.desk.second_factor import remove_factor
from hub.storage.changes import ChangeWriter
from hub.storage.web_sessions import end_sessions_of

_FUNCTION = "user.manage"


async def _new_code(asked: Asked) -> Done:
    office, user, login = asked.hands.office, asked.record.row_id, _login(asked)
    passwords = Passwords.of(office)
    async with _acting(asked, "password_code_made") as writer:
        await need_to_manage(writer.connection, asked.access, user, _FUNCTION)
        code = await make_code(writer.connection, user, office.clock.now())
    mail = str(asked.record.values["mail"] or "")
    if asked.flag("mail") and mail and passwords.sends_mail:
        person = str(asked.record.values["person"] or login)
        await passwords.send(mail, person, code, office.settings.language or "en")
        return Done(_("The code is on its way to {mail}.").format(mail=mail))
    address = f"{office.settings.workplace.address.rstrip('/')}/password"
    text = _("Within {hours} hours {login} may choose a new password under {address} with the code")
    return Done(text.format(hours=CODE_HOURS, login=login, address=address), secret=code)


async def _unlock(asked: Asked) -> Done:
    user, login = asked.record.row_id, _login(asked)
    async with _acting(asked, "name_unlocked") as writer:
        await need_to_manage(writer.connection, asked.access, user, _FUNCTION)
        await forgive(writer.connection, [login_name(login), factor_name(user)])
    return Done(_("{login} may try again.").format(login=login))


async def _remove_factor(asked: Asked) -> Done:
    user, login = asked.record.row_id, _login(asked)
    async with _acting(asked, "second_factor_removed") as writer:
        await need_to_manage(writer.connection, asked.access, user, _FUNCTION)
        await remove_factor(writer.connection, user)
        await end_sessions_of(writer.connection, user)
    return Done(_("{login} signs in without a second factor.").format(login=login))


async def _end_sessions(asked: Asked) -> Done:
    user, login = asked.record.row_id, _login(asked)
    async with _acting(asked, "sessions_ended") as writer:
        await need_to_manage(writer.connection, asked.access, user, _FUNCTION)
        ended = await end_sessions_of(writer.connection, user)
    return Done(_("Sessions of {login} that have ended: {count}.").format(login=login, count=ended))


def _login(asked: Asked) -> str:
    return str(asked.record.values["login"])


def _acting(asked: Asked, kind: str) -> AbstractAsyncContextManager[ChangeWriter]:
    about = {"login": _login(asked)}
    return asked.acting(kind, about, [asked.record.row_id])


_BY_MAIL = Input(
    "mail", N_("Send it by mail"), Kind.FLAG, required=False,
    hint=N_("If the person's address and the mail server are known; else the code is shown here once."),
)  # fmt: skip
OPERATIONS = (
    Operation("new-password", "people", N_("Code for a new password"), _FUNCTION, _new_code, (_BY_MAIL,)),
    Operation("unlock", "people", N_("Unlock the name"), _FUNCTION, _unlock),
    Operation("end-sessions", "people", N_("End all sessions"), _FUNCTION, _end_sessions),
    Operation(
        "remove-second-factor", "people", N_("Remove the second factor"), _FUNCTION, _remove_factor,
        warning=N_("Until the person sets up a new one, their password alone lets somebody in."),
    ),
)  # fmt: skip
