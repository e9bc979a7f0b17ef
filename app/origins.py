"""Which web pages may call the API from a browser (CORS), for every answer, refusals included."""

from collections.abc import Mapping

from app import settings

Headers = list[tuple[bytes, bytes]]

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"
TAKEN = (
    "Accept",
    "Accept-Language",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "X-Request-Id",
)
EXPOSED = (
    "Allow",
    "Content-Disposition",
    "Content-Language",
    "Deprecation",
    "ETag",
    "Idempotent-Replayed",
    "Link",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Sunset",
    "WWW-Authenticate",
    "X-Request-Id",
)
PREFLIGHT_SECONDS = 600

_READ: Headers = [
    (b"access-control-allow-credentials", b"true"),
    (b"access-control-expose-headers", ", ".join(EXPOSED).encode()),
]
_ASKED: Headers = [
    (b"access-control-allow-credentials", b"true"),
    (b"access-control-allow-methods", METHODS.encode()),
    (b"access-control-allow-headers", ", ".join(TAKEN).encode()),
    (b"access-control-max-age", str(PREFLIGHT_SECONDS).encode()),
]


def is_preflight(method: str, headers: Mapping[bytes, bytes]) -> bool:
    """True if a browser asks beforehand whether a page may call."""
    return method == "OPTIONS" and b"access-control-request-method" in headers


def allowance(headers: Mapping[bytes, bytes], *, preflight: bool = False) -> Headers:
    """What lets a page of an allowed origin read the answer; nothing for any other origin.

    A browser keeps the answer from a page that gets nothing here.
    """
    origin = headers.get(b"origin")
    if origin is None or not settings.get().origin_allowed(origin.decode("latin-1")):
        return []
    return [(b"access-control-allow-origin", origin), *(_ASKED if preflight else _READ)]
