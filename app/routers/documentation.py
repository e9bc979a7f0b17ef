"""The documentation: the contract itself, and a page to read and try it, from local assets."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from app import manual

router = APIRouter(include_in_schema=False)

KEPT = {"Cache-Control": "public, max-age=86400"}


@router.get("/openapi.json")
async def contract(request: Request) -> Response:
    """The contract as OpenAPI 3.1."""
    return manual.contract(request)


@router.get("/docs")
async def docs() -> Response:
    """The contract to read and to try."""
    return manual.to_try()


@router.get("/redoc")
async def redoc() -> Response:
    """The contract to read."""
    return manual.to_read()


@router.get("/documentation/{name}")
async def asset(name: str) -> Response:
    """An asset of the documentation's pages, from the package that ships it."""
    path = manual.asset(name)
    return FileResponse(path, media_type=manual.KINDS[path.suffix], headers=KEPT)
