"""OpenID Connect by allauth, and what we are stricter about.

The issuer must be the one that was entered, the ID token is signed with a key of the issuer, belongs
to this browser's request (nonce, PKCE, state) and to us (audience), and is fresh.
"""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

import jwt
from allauth.socialaccount.models import SocialLogin, SocialToken
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from organizations.crypto import CannotDecrypt
from organizations.models import IdentityProvider
from organizations.signin import outbound
from organizations.signin.claims import SKEW, Claims, WrongAnswer, login_of

WELL_KNOWN = "/.well-known/openid-configuration"
LONGEST_ADDRESS = 1_000  # Django redirects to no more than 2,048 characters, with our query
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
# Signatures that only the issuer can make; `none` and shared secrets are not among them.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
REQUIRED = ["iss", "sub", "aud", "exp", "iat"]
LAST_MOMENT = 2**40  # seconds
# Every way in which JSON that is not as it should be comes to light; some nests without end.
MALFORMED = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)

Json = dict[str, Any]


def redirect_uri(provider: IdentityProvider) -> str:
    return f"{settings.BASE_URL}{reverse('sso_oidc_callback', args=[provider.uuid])}"


def own_name(issuer: str) -> str:
    """The issuer as it writes itself: with or without a slash at its end, and nothing else."""
    found = outbound.get_json(issuer.rstrip("/") + WELL_KNOWN).get("issuer")
    same = isinstance(found, str) and found.rstrip("/") == issuer.rstrip("/")
    name = str(found) if same else issuer
    discover(name)
    return name


def discover(issuer: str) -> Json:
    """The provider's description of itself."""
    found = outbound.get_json(issuer.rstrip("/") + WELL_KNOWN)
    if found.get("issuer") != issuer:
        raise WrongAnswer("issuer", f"{issuer} calls itself {str(found.get('issuer'))[:100]}")
    for name in ENDPOINTS:
        if not is_address(found.get(name)):
            raise WrongAnswer("discovery", f"{name} is {found.get(name)!r}")
    return found


def is_address(value: object) -> bool:
    if not isinstance(value, str) or len(value) > LONGEST_ADDRESS:
        return False
    try:
        parts = urlsplit(value)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return parts.scheme in outbound.schemes() and has_host and not parts.username


class OpenIdAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth has no types
    # allauth asks for these two where a provider that is away would be an error of ours.
    access_token_url = ""
    basic_auth = False

    @property
    def openid_config(self) -> Json:
        if not hasattr(self, "_found"):
            self._found = discover(self.get_provider().row.issuer)
        return self._found

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        return redirect_uri(app.row)

    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: Any, pkce_code_verifier: str | None = None
    ) -> Json:
        form = {
            "grant_type": "authorization_code",
            "code": request.GET["code"],
            "redirect_uri": client.callback_url,
            "code_verifier": pkce_code_verifier or "",
        }
        options: Json = {}
        secret = secret_of(app.row)
        if self.wants_basic_auth():  # RFC 6749 2.3.1: both parts are form-encoded first
            options["auth"] = (quote(app.client_id, safe=""), quote(secret, safe=""))
        else:
            form |= {"client_id": app.client_id, "client_secret": secret}
        answer = outbound.post_form(self.openid_config["token_endpoint"], form, **options)
        if "error" in answer:
            raise WrongAnswer("token", _told(answer))
        if not isinstance(answer.get("id_token"), str):
            raise WrongAnswer("token", "no id_token")
        return answer

    def wants_basic_auth(self) -> bool:
        """Only where it is the only way: colons in a client ID make trouble."""
        methods = self.openid_config.get("token_endpoint_auth_methods_supported")
        known = methods if isinstance(methods, list) else []
        return "client_secret_basic" in known and "client_secret_post" not in known

    def parse_token(self, data: Json) -> SocialToken:
        return SocialToken()  # we call nothing in a person's name, so nothing is kept

    def complete_login(
        self, request: HttpRequest, app: Any, token: SocialToken, **kwargs: Any
    ) -> SocialLogin:
        response = kwargs["response"]
        identity = identity_of(response["id_token"], self.openid_config, app.client_id)
        told = identity if identity.get("email") else self.userinfo(response, identity["sub"])
        claims = Claims(
            subject=identity["sub"],
            email=_text(told.get("email")),
            is_verified=app.row.manages_addresses or is_true(told.get("email_verified")),
            signed_in_at=_moment(identity.get("auth_time")),
            nonce=_text(identity.get("nonce")),
        )
        return login_of(self.get_provider(), app.row.uuid, claims)

    def userinfo(self, response: Json, subject: str) -> Json:
        """Where the ID token is thin; of the same person, or it is somebody else's address."""
        url = self.openid_config.get("userinfo_endpoint")
        if not is_address(url):
            return {}
        bearer = {"Authorization": f"Bearer {_text(response.get('access_token'))}"}
        told = outbound.get_json(str(url), headers=bearer)
        if told.get("sub") != subject:
            raise WrongAnswer("userinfo", "another subject than in the ID token")
        return told


class OpenIdProvider(OpenIDConnectProvider):  # type: ignore[misc]  # allauth has no types
    oauth2_adapter_class: ClassVar[Any] = OpenIdAdapter
    pkce_enabled_default = True

    @property
    def row(self) -> IdentityProvider:
        row: IdentityProvider = self.app.row
        return row

    def get_default_scope(self) -> list[str]:
        return ["openid", "email"]

    def serialize(self) -> Json:
        return {"id": self.app.provider_id}


def identity_of(token: str, config: Json, client_id: str) -> Json:
    """What an ID token says, after every check of OpenID Connect Core 3.1.3.7 but the nonce."""
    try:
        algorithm, key = _signing_key(token, outbound.get_json(config["jwks_uri"]))
        identity: Json = jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=client_id,
            issuer=config["issuer"],
            leeway=SKEW,
            options={"require": REQUIRED},
        )
    except jwt.PyJWTError as error:
        raise WrongAnswer("id_token", type(error).__name__) from error
    except MALFORMED as error:
        raise WrongAnswer("id_token", f"malformed: {type(error).__name__}") from error
    others = identity.get("azp", client_id) != client_id
    if others or not identity["sub"]:
        raise WrongAnswer("id_token", "made for another client" if others else "no subject")
    return identity


def _signing_key(token: str, published: Json) -> tuple[str, Any]:
    header = jwt.get_unverified_header(token)
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise WrongAnswer("id_token", f"signed by {algorithm}")
    keys = [key for key in published["keys"] if key.get("use", "sig") == "sig"]
    named = [key for key in keys if key.get("kid") == header.get("kid")]
    if not named and "kid" not in header and len(keys) == 1:
        named = keys
    if not named:
        raise WrongAnswer("id_token", "signed with a key that the provider does not publish")
    return algorithm, jwt.PyJWK(named[0], algorithm=algorithm).key


def secret_of(provider: IdentityProvider) -> str:
    try:
        return provider.client_secret
    except CannotDecrypt as error:
        raise WrongAnswer("secret_lost", str(error)) from error


def is_true(value: object) -> bool:
    return value is True or value == "true"  # some providers write it as text


def _told(answer: Json) -> str:
    return f"{_text(answer.get('error'))[:100]} {_text(answer.get('error_description'))[:300]}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    if not 0 <= value < LAST_MOMENT:  # nor anything that is no number, which is never too old
        raise WrongAnswer("id_token", "auth_time is no moment")
    return float(value)
