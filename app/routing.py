"""One route class: what the contract says of every operation, said once.

Around each operation it reads the body strictly, answers retries with an Idempotency-Key, refuses
parameters that the operation does not have, and gives answers their ETag and their caching.
"""

import functools
import hashlib
import inspect
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from app import errors
from app.services import idempotency

MALFORMED = object()
PRIVATE = "private, no-cache"


class StrictRequest(Request):
    """A request whose JSON is read by the book: no NaN, no lone surrogates, no bottomless depth."""

    async def json(self) -> Any:
        """The body, or a mark that fails validation later, after sign-in and rights."""
        body = await self.body()
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            self.state.malformed = True
            return MALFORMED


current: ContextVar[Request] = ContextVar("current_request")


class Route(APIRoute):
    """An operation of the API."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.public_seconds = getattr(endpoint, "public_seconds", None)
        self.secret_once = getattr(endpoint, "secret_once", False)
        options.setdefault("operation_id", endpoint.__name__)
        super().__init__(path, self._guarded(endpoint), **options)

    def _guarded(self, endpoint: Callable[..., Any]) -> Callable[..., Any]:
        """The operation, entered only when rights are clear, and only once for each key."""
        if getattr(endpoint, "guarded", False):
            return endpoint  # FastAPI makes a route anew when its router is included

        @functools.wraps(endpoint)
        async def guarded(**arguments: Any) -> Any:
            request = current.get()
            self._refuse_unknown_parameters(request)
            key = request.headers.get("idempotency-key")
            if key is not None and request.method == "POST":
                replay = await idempotency.begin(request.state, key, self.secret_once)
                if replay is not None:
                    replayed = replay.headers | {"Idempotent-Replayed": "true"}
                    return Response(replay.body, replay.status, headers=replayed)
            answer = await endpoint(**arguments)
            version = answer.get("version") if isinstance(answer, Mapping) else None
            request.state.version = version
            return answer

        guarded.guarded = True  # type: ignore[attr-defined]
        guarded.__signature__ = inspect.signature(endpoint)  # type: ignore[attr-defined]
        return guarded

    def _refuse_unknown_parameters(self, request: Request) -> None:
        unknown = set(request.query_params) - self._query_names
        if unknown:
            raise errors.Invalid(
                errors=[
                    errors.parameter(name[:80], "unknown_parameter") for name in sorted(unknown)
                ]
            )

    @functools.cached_property
    def _query_names(self) -> frozenset[str]:
        names: set[str] = set()
        waiting = [self.dependant]
        while waiting:
            dependant = waiting.pop()
            names.update(field.alias for field in dependant.query_params)
            waiting.extend(dependant.dependencies)
        return frozenset(names)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with the conventions around it."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            request = StrictRequest(request.scope, request.receive)
            request.state.operation_id = self.operation_id
            token = current.set(request)
            try:
                response = await handle(request)
                self._tag(request, response)
                if response.status_code < 400 and "idempotent-replayed" not in response.headers:
                    await idempotency.keep(
                        request.state, response.status_code, dict(response.headers), response.body
                    )
            finally:
                current.reset(token)
            return self._finished(request, response)

        return handler

    def _finished(self, request: Request, response: Response) -> Response:
        signed_in = "authorization" in request.headers
        headers = response.headers
        if "cache-control" not in headers:
            cached = self.public_seconds and not signed_in and request.method == "GET"
            headers["Cache-Control"] = (
                f"public, max-age={self.public_seconds}" if cached else PRIVATE
            )
        headers.add_vary_header("Authorization")
        if request.method == "GET" and "etag" in headers:
            if fresh(request, headers["ETag"]):
                kept = ("etag", "cache-control", "vary", "link")
                return Response(
                    status_code=304, headers={k: v for k, v in headers.items() if k in kept}
                )
        return response

    def _tag(self, request: Request, response: Response) -> None:
        """The ETag: the version, which If-Match compares, and a digest of what the caller sees."""
        whole = response.status_code == 200 and request.method in ("GET", "PATCH", "PUT")
        version = getattr(request.state, "version", None)
        if "etag" not in response.headers and (whole or version) and hasattr(response, "body"):
            digest = hashlib.blake2b(response.body, digest_size=8).hexdigest()
            response.headers["ETag"] = f'"{version}-{digest}"' if version else f'"{digest}"'


def fresh(request: Request, etag: str) -> bool:
    """True if the client already has what this ETag names."""
    asked = request.headers.get("if-none-match")
    if asked is None:
        return False
    return any(tag.strip().removeprefix("W/") in (etag, "*") for tag in asked.split(","))


def public(seconds: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Marks an operation whose answer to strangers may be kept for so many seconds."""

    def mark(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        endpoint.public_seconds = seconds  # type: ignore[attr-defined]
        return endpoint

    return mark


def secret_once(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Marks an operation whose answer shows a secret once and is never kept for a replay."""
    endpoint.secret_once = True  # type: ignore[attr-defined]
    return endpoint


def api_router(tags: list[str]) -> APIRouter:
    """A router of operations under /api/v1 that keep the contract's conventions."""
    return APIRouter(prefix="/api/v1", route_class=Route, tags=list(tags), redirect_slashes=False)
