"""The roles that every company has, and posts for people of head office who stand nowhere in the tree."""

from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.identifiers import stable_id
from fieldmesh.service.translation import _
from hub.fleet.posts import Filling, fill
from hub.fleet.registry import Maker
from hub.fleet.subscriptions import today
from hub.rules.functions import ROLE_NAMES
from hub.storage.changes import ChangeWriter
from hub.storage.org_changes import upsert_rows
from hub.storage.rows import rows_where


async def add_standard_roles(writer: ChangeWriter) -> int:
    """Each kind of role has a role; those that are there under the same code stay. Returns how many came."""
    held = await rows_where(writer.connection, "role", ("code",), "code", list(ROLE_NAMES))
    known = {row[0] for row in held}
    rows = [
        (stable_id("role", kind.value), kind.value, name, kind.value)
        for kind, name in ROLE_NAMES.items()
        if kind.value not in known
    ]
    return await upsert_rows(writer, "role", ("id", "code", "name", "kind"), rows)


async def assign_role(writer: ChangeWriter, maker: Maker, *, user: bytes, role: str) -> None:
    """The person fills the post of a role of head office, which is made when it is not there.

    Raises:
        Rejected: `not_found`, there is no such role.
    """
    await add_standard_roles(writer)
    post = await office_post(writer, maker, role)
    if post is None:
        raise Rejected(
            "not_found", place="role", text=_("there is no role {code}").format(code=role)
        )
    await fill(writer, maker, Filling(post, user, today(maker.clock)))


async def office_post(writer: ChangeWriter, maker: Maker, role: str) -> bytes | None:
    """The post of a role of head office, which is made when it is not there; None = there is no such role."""
    rows = await rows_where(writer.connection, "role", ("id", "code", "name"), "code", [role])
    if not rows:
        return None
    role_id, code, name = rows[0]
    post = office_code(str(code))
    held = await rows_where(writer.connection, "position", ("id",), "code", [post])
    if held and isinstance(held[0][0], bytes):
        return held[0][0]
    made = maker.identifiers.new()
    await upsert_rows(
        writer, "position", ("id", "role_id", "code", "name"), [(made, role_id, post, name)]
    )
    return made


def office_code(role: str) -> str:
    """Code of the post of a role of head office."""
    return f"OFFICE-{role}".upper()[:40]
