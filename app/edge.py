"""The edge of the server: what holds for every request, in pure ASGI.

One pass each way: a request id, a limit on the body, HEAD as GET, limits on the rate, security
headers, a line in the log and a measurement. What goes wrong below comes out as problem+json.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import storage_from_string
from prometheus_client import Counter, Histogram
from starlette.exceptions import HTTPException

from app import clock, errors, import_errors, logs, origins, scim, settings, texts, tokens
from app.membership_files.rows import LARGEST_FILE
from app.models import new_id
from app.reader import encoded
from app.validation import problems_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

BODY_LIMIT = 1024 * 1024
# How long the counters of requests may take to answer, and how long they are then left alone.
COUNTER_SECONDS, UNCOUNTED_SECONDS = 1, 5
DRAIN_LIMIT, DRAIN_SECONDS = 64 * BODY_LIMIT, 5
# What takes more than that: a file, and the fields beside it.
_FILES = frozenset({("POST", "/api/v1/membership-imports")})
_FILE_LIMIT = LARGEST_FILE + BODY_LIMIT
_REQUEST_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")
# Unsubscribe keys and feed tokens are the two secrets that may stand in an address.
_MASKED = re.compile(r"(key|token)=[^&]*|(?<=/calendar-feeds/)[^/]+(?=\.ics)")

SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-site"),
    (b"permissions-policy", b"interest-cohort=()"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
# What a stranger may send here makes the server write to an address that they chose.
_ASKING_FOR_MAIL = frozenset(
    f"/api/v1/{path}"
    for path in (
        "community-proposals",
        "join-requests",
        "auth/password-resets",
        "auth/email-verifications",
        "auth/sign-in-links",
    )
)
_SUPPORTING = re.compile(r"/api/v1/community-proposals/[^/]+/support")
# What a page may read depends on where it comes from, and shared caches have to know.
_VARY = (b"vary", b"Origin")

_requests = Counter("cop_requests_total", "Requests answered", ["operation", "status"])
_seconds = Histogram(
    "cop_request_seconds",
    "Time to answer",
    ["operation"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
access = structlog.get_logger("access")
fault = structlog.get_logger("fault")


class Edge:
    """The outermost application."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        current = settings.get()
        self._limit = current.requests_per_minute
        self._item = RateLimitItemPerMinute(max(1, self._limit))
        self._mails = current.mails_asked_per_hour
        self._mails_item = RateLimitItemPerHour(max(1, self._mails), namespace="mails")
        self._counts: Any = storage_from_string(
            f"async+{current.rate_limit_url}",
            wrap_exceptions=True,
            connect_timeout=COUNTER_SECONDS,
            stream_timeout=COUNTER_SECONDS,
        )
        self._uncounted_until = self._told_until = 0.0
        self._policy = f'"default";q={self._limit};w=60'.encode()
        self._quiet = not structlog.get_logger().is_enabled_for(20)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = dict(scope["headers"])
        given_id = headers.get(b"x-request-id")
        request_id = str(new_id()) if given_id is None else _request_id(given_id)
        scope.setdefault("state", {})["request_id"] = request_id
        head = scope["method"] == "HEAD"
        scope["state"]["head"] = head
        if head:
            scope = {**scope, "method": "GET"}  # the server around still knows better
        remaining, reset = await self._hit(scope, headers)
        extra = [
            (b"x-request-id", request_id.encode()),
            (b"ratelimit-policy", self._policy),
            (b"ratelimit", f'"default";r={max(remaining, 0)};t={reset}'.encode()),
            *SECURITY_HEADERS,
        ]
        preflight = origins.is_preflight(scope["method"], headers)
        allowance = origins.allowance(headers, preflight=preflight)
        status = 500

        async def finish(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                given = dict(message["headers"])
                added = [pair for pair in extra if pair[0] not in given]
                message["headers"] = [*message["headers"], *added, *allowance, _VARY]
            elif head:
                message = {**message, "body": b""}
            if status == 413 and message["type"] == "http.response.body":
                await send({**message, "more_body": True})
                await guarded.drain()
                message = {"type": "http.response.body"}
            await send(message)

        is_file = (scope["method"], scope["path"]) in _FILES
        guarded = _Body(receive, headers, _FILE_LIMIT if is_file else BODY_LIMIT)
        app: Any = self.app
        if remaining < 0:
            app = answer(
                Request(scope), errors.TooManyRequests(headers={"Retry-After": str(reset)})
            )
        elif guarded.too_large:
            too_large = import_errors.FileTooLarge() if is_file else errors.BodyTooLarge()
            app = answer(Request(scope), too_large)
        elif preflight:
            app = Response(status_code=204)
        try:
            await app(scope, guarded, finish)
        except Exception as error:  # it was answered with a 500, and its words stay here
            scope["state"]["fault"] = error
            fault.error("fault", request_id=request_id, **logs.without_words(error))
        self._measure(scope, "HEAD" if head else scope["method"], status, started)

    async def _hit(self, scope: Scope, headers: dict[bytes, bytes]) -> tuple[int, int]:
        """How many requests are left in this minute, and the seconds until it is over."""
        if self._limit == 0 or scope["path"].startswith("/health/"):
            return self._limit, 60
        address = (scope.get("client") or ("unknown", 0))[0]
        asks_for_mail = scope["method"] == "POST" and (
            scope["path"] in _ASKING_FOR_MAIL or _SUPPORTING.fullmatch(scope["path"])
        )
        if asks_for_mail and self._mails:
            remaining, reset = await self._count(self._mails_item, address)
            if remaining < 0:
                return remaining, reset
        caller = tokens.remembered(headers.get(b"authorization", b"").decode("latin-1")[7:])
        return await self._count(self._item, caller or address)

    async def _count(self, item: RateLimitItem, key: str) -> tuple[int, int]:
        """Counts one more; how many are left (-1: none was), and the seconds until it is over.

        Where the counters are away all are let in: better uncounted than unanswered.
        """
        name = item.key_for(key)
        if time.monotonic() < self._uncounted_until:
            return item.amount, item.get_expiry()
        try:
            count = await self._counts.incr(name, item.get_expiry())
            over = await self._counts.get_expiry(name)
        except StorageError as error:
            self._leave_uncounted(error)
            return item.amount, item.get_expiry()
        reset = max(1, int(over - clock.now().timestamp()) + 1)
        return max(-1, item.amount - count), reset

    def _leave_uncounted(self, error: StorageError) -> None:
        """For a moment nobody waits for counters that are away; the log is told once a minute."""
        now = time.monotonic()
        self._uncounted_until = now + UNCOUNTED_SECONDS
        if now >= self._told_until:
            self._told_until = now + 60
            fault.error("requests_uncounted", **logs.without_words(error))

    def _measure(self, scope: Scope, method: str, status: int, started: float) -> None:
        seconds = time.perf_counter() - started
        state = scope["state"]
        operation = state.get("operation_id", "none")
        counter, histogram = _series(operation, status)
        counter.inc()
        histogram.observe(seconds)
        if self._quiet:
            return
        access.info(
            "request",
            request_id=state["request_id"],
            method=method,
            path=_MASKED.sub("***", scope["path"]),
            operation=operation,
            status=status,
            ms=round(seconds * 1000, 1),
            person_id=str(state.get("person_id") or "") or None,
        )


class _Body:
    """The body as it arrives, refused as soon as it is larger than an operation takes."""

    def __init__(self, receive: Receive, headers: dict[bytes, bytes], limit: int) -> None:
        self._receive = receive
        self._received = 0
        self._more = True
        self._waits = b"expect" in headers  # the client sends nothing before it is told to
        self._limit = limit
        self.too_large = _declared(headers) > limit

    async def __call__(self) -> MutableMapping[str, Any]:
        message = await self._next()
        if self._received > self._limit:
            raise errors.BodyTooLarge
        return message

    async def _next(self) -> MutableMapping[str, Any]:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        self._more = message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Lets a client that sends on and on say some more, for it reads the refusal only then.

        Hanging up at once would reset the connection, and the refusal would be lost.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while self._more and not self._waits and self._received < DRAIN_LIMIT:
                    await self._next()


def _declared(headers: dict[bytes, bytes]) -> int:
    value = headers.get(b"content-length", b"0")
    return int(value) if value.isdigit() and len(value) < 19 else _FILE_LIMIT + 1


@lru_cache(maxsize=1024)
def _series(operation: str, status: int) -> tuple[Counter, Histogram]:
    """The two measurements of an operation: looking up labels costs more than counting."""
    return _requests.labels(operation, status), _seconds.labels(operation)


def _request_id(given: bytes) -> str:
    text = given.decode("latin-1")
    return text if _REQUEST_ID.fullmatch(text) else str(new_id())


# What goes wrong becomes problem+json


def answer(request: Request, problem: errors.Problem) -> Response:
    """The problem as a response, in the reader's language; under SCIM's paths as SCIM has it."""
    language = texts.preferred(request.headers.get("accept-language"))
    headers = {
        "Cache-Control": "private, no-cache",
        "Vary": "Authorization, Accept-Language",
        "Content-Language": language,
        **problem.headers,
    }
    if scim.speaks(request.url.path):
        refused = scim.refusal(problem, language)
        return Response(refused, scim.status_of(problem), headers, scim.MEDIA_TYPE)
    document = problem.document(
        language,
        settings.get().public_url,
        quote(_MASKED.sub("***", request.url.path), safe="/*:@!$&'()+,;="),
        getattr(request.state, "request_id", ""),
    )
    return Response(encoded(document), problem.status, headers, errors.MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Makes every failure of the application a problem."""

    async def refused(request: Request, problem: errors.Problem) -> Response:
        return answer(request, problem)

    async def misshapen(request: Request, error: RequestValidationError) -> Response:
        return answer(request, problems_of(request, error))

    async def unread(request: Request, error: Exception) -> Response:
        if isinstance(error.__cause__, errors.Problem):
            return answer(request, error.__cause__)  # met while FastAPI was reading the body
        return answer(request, errors.BadRequest())

    async def failed(request: Request, _error: Exception) -> Response:
        return answer(request, errors.Internal())

    app.exception_handlers.update(
        {
            errors.Problem: refused,
            RequestValidationError: misshapen,
            HTTPException: unread,
            Exception: failed,
        }
    )
