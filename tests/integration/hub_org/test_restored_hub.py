"""A hub from last night's backup: what was used or ended since then opens nothing."""

from pathlib import Path

import sqlalchemy as sa

from hub.cli.answers import Answer
from hub.cli.program import parser
from hub.config import HubSettings
from hub.desk.passwords import make_code
from hub.fleet.office import Office, make_office, open_office
from hub.fleet.people import add_user
from hub.storage import journal, nodes
from hub.storage.api_tokens import ApiToken, add_token, drop_token, token_ids
from hub.storage.enrolments import (
    StoredCertificate,
    add_certificate,
    all_certificates,
    end_bus_key,
)
from hub.storage.org_changes import head_office_write
from hub.storage.org_tables import CODE
from hub.storage.provider_sessions import note_provider_session
from hub.storage.system_tables import PASSWORD_CODE, PROVIDER_SESSION, WEB_SESSION
from hub.storage.web_sessions import WebSession, add_session
from tests.integration.hub_org.conftest import registered

_YEAR_US = 365 * 86_400_000_000
OPENING = (CODE, WEB_SESSION, PROVIDER_SESSION, PASSWORD_CODE)


async def typed(home: Path, *words: str) -> Answer:
    """What ``fieldmesh-hub …`` answers."""
    arguments = ["--home", str(home), *words]
    options = parser(arguments).parse_args(arguments)
    answer: Answer = await options.command(options)
    return answer


async def opened_by(office: Office) -> list[int]:
    """How many codes for nodes, sessions, sessions at a provider and codes for a password there are."""
    async with office.database.read() as connection:
        counts = [sa.select(sa.func.count()).select_from(table) for table in OPENING]
        return [int((await connection.execute(one)).scalar_one()) for one in counts]


async def with_all_that_opens(office: Office) -> list[int]:
    """A code for a gateway and for a device, a session from a sign-on provider, a code for a password."""
    await registered(office)
    now = office.clock.now()
    async with head_office_write(
        office.database, office.clock, actor="test", kind="made", about={}
    ) as writer:
        user = await add_user(writer, office.maker, login="ann", person="Ann", verifier="v")
        session = WebSession(b"s" * 16, "h", "c", user, now, now, now + _YEAR_US, "", "")
        await add_session(writer.connection, session)
        await note_provider_session(writer.connection, session.session_id, "ann", "1")
        await make_code(writer.connection, user, now)
    return await opened_by(office)


async def test_codes_and_sessions_of_the_backup_open_nothing(
    office: Office, tmp_path: Path
) -> None:
    """A code that was used since last night, or a session that was ended, let its finder in again."""
    assert await with_all_that_opens(office) == [2, 1, 1, 1]
    home, file = office.home.folder, tmp_path / "backup.tar"
    await typed(home, "backup", str(file))
    answer = await typed(home, "restore", "--replace", str(file))
    restored = await open_office(home)
    try:
        assert await opened_by(restored) == [0, 0, 0, 0]
    finally:
        await restored.database.close()
    assert "Revoke again what was revoked after" in "\n".join(answer.lines)


async def test_codes_and_sessions_of_a_database_that_was_put_back_open_nothing(
    office: Office,
) -> None:
    """It comes from a backup too, only not from ours."""
    await with_all_that_opens(office)
    answer = await typed(office.home.folder, "recover", "--yes")
    assert await opened_by(office) == [0, 0, 0, 0]
    assert "revoke again what was revoked since" in "\n".join(answer.lines)


async def test_what_was_revoked_since_the_backup_stays_revoked(
    office: Office, tmp_path: Path
) -> None:
    """A gateway that was stolen at ten was back on the bus with the restore at noon, and nobody was told."""
    await registered(office)
    home, file = office.home.folder, tmp_path / "backup.tar"
    async with office.database.write() as connection:
        gateway = (await nodes.named_gateway(connection, "G1")).gateway_id
        certificate = StoredCertificate("1", "gateway", gateway, "f", b"c", 1, _YEAR_US)
        await add_certificate(connection, certificate)
        for name in (b"kept", b"gone"):
            token = ApiToken(name * 4, name.hex(), b"u" * 16, "t", frozenset(), 1, _YEAR_US, None)
            await add_token(connection, token)
    await typed(home, "backup", str(file))
    await typed(home, "gateway", "revoke", "G1", "--yes")
    await typed(home, "device", "revoke", "D1", "--yes")
    async with office.database.write() as connection:
        await end_bus_key(connection, gateway, "OLD", 1)
        await drop_token(connection, b"u" * 16, b"gone" * 4)
    answer = await typed(home, "restore", "--replace", str(file))
    restored = await open_office(home)
    try:
        async with restored.database.read() as connection:
            assert (await nodes.named_gateway(connection, "G1")).status == "revoked"
            assert (await nodes.named_device(connection, "D1")).state == "revoked"
            assert [one.revoked_at is None for one in await all_certificates(connection)] == [False]
            assert await nodes.revoked_bus_keys(connection) == {"OLD"}
            assert await token_ids(connection) == {b"kept" * 4}
            await journal.verify(connection)
    finally:
        await restored.database.close()
    assert "Revoked as in the hub that stood there: G1, D1." in answer.lines


async def test_a_broken_database_or_one_of_another_hub_is_no_hindrance(
    office: Office, tmp_path: Path
) -> None:
    """The disk that died may give no word of what it knew; another hub's word counts for nothing here."""
    await registered(office)
    file, home = tmp_path / "backup.tar", tmp_path / "other"
    await typed(office.home.folder, "backup", str(file))
    other = await make_office(home, HubSettings(), 'company = "Other"\n')
    await other.database.close()
    for spoil in (False, True):
        if spoil:
            (home / "data" / "hub.db").write_bytes(b"noise" * 4096)
        answer = await typed(home, "restore", "--replace", str(file))
        assert not [line for line in answer.lines if "stood there:" in line]
    restored = await open_office(home)
    await restored.database.close()
