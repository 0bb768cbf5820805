"""Deltas that are made before it is their turn, and content that nobody waits for any more."""

from pathlib import Path
from typing import cast

from fieldmesh.basics.clock import ManualClock
from fieldmesh.basics.errors import Retry
from fieldmesh.basics.limits import SMALL_DOWNLOAD_BYTES
from fieldmesh.wire.v1 import session_pb2
from gateway.serving.downloads import Download, DownloadMaker, Wish
from gateway.serving.early import FRESH_S, EarlyDelta
from gateway.serving.spool import Content, ContentWriter

WISH = Wish(b"d" * 16, 1, 7, frozenset(), whole=False, known=1)
MADE = Download(session_pb2.DownloadStart(), session_pb2.DownloadEnd(), Content(0, b""), 3)


class _Maker:
    """Makes one delta, or says why not."""

    def __init__(self, problem: Retry | None = None) -> None:
        self._problem = problem

    async def make(self, wish: Wish) -> Download:
        assert wish == WISH
        if self._problem:
            raise self._problem
        return MADE


def _early(maker: _Maker, clock: ManualClock) -> EarlyDelta:
    return EarlyDelta(cast("DownloadMaker", maker), clock)


async def test_a_delta_that_a_long_upload_has_left_behind_is_not_given() -> None:
    """A device on a slow line would otherwise end at a state of minutes ago."""
    clock = ManualClock()
    early = _early(_Maker(), clock)
    assert early.take() is None
    await early.make(WISH)
    clock.advance(int(FRESH_S * 1e6) - 1)
    assert early.take() is MADE
    clock.advance(1)
    assert early.take() is None


async def test_what_cannot_be_made_early_fails_no_upload() -> None:
    """Promise 1: what blocks a download never blocks an upload."""
    early = _early(_Maker(Retry("partition_not_ready", delay_s=1.0)), ManualClock())
    await early.make(WISH)
    assert early.take() is None


def test_abandoned_content_leaves_no_file_whenever_it_is_abandoned(tmp_path: Path) -> None:
    """The thread that writes goes on when its session has ended; the disk would fill up."""
    piece = b"x" * (SMALL_DOWNLOAD_BYTES // 2 + 1)
    for moment in range(4):
        writer = ContentWriter(tmp_path / "content")
        for number in range(3):
            if number == moment:
                writer.abandon()
            writer.add(piece)
        writer.finish()
        if moment == 3:
            assert [path.name for path in tmp_path.iterdir()] == ["content"]
            writer.abandon()
        assert not list(tmp_path.iterdir())
