"""The content of a delta, frame by frame."""

from collections.abc import Iterator

from fieldmesh.basics.errors import Retry
from fieldmesh.codec.frames import FrameReader, UnpackedFrame, unpack_frame


def frames_of(pieces: Iterator[bytes]) -> Iterator[UnpackedFrame]:
    """Frames in the order in which they were written.

    Raises:
        Retry: `download_damaged`: the content ends within a frame.
        Rejected: a frame that breaks a limit or cannot be read.
    """
    reader = FrameReader()
    for piece in pieces:
        for frame in reader.feed(piece):
            yield unpack_frame(frame)
    if reader.pending_bytes:
        raise Retry("download_damaged", place="frames")
