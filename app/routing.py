"""One route class: what the contract says of every operation, said once.

Around each operation it reads the body strictly, answers retries with an Idempotency-Key, refuses
parameters that the operation does not have, and gives answers their ETag and their caching.
"""

import functools
import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import ResponseValidationError
from fastapi.routing import APIRoute

from app import errors, preconditions
from app.arguments import MISSING, Plan
from app.listing import Ready, Unchanged
from app.reader import encoded
from app.services import idempotency

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Endpoint = Any  # a function, which carries its marks as attributes

MALFORMED = object()
JSON = "application/json"
PRIVATE = b"private, no-cache"
SECRET = b"no-store"
CALLER = b"Authorization, Accept-Language"  # some reasons are sentences


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


class Route(APIRoute):
    """An operation of the API: FastAPI declares and documents it, and here it is run."""

    def __init__(self, path: str, endpoint: Endpoint, **options: Any) -> None:
        self.public_seconds = getattr(endpoint, "public_seconds", None)
        self.secret_once = getattr(endpoint, "secret_once", False)
        self.secret_body = getattr(endpoint, "secret_body", False)
        self.hot = getattr(endpoint, "hot", False)
        options["operation_id"] = endpoint.__name__  # FastAPI passes None where none is given
        super().__init__(path, endpoint, **options)
        self._plan = Plan(self.dependant)
        self._query_names = self._plan.query_names()
        self.app = self._run

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. What it wrote is committed before its answer leaves, or is not kept."""
        request = StrictRequest(scope, receive)
        scope["state"]["operation_id"] = self.operation_id
        scope["state"]["secret_body"] = self.secret_body
        try:
            async with AsyncExitStack() as stack:
                response = await self._answer(request, stack)
        except Unchanged as unchanged:
            response = _unchanged(
                [
                    (b"etag", unchanged.etag.encode()),
                    (b"cache-control", PRIVATE),
                    (b"vary", b"Authorization"),
                ]
            )
        await response(scope, receive, send)

    async def _answer(self, request: Request, stack: AsyncExitStack) -> Response:
        body = await _body(request) if self.body_field is not None else MISSING
        arguments = await self._plan.arguments(request, body, stack)
        self._refuse_wrong_parameters(request)
        response = await self._replayed(request)
        if response is None:
            response = await self._entered(request, arguments)
            if "idempotency" in request.scope["state"]:
                await idempotency.keep(
                    request.state,
                    response.status_code,
                    dict(response.headers),
                    bytes(response.body),
                )
        return self._finished(request, response)

    def _refuse_wrong_parameters(self, request: Request) -> None:
        """Refuses parameters that are not the operation's, and single ones that are repeated."""
        if not request.scope["query_string"]:
            return
        given = [name for name, _ in request.query_params.multi_items()]
        if len(given) == len(set(given)) and self._query_names.keys() >= set(given):
            return
        wrong = [
            errors.parameter(
                name[:80], "duplicate" if name in self._query_names else "unknown_parameter"
            )
            for name, times in sorted(Counter(given).items())
            if name not in self._query_names or (times > 1 and not self._query_names[name])
        ]
        if wrong:
            raise errors.Invalid(errors=wrong)

    async def _replayed(self, request: Request) -> Response | None:
        """The first answer to this key, if there is one; otherwise the key is claimed."""
        if request.method != "POST" or "idempotency-key" not in request.headers:
            return None
        key = request.headers["idempotency-key"]
        replay = await idempotency.begin(request.state, key, self.secret_once)
        if replay is None:
            return None
        headers = replay.headers | {"Idempotent-Replayed": "true"}
        return Response(replay.body, replay.status, headers=headers)

    async def _entered(self, request: Request, arguments: dict[str, Any]) -> Response:
        """The operation itself, entered when rights are clear and its arguments good."""
        answer = await self._plan.call(**arguments)
        if isinstance(answer, Response):
            self._tag(request, answer, None)
            return answer
        ready = answer if isinstance(answer, Ready) else self._ready(answer)
        response = Response(ready.body, self.status_code or 200, media_type=JSON)
        if ready.next_cursor is not None:
            response.raw_headers.append((b"link", _next(request, ready.next_cursor)))
        if ready.etag is not None:
            response.raw_headers.append((b"etag", ready.etag.encode()))
        else:
            self._tag(request, response, ready.version)
        return response

    def _ready(self, answer: Any) -> Ready:
        """The answer encoded. What a hot one says for its headers alone is taken out before."""
        if not self.hot:
            about = answer if isinstance(answer, dict) else {}
            body = self._serialized(answer)
            return Ready(body, about.get("next_cursor"), None, about.get("version"))
        version = answer.pop("version", None)
        return Ready(encoded(answer), answer.get("next_cursor"), None, version)

    def _serialized(self, answer: Any) -> bytes:
        """The answer as its response_model says, and nothing that it does not name."""
        if self.response_field is None:
            raise TypeError(f"{self.operation_id} has no response_model")
        value, wrong = self.response_field.validate(answer, {}, loc=("response",))
        if wrong:
            raise ResponseValidationError(wrong)
        return self.response_field.serialize_json(value)

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
            raw.append((b"vary", b"Authorization" if self.public_seconds else CALLER))
        etag = given.get(b"etag")
        if etag is not None and request.method == "GET" and fresh(request, etag.decode()):
            kept = (b"etag", b"cache-control", b"vary", b"link")
            return _unchanged([pair for pair in raw if pair[0] in kept])
        return response

    @functools.cached_property
    def _public(self) -> bytes:
        return f"public, max-age={self.public_seconds}".encode()

    def _tag(self, request: Request, response: Response, version: int | None) -> None:
        """The ETag: the version, which If-Match compares, and a digest of what the caller sees."""
        whole = response.status_code == 200 and request.method in ("GET", "PATCH", "PUT")
        if (whole or version) and hasattr(response, "body") and not _tagged(response):
            digest = hashlib.blake2b(response.body, digest_size=8).hexdigest()
            etag = f'"{version}-{digest}"' if version else f'"{digest}"'
            response.raw_headers.append((b"etag", etag.encode()))


def _tagged(response: Response) -> bool:
    return any(name == b"etag" for name, _ in response.raw_headers)


def _unchanged(headers: list[tuple[bytes, bytes]]) -> Response:
    """304: the client has it already."""
    empty = Response(status_code=304)
    empty.raw_headers = headers
    return empty


async def _body(request: Request) -> Any:
    """The body as JSON; as it is where it says to be something else, which fails validation."""
    body = await request.body()
    if not body:
        return MISSING
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = kind.startswith("application/") and kind.endswith(("/json", "+json"))
    return await request.json() if is_json else body


def _next(request: Request, cursor: str) -> bytes:
    """Where the list goes on, as a header too: for clients that follow links alone."""
    asked = [pair for pair in request.query_params.multi_items() if pair[0] != "cursor"]
    query = urlencode([*asked, ("cursor", cursor)])
    return f'<{quote(request.scope["path"])}?{query}>; rel="next"'.encode()


def fresh(request: Request, etag: str) -> bool:
    """True if the client already has what this ETag names."""
    known = preconditions.known(request.headers.get("if-none-match"))
    return etag in known or "*" in known


def public(seconds: int) -> Callable[[Endpoint], Endpoint]:
    """Marks an operation whose answer to strangers may be kept for so many seconds."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.public_seconds = seconds
        return endpoint

    return mark


def hot(endpoint: Endpoint) -> Endpoint:
    """Marks an operation whose answer is encoded as the service made it, not validated again.

    Its response_model says what the answer looks like all the same, and the tests hold it to that.
    """
    endpoint.hot = True
    return endpoint


def secret_once(endpoint: Endpoint) -> Endpoint:
    """Marks an operation whose answer shows a secret once: no replay and no cache keeps it."""
    endpoint.secret_once = True
    return endpoint


def secret_body(endpoint: Endpoint) -> Endpoint:
    """Marks an operation whose body may leave no trace, not even a hash: of the few things that
    a ballot can say, a hash would tell which. A key is replayed there whatever the body is."""
    endpoint.secret_body = True
    return endpoint


def api_router(tags: list[str]) -> APIRouter:
    """A router of operations under /api/v1 that keep the contract's conventions."""
    return APIRouter(prefix="/api/v1", route_class=Route, tags=list(tags), redirect_slashes=False)
