"""The contract's own witness: every answer in every test is held against openapi.json.

An answer with a status that its operation does not declare, a problem with a code that it does not
list, a body that its schema does not allow, or one with a key too few, fails the test that met it.
"""

import sys
from collections.abc import Callable
from typing import Any

import httpx
import jsonschema_rs

from app import openapi
from app.edge import Edge

# The transport looks for it at every request, and would search the disk each time.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]

EVERYWHERE_HEADERS = (
    "x-request-id",
    "ratelimit",
    "ratelimit-policy",
    "x-content-type-options",
    "content-security-policy",
    "referrer-policy",
)


class ContractTransport(httpx.ASGITransport):
    """ASGI in process, every answer checked."""

    def __init__(self, edge: Edge) -> None:
        async def witnessed(scope: Any, receive: Any, send: Any) -> None:
            await edge(scope, receive, send)
            fault = scope.get("state", {}).get("fault")
            if fault is not None:
                raise fault  # a fault fails the test that met it

        super().__init__(app=witnessed)
        self.edge = edge

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        await response.aread()
        self._check(request, response)
        return response

    def _check(self, request: httpx.Request, response: httpx.Response) -> None:
        for name in EVERYWHERE_HEADERS:
            assert name in response.headers, f"{name} is missing from {request.url}"
        if response.status_code >= 400:
            scim = request.url.path.startswith("/scim/")
            form = "application/scim+json" if scim else "application/problem+json"
            assert response.headers["content-type"] == form, response.text
        if not request.url.path.startswith("/api/v1"):
            return
        operation = self._operation(request)
        if operation is None:
            assert response.status_code in (204, 401, 404, 405, 413, 429), response.text
            return
        name = operation["operationId"]
        if response.status_code >= 400:
            if request.method != "HEAD":
                self._check_problem(name, operation, response)
            return
        declared = operation["responses"].get(str(response.status_code))
        assert declared, f"{name} does not declare {response.status_code}: {response.text}"
        if request.method == "HEAD" or response.status_code in (204, 304):
            assert response.content == b"", name
            return
        declared_kinds = declared.get("content", {})
        kind = response.headers.get("content-type", "").partition(";")[0]
        assert not declared_kinds or kind in declared_kinds, f"{name} does not declare {kind}"
        schema = declared_kinds.get(kind, {}).get("schema", {})
        if "$ref" in schema:
            validator(self.edge, schema["$ref"]).validate(response.json())

    def _check_problem(
        self, name: str, operation: dict[str, Any], response: httpx.Response
    ) -> None:
        problem = response.json()
        assert problem["code"] in operation["x-problems"], (
            f"{name} does not list {problem['code']}: {problem}"
        )
        assert problem["status"] == response.status_code
        validator(self.edge, "#/components/schemas/Problem").validate(problem)
        if response.status_code == 401:
            assert "www-authenticate" in response.headers

    def _operation(self, request: httpx.Request) -> dict[str, Any] | None:
        method = "GET" if request.method == "HEAD" else request.method
        path = request.url.path
        found = (one for matches, one in described_by(self.edge, method) if matches(path))
        return next(found, None)


_by_method: dict[str, list[tuple[Callable[[str], Any], dict[str, Any]]]] = {}
_described: dict[str, Any] = {}
_compiled: dict[str, Any] = {}
# All schemas in one place that the compiled ones share: a copy for each took 2 MB.
_registry: list[jsonschema_rs.Registry] = []


def described(edge: Edge) -> dict[str, Any]:
    """The contract, written down once: every application of this process has the same one."""
    if not _described:
        _described.update(openapi.document(edge.app))
    return _described


def described_by(edge: Edge, method: str) -> list[tuple[Callable[[str], Any], dict[str, Any]]]:
    """What tells the paths of each operation with this method, and what the contract says of it."""
    if not _by_method:
        for route in openapi.operations(edge.app):
            for one in route.methods:
                said = described(edge)["paths"][route.path_format][one.lower()]
                _by_method.setdefault(one, []).append((route.path_regex.match, said))
    return _by_method.get(method, [])


def validator(edge: Edge, reference: str) -> Any:
    """The compiled schema behind a reference; made once, the contract is the same everywhere."""
    if not _registry:
        components = closed(described(edge)["components"])
        _registry.append(jsonschema_rs.Registry([("urn:contract", {"components": components})]))
    if reference not in _compiled:
        _compiled[reference] = jsonschema_rs.Draft202012Validator(
            {"$ref": f"urn:contract{reference}"}, registry=_registry[0], validate_formats=True
        )
    return _compiled[reference]


def closed(components: dict[str, Any]) -> dict[str, Any]:
    """The components, with no member allowed that the contract does not name."""
    schemas = {}
    for name, schema in components["schemas"].items():
        if schema.get("type") == "object" and "properties" in schema:
            schema = {"additionalProperties": False} | schema
        schemas[name] = schema
    return {"schemas": schemas}
