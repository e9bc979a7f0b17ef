"""The contract as OpenAPI 3.1, and the other documents that are generated from the code.

FastAPI describes shapes; what holds for every operation is added here: one problem response, the
headers of the conventions, the capability that an operation asks for, and the codes of its own.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from app import activity, deps, errors, policy, texts
from app.deps import May
from app.schemas.auth import PasswordSignIn
from app.schemas.problems import Problem

FOLDER = Path("openapi")
VERSION = "1.0.0"

DESCRIPTION = """\
The backend that professional associations run their Communities of Practice on.

What a person may do follows from the position that they hold today, in that community, and
nothing longer: ask `GET /communities/{community}/standing`, or read `viewer.can` on each resource.
Errors are `application/problem+json` with a stable `code`; lists are pages with `next_cursor`;
instants are UTC, days are the association's. Send `Accept-Language: fr` for French sentences.
"""


def operations(app: FastAPI) -> Iterator[APIRoute]:
    """The operations of the contract."""
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            yield route


def _calls(route: APIRoute) -> Iterator[Any]:
    """Everything that an operation depends on."""
    waiting: list[Dependant] = [route.dependant]
    while waiting:
        dependant = waiting.pop()
        yield dependant.call
        waiting.extend(dependant.dependencies)


def may_of(route: APIRoute) -> May | None:
    """What an operation asks of its caller; None for those that are open without a word."""
    found = next((call for call in _calls(route) if isinstance(call, May)), None)
    return None if found is None or found.anybody else found


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, made once for each application."""
    if app.openapi_schema:
        return app.openapi_schema
    made = get_openapi(
        title="Communities of Practice",
        version=VERSION,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=list(app.routes),
        license_info={"name": "MIT", "identifier": "MIT"},
        separate_input_output_schemas=True,
    )
    components = made["components"]
    _add_schemas(components)
    components["responses"] = {"Problem": _problem_response()}
    components["securitySchemes"] = _security()
    components["headers"] = _HEADERS
    for route in operations(app):
        for method in route.methods:
            _complete(made["paths"][route.path_format][method.lower()], route, method)
    made["servers"] = [{"url": "/", "description": "This server."}]
    app.openapi_schema = made
    return made


def _add_schemas(components: dict[str, Any]) -> None:
    _, found = models_json_schema(
        [(Problem, "serialization"), (PasswordSignIn, "validation")],
        ref_template="#/components/schemas/{model}",
    )
    components["schemas"].update(found["$defs"])
    for name in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(name, None)
    components["schemas"] = dict(sorted(components["schemas"].items()))


def _problem_response() -> dict[str, Any]:
    return {
        "description": "A refusal. `code` is the contract; openapi/problems.md lists them all.",
        "headers": {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}},
        "content": {errors.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _security() -> dict[str, Any]:
    return {
        "password": {
            "type": "oauth2",
            "description": "Sign in with an e-mail address and a password.",
            "flows": {
                "password": {
                    "tokenUrl": "/api/v1/auth/tokens",
                    "scopes": {
                        capability.value: texts.text("capabilities", capability, "en")
                        for capability in policy.Capability
                    },
                }
            },
        }
    }


_HEADERS = {
    "X-Request-Id": {"description": "Names the request in the logs.", "schema": {"type": "string"}},
    "ETag": {
        "description": "For If-None-Match, and for If-Match where several people edit.",
        "schema": {"type": "string"},
    },
}
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes a retry safe: the same key and body answer as the first time, for 24"
    " hours. Up to 200 visible ASCII characters.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of what the client has; 304 if it is still so.",
    "schema": {"type": "string"},
}


def _complete(operation: dict[str, Any], route: APIRoute, method: str) -> None:
    """Adds what the conventions say of every operation."""
    responses = operation["responses"]
    responses.pop("422", None)
    responses["default"] = {"$ref": "#/components/responses/Problem"}
    parameters = operation.setdefault("parameters", [])
    _whole(parameters)
    retried = method == "POST" and deps.unit_of_work in _calls(route)
    met = [*errors.EVERYWHERE, *(errors.RETRIED if retried else ())]
    if any(parameter["name"] == "cursor" for parameter in parameters):
        met.append(errors.CursorInvalid)
    own = set(operation.get("x-problems", ()))
    operation["x-problems"] = sorted(own | {kind.code for kind in met})
    if method == "GET":
        parameters.append(_IF_NONE_MATCH)
        responses["304"] = {"description": "What the client has is still so."}
        responses["200"].setdefault("headers", {})["ETag"] = {"$ref": "#/components/headers/ETag"}
    if retried:
        parameters.append(_IDEMPOTENCY)
    if not parameters:
        operation.pop("parameters")
    may = may_of(route)
    if may is None:
        operation["security"] = []
        return
    operation["x-capability"] = may.capability
    scopes = [may.capability.value] if may.capability else []
    operation["security"] = [{"password": scopes}]
    if may.capability in policy.OPEN_TO_ALL:
        operation["security"].append({})


def _whole(parameters: list[dict[str, Any]]) -> None:
    """Path parameters that name a community say what they take."""
    for parameter in parameters:
        if parameter["name"] == "community":
            parameter["description"] = "The community's id or slug."
            parameter["schema"] = {"type": "string", "minLength": 1, "maxLength": 80}
        elif parameter["in"] == "path" and "description" not in parameter:
            parameter["description"] = "The id."
        elif parameter["name"].lower() == "if-match":
            parameter["description"] = "The ETag of what was read; 412 if somebody changed it."
            parameter["schema"] = {"type": "string"}
        parameter["schema"].pop("title", None)


# The other documents


def permissions(app: FastAPI) -> str:
    """openapi/permissions.md: what each operation asks of its caller."""
    lines = [
        "# Who may call what",
        "",
        "Generated by `cop openapi`. A capability is given by the permission table (`GET /grants`)",
        "to positions, which people hold by terms that run now. *Seen with* names the capability",
        "without which the thing does not exist for the caller (404); *own* means that the person",
        "concerned may do it without the capability.",
        "",
        "| operation | method and path | capability | seen with | own |",
        "|---|---|---|---|---|",
    ]
    for route in operations(app):
        may = may_of(route)
        method = next(iter(route.methods))
        capability = "anybody" if may is None else may.capability or "signed in"
        seen = may.seen_with if may and may.within and may.seen_with != may.capability else None
        lines.append(
            f"| {route.operation_id} | {method} {route.path_format} | {capability} |"
            f" {seen or ''} | {'yes' if may and may.own else ''} |"
        )
    return "\n".join(lines) + "\n"


def problems() -> str:
    """openapi/problems.md: every code that a client can meet."""
    lines = [
        "# Problems",
        "",
        "Generated by `cop openapi`. Every error is `application/problem+json`; `code` is stable.",
        "",
        "| status | code | what it says |",
        "|---|---|---|",
    ]
    for problem in errors.catalogue():
        detail = texts.text("problems", f"{problem.code}.detail", "en")
        lines.append(f"| {problem.status} | {problem.code} | {detail} |")
    lines += ["", "## Codes of fields and parameters (`errors[].code`)", ""]
    lines += ["| code | what it says |", "|---|---|"]
    for key, said in texts.group("problems", "en").items():
        if key.startswith("errors."):
            lines.append(f"| {key.removeprefix('errors.')} | {said} |")
    lines += ["", "## Reasons (`because[].code`)", "", "| code | what it says |", "|---|---|"]
    for key, said in texts.group("problems", "en").items():
        if key.startswith("because."):
            lines.append(f"| {key.removeprefix('because.')} | {said} |")
    return "\n".join(lines) + "\n"


def activities() -> str:
    """openapi/activity.md: everything that can happen, with its facts."""
    lines = [
        "# Activity",
        "",
        "Generated by `cop openapi`. Each change leaves exactly one record, with who made it.",
        "",
        "| kind | subject | facts | what happened |",
        "|---|---|---|---|",
    ]
    for name, kind in sorted(activity.KINDS.items()):
        lines.append(f"| {name} | {kind.subject} | {', '.join(kind.facts)} | {kind.says} |")
    return "\n".join(lines) + "\n"


def generated(app: FastAPI) -> dict[str, str]:
    """Every generated document by its file name."""
    return {
        "openapi.json": json.dumps(document(app), indent=2, ensure_ascii=False) + "\n",
        "permissions.md": permissions(app),
        "problems.md": problems(),
        "activity.md": activities(),
    }
