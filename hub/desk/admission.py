"""People whom another system has recognised: their record here, and the posts that their groups give."""

from collections.abc import Mapping
from dataclasses import dataclass

from fieldmesh.basics.errors import Rejected
from fieldmesh.data.types import Value
from hub.fleet.group_posts import is_post, is_settled, settle_posts, wanted_posts
from hub.fleet.office import Office
from hub.storage.org_changes import head_office_write, update_rows, upsert_rows
from hub.storage.rows import Connection, one_row
from hub.trust.identity import Identity

DIRECTORY, SINGLE_SIGN_ON = "directory", "single sign-on"
"""How somebody signs in: words of `app_user.auth_kind`."""
_ACTIVE = "active"
_LONGEST_LOGIN, _LONGEST_TEXT = 80, 200
_COLUMNS = ("id", "auth_kind", "status", "person", "mail")


@dataclass(frozen=True, slots=True)
class Source:
    """A system that recognises people.

    Attributes:
        kind: of its people's `auth_kind`.
        posts: group → the post that it gives.

    Raises:
        Rejected: `settings_invalid`, something else than a post is given.
    """

    kind: str
    posts: Mapping[str, str]

    def __post_init__(self) -> None:
        """What groups give are posts."""
        for group, post in self.posts.items():
            if not is_post(post):
                text = f'{group} = "{post}": neither role:<code> nor position:<code>'
                raise Rejected("settings_invalid", place=f"posts of {self.kind}", text=text)


async def admit(office: Office, source: Source, identity: Identity) -> bytes:
    """The person's id: name, mail and posts are as the other system says. Who is new and gets a post is added.

    Raises:
        Rejected: `account_of_another_kind`, somebody signs in under that login in another way; `sign_in_refused`,
            the person is blocked here, or is not known and gets no post.
    """
    login = folded(identity.login)
    wanted = wanted_posts(identity.groups, source.posts)
    told = _told(identity)
    async with office.database.read() as connection:
        held = await _held(connection, source, login)
        same = held is not None and told.items() <= held.told.items()
        if held is not None and same and await is_settled(connection, held.user, wanted):
            return held.user
        if held is None and not wanted:
            raise Rejected("sign_in_refused", place="login", login=login)
    about: dict[str, object] = {"login": login, "source": source.kind, "posts": sorted(wanted)}
    subjects: list[bytes] = []
    async with head_office_write(
        office.database,
        office.clock,
        actor=login,
        kind="recognised",
        about=about,
        subjects=subjects,
    ) as writer:
        held = await _held(writer.connection, source, login)  # somebody may have come meanwhile
        if held is None:
            told |= {"login": login, "auth_kind": source.kind, "status": _ACTIVE}
        user = office.maker.identifiers.new() if held is None else held.user
        subjects.append(user)
        put = upsert_rows if held is None else update_rows
        if told:
            await put(writer, "app_user", ("id", *told), [(user, *told.values())])
        about["came"], about["went"] = await settle_posts(writer, office.maker, user, wanted)
    return user


def folded(login: str) -> str:
    """The login as the hub keeps it.

    Raises:
        Rejected: `sign_in_refused`, there is none, or it is longer than the hub could tell from others.
    """
    found = login.strip().casefold()
    if not 0 < len(found) <= _LONGEST_LOGIN:
        raise Rejected("sign_in_refused", place="login", login=found[:_LONGEST_LOGIN])
    return found


@dataclass(frozen=True, slots=True)
class _Held:
    """Somebody whom the hub knows, and what it was told of them."""

    user: bytes
    told: Mapping[str, Value]


async def _held(connection: Connection, source: Source, login: str) -> _Held | None:
    """Whoever signs in with the login through the source.

    Raises:
        Rejected: `account_of_another_kind`, `sign_in_refused`.
    """
    row = await one_row(connection, "app_user", _COLUMNS, "login", login)
    if row is None or not isinstance(row[0], bytes):
        return None
    held = dict(zip(_COLUMNS, row, strict=True))
    if held["auth_kind"] != source.kind:
        raise Rejected("account_of_another_kind", place="login", login=login)
    if held["status"] != _ACTIVE:
        raise Rejected("sign_in_refused", place="login", login=login)
    return _Held(row[0], {name: held[name] for name in ("person", "mail")})


def _told(identity: Identity) -> dict[str, Value]:
    """Name and mail, where they are told. An address that is too long is none: cut, it would be somebody else's."""
    told = {"person": identity.person[:_LONGEST_TEXT]}
    if len(identity.mail) <= _LONGEST_TEXT:
        told["mail"] = identity.mail
    return {name: value for name, value in told.items() if value}
