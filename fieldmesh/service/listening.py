"""Why a server can't listen, in words: its port is taken, or its address is not this machine's to use."""

import errno
import os
import socket

from fieldmesh.basics.errors import Rejected


def refusal(host: str, port: int, error: OSError) -> Rejected:
    """What to raise when listening on ``host`` and ``port`` has failed with ``error``.

    Returns:
        `port_in_use`, or `address_unusable` with what the system says.
    """
    place = f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return Rejected("port_in_use", place=place, port=port)
    said = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
    return Rejected("address_unusable", place=place, text=said or str(error))


def refusal_of(address: str) -> Rejected:
    """As `refusal`, for servers that don't tell the error: it is tried once more, and nothing is kept open.

    Args:
        address: ``host:port``, IPv6 in brackets.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.bind(place)
            trial.listen()
    except OSError as error:
        return refusal(host, int(port), error)
    return Rejected("port_in_use", place=address, port=int(port))
