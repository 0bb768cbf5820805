"""POST /v1/enrol: a one-time code and a certificate request → all a new node must know."""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from fieldmesh.basics.errors import Rejected
from hub.trust.enrolment import EnrolmentGrant, EnrolmentRequest
from hub.trust.pace import Pace
from hub.web.pacing import network_of
from hub.web.visitor import caller_of

Enrol = Callable[[EnrolmentRequest], Awaitable[EnrolmentGrant]]
_TEXTS = ("code", "hardware_id", "app_version", "enrolment_address", "name", "bus_key")


class EnrolmentPage:
    """The two calls of enrolment."""

    def __init__(self, enrol: Enrol, authority: bytes, pace: Pace) -> None:
        """Requests go to ``enrol``; every address has its pace.

        Args:
            enrol: decides.
            authority: certificate of the authority, DER.
            pace: how often one address may try.
        """
        self._enrol = enrol
        self._authority = authority
        self._pace = pace

    def routes(self) -> list[web.AbstractRouteDef]:
        """Where the calls are served."""
        return [
            web.post("/v1/enrol", self.enrol),
            web.get("/v1/authority", self.authority),
        ]

    async def enrol(self, request: web.Request) -> web.Response:
        """The node is enrolled.

        Raises:
            Retry: `too_many_enrolments`.
            Rejected: the request can't be read, or enrolment was refused.
        """
        origin = caller_of(request).origin
        self._pace.take(network_of(origin), origin)
        try:
            body = json.loads(await request.text())
        except (ValueError, LookupError, RecursionError):
            raise Rejected("bad_message", place="body") from None
        grant = await self._enrol(parse_request(body))
        return web.json_response(grant_as_json(grant))

    async def authority(self, _request: web.Request) -> web.Response:
        """The authority's certificate, DER."""
        return web.Response(body=self._authority, content_type="application/pkix-cert")


def parse_request(body: object) -> EnrolmentRequest:
    """The request of a JSON object.

    Raises:
        Rejected: `bad_message`, with the field.
    """
    if not isinstance(body, dict):
        raise Rejected("bad_message", place="body")
    texts = {name: _text(body, name) for name in _TEXTS}
    addresses = body.get("addresses", [])
    if not isinstance(addresses, list) or not all(isinstance(one, str) for one in addresses):
        raise Rejected("bad_message", place="addresses")
    try:
        csr = base64.b64decode(_text(body, "csr"), validate=True)
    except (binascii.Error, ValueError):
        raise Rejected("bad_message", place="csr") from None
    return EnrolmentRequest(csr=csr, addresses=tuple(addresses), **texts)


def grant_as_json(grant: EnrolmentGrant) -> dict[str, object]:
    """The fields of EnrolReply; bytes as base64."""
    return {
        "certificate": _base64(grant.certificate),
        "authority": _base64(grant.authority),
        "node_id": _base64(grant.node_id),
        "name": grant.name,
        "position_id": _base64(grant.position_id),
        "document_prefix": grant.document_prefix,
        "gateways": [
            {
                "gateway_id": _base64(one.gateway_id),
                "name": one.name,
                "addresses": list(one.addresses),
                "enrolment_address": one.enrolment_address,
            }
            for one in grant.gateways
        ],
        "sign_ins": [
            {
                "user_id": _base64(one.user_id),
                "login": one.login,
                "person": one.person,
                "verifier": one.verifier,
            }
            for one in grant.sign_ins
        ],
        "hub_public_key": _base64(grant.hub_public_key),
        "bus_url": grant.bus_url,
        "bus_credentials": grant.bus_credentials,
        "spare": grant.spare,
    }


def _text(body: dict[str, object], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise Rejected("bad_message", place=name)
    return value


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
