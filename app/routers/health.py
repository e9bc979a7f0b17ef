"""Operation: is it alive, is it ready, what does it measure."""

from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app.deps import ReaderDep
from app.services import health

router = APIRouter(include_in_schema=False)


@router.get("/health/live")
async def live() -> Any:
    """The process answers."""
    return {"status": "live"}


@router.get("/health/ready")
async def ready(reader: ReaderDep) -> Any:
    """The database answers and holds the association's data; 503 otherwise."""
    await health.refuse_unready(reader)
    return {"status": "ready"}


@router.get("/metrics")
async def metrics() -> Response:
    """Measurements for Prometheus, by operation; keep this path inside your network."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get("/.well-known/security.txt")
async def security_contact(reader: ReaderDep) -> Response:
    """Whom to tell of a weakness (RFC 9116)."""
    return Response(await health.security_text(reader), media_type="text/plain; charset=utf-8")
