"""ID tokens: signed by the provider, for this hub and this sign-in, and not long ago.

Source: OpenID Connect Core 1.0 §3.1.3.7.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet

from fieldmesh.basics.clock import Clock
from fieldmesh.basics.errors import Rejected

_ALGORITHMS = ("RS256", "PS256", "ES256")
"""Public keys only: with a shared secret, whoever knows it could make tokens."""
_KEY_TYPES = ("RSA", "EC")
LEEWAY_S = 60
"""How far the provider's clock may be off."""
_SECOND_US = 1_000_000
_LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
_OLDEST_LOGOUT_S = 600
"""A provider that could not reach the hub tries again; what is older may be a copy of somebody else's."""
_NEEDED: jwt.ClaimsOption = {"essential": True}
Json = Mapping[str, Any]


class IdTokens:
    """Reads the tokens that one provider makes for one client."""

    def __init__(
        self, issuer: str, client: str, clock: Clock, ask_keys: Callable[[], Awaitable[Json]]
    ) -> None:
        """No key is known yet.

        Args:
            issuer: that signs.
            client: that the tokens are for.
            clock: for their times.
            ask_keys: gets the provider's key set.
        """
        self._issuer = issuer
        self._client = client
        self._clock = clock
        self._ask_keys = ask_keys
        self._keys: KeySet | None = None

    async def claims(self, token: str, nonce: str) -> Json:
        """What the token says.

        Raises:
            Rejected: `provider_refused`, it was not made for this sign-in.
            Retry: `provider_away`.
        """
        claims = await self._read(token)
        self._demand(claims, exp=_NEEDED, sub=_NEEDED, nonce={**_NEEDED, "value": nonce})
        audience = claims["aud"]
        of_many = isinstance(audience, list) and len(audience) > 1
        if claims.get("azp", None if of_many else self._client) != self._client:
            raise refused("azp")
        return claims

    async def logout_claims(self, token: str) -> Json:
        """What a logout token says: that a session of a person, or all, have ended.

        Source: OpenID Connect Back-Channel Logout 1.0 §2.6.

        Raises:
            Rejected: `provider_refused`, it is none, it is too old, or it names nobody.
            Retry: `provider_away`.
        """
        claims = await self._read(token)
        self._demand(claims)
        events = claims.get("events")
        if not isinstance(events, dict) or _LOGOUT not in events or "nonce" in claims:
            raise refused("it is no logout token")
        if claims["iat"] < self._clock.now() // _SECOND_US - _OLDEST_LOGOUT_S:
            raise refused("iat")
        if not any(isinstance(claims.get(name), str) and claims[name] for name in ("sub", "sid")):
            raise refused("sub")
        return claims

    def _demand(self, claims: Json, **more: jwt.ClaimsOption) -> None:
        """The claims are of this provider, for this hub, of now, and as ``more`` says."""
        rules = jwt.JWTClaimsRegistry(
            now=self._clock.now() // _SECOND_US, leeway=LEEWAY_S, iat=_NEEDED,
            iss={**_NEEDED, "value": self._issuer}, aud={**_NEEDED, "value": self._client}, **more,
        )  # fmt: skip
        try:
            rules.validate(dict(claims))
        except JoseError as error:
            raise refused(str(error)) from None

    async def _read(self, token: str) -> Json:
        """The claims of a token that the provider has signed. An unknown key may be a new one: keys are asked for."""
        if self._keys is not None:
            try:
                return self._decoded(token, self._keys)
            except (JoseError, ValueError):
                self._keys = None
        self._keys = _key_set(await self._ask_keys())
        try:
            return self._decoded(token, self._keys)
        except (JoseError, ValueError) as error:
            raise refused(str(error)) from None

    def _decoded(self, token: str, keys: KeySet) -> Json:
        claims = jwt.decode(token, keys, algorithms=list(_ALGORITHMS)).claims
        if not isinstance(claims, dict):
            raise ValueError("claims")  # noqa: TRY004 - what the provider has sent, no type of ours
        return claims


def refused(text: str) -> Rejected:
    """The provider's answer is none that lets anybody in."""
    return Rejected("provider_refused", place="openid", text=text[:200])


def _key_set(content: Json) -> KeySet:
    """The keys of kinds that sign tokens; others may stand beside them."""
    held = content.get("keys")
    wanted = [one for one in held if one.get("kty") in _KEY_TYPES] if isinstance(held, list) else []
    try:
        return KeySet([JWKRegistry.import_key(one) for one in wanted])
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise refused(f"keys: {error}") from None
