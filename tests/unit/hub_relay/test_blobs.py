"""Photos at the hub: a gateway that hears "complete" sends the photo no more, and deletes it some days later."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fieldmesh.basics.errors import Rejected
from hub.relay.blobs import Blobs, Held

PHOTO = bytes(range(256)) * 20
NAME = hashlib.sha256(PHOTO).digest()
SIZE, HALF = len(PHOTO), len(PHOTO) // 2
WHOLE = Held(SIZE, complete=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where blobs will stand; the hub makes it."""
    return tmp_path / "blobs"


def take(folder: Path, offset: int, stop: int) -> Held:
    """The hub gets a piece."""
    return Blobs(folder).take(NAME, SIZE, offset, PHOTO[offset:stop])


def test_a_photo_and_its_name_are_on_disk_before_complete_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut the hub had an empty file, or none, and no gateway ever sent the photo again."""
    done: list[str] = []
    sync, replace = os.fsync, Path.replace

    def syncing(handle: int) -> None:
        done.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        sync(handle)

    def replacing(path: Path, target: Path) -> Path:
        done.append(f"rename {path.suffix}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(Path, "replace", replacing)
    assert take(folder, 0, HALF) == Held(HALF, complete=False)
    done.clear()
    assert take(folder, HALF, SIZE) == WHOLE
    assert done == [f"{NAME.hex()}.part", "rename .part", "blobs"]
    done.clear()
    assert take(folder, 0, HALF) == WHOLE
    assert done == [NAME.hex(), "blobs"], "whoever renamed it may have been killed right after"


@pytest.mark.parametrize("there", [b"", PHOTO[:HALF]])
def test_a_whole_file_of_another_size_is_not_believed(folder: Path, there: bytes) -> None:
    """That is what a power cut left behind at hubs that did not wait for the disk."""
    folder.mkdir()
    (folder / NAME.hex()).write_bytes(there)
    assert take(folder, 0, HALF) == Held(HALF, complete=False)
    assert take(folder, HALF, SIZE) == WHOLE
    assert (folder / NAME.hex()).read_bytes() == PHOTO


def test_a_gateway_that_tells_a_wrong_size_takes_no_photo_away(folder: Path) -> None:
    """One word of a dishonest gateway would else delete what another one has sent."""
    assert take(folder, 0, SIZE) == WHOLE
    with pytest.raises(Rejected, match="does not fit its name"):
        Blobs(folder).take(NAME, 9, 0, b"123456789")
    assert take(folder, 0, 0) == WHOLE


def test_two_gateways_may_send_the_same_photo_at_once(folder: Path) -> None:
    """Each appended its piece to the same file, and both began anew."""
    blobs = Blobs(folder)
    step = 64
    with ThreadPoolExecutor(8) as pool:
        for offset in range(0, SIZE, step):
            data = PHOTO[offset : offset + step]
            held = list(pool.map(lambda _: blobs.take(NAME, SIZE, offset, data), range(8)))  # noqa: B023
            assert {one.size for one in held} == {offset + step}
    assert (folder / NAME.hex()).read_bytes() == PHOTO
