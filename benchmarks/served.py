"""The real application, with one operation more that reads nothing: what the way in costs."""

from typing import Any

from fastapi import Request, Response

from app import deps
from app.dispatch import Dispatch
from app.edge import Edge
from app.main import create_app
from app.routing import Route

EMPTY = b'{"items":[]}'


async def signed_in(request: Request) -> Any:
    """Verifies the bearer token as every operation does, and answers."""
    deps.claims(request)
    return Response(EMPTY, media_type="application/json")


def app() -> Edge:
    """The application as `cop serve` runs it, without its worker."""
    edge = create_app(worker=False)
    route = Route("/api/v1/bench/signed-in", signed_in, methods=["GET"])
    edge.app.router.routes.append(route)
    edge.app.middleware_stack = Dispatch(edge.app)  # which has seen the routes once, at the start
    return edge
