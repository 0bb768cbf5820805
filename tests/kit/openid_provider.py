"""A small OpenID provider over HTTPS: it recognises whoever it is told to, and can be told to lie."""

import base64
import hashlib
import hmac
import json
import secrets
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlencode

from aiohttp import BasicAuth, web
from joserfc import jwt
from joserfc.jwk import ECKey

from fieldmesh.basics.clock import SystemClock
from hub.config import OpenIdSettings
from tests.kit.certificates import server_files

CLIENT, SECRET = "fieldmesh", "client secret"


@dataclass
class Provider:
    """A running provider.

    Attributes:
        claims: of whoever signs in next, over those that the provider makes itself.
        key: with which tokens are signed.
        forger: another key that signs instead, under the name of the first; ``public`` = the public key is taken as a
            shared secret, an old trick against readers that let tokens choose how they are signed.
        takes_forms: whether the hub's secret may come in a form; otherwise it comes in a header.
        padding: how long its description is made.
        asked: code → what was asked for.
    """

    issuer: str
    authority: Path
    claims: dict[str, Any] = field(default_factory=dict)
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", auto_kid=True))
    forger: ECKey | Literal["public"] | None = None
    takes_forms: bool = False
    padding: int = 0
    asked: dict[str, dict[str, str]] = field(default_factory=dict)

    def settings(self, **posts: str) -> OpenIdSettings:
        """Settings of a hub that trusts it."""
        return OpenIdSettings(
            issuer=self.issuer, authority=str(self.authority), client=CLIENT, secret=SECRET,
            name="Company", posts=posts,
        )  # fmt: skip

    def new_key(self) -> None:
        """The provider has changed its key."""
        self.key = ECKey.generate_key("P-256", auto_kid=True)

    async def configuration(self, _request: web.Request) -> web.Response:
        """OpenID Connect Discovery 1.0."""
        content: dict[str, Any] = {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token", "jwks_uri": f"{self.issuer}/keys", "padding": "x" * self.padding,
        }  # fmt: skip
        if self.takes_forms:
            content["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
        return web.json_response(content)

    async def keys(self, _request: web.Request) -> web.Response:
        """The public key, and one of a kind that signs no tokens."""
        other = {"kty": "OKP", "crv": "X448", "kid": "other", "x": "AA"}
        return web.json_response({"keys": [other, self.key.as_dict(private=False)]})

    async def authorize(self, request: web.Request) -> web.Response:
        """The person is recognised at once, and sent back."""
        code = secrets.token_urlsafe()
        self.asked[code] = dict(request.query)
        back = {"code": code, "state": request.query["state"], "iss": self.issuer}
        raise web.HTTPFound(f"{request.query['redirect_uri']}?{urlencode(back)}")

    async def token(self, request: web.Request) -> web.Response:
        """The tokens of a code, once, for who began."""
        form = await request.post()
        asked = self.asked.pop(str(form["code"]), None)
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = _encoded(digest)
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form["redirect_uri"]
            or not self._is_the_hub(request, form)
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        now = SystemClock().now() // 1_000_000
        claims = {
            "iss": self.issuer, "aud": CLIENT, "sub": "1", "iat": now, "exp": now + 60,
            "nonce": asked["nonce"], **self.claims,
        }  # fmt: skip
        signed = self._signed(claims)
        return web.json_response({"access_token": "a", "token_type": "Bearer", "id_token": signed})

    def logout_token(self, **claims: Any) -> str:
        """What the provider sends when it has ended a session; ``claims`` over those that it makes itself."""
        now = SystemClock().now() // 1_000_000
        made = {
            "iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "jti": secrets.token_hex(), "sub": "1",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}}, **claims,
        }  # fmt: skip
        return self._signed({name: value for name, value in made.items() if value is not None})

    def _signed(self, claims: dict[str, Any]) -> str:
        if self.forger != "public":
            header = {"alg": "ES256", "kid": self.key.kid or ""}
            return jwt.encode(header, claims, self.forger or self.key)
        text = ".".join(
            _encoded(json.dumps(one)) for one in ({"alg": "HS256", "kid": self.key.kid}, claims)
        )
        known = self.key.as_pem(private=False)
        return f"{text}.{_encoded(hmac.digest(known, text.encode(), 'sha256'))}"

    def _is_the_hub(self, request: web.Request, form: Mapping[str, Any]) -> bool:
        if self.takes_forms:
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
        pair = BasicAuth.decode(request.headers["Authorization"])
        return (unquote(pair.login), unquote(pair.password)) == (CLIENT, SECRET)


def _encoded(content: bytes | str) -> str:
    data = content.encode() if isinstance(content, str) else content
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@asynccontextmanager
async def provider(folder: Path) -> AsyncIterator[Provider]:
    """A provider that nobody has asked yet."""
    files = server_files(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain, files.key)
    found = Provider("", files.authority)
    app = web.Application()
    app.add_routes(
        [
            web.get("/.well-known/openid-configuration", found.configuration),
            web.get("/keys", found.keys),
            web.get("/authorize", found.authorize),
            web.post("/token", found.token),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    found.issuer = f"https://localhost:{runner.addresses[0][1]}"
    try:
        yield found
    finally:
        await runner.cleanup()
