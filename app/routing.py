"""One route class: what the contract says of every operation, said once.

Around each operation it reads the body strictly, answers retries with an Idempotency-Key, refuses
parameters that the operation does not have, and gives answers their ETag and their caching.
"""

import functools
import hashlib
import inspect
import json
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from typing import Any, get_args, get_origin
from urllib.parse import quote, urlencode

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.dependencies import utils
from fastapi.routing import APIRoute

from app import errors
from app.reader import encoded
from app.services import idempotency

# FastAPI works out at every request what kind of parameter each one is. It never changes.
for _name in ("_get_param_model", "_get_param_aliases", "field_annotation_is_sequence"):
    setattr(utils, _name, functools.cache(getattr(utils, _name)))

MALFORMED = object()
PRIVATE = b"private, no-cache"
SECRET = b"no-store"


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a member is given twice")


# Two readers of one body must not see two different things, so a name stands once in an object.
_NAMES = json.JSONDecoder(object_pairs_hook=_once, parse_int=str, parse_float=str)


class StrictRequest(Request):
    """A request whose JSON is read by the book: no NaN, no lone surrogates, no bottomless depth,
    no member twice."""

    async def json(self) -> Any:
        """The body, or a mark that fails validation later, after sign-in and rights."""
        body = await self.body()
        try:
            read = orjson.loads(body)
            _NAMES.decode(body.decode())
        except (ValueError, RecursionError):
            self.state.malformed = True
            return MALFORMED
        return read


current: ContextVar[Request] = ContextVar("current_request")


class Route(APIRoute):
    """An operation of the API."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.public_seconds = getattr(endpoint, "public_seconds", None)
        self.secret_once = getattr(endpoint, "secret_once", False)
        self.hot = getattr(endpoint, "hot", False)
        options["operation_id"] = endpoint.__name__  # FastAPI passes None where none is given
        super().__init__(path, self._guarded(endpoint), **options)

    def _guarded(self, endpoint: Callable[..., Any]) -> Callable[..., Any]:
        """The operation, entered only when rights are clear, and only once for each key."""
        if getattr(endpoint, "guarded", False):
            return endpoint  # FastAPI makes a route anew when its router is included

        @functools.wraps(endpoint)
        async def guarded(**arguments: Any) -> Any:
            request = current.get()
            self._refuse_wrong_parameters(request)
            key = request.headers.get("idempotency-key") if request.method == "POST" else None
            if key is not None:
                replay = await idempotency.begin(request.state, key, self.secret_once)
                if replay is not None:
                    replayed = replay.headers | {"Idempotent-Replayed": "true"}
                    return Response(replay.body, replay.status, headers=replayed)
            answer = await endpoint(**arguments)
            if isinstance(answer, Mapping):
                state = request.scope["state"]
                state["version"] = answer.get("version")
                state["next_cursor"] = answer.get("next_cursor")
            if self.hot:
                status = self.status_code or 200
                return Response(encoded(answer), status, media_type="application/json")
            return answer

        guarded.guarded = True  # type: ignore[attr-defined]
        guarded.__signature__ = inspect.signature(endpoint)  # type: ignore[attr-defined]
        return guarded

    def _refuse_wrong_parameters(self, request: Request) -> None:
        """Refuses parameters that are not the operation's, and single ones that are repeated."""
        if not request.scope["query_string"]:
            return
        given = Counter(name for name, _ in request.query_params.multi_items())
        wrong = [
            errors.parameter(
                name[:80], "duplicate" if name in self._parameters else "unknown_parameter"
            )
            for name, times in sorted(given.items())
            if name not in self._parameters or (times > 1 and not self._parameters[name])
        ]
        if wrong:
            raise errors.Invalid(errors=wrong)

    @functools.cached_property
    def _parameters(self) -> dict[str, bool]:
        """The names of the query's parameters; true for those that may be repeated."""
        found: dict[str, bool] = {}
        waiting = [self.dependant]
        while waiting:
            dependant = waiting.pop()
            for field in dependant.query_params:
                found[field.alias] = _is_list(field.field_info.annotation)
            waiting.extend(dependant.dependencies)
        return found

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with the conventions around it."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            if request.method != "GET":  # which takes no body
                request = StrictRequest(request.scope, request.receive)
            state = request.scope["state"]
            state["operation_id"] = self.operation_id
            token = current.set(request)
            try:
                response = await handle(request)
                _link(request, response)
                self._tag(request, response)
                if "idempotency" in state and response.status_code < 400:
                    await idempotency.keep(
                        request.state, response.status_code, dict(response.headers), response.body
                    )
            finally:
                current.reset(token)
            return self._finished(request, response)

        return handler

    def _finished(self, request: Request, response: Response) -> Response:
        """The answer with its caching; without its body where the client has it already."""
        raw = response.raw_headers
        given = dict(raw)
        if b"cache-control" not in given:
            public = self.public_seconds and request.method == "GET"
            cached = public and "authorization" not in request.headers
            private = SECRET if self.secret_once else PRIVATE
            raw.append((b"cache-control", self._public if cached else private))
        if b"vary" in given:
            response.headers.add_vary_header("Authorization")
        else:
            raw.append((b"vary", b"Authorization"))
        etag = given.get(b"etag")
        if etag is not None and request.method == "GET" and fresh(request, etag.decode()):
            return _unchanged(response)
        return response

    @functools.cached_property
    def _public(self) -> bytes:
        return f"public, max-age={self.public_seconds}".encode()

    def _tag(self, request: Request, response: Response) -> None:
        """The ETag: the version, which If-Match compares, and a digest of what the caller sees."""
        whole = response.status_code == 200 and request.method in ("GET", "PATCH", "PUT")
        version = request.scope["state"].get("version")
        if (whole or version) and hasattr(response, "body") and not _tagged(response):
            digest = hashlib.blake2b(response.body, digest_size=8).hexdigest()
            etag = f'"{version}-{digest}"' if version else f'"{digest}"'
            response.raw_headers.append((b"etag", etag.encode()))


def _tagged(response: Response) -> bool:
    return any(name == b"etag" for name, _ in response.raw_headers)


def _unchanged(response: Response) -> Response:
    """304: the client has it already."""
    empty = Response(status_code=304)
    kept = (b"etag", b"cache-control", b"vary", b"link")
    empty.raw_headers = [pair for pair in response.raw_headers if pair[0] in kept]
    return empty


def _is_list(annotation: Any) -> bool:
    """True for a list, and for a list that may be absent."""
    return any(get_origin(kind) is list for kind in (annotation, *get_args(annotation)))


def _link(request: Request, response: Response) -> None:
    """Where the list goes on, as a header too: for clients that follow links alone."""
    cursor = request.scope["state"].get("next_cursor")
    if cursor is not None:
        asked = [pair for pair in request.query_params.multi_items() if pair[0] != "cursor"]
        query = urlencode([*asked, ("cursor", cursor)])
        response.headers["Link"] = f'<{quote(request.url.path)}?{query}>; rel="next"'


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


def hot(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Marks an operation whose answer is encoded as the service made it, not validated again.

    Its response_model says what the answer looks like all the same, and the tests hold it to that.
    """
    endpoint.hot = True  # type: ignore[attr-defined]
    return endpoint


def secret_once(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Marks an operation whose answer shows a secret once: no replay and no cache keeps it."""
    endpoint.secret_once = True  # type: ignore[attr-defined]
    return endpoint


def api_router(tags: list[str]) -> APIRouter:
    """A router of operations under /api/v1 that keep the contract's conventions."""
    return APIRouter(prefix="/api/v1", route_class=Route, tags=list(tags), redirect_slashes=False)
