"""The documentation: the contract itself, and a page to read and try it, from local assets."""

import base64
import hashlib
import re
from pathlib import Path

import fastapi_offline
from fastapi import APIRouter, Request, Response
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import FileResponse

from app import errors, openapi, reader
from app.routing import fresh

router = APIRouter(include_in_schema=False)

ASSETS = Path(fastapi_offline.__file__).parent / "static"
KINDS = {".js": "text/javascript", ".css": "text/css", ".png": "image/png"}
KEPT = "public, max-age=86400"


def _document(request: Request) -> tuple[bytes, str]:
    app = request.app
    if not hasattr(app.state, "contract"):
        body = reader.encoded(openapi.document(app))
        digest = hashlib.blake2b(body, digest_size=12).hexdigest()
        app.state.contract = (body, f'"{digest}"')
    return app.state.contract


@router.get("/openapi.json")
async def contract(request: Request) -> Response:
    """The contract as OpenAPI 3.1."""
    body, etag = _document(request)
    headers = {"ETag": etag, "Cache-Control": "public, max-age=300"}
    if fresh(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def _page(html: str, workers: str = "") -> Response:
    """A page whose policy allows its own inline script, by hash, and local assets; no more."""
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    )
    policy = (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data:; connect-src 'self'; font-src 'self' data:;"
        f" {workers} base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
    return Response(html, headers=headers, media_type="text/html; charset=utf-8")


@router.get("/docs")
async def docs() -> Response:
    """The contract to read and to try."""
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Communities of Practice",
        swagger_js_url="/documentation/swagger-ui-bundle.js",
        swagger_css_url="/documentation/swagger-ui.css",
        swagger_favicon_url="/documentation/favicon.png",
        swagger_ui_parameters={"displayOperationId": True, "tryItOutEnabled": True},
    )
    return _page(bytes(page.body).decode())


@router.get("/redoc")
async def redoc() -> Response:
    """The contract to read."""
    page = get_redoc_html(
        openapi_url="/openapi.json",
        title="Communities of Practice",
        redoc_js_url="/documentation/redoc.standalone.js",
        redoc_favicon_url="/documentation/favicon.png",
        with_google_fonts=False,
    )
    return _page(bytes(page.body).decode(), "worker-src blob:;")


@router.get("/documentation/{name}")
async def asset(name: str) -> Response:
    """An asset of the documentation's pages, from the package that ships it."""
    path = ASSETS / Path(name).name
    if path.suffix not in KINDS or not path.is_file():
        raise errors.NotFound
    return FileResponse(path, media_type=KINDS[path.suffix], headers={"Cache-Control": KEPT})
