"""From a path to its operation, at once.

FastAPI walks through all routes in turn, inside half a dozen layers of middleware of which this
house needs none: the edge stands around everything. A tree of the paths' segments leaves one or
two routes to ask, however many there are.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import AsyncExitStack
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.telemetry._api import _route_selected
from starlette.routing import Match

from app import deps, errors

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Handler = Callable[[Request, Any], Any]


class _Node:
    """A place in the tree: what may follow it, and the routes that end here."""

    def __init__(self) -> None:
        self.named: dict[str, _Node] = {}
        self.any: _Node | None = None
        self.routes: list[tuple[int, Any]] = []

    def grown(self, segment: str) -> "_Node":
        """The node for the next segment of a route, made where it is missing."""
        if "{" not in segment:
            return self.named.setdefault(segment, _Node())
        self.any = self.any or _Node()
        return self.any

    def found(self, segments: list[str], place: int) -> Iterator[tuple[int, Any]]:
        """The routes that a path of these segments may mean."""
        if place == len(segments):
            yield from self.routes
            return
        named = self.named.get(segments[place])
        if named is not None:
            yield from named.found(segments, place + 1)
        if self.any is not None:
            yield from self.any.found(segments, place + 1)


class Dispatch:
    """What stands between the application and its operations, in place of FastAPI's own stack."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._handlers: Mapping[Any, Handler] = app.exception_handlers
        self._tree = _Node()
        self._others: list[tuple[int, Any]] = []
        for place, route in enumerate(app.router.routes):
            self._plant(place, route)

    def _plant(self, place: int, route: Any) -> None:
        if ":path}" in route.path:
            self._others.append((place, route))
            return
        node = self._tree
        for segment in route.path.split("/"):
            node = node.grown(segment)
        node.routes.append((place, route))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; what goes wrong is answered by the application's own handlers.

        Raises again what nobody expected, after a 500.
        """
        if scope["type"] != "http":
            await self._app.router(scope, receive, send)
            return
        started = False

        async def sent(message: MutableMapping[str, Any]) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._entered(scope, receive, sent)
        except Exception as error:
            if started:
                raise
            expected, handler = self._handler(error)
            answer = await handler(Request(scope, receive), error)
            await answer(scope, receive, send)
            if not expected:
                raise

    async def _entered(self, scope: Scope, receive: Receive, send: Send) -> None:
        segments: list[str] = scope["path"].split("/")
        allowed: set[str] = set()
        known = [*self._tree.found(segments, 0), *self._others]
        if "\x00" in scope["path"]:
            known = []  # it names nothing, and PostgreSQL cannot even be asked for it
        for _, route in sorted(known, key=_place):
            match, about = route.matches(scope)
            if match is Match.FULL:
                scope.update(about)
                _route_selected(scope=scope, path=route.path_format)
                # What FastAPI's own routes (pages, health) look for; ours need neither.
                scope["starlette.exception_handlers"] = (self._handlers, {})
                async with AsyncExitStack() as stack:
                    scope["fastapi_middleware_astack"] = stack
                    await route.app(scope, receive, send)
                return
            if match is Match.PARTIAL:
                allowed |= route.methods
        await _unrouted(Request(scope, receive), allowed)(scope, receive, send)

    def _handler(self, error: Exception) -> tuple[bool, Handler]:
        for kind in type(error).__mro__:
            if kind in self._handlers:
                return kind is not Exception, self._handlers[kind]
        raise error


def _place(found: tuple[int, Any]) -> int:
    return found[0]


def _unrouted(request: Request, allowed: set[str]) -> Response:
    """What there is to say of a path that is no operation with this method.

    Bad credentials are 401, whatever the path.
    """
    deps.claims(request)
    if not allowed:
        raise errors.NotFound
    also = {"OPTIONS", "HEAD"} if "GET" in allowed else {"OPTIONS"}
    allow = {"Allow": ", ".join(sorted(allowed | also))}
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=allow)
    raise errors.MethodNotAllowed(headers=allow)
