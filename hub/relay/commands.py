"""Remote commands to gateways: rpc.gateway.<id>.command."""

import re
from dataclasses import dataclass

from fieldmesh.basics.errors import Rejected, Retry
from fieldmesh.service.bus import Bus
from fieldmesh.wire.v1 import replication_pb2

_ANSWER_S = 60.0
_HOURS = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})=(\d{1,7})")
_MINUTES = 60
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class GatewayCommand:
    """What a gateway is told.

    Attributes:
        what: status, verify, reseed, replay or bandwidth.
        repair: verify: fetch what differs.
        deep: verify: count every row anew.
        partitions: reseed: only these; none = all.
        device_id: replay: only this device's batches.
        received_from: replay: batches received since, UTC microseconds.
        hours: bandwidth: 08:00-18:00=256,…, kilobytes a second; empty = no cap.
    """

    what: str
    repair: bool = False
    deep: bool = False
    partitions: tuple[int, ...] = ()
    device_id: bytes = b""
    received_from: int = 0
    hours: str = ""


async def send_command(bus: Bus, gateway_id: bytes, command: GatewayCommand) -> str:
    """The gateway's answer, JSON.

    Raises:
        Retry: `bus_unreachable`, the gateway is away; or what the gateway says, worth trying again.
        Rejected: what the gateway says.
    """
    subject = f"rpc.gateway.{gateway_id.hex()}.command"
    message = _message(command).SerializeToString()
    answer = await bus.request(subject, message, timeout_s=_ANSWER_S)
    reply = replication_pb2.Reply.FromString(answer)
    if reply.WhichOneof("result") == "problem":
        _raise(reply.problem)
    return replication_pb2.CommandReply.FromString(reply.value).json or "{}"


def _message(command: GatewayCommand) -> replication_pb2.Command:
    match command.what:
        case "verify":
            verify = replication_pb2.VerifyCommand(repair=command.repair, deep=command.deep)
            return replication_pb2.Command(verify=verify)
        case "reseed":
            reseed = replication_pb2.ReseedCommand(partitions=command.partitions)
            return replication_pb2.Command(reseed=reseed)
        case "replay":
            replay = replication_pb2.ReplayCommand(
                device_id=command.device_id, received_from=command.received_from
            )
            return replication_pb2.Command(replay=replay)
        case "bandwidth":
            bandwidth = replication_pb2.BandwidthCommand(hours=_hours(command.hours))
            return replication_pb2.Command(bandwidth=bandwidth)
        case "status":
            return replication_pb2.Command(status=replication_pb2.StatusCommand())
        case _:
            raise Rejected("usage", text=f"there is no command {command.what}")


def _hours(text: str) -> list[replication_pb2.BandwidthHours]:
    found = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        match = _HOURS.fullmatch(part)
        if match is None:
            raise Rejected("bad_bandwidth_hours", text=part)
        from_hour, from_minute, to_hour, to_minute, speed = (int(one) for one in match.groups())
        begins, ends = from_hour * _MINUTES + from_minute, to_hour * _MINUTES + to_minute
        if begins > _DAY_MINUTES or ends > _DAY_MINUTES:
            raise Rejected("bad_bandwidth_hours", text=part)
        found.append(
            replication_pb2.BandwidthHours(
                from_minute=begins, to_minute=ends, kilobytes_per_second=speed
            )
        )
    return found


def _raise(problem: replication_pb2.Problem) -> None:
    fields = dict(problem.fields)
    place = fields.pop("place", "")
    if problem.retry_after_ms:
        delay_s = problem.retry_after_ms / 1000
        raise Retry(problem.code, place=place, delay_s=delay_s, **fields)
    raise Rejected(problem.code, place=place, **fields)
