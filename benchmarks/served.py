"""The real application, with one operation more that reads nothing: what the way in costs.

`python -m benchmarks.served <factory> <port> <workers>` serves it, or a floor, as `cop serve` does.
"""

import sys
from typing import Any

import uvicorn
from fastapi import Request, Response

from app import deps
from app.dispatch import Dispatch
from app.edge import Edge
from app.main import create_app
from app.routing import Route
from app.wire import Protocol

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


def main() -> None:
    """Serves what is named, on loopback, until it is told to stop."""
    factory, port, workers = sys.argv[1:]
    uvicorn.run(
        factory,
        factory=True,
        host="127.0.0.1",
        port=int(port),
        workers=int(workers),
        http=Protocol if factory == "benchmarks.served:app" else "httptools",
        loop="uvloop",
        ws="none",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
