"""Access tokens: the only importer of jose. They say who, never what one may do: rights are read
at each request, and what a partner's token says of scopes only leaves some of them out.

python-jose forgives too much (nested headers, missing claims, any `typ`), so everything is checked
before and after it, and any exception is a 401.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from jose import jwt
from jose.exceptions import JOSEError

from app import clock, errors, settings
from app.models import new_id

ALGORITHM = "HS256"
AUDIENCE = "communities-api"
HEADER = {"alg": ALGORITHM, "typ": "at+jwt"}
CACHE_SECONDS = 60
CACHE_SIZE = 20_000

_SHAPE = re.compile(r"[A-Za-z0-9_-]{10,200}\.[A-Za-z0-9_-]{20,1500}\.[A-Za-z0-9_-]{43}")
_REQUIRED = {f"require_{claim}": True for claim in ("exp", "iat", "aud", "iss", "sub", "jti")}
# Whatever the library or a claim of another type stumbles over.
_BAD = (
    JOSEError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
_verified: dict[str, tuple[float, "Claims | PartnerClaims"]] = {}
# Secret scanners know these by their beginnings.
PERSONAL, CLIENT_SECRET, LINK = "cop_pat_", "cop_secret_", "cop_link_"
_PERSONAL = re.compile(rf"{PERSONAL}[A-Za-z0-9_-]{{43}}")
_LINK = re.compile(rf"{LINK}[A-Za-z0-9_-]{{43}}")
# Personal tokens, by their hashes, that were good lately.
_personal: dict[str, tuple[float, UUID]] = {}


class Claims(NamedTuple):
    """What the access token of a person's sign-in says."""

    person_id: UUID
    session_id: UUID

    @property
    def credential(self) -> str:
        """To what a request with it is counted, and its Idempotency-Key bound."""
        return f"session:{self.session_id}"


class PartnerClaims(NamedTuple):
    """What the access token of a partner's machine says, and which scopes it was asked for."""

    partner_id: UUID
    credential_id: UUID
    scopes: frozenset[str]

    @property
    def credential(self) -> str:
        """To what a request with it is counted, and its Idempotency-Key bound."""
        return f"partner:{self.credential_id}"


class PersonalToken(NamedTuple):
    """A personal access token, by its hash; whose it is, and whether it is good, is read."""

    token_hash: str

    @property
    def credential(self) -> str:
        """To what a request with it is counted, and its Idempotency-Key bound."""
        return f"token:{self.token_hash}"


class FormLink(NamedTuple):
    """The link that was mailed with a form, by its hash; what it leads to is read."""

    token_hash: str

    @property
    def credential(self) -> str:
        """To what an Idempotency-Key of a request with it is bound."""
        return f"link:{self.token_hash}"


Caller = Claims | PartnerClaims | PersonalToken


def key(purpose: str) -> bytes:
    """A key of its own for each purpose, from the one secret."""
    return hashlib.sha256(f"{purpose}:{settings.get().secret}".encode()).digest()


def access_token(person_id: UUID, session_id: UUID) -> str:
    """A signed token for one session, good for the time in the settings."""
    return _signed(sub=str(person_id), sid=str(session_id))


def partner_token(partner_id: UUID, credential_id: UUID, scopes: Iterable[str]) -> str:
    """A signed token for a partner's machine, good for as long as a person's."""
    return _signed(sub=str(partner_id), cid=str(credential_id), scope=" ".join(sorted(scopes)))


def _signed(**about: str) -> str:
    issued = int(clock.now().timestamp())
    claims = about | {
        "iss": settings.get().public_url,
        "aud": AUDIENCE,
        "jti": str(new_id()),
        "iat": issued,
        "exp": issued + settings.get().access_token_seconds,
    }
    return jwt.encode(claims, key("access").hex(), algorithm=ALGORITHM, headers={"typ": "at+jwt"})


def verified(token: str) -> Claims | PartnerClaims:
    """The claims of a token that this server signed and that has not expired.

    A verified token is remembered for up to 60 seconds; whether its session still lives is read
    from the database at each request, never from here.
    """
    now = clock.now().timestamp()
    known = _verified.get(token)
    if known is not None and now < known[0]:
        return known[1]
    claims, expires = _decoded(token)
    if len(_verified) >= CACHE_SIZE:
        _verified.clear()
    _verified[token] = (min(expires, now + CACHE_SECONDS), claims)
    return claims


def _decoded(token: str) -> tuple[Claims | PartnerClaims, float]:
    if not _SHAPE.fullmatch(token):
        raise errors.TokenInvalid
    try:
        if jwt.get_unverified_header(token) != HEADER:
            raise errors.TokenInvalid
        claims = jwt.decode(
            token,
            key("access").hex(),
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=settings.get().public_url,
            options=_REQUIRED | {"leeway": 0},
        )
        found = _read(claims)
        expires = float(claims["exp"])
    except _BAD as error:
        raise errors.TokenInvalid from error
    if expires <= clock.now().timestamp():  # jose still accepts the second of the expiry itself
        raise errors.TokenInvalid
    return found, expires


def _read(claims: dict[str, Any]) -> Claims | PartnerClaims:
    if "cid" not in claims:
        return Claims(UUID(claims["sub"]), UUID(claims["sid"]))
    scopes = frozenset(claims["scope"].split(" "))
    return PartnerClaims(UUID(claims["sub"]), UUID(claims["cid"]), scopes)


def personal(token: str) -> PersonalToken:
    """A personal access token as it is looked up. Raises TokenInvalid for what cannot be one."""
    if not _PERSONAL.fullmatch(token):
        raise errors.TokenInvalid
    return PersonalToken(hashed(token))


def link(token: str) -> FormLink:
    """A link of a form as it is looked up. Raises TokenInvalid for what cannot be one."""
    if not _LINK.fullmatch(token):
        raise errors.TokenInvalid
    return FormLink(hashed(token))


def opaque() -> str:
    """A new secret of 256 bits, shown once and stored as its hash."""
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    """How a secret is stored. It has 256 bits of its own, so a plain hash suffices."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def successor(refresh_token: str) -> str:
    """The token that follows a refresh token.

    It is derived, not drawn, so that a client whose answer was lost can be given the very same
    successor again although only hashes are stored.
    """
    digest = hmac.new(key("refresh"), refresh_token.encode("utf-8", "replace"), hashlib.sha256)
    return digest.hexdigest()


def remember(token_hash: str, token_id: UUID) -> None:
    """Notes that a personal token was good just now, for `remembered`."""
    if len(_personal) >= CACHE_SIZE:
        _personal.clear()
    _personal[token_hash] = (clock.now().timestamp() + CACHE_SECONDS, token_id)


def remembered(token: str) -> str | None:
    """To whom or what a request with this token is counted, if it was verified lately.

    People by their account; a script by its token, a partner's machine by its credential. It is
    for counting only, never for rights.
    """
    if token.startswith(PERSONAL):
        known = _personal.get(hashed(token))
        return f"token:{known[1]}" if known and clock.now().timestamp() < known[0] else None
    found = _verified.get(token)
    if found is None:
        return None
    claims = found[1]
    return str(claims.person_id) if isinstance(claims, Claims) else claims.credential
