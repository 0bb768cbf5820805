"""Retry and release know devices of the authority before. Promises 1 (No loss) and 7 (Authority)."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

from fieldmesh.basics.limits import CLOCK_COUNTER_BITS
from fieldmesh.codec.batch import Change, Operation
from fieldmesh.codec.columns import from_rows
from hub.fleet.office import Office
from hub.fleet.registry import Maker
from hub.ingest.ingest import Ingest
from hub.ingest.making import make_ingest
from hub.ingest.verify import Checked
from hub.trust.authority import Authority
from hub.trust.signing import OrderSigner
from tests.kit.company import PackingDevice, SmallCompany


def by_hand(company: SmallCompany, folder: Path, authority: Authority) -> Ingest:
    """What an operator's acts go through when that authority is in force."""
    trust = SimpleNamespace(authority=authority, signer=OrderSigner.load(folder / "trust"))
    maker = Maker(company.clock, company.identifiers)
    office = SimpleNamespace(database=company.database, maker=maker, trust=trust)
    return make_ingest(cast("Office", office))


def contact(device: PackingDevice, operation: Operation, row_id: bytes, phone: str) -> Checked:
    """A batch with a contact, or with another telephone for it."""
    company = device.company
    company.clock.advance(1)
    names, row = ("id", "phone"), (row_id, phone)
    if operation is Operation.INSERT:
        names, row = (*names, "outlet_id", "name"), (*row, company.outlets[0], "Buyer")
    rows = from_rows("contact", names, [row])
    return device.pack([Change(operation, rows, [company.clock.now() << CLOCK_COUNTER_BITS])])


async def test_a_gap_is_released_after_the_authority_was_renewed(
    company: SmallCompany, tmp_path: Path
) -> None:
    """The device still has its old certificate: what waits is applied, not taken for forged."""
    device = await company.device()
    packed = [device.pack(device.order(company.outlets[0], number=f"N{n}")) for n in range(2)]
    await company.ingest.apply([packed[1]])
    renewed = company.authority.renewed(tmp_path / "trust", "Test")
    result = await by_hand(company, tmp_path, renewed).release(device.device_id)
    assert (result.applied, result.quarantined) == (1, 0)


async def test_a_retry_lets_in_what_waits_for_its_row_after_a_renewal(
    company: SmallCompany, tmp_path: Path
) -> None:
    """The colleague's change had its second tick: it is applied with the row that it waited for."""
    maker, colleague = await company.device("D1"), await company.device("D2")
    row = company.identifiers.new()
    born = contact(maker, Operation.INSERT, row, "1")
    await company.ingest.apply([contact(colleague, Operation.UPDATE, row, "2")])
    renewed = company.authority.renewed(tmp_path / "trust", "Test")
    await by_hand(company, tmp_path, renewed).retry(born.payload)
    assert await company.query("SELECT phone FROM contact") == [("2",)]


async def test_what_waits_and_cannot_be_verified_any_more_is_kept(
    company: SmallCompany, tmp_path: Path
) -> None:
    """Nothing is dropped in silence: the batch goes to quarantine with its bytes when its row has come."""
    maker, colleague = await company.device("D1"), await company.device("D2")
    row = company.identifiers.new()
    early = contact(colleague, Operation.UPDATE, row, "2")
    await company.ingest.apply([early])
    stranger = Authority.create(tmp_path / "other", company.clock, "Other")
    other = by_hand(company, tmp_path, stranger)
    born = contact(maker, Operation.INSERT, row, "1")
    result = await other.apply([born])
    assert result.quarantined == 1
    held = await company.query("SELECT payload, code FROM fm_quarantine")
    assert held == [(early.payload, "foreign_certificate")]
