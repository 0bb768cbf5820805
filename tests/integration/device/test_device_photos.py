"""Photos: kept sealed, sent apart from orders, resumed, and never lost or in each other's way."""

import pytest

from device_agent.app import DeviceAgent
from device_agent.link.gateways import Candidate
from device_agent.storage.sealed import unseal
from fieldmesh.basics.errors import Rejected
from fieldmesh.basics.limits import BLOB_BYTES
from tests.integration.device.gateway_double import GatewayDouble


async def test_photos_go_up_and_go_on_where_they_were_cut(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """Photos are sent once, apart from orders; sealed while they wait."""
    content = bytes(range(256)) * 4000
    sha256 = await device.keep_photo(content)
    sealed = device.home.photos / sha256.hex()
    assert content[:64] not in sealed.read_bytes()
    assert unseal(device.database_key, sealed.read_bytes(), sha256.hex()) == content
    gateway.blobs[sha256] = content[:1000]
    assert await device.send_photos() == 1
    assert gateway.blobs[sha256] == content
    assert not sealed.exists()


async def test_no_photo_is_kept_that_no_gateway_takes(device: DeviceAgent) -> None:
    """An empty photo, or one above the limit, is refused before it can stand in the way."""
    with pytest.raises(Rejected) as empty:
        await device.keep_photo(b"")
    assert empty.value.code == "bad_blob"
    with pytest.raises(Rejected) as large:
        await device.keep_photo(bytes(BLOB_BYTES + 1))
    assert large.value.code == "blob_too_large"
    assert (await device.status()).photos_unsent == 0


async def test_a_photo_that_is_refused_does_not_hold_back_the_next(
    device: DeviceAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next ones go, and the person hears of the refused one."""
    refused = await device.keep_photo(b"refused")
    taken = await device.keep_photo(b"taken")
    sent: list[bytes] = []

    async def put(channel: object, content: bytes) -> int:
        del channel
        if content == b"refused":
            raise Rejected("blob_too_large", place="blob")
        sent.append(content)
        return len(content)

    monkeypatch.setattr("device_agent.modes.photos.put_blob", put)
    told: list[str] = []
    device._context.progress = lambda progress: told.append(progress.note)
    assert await device.send_photos() == 1
    assert sent == [b"taken"]
    assert (device.home.photos / refused.hex()).exists()
    assert not (device.home.photos / taken.hex()).exists()
    assert any(refused.hex() in note and "blob_too_large" in note for note in told)


async def test_a_photo_that_cannot_be_read_does_not_hold_back_the_next(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """A damaged card takes one picture, not all of the day's."""
    damaged, gone, taken = [await device.keep_photo(content) for content in (b"a", b"b", b"c")]
    (device.home.photos / damaged.hex()).write_bytes(b"not sealed by this device at all")
    (device.home.photos / gone.hex()).unlink()
    told: list[str] = []
    device._context.progress = lambda progress: told.append(progress.note)
    assert await device.send_photos() == 1
    assert gateway.blobs == {taken: b"c"}
    assert f"photo {damaged.hex()} refused: sealed_file_damaged" in told
    assert f"photo {gone.hex()} refused: file_unreadable" in told


async def test_a_photo_that_no_database_knows_goes_up_and_one_that_was_sent_is_cleared_away(
    gateway: GatewayDouble, device: DeviceAgent
) -> None:
    """It was kept while another process swapped the database, or before a --force."""
    kept = await device.keep_photo(b"kept")
    await device.sql("DELETE FROM fm_photo")
    (device.home.photos / "half-written.tmp").write_bytes(b"x")
    sent = await device.keep_photo(b"sent")
    await device.sql(f"UPDATE fm_photo SET sent_at = 5 WHERE sha256 = x'{sent.hex()}'")
    assert await device.send_photos() == 1
    assert gateway.blobs == {kept: b"kept"}
    assert [path.name for path in device.home.photos.iterdir()] == ["half-written.tmp"]


async def test_photos_go_to_the_next_gateway_when_the_nearest_fails(
    gateway: GatewayDouble, device: DeviceAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Promise 8: as orders do."""

    async def ways(context: object, only: str) -> list[Candidate]:
        del context, only
        return [
            Candidate(b"a" * 16, "A", "127.0.0.1:9"),
            Candidate(b"b" * 16, "B", gateway.address),
        ]

    monkeypatch.setattr("device_agent.modes.photos.candidates", ways)
    sha256 = await device.keep_photo(b"taken")
    assert await device.send_photos() == 1
    assert gateway.blobs == {sha256: b"taken"}
