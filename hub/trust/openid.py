"""OpenID Connect: the code flow with PKCE, state and nonce. Source: OpenID Connect Core 1.0, RFC 6749, 7636, 9207."""

import asyncio
import base64
import hashlib
import json
import logging
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self
from urllib.parse import quote, urlencode, urlsplit

import aiohttp

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Rejected, Retry
from hub.config import OpenIdSettings
from hub.trust.id_token import LEEWAY_S, IdTokens, Json, refused
from hub.trust.identity import Identity, SessionThere

LOG = logging.getLogger(__name__)
_SECRET_BYTES = 32
_PATIENCE_S = 10.0
_WAIT_S = 5.0
_MOST_BYTES = 1 << 20
_SECURE = "https"
_OK = 200
_FORM, _HEADER = "client_secret_post", "client_secret_basic"
_SECOND_US = 1_000_000
_MINUTES_US = 60 * _SECOND_US


@dataclass(frozen=True, slots=True)
class Begun:
    """What the hub keeps while somebody is at the provider.

    Attributes:
        state: comes back unchanged.
        nonce: stands in the ID token.
        verifier: of PKCE: only who began can end it.
        back: address at the hub that the provider sends the person to.
        then: page that the person wanted.
        until: UTC microseconds; who comes later begins anew.
    """

    state: str
    nonce: str
    verifier: str
    back: str
    then: str
    until: int

    def as_bytes(self) -> bytes:
        """For sealing."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def of(cls, content: bytes) -> Self:
        """What `as_bytes` has written."""
        return cls(**json.loads(content))


class Provider:
    """One provider, at which the hub is a confidential client."""

    MINUTES = 10
    """So long a person may stay at the provider."""

    def __init__(self, settings: OpenIdSettings, clock: Clock) -> None:
        """The provider is asked at the first sign-in.

        Raises:
            Rejected: `settings_invalid`, its address is not of HTTPS.
        """
        if urlsplit(settings.issuer).scheme != _SECURE:
            text = f"{settings.issuer} must begin with https://"
            raise Rejected("settings_invalid", place="openid.issuer", text=text)
        self._settings = settings
        self._clock = clock
        self._found: Json | None = None
        self._tokens = IdTokens(settings.issuer, settings.client, clock, self._ask_keys)

    def begun(self, content: bytes) -> Begun:
        """What `begin` gave to keep, as it was written."""
        return Begun.of(content)

    async def begin(self, back: str, then: str) -> tuple[str, Begun]:
        """Where the browser goes, and what is kept until it comes back.

        Raises:
            Rejected: `provider_refused`, it describes itself as another one.
            Retry: `provider_away`.
        """
        found = await self._discovered()
        state, nonce, verifier = (secrets.token_urlsafe(_SECRET_BYTES) for _ in range(3))
        until = self._clock.now() + self.MINUTES * _MINUTES_US
        begun = Begun(state, nonce, verifier, back, then, until)
        digest = hashlib.sha256(begun.verifier.encode()).digest()
        asked = {
            "response_type": "code", "client_id": self._settings.client, "redirect_uri": back,
            "scope": self._settings.scope, "state": begun.state, "nonce": begun.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{found['authorization_endpoint']}?{urlencode(asked)}", begun

    async def finish(self, begun: Begun, answer: Mapping[str, str]) -> Identity:
        """Whom the provider has recognised.

        Args:
            begun: what `begin` gave to keep.
            answer: parameters with which the browser came back.

        Raises:
            Rejected: `provider_refused`.
            Retry: `provider_away`.
        """
        settings, found = self._settings, await self._discovered()
        if self._clock.now() > begun.until:
            raise refused("it took too long")
        if not secrets.compare_digest(answer.get("state", "").encode(), begun.state.encode()):
            raise refused("state")
        if answer.get("iss", settings.issuer) != settings.issuer:
            raise refused("iss")
        if "error" in answer:
            raise refused(answer.get("error_description") or answer["error"])
        tokens = await self._redeem(begun, answer.get("code", ""))
        claims = await self._tokens.claims(str(tokens.get("id_token", "")), begun.nonce)
        if not {settings.login, settings.groups} <= claims.keys() and "userinfo_endpoint" in found:
            bearer = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
            more = await self._ask(str(found["userinfo_endpoint"]), headers=bearer)
            if more.get("sub") == claims.get("sub"):
                claims = {**more, **claims}
        return self._identity(claims)

    async def _redeem(self, begun: Begun, code: str) -> Json:
        """The tokens for the code."""
        settings, found = self._settings, await self._discovered()
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": begun.back,
            "code_verifier": begun.verifier,
        }  # fmt: skip
        headers: dict[str, str] = {}
        if _FORM in found.get("token_endpoint_auth_methods_supported", [_HEADER]):
            form |= {"client_id": settings.client, "client_secret": settings.secret}
        else:
            pair = f"{quote(settings.client, safe='')}:{quote(settings.secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return await self._ask(str(found["token_endpoint"]), form, headers)

    def _identity(self, claims: Json) -> Identity:
        login, groups = claims.get(self._settings.login), claims.get(self._settings.groups)
        if not isinstance(login, str) or not login:
            raise refused(f"claim {self._settings.login}")
        named = groups if isinstance(groups, list) else [groups] if groups else []
        mail = claims.get("email", "") if claims.get("email_verified", True) is True else ""
        there = _session_of(claims)
        names = frozenset(str(one) for one in named)
        return Identity(login, str(claims.get("name", "")), str(mail), names, there)

    async def ended(self, token: str) -> tuple[SessionThere, int]:
        """Which session the provider has ended, and when at the latest, in UTC microseconds.

        Args:
            token: logout token that the provider has sent.

        Raises:
            Rejected: `provider_refused`, it has not sent it.
            Retry: `provider_away`.
        """
        claims = await self._tokens.logout_claims(token)
        return _session_of(claims), (int(claims["iat"]) + LEEWAY_S) * _SECOND_US

    async def _ask_keys(self) -> Json:
        return await self._ask(str((await self._discovered())["jwks_uri"]))

    async def _discovered(self) -> Json:
        """What the provider says of itself. Source: OpenID Connect Discovery 1.0."""
        if self._found is None:
            issuer = self._settings.issuer
            found = await self._ask(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            if found.get("issuer") != issuer or any(one not in found for one in needed):
                raise refused("issuer")
            self._found = found
        return self._found

    async def _ask(
        self,
        address: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """What the provider answers, over TLS and from that address itself."""
        if urlsplit(address).scheme != _SECURE:
            raise refused(f"{address} is not of https")
        method = "GET" if form is None else "POST"
        authority = self._settings.authority or None
        try:
            trust = await asyncio.to_thread(ssl.create_default_context, cafile=authority)
            async with (
                aiohttp.ClientSession(
                    timeout=aiohttp.ClientTimeout(total=_PATIENCE_S),
                    headers={"Accept": "application/json", **(headers or {})},
                ) as http,
                http.request(
                    method, address, data=form, ssl=trust, allow_redirects=False
                ) as answer,
            ):
                content, status = json.loads(await _body(answer)), answer.status
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            LOG.warning("provider_away", extra={"address": address, "text": str(error)})
            raise Retry("provider_away", place="openid", delay_s=_WAIT_S) from None
        if status != _OK or not isinstance(content, dict):
            text = content.get("error", "") if isinstance(content, dict) else ""
            raise refused(f"{status} {text}".strip())
        return content


def _session_of(claims: Json) -> SessionThere:
    """Whose session the claims speak of."""
    subject, session = (claims.get(name) for name in ("sub", "sid"))
    return SessionThere(
        subject if isinstance(subject, str) else "", session if isinstance(session, str) else ""
    )


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    """All of the answer, if it is no longer than one may be."""
    body = bytearray()
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > _MOST_BYTES:
            message = "the answer is too long"
            raise ValueError(message)
    return bytes(body)
