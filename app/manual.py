"""The documentation as it is served: the contract, pages to read and try it, their local assets."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import FastAPI, Request, Response
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html

from app import errors, openapi, reader
from app.routing import fresh

ASSETS = Path(fastapi_offline.__file__).parent / "static"
KINDS = {".js": "text/javascript", ".css": "text/css", ".png": "image/png"}


def contract(request: Request) -> Response:
    """The contract, or 304 for whoever has it already."""
    body, etag = _written(request.app)
    headers = {"ETag": etag, "Cache-Control": "public, max-age=300"}
    if fresh(request, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def _written(app: FastAPI) -> tuple[bytes, str]:
    """The contract of an application, written once."""
    if not hasattr(app.state, "contract"):
        body = reader.encoded(openapi.document(app))
        digest = hashlib.blake2b(body, digest_size=12).hexdigest()
        app.state.contract = (body, f'"{digest}"')
    return app.state.contract


def to_try() -> Response:
    """The page on which the contract can be read and tried."""
    page = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Communities of Practice",
        swagger_js_url="/documentation/swagger-ui-bundle.js",
        swagger_css_url="/documentation/swagger-ui.css",
        swagger_favicon_url="/documentation/favicon.png",
        swagger_ui_parameters={"displayOperationId": True, "tryItOutEnabled": True},
    )
    return _page(page)


def to_read() -> Response:
    """The page on which the contract can be read."""
    page = get_redoc_html(
        openapi_url="/openapi.json",
        title="Communities of Practice",
        redoc_js_url="/documentation/redoc.standalone.js",
        redoc_favicon_url="/documentation/favicon.png",
        with_google_fonts=False,
    )
    return _page(page, "worker-src blob:;")


def _page(page: Any, workers: str = "") -> Response:
    """A page whose policy allows its own inline script, by hash, and local assets; no more."""
    html = bytes(page.body).decode()
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


def asset(name: str) -> Path:
    """A file of the package that ships the pages' scripts and styles. Raises NotFound."""
    path = ASSETS / Path(name).name
    if path.suffix not in KINDS or not path.is_file():
        raise errors.NotFound
    return path
