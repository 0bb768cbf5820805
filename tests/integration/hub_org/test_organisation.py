"""Head office at work on a real database: files in, scopes out, codes used once."""

import json
from pathlib import Path

import nkeys
import pytest

from fieldmesh.basics.clock import ManualClock
from fieldmesh.basics.errors import FieldmeshError
from fieldmesh.codec.columns import from_rows
from fieldmesh.data.policy import PartitionKind
from fieldmesh.replica.partition import partition_id
from fieldmesh.service.enrolled_key import is_replaced
from fieldmesh.service.tls import make_csr, make_key, read_certificate
from hub.exchange.csv_import import import_all_or_nothing
from hub.exchange.csv_kinds import kind_named
from hub.fleet.leases import end_leases, lease
from hub.fleet.office import Office
from hub.fleet.outlets import move_outlets
from hub.fleet.people import add_user, set_password
from hub.fleet.posts import assign
from hub.fleet.registry import (
    NewDevice,
    NewGateway,
    add_device,
    add_gateway,
    authorise_spare,
    revoke_device,
)
from hub.fleet.subscriptions import refresh_everything
from hub.storage import journal, nodes
from hub.storage.contents import prove
from hub.storage.org_changes import head_office_write
from hub.storage.rows import all_rows, ids_by_code, rows_where
from hub.storage.scopes import gateway_partitions
from hub.trust.authority import NodeKind
from hub.trust.enrolment import EnrolmentRequest, enrol, new_code
from hub.trust.renewal import renew
from tests.integration.hub_org.conftest import FILES, load, registered, targets

_HOUR_US = 3_600_000_000


async def home_of(office: Office, table: str, code: str) -> int:
    """The partition of a row."""
    async with office.database.read() as connection:
        rows = await rows_where(connection, table, ("partition",), "code", [code])
    return int(rows[0][0] or 0)


async def test_everyone_sees_their_outlets_and_nobody_elses(office: Office) -> None:
    """Without it scope would be wrong from the first day. Promise 6."""
    a, b = await home_of(office, "outlet", "A"), await home_of(office, "outlet", "B")
    assert {a, b} & await targets(office, "R1") == {a}
    assert {a, b} & await targets(office, "R2") == {b}
    assert {a, b} & await targets(office, "K1") == {a}
    assert {a, b} <= await targets(office, "S1")


async def test_a_chain_is_seen_by_all_who_serve_one_of_its_outlets(office: Office) -> None:
    """Without it contracts and debts of a chain would be missing."""
    chain = await home_of(office, "legal_party", "P1")
    for position in ("R1", "R2", "K1", "S1"):
        assert chain in await targets(office, position)


async def test_an_outlet_moves_with_its_rows_and_keeps_its_technician(office: Office) -> None:
    """Without it an outlet that changes hands would lose who repairs its coolers."""
    before = await home_of(office, "outlet", "A")
    async with head_office_write(
        office.database, office.clock, actor="test", kind="moved", about={}
    ) as writer:
        await move_outlets(writer, office.maker, outlets=["A"], position="R2")
    after = await home_of(office, "outlet", "A")
    assert after != before
    assert after in await targets(office, "R2")
    assert after in await targets(office, "K1")
    assert after not in await targets(office, "R1")
    async with office.database.read() as connection:
        assert await prove(connection) == []


async def test_refreshing_again_changes_nothing(office: Office) -> None:
    """Without it each night would send everything to everyone."""
    done = await refresh_everything(
        office.database, clock=office.clock, identifiers=office.maker.identifiers
    )
    assert (done.moved, done.gained, done.lost, done.gateway_gained) == (0, 0, 0, 0)


async def test_a_gateway_holds_what_its_devices_may_see(office: Office) -> None:
    """Without it a gateway would hold too much, or serve too little. Promise 6."""
    await registered(office)
    async with office.database.read() as connection:
        gateway = await nodes.named_gateway(connection, "G1")
        device = await nodes.named_device(connection, "D1")
        held = await gateway_partitions(connection, gateway.gateway_id)
    assert held == await targets(office, "R1") | {
        partition_id(PartitionKind.GATEWAY, gateway.gateway_id),
        partition_id(PartitionKind.DEVICE, device.device_id),
    }


async def test_a_lease_brings_the_scope_and_its_end_takes_it_away(office: Office) -> None:
    """Without it a roaming device would get nothing, or a gateway would keep too much."""
    await registered(office)
    async with head_office_write(
        office.database, office.clock, actor="test", kind="registered", about={}
    ) as writer:
        away = await add_gateway(writer, office.maker, NewGateway("G2"))
    async with office.database.read() as connection:
        device = await nodes.named_device(connection, "D1")
        before = await gateway_partitions(connection, away)
    grant = await lease(office.database, office.maker, away, device.device_id)
    async with office.database.read() as connection:
        assert await targets(office, "R1") <= await gateway_partitions(connection, away)
    clock = office.clock
    assert isinstance(clock, ManualClock)
    clock.advance(grant.expires_at - clock.now() + 1)
    assert await end_leases(office.database, office.maker) == 1
    async with office.database.read() as connection:
        assert await gateway_partitions(connection, away) == before


async def test_a_code_lets_a_device_in_once(office: Office) -> None:
    """Without it a code on a lost slip of paper would make a second device."""
    _gateway, code = await registered(office)
    key = make_key()
    request = EnrolmentRequest(code, make_csr(key, "x"), "serial 1", "1.0")
    grant = await enrol(office.database, office.trust, request)
    assert office.trust.authority.check(grant.certificate).node_id == grant.node_id
    again = await enrol(office.database, office.trust, request)
    assert again.node_id == grant.node_id
    with pytest.raises(FieldmeshError) as refused:
        await enrol(
            office.database, office.trust, EnrolmentRequest(code, make_csr(make_key(), "x"))
        )
    assert refused.value.code == "code_used"


@pytest.mark.parametrize(("said", "kept"), [("", "North"), ("South", "South")])
async def test_a_gateway_hears_the_name_that_head_office_gave(
    office: Office, said: str, kept: str
) -> None:
    """Without it a gateway enrolled without a name would be called by its machine's."""
    async with head_office_write(
        office.database, office.clock, actor="test", kind="registered", about={}
    ) as writer:
        gateway_id = await add_gateway(writer, office.maker, NewGateway("GN", name="North"))
        code = await new_code(writer.connection, office.trust, NodeKind.GATEWAY, gateway_id)
    csr = make_csr(make_key(), "machine")
    bus_key = nkeys.from_seed(nkeys.encode_seed(bytes(32), nkeys.PREFIX_BYTE_USER)).public_key
    grant = await enrol(
        office.database,
        office.trust,
        EnrolmentRequest(code, csr, name=said, bus_key=bus_key.decode("ascii")),
    )
    async with office.database.read() as connection:
        gateway = await nodes.gateway(connection, gateway_id)
    assert gateway is not None
    assert (grant.name, gateway.name) == (kept, kept)


async def test_a_code_ends(office: Office) -> None:
    """Without it a code found years later would still work."""
    _gateway, code = await registered(office)
    clock = office.clock
    assert isinstance(clock, ManualClock)
    clock.advance(73 * _HOUR_US)
    with pytest.raises(FieldmeshError) as refused:
        await enrol(
            office.database, office.trust, EnrolmentRequest(code, make_csr(make_key(), "x"))
        )
    assert refused.value.code == "code_expired"


async def test_a_wrong_code_is_refused(office: Office) -> None:
    """Without it anyone could enrol."""
    _gateway, code = await registered(office)
    wrong = code[:3] + ("A" if code[3] != "A" else "B") + code[4:]
    with pytest.raises(FieldmeshError) as refused:
        await enrol(
            office.database, office.trust, EnrolmentRequest(wrong, make_csr(make_key(), "x"))
        )
    assert refused.value.code == "code_unknown"


async def test_a_revoked_device_gets_no_new_certificate(office: Office) -> None:
    """Without it a stolen device could renew itself for ever."""
    _gateway, code = await registered(office)
    csr = make_csr(make_key(), "x")
    grant = await enrol(office.database, office.trust, EnrolmentRequest(code, csr))
    renewed = await renew(office.database, office.trust, grant.certificate, csr)
    assert renewed.certificate != grant.certificate
    async with head_office_write(
        office.database, office.clock, actor="test", kind="revoked", about={}
    ) as writer:
        device = await nodes.named_device(writer.connection, "D1")
        serials = await revoke_device(writer, office.maker, device, wipe_order=b"order")
    assert len(serials) == 2
    for certificate in (grant.certificate, renewed.certificate):
        with pytest.raises(FieldmeshError) as refused:
            await renew(office.database, office.trust, certificate, csr)
        assert refused.value.code == "device_revoked"


async def test_a_certificate_is_renewed_for_its_own_key_only(office: Office) -> None:
    """Without it a gateway, which sees every certificate, could make itself any of its devices."""
    _gateway, code = await registered(office)
    grant = await enrol(
        office.database, office.trust, EnrolmentRequest(code, make_csr(make_key(), "x"))
    )
    with pytest.raises(FieldmeshError) as refused:
        await renew(office.database, office.trust, grant.certificate, make_csr(make_key(), "x"))
    assert refused.value.code == "another_key"


@pytest.mark.parametrize("key", ["the same", "another"])
async def test_a_device_that_enrols_again_with_another_key_ends_the_one_before(
    office: Office, key: str
) -> None:
    """Without it who has the old key could renew it for ever; who enrols with the same key keeps everything."""
    _gateway, code = await registered(office)
    csr = make_csr(make_key(), "x")
    first = await enrol(office.database, office.trust, EnrolmentRequest(code, csr))
    clock = office.clock
    assert isinstance(clock, ManualClock)
    clock.advance(_HOUR_US)
    async with head_office_write(
        office.database, office.clock, actor="test", kind="code", about={}
    ) as writer:
        device = await nodes.named_device(writer.connection, "D1")
        code = await new_code(writer.connection, office.trust, NodeKind.DEVICE, device.device_id)
    same = key == "the same"
    other = csr if same else make_csr(make_key(), "x")
    second = await enrol(office.database, office.trust, EnrolmentRequest(code, other))
    renewed = await renew(office.database, office.trust, second.certificate, other)
    async with office.database.read() as connection:
        word = (await nodes.named_device(connection, "D1")).enrolled_key
    replaced = [
        is_replaced(read_certificate(one.certificate), word) for one in (first, second, renewed)
    ]
    assert replaced == [not same, False, False]
    assert len(word) <= 64
    if same:
        await renew(office.database, office.trust, first.certificate, csr)
        return
    with pytest.raises(FieldmeshError) as refused:
        await renew(office.database, office.trust, first.certificate, csr)
    assert refused.value.code == "key_replaced"


async def test_an_authorised_spare_serves_the_position_of_the_first(office: Office) -> None:
    """Without it a lost device would stop its rep."""
    await registered(office)
    async with head_office_write(
        office.database, office.clock, actor="test", kind="spare", about={}
    ) as writer:
        await add_device(writer, office.maker, NewDevice("SP", spare=True))
        first = await nodes.named_device(writer.connection, "D1")
        spare = await nodes.named_device(writer.connection, "SP")
        late = (office.maker.identifiers.new(), spare.device_id, 3, "row_never_came")
        names = ("id", "device_id", "sequence", "code")
        await writer.insert("reject", from_rows("reject", names, [late]))
        tick = (spare.device_id, spare.device_id, 4, 7)
        names = ("id", "device_id", "device_epoch", "sequence")
        await writer.insert("device_tick", from_rows("device_tick", names, [tick]))
        await authorise_spare(writer, office.maker, spare=spare, first=first)
    async with office.database.read() as connection:
        spare = await nodes.named_device(connection, "SP")
        gateway = await nodes.named_gateway(connection, "G1")
        held = await gateway_partitions(connection, gateway.gateway_id)
    assert (spare.position_id, spare.stands_in_for) == (first.position_id, first.device_id)
    assert spare.document_prefix != first.document_prefix
    assert partition_id(PartitionKind.DEVICE, spare.device_id) in held
    async with office.database.read() as connection:
        floors = await rows_where(connection, "device", ("epoch_floor",), "code", ["SP"])
        left = await all_rows(connection, "reject", ("code",))
    assert [tuple(row) for row in floors] == [(4,)], (
        "a handover of this epoch is of an earlier authorisation"
    )
    assert left == [], "its next user would read what was refused of the last one's work"
    async with office.database.read() as connection:
        [entry] = await journal.search(connection, journal.Wanted(kind="reject_put_away"), 9)
    told = json.loads(entry.payload)
    assert (told["code"], told["sequence"]) == ("row_never_came", 3), "head office has it still"


async def test_a_new_password_reaches_the_positions_of_its_person(office: Office) -> None:
    """Without it a person who left could go on signing in with the old one."""
    async with head_office_write(
        office.database, office.clock, actor="test", kind="user", about={}
    ) as writer:
        user = await add_user(writer, office.maker, login="ana", person="Ana", verifier="one")
        await assign(writer, office.maker, user=user, position="R1")
    async with head_office_write(
        office.database, office.clock, actor="test", kind="password", about={}
    ) as writer:
        await set_password(writer, office.maker, login="ana", verifier="two")
    async with office.database.read() as connection:
        rows = await all_rows(connection, "sign_in", ("login", "verifier"))
        assert [tuple(row) for row in rows] == [("ana", "two")]


async def test_every_bad_line_is_reported_and_good_ones_are_loaded(
    office: Office, tmp_path: Path
) -> None:
    """Without it one bad line would cost a night's import, or pass unseen."""
    lines = ["code,name,legal_party,latitude", "C,Shop C,P1,41.5", "D,Shop D,NO,41.5"]
    text = "\n".join([*lines, "E,Shop E,,x", "C,twice,,", ""])
    done = await load(office, tmp_path, "outlet", text)
    assert (done.lines, done.loaded, done.bad) == (4, 1, 3)
    places = [str(problem).rsplit(": ", 1)[0] for problem in done.problems]
    assert places == ["outlet.csv:3:legal_party", "outlet.csv:4:latitude", "outlet.csv:5:code"]


async def test_all_or_nothing_loads_nothing_when_a_line_is_bad(
    office: Office, tmp_path: Path
) -> None:
    """Without it half a price list could go out to every device."""
    text = "code,name\nC,Shop C\n,no code\n"
    done = await load(office, tmp_path, "outlet", text, all_or_nothing=True)
    assert (done.bad, done.loaded, done.changed) == (1, 0, 0)
    async with office.database.read() as connection:
        assert await ids_by_code(connection, "outlet", ["C"]) == {}


async def test_all_or_nothing_counts_for_all_files_together(office: Office, tmp_path: Path) -> None:
    """Without it a company would have its units and none of the territories that stand in them."""
    (tmp_path / "org_unit.csv").write_text("code,name\nNEW,New unit\n", "utf-8")
    territory = tmp_path / "territory.csv"
    work = [(kind_named(name), tmp_path / f"{name}.csv") for name in ("org_unit", "territory")]
    for unit, loaded in (("MISSING", 0), ("NEW", 1)):
        territory.write_text(f"code,org_unit\nT9,{unit}\n", "utf-8")
        done = await import_all_or_nothing(office.database, work, clock=office.clock, actor="test")
        assert [one.loaded for one in done] == [loaded, loaded]
        async with office.database.read() as connection:
            assert len(await ids_by_code(connection, "org_unit", ["NEW"])) == loaded
            assert len(await ids_by_code(connection, "territory", ["T9"])) == loaded


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize(
    ("lines", "bad"),
    [
        (["S1,sup,S1"], {2}),
        (["N1,rep,N2", "N2,rep,N1"], {2, 3}),
        (["S1,sup,R1"], {2}),
        (["S1,sup,N1", "N1,rep,R1"], {2, 3}),
    ],
)
async def test_a_line_that_puts_a_position_above_itself_is_bad_and_devices_can_still_be_revoked(
    office: Office, tmp_path: Path, lines: list[str], bad: set[int], *, whole: bool
) -> None:
    """Without it one line of a file would keep a stolen device in the network, and stop each night's work."""
    await registered(office)
    text = "\n".join(["code,role,parent_position", *lines, "R9,rep,S1", ""])
    done = await load(office, tmp_path, "position", text, all_or_nothing=whole)
    assert {problem.line for problem in done.problems} == bad
    assert (done.bad, done.loaded) == (len(bad), 0 if whole else 1)
    await refresh_everything(
        office.database, clock=office.clock, identifiers=office.maker.identifiers
    )
    async with head_office_write(
        office.database, office.clock, actor="test", kind="revoked", about={}
    ) as writer:
        device = await nodes.named_device(writer.connection, "D1")
        await revoke_device(writer, office.maker, device, wipe_order=b"order")


@pytest.mark.parametrize("whole", [False, True])
async def test_nobody_stands_below_a_line_that_was_bad(
    office: Office, tmp_path: Path, *, whole: bool
) -> None:
    """Without it reps would be loaded below a supervisor that no row has, and nobody would see their work."""
    lines = ["R7,rep,R8", "R8,rep,S9", "S9,none,", "R9,rep,S1", "S1,sup,S9"]
    text = "\n".join(["code,role,parent_position", *lines, ""])
    done = await load(office, tmp_path, "position", text, all_or_nothing=whole)
    assert {problem.line for problem in done.problems} == {2, 3, 4, 6}
    assert (done.bad, done.loaded) == (4, 0 if whole else 1)
    async with office.database.read() as connection:
        rows = await all_rows(connection, "position", ("id", "code", "parent_position_id"))
    assert {row[2] for row in rows} - {None} <= {row[0] for row in rows}
    assert {row[1] for row in rows} & {"R7", "R8", "R9", "S9"} == (set() if whole else {"R9"})


async def test_loading_a_file_again_changes_nothing(office: Office, tmp_path: Path) -> None:
    """Without it a repeated import would send everything to every device."""
    done = await load(office, tmp_path, "outlet", FILES["outlet"])
    assert (done.loaded, done.changed) == (2, 0)


async def test_what_head_office_does_stands_in_the_journal(office: Office) -> None:
    """Without it nobody could tell who changed what. Promise 9."""
    await registered(office)
    async with office.database.read() as connection:
        assert (await journal.verify(connection)).number > 0
        kinds = {entry.kind for entry in await journal.newest(connection, 100)}
    assert {"csv_loaded", "registered", "subscriptions_refreshed"} <= kinds
