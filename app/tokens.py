"""Access tokens: the only importer of jose. They say who, never what one may do.

python-jose forgives too much (nested headers, missing claims, any `typ`), so everything is checked
before and after it, and any exception is a 401.
"""

import hashlib
import hmac
import re
import secrets
from typing import NamedTuple
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
_verified: dict[str, tuple[float, "Claims"]] = {}


class Claims(NamedTuple):
    """What an access token says."""

    person_id: UUID
    session_id: UUID


def key(purpose: str) -> bytes:
    """A key of its own for each purpose, from the one secret."""
    return hashlib.sha256(f"{purpose}:{settings.get().secret}".encode()).digest()


def access_token(person_id: UUID, session_id: UUID) -> str:
    """A signed token for one session, good for the time in the settings."""
    issued = int(clock.now().timestamp())
    claims = {
        "iss": settings.get().public_url,
        "aud": AUDIENCE,
        "sub": str(person_id),
        "sid": str(session_id),
        "jti": str(new_id()),
        "iat": issued,
        "exp": issued + settings.get().access_token_seconds,
    }
    return jwt.encode(claims, key("access").hex(), algorithm=ALGORITHM, headers={"typ": "at+jwt"})


def verified(token: str) -> Claims:
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


def _decoded(token: str) -> tuple[Claims, float]:
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
        found = Claims(UUID(claims["sub"]), UUID(claims["sid"]))
        expires = float(claims["exp"])
    except _BAD as error:
        raise errors.TokenInvalid from error
    if expires <= clock.now().timestamp():  # jose still accepts the second of the expiry itself
        raise errors.TokenInvalid
    return found, expires


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


def remembered(token: str) -> UUID | None:
    """Whose token this is, if it was verified lately; for counting only, never for rights."""
    known = _verified.get(token)
    return known[1].person_id if known else None
