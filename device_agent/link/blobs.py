"""Photos and files: named by their content, sent apart from orders, resumed at the byte."""

import hashlib
from collections.abc import AsyncIterator

import grpc
import grpc.aio

from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.basics.limits import BLOB_BYTES
from fieldmesh.service.grpc_problems import from_rpc_error
from fieldmesh.wire.v1 import blob_pb2, session_pb2_grpc

PIECE_BYTES = 256 << 10
CALL_TIMEOUT_S = 30.0
CONTENT_TIMEOUT_S = 600.0
"""For a whole file; what has come until then is held, and the next call goes on there."""


async def put_blob(channel: grpc.aio.Channel, content: bytes) -> int:
    """The gateway holds the content whole. Returns the bytes that were sent now.

    What the gateway already holds is not sent again.

    Raises:
        Rejected: `blob_too_large`. Retry: the line failed, or the gateway is full.
    """
    if len(content) > BLOB_BYTES:
        raise Rejected("blob_too_large", place="blob", size_bytes=len(content))
    stub = session_pb2_grpc.GatewayStub(channel)
    sha256 = hashlib.sha256(content).digest()
    try:
        state = await stub.FindBlob(blob_pb2.FindBlobRequest(sha256=sha256), timeout=CALL_TIMEOUT_S)
        if state.complete:
            return 0
        begin = min(state.held, len(content))
        state = await stub.PutBlob(_pieces(content, sha256, begin), timeout=CONTENT_TIMEOUT_S)
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from error
    if not state.complete:
        raise Retry("session_cut", place="blob")
    return len(content) - begin


async def get_blob(channel: grpc.aio.Channel, sha256: bytes, held: bytes = b"") -> bytes:
    """The content of that name; goes on after the bytes already held.

    Raises:
        Rejected: `blob_too_large`, or the gateway has none. Retry: `download_damaged`.
    """
    content = bytearray(held)
    request = blob_pb2.GetBlobRequest(sha256=sha256, offset=len(held))
    try:
        stub = session_pb2_grpc.GatewayStub(channel)
        async for piece in stub.GetBlob(request, timeout=CONTENT_TIMEOUT_S):
            if len(content) + len(piece.data) > BLOB_BYTES:
                raise Rejected("blob_too_large", place="blob")
            if piece.offset != len(content):
                raise Retry("download_damaged", place="blob offset")
            content += piece.data
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from error
    if hashlib.sha256(content).digest() != sha256:
        raise Retry("download_damaged", place="blob")
    return bytes(content)


async def _pieces(content: bytes, sha256: bytes, begin: int) -> AsyncIterator[blob_pb2.BlobChunk]:
    first = True
    for offset in range(begin, max(len(content), begin + 1), PIECE_BYTES):
        data = content[offset : offset + PIECE_BYTES]
        if first:
            yield blob_pb2.BlobChunk(sha256=sha256, size=len(content), offset=offset, data=data)
            first = False
        else:
            yield blob_pb2.BlobChunk(offset=offset, data=data)
