"""The contract as OpenAPI 3.1, generated from the code.

FastAPI describes shapes; what holds for every operation is added here: one problem response, the
headers of the conventions, the capability that an operation asks for, the codes of its own, and an
example of every body. What generators of clients stumble over is tidied away.
"""

import json
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from app import deps, errors, examples, policy, texts
from app.deps import May
from app.schemas.auth import TokenRequest
from app.schemas.membership_imports import MembershipImportCreate
from app.schemas.problems import Problem

VERSION = "1.0.0"

DESCRIPTION = """\
The backend that professional associations run their Communities of Practice on.

What a person may do follows from the position that they hold today, in that community, and
nothing longer: ask `GET /communities/{community}/standing`, or read `viewer.can` on each resource.

**Answers.** Every member is always present: what is unknown or absent is `null`, an empty list
`[]`. Instants are UTC (`*_at`), days are the association's (`*_on`), both ends inclusive.
Enumerations may grow. Lists are pages: `next_cursor`, and a `Link` with `rel="next"`, lead on.

**Refusals.** Every error is `application/problem+json` with a stable `code`; `x-problems` lists
those that an operation can give. Send `Accept-Language: fr` for French sentences.

**Changing things.** Requests take their own members and no others, each in its own type. `PATCH`
is a JSON Merge Patch. Send `If-Match` with the `ETag` that was read, and nobody's change is lost;
send an `Idempotency-Key` with a `POST`, and a retry never does a thing twice.

**Limits.** A body has at most 1 MiB, the request line and headers 64 KiB, a page 100 items, a post
40,000 characters; other sizes stand with each member. A key of a retry lives 24 hours. `RateLimit`
and `RateLimit-Policy` say how many requests are left; beyond them the answer is 429 with
`Retry-After`, as it is, where nothing else is configured, after 10 failed sign-ins to one account
from one address of the network within 15 minutes, and after 20 forms to join, or 5 about proposals,
from one e-mail address within an hour that nobody has confirmed.
"""
TAGS = {
    "association": "The association and its closed lists.",
    "grants": "The permission table, and the changes that two people make to it.",
    "positions": "The offices of the association and of its communities.",
    "communities": "The catalogue of communities, and what one may do in each.",
    "rules": "The rules of etiquette and participation, and agreements to them.",
    "proposals": "Proposing communities, standing behind a proposal, and deciding about it.",
    "joining": "Asking to join, and deciding about it.",
    "signing in": "Tokens, and the links that go by mail.",
    "me": "One's own profile, sign-ins, memberships and agreements.",
    "memberships": "Who belongs to a community.",
    "imports": "Files of memberships: planned, applied, followed, undone.",
    "leadership": "Seats, terms, resignations and removals, subcommittees.",
    "elections": "Elections: nominations, the secret ballot, the count and its certification.",
    "discussions": "Discussions and their posts.",
    "moderation": "Reports, the review queue, decisions and reversals.",
    "people": "The people of the association, for its staff.",
    "partners": "Partner organisations, and the credentials of their machines.",
    "audit": "Everything that happened, once.",
}

Schema = dict[str, Any]


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
        tags=[{"name": name, "description": said} for name, said in TAGS.items()],
        license_info={"name": "MIT", "identifier": "MIT"},
        separate_input_output_schemas=True,
    )
    components = made["components"]
    schemas = components["schemas"] = _schemas(components["schemas"])
    components["responses"] = {"Problem": _PROBLEM}
    components["securitySchemes"] = _security()
    components["headers"] = _HEADERS
    for route in operations(app):
        for method in route.methods or ():
            _complete(made["paths"][route.path_format][method.lower()], route, method, schemas)
    made["servers"] = [{"url": "/", "description": "This server."}]
    app.openapi_schema = made
    return made


# Schemas


def _schemas(described: dict[str, Schema]) -> dict[str, Schema]:
    """FastAPI's components and those that no route names, in order and tidied."""
    _, found = models_json_schema(
        [
            (Problem, "serialization"),
            (TokenRequest, "validation"),
            (MembershipImportCreate, "validation"),
        ],
        ref_template="#/components/schemas/{model}",
    )
    whole = described | found["$defs"]
    for name in ("HTTPValidationError", "ValidationError"):
        whole.pop(name, None)
    return {name: _optional(_tidied(schema)) for name, schema in sorted(whole.items())}


def _optional(schema: Schema) -> Schema:
    """Says in words what holds for an absent member: generators take a default for a promise that
    the member is there, and would ask for it in requests too."""
    for member in schema.get("properties", {}).values():
        default = member.pop("default", None)
        if default is not None and schema.get("additionalProperties") is False:
            member["description"] += f" Without it: {json.dumps(default)}."
    return schema


def _tidied(schema: Schema) -> Schema:
    """The same schema without titles made from names, and with `null` as one of its types."""
    made: Schema = {}
    for key, value in schema.items():
        if key == "title":
            continue
        if key == "properties":
            value = {name: _tidied(member) for name, member in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            value = _tidied(value)
        elif key == "anyOf":
            value = [_tidied(kind) for kind in value]
        elif isinstance(value, float) and value.is_integer():
            value = int(value)
        made[key] = value
    return _nullable(made)


def _nullable(schema: Schema) -> Schema:
    """A type that may be null, in one schema where it is no component."""
    kinds = schema.get("anyOf", [])
    if len(kinds) != 2 or kinds[1] != {"type": "null"} or not isinstance(kinds[0].get("type"), str):
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return kinds[0] | {"type": [kinds[0]["type"], "null"]} | rest


# What the conventions say of every operation


def _said(description: str, kind: str = "string") -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}}


_HEADERS = {
    "X-Request-Id": _said("Names the request in the logs."),
    "ETag": _said("For If-None-Match, and for If-Match where several people edit."),
    "Link": _said('The next page, with rel="next"; absent at the end of the list.'),
    "Idempotent-Replayed": _said("true where this is the answer to an earlier request."),
    "Retry-After": _said("With 409, 429 and 503: after how many seconds to try again.", "integer"),
    "WWW-Authenticate": _said("With 401: how to authenticate."),
    "RateLimit": _said("How many requests are left, and for how many seconds."),
    "RateLimit-Policy": _said("How many requests are allowed in how many seconds."),
}


def _shown(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


_PROBLEM = {
    "description": "A refusal. `code` is the contract; openapi/problems.md lists them all.",
    "headers": _shown(
        "X-Request-Id", "Retry-After", "WWW-Authenticate", "RateLimit", "RateLimit-Policy"
    ),
    "content": {
        errors.MEDIA_TYPE: {
            "schema": {"$ref": "#/components/schemas/Problem"},
            "example": examples.PROBLEM,
        }
    },
}


def _header(name: str, description: str, *, required: bool = False, **schema: Any) -> Schema:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": {"type": "string", **schema},
    }


_IDEMPOTENCY = _header(
    "Idempotency-Key",
    "Makes a retry safe: the same key and body answer as the first time, for 24 hours. Up to 200"
    " visible ASCII characters.",
    minLength=1,
    maxLength=200,
    pattern="^[!-~]+$",
)
_IF_NONE_MATCH = _header("If-None-Match", "The ETag of what one has; 304 if it is still so.")
_IF_MATCH = "The ETag of what was read; 412 if somebody changed it in between."


def _security() -> dict[str, Any]:
    scopes = {
        capability.value: texts.text("capabilities", capability, "en")
        for capability in policy.Capability
    }
    return {
        "password": {
            "type": "oauth2",
            "description": "Sign in with an e-mail address and a password; partners' machines with"
            " their credential. A personal access token goes where an access token goes.",
            "flows": {
                "password": {"tokenUrl": "/api/v1/auth/tokens", "scopes": scopes},
                "clientCredentials": {
                    "tokenUrl": "/api/v1/auth/tokens",
                    "scopes": {name: scopes[name] for name in scopes if name in policy.MACHINES},
                },
            },
        }
    }


def _complete(
    operation: dict[str, Any], route: APIRoute, method: str, schemas: dict[str, Schema]
) -> None:
    """Adds what the conventions say of every operation."""
    parameters = operation.setdefault("parameters", [])
    for parameter in parameters:
        _complete_parameter(parameter)
    paged = any(parameter["name"] == "cursor" for parameter in parameters)
    retried = method == "POST" and deps.unit_of_work in _calls(route)
    met = [*errors.EVERYWHERE, *(errors.RETRIED if retried else ()), *_in_person(may_of(route))]
    codes = {kind.code for kind in ([*met, errors.CursorInvalid] if paged else met)}
    operation["x-problems"] = sorted(codes | set(operation.get("x-problems", ())))
    _complete_precondition(operation)
    if method == "GET":
        parameters.append(_IF_NONE_MATCH)
    if retried:
        parameters.append(_IDEMPOTENCY)
    if not parameters:
        operation.pop("parameters")
    headers = _shown(
        *(["ETag"] if method in ("GET", "PATCH", "PUT") else []),
        *(["Link"] if paged else []),
        *(["Idempotent-Replayed"] if retried else []),
    )
    _complete_bodies(operation, headers, schemas)
    if method == "GET":
        operation["responses"]["304"] = {"description": "What the client has is still so."}
    operation["responses"]["default"] = {"$ref": "#/components/responses/Problem"}
    _complete_security(operation, may_of(route))


def _in_person(may: May | None) -> tuple[type[errors.Problem], ...]:
    """What machines are told where only people may, or where a person is needed after all."""
    if may is None:
        return ()
    if may.capability is None:
        return (errors.PermissionDenied, errors.PersonRequired)
    asked = {may.capability, may.or_with, may.seen_with}
    if may.machines is None and not asked & policy.MACHINES:
        return (errors.PermissionDenied,)
    return (errors.PermissionDenied, errors.PersonRequired)


def _complete_parameter(parameter: dict[str, Any]) -> None:
    """Says what a parameter takes; none of them can be sent as null."""
    name, schema = parameter["name"], _tidied(parameter["schema"])
    if "anyOf" in schema:
        schema = {**schema.pop("anyOf")[0], **schema}
    if isinstance(schema.get("type"), list):
        schema["type"] = schema["type"][0]
    schema.pop("description", None)
    if name == "community":
        parameter["description"] = "The community's id or slug."
        schema = {"type": "string", "minLength": 1, "maxLength": 80}
    elif parameter["in"] == "path":
        thing = name.removesuffix("_id").replace("_", " ")
        said = f"The {thing}'s id." if name.endswith("_id") else f"The {thing}."
        parameter.setdefault("description", said)
    parameter["schema"] = schema


def _complete_precondition(operation: dict[str, Any]) -> None:
    required = errors.PreconditionRequired.code in operation["x-problems"]
    parameters = operation["parameters"]
    for index, parameter in enumerate(parameters):
        if parameter["name"] == "if-match":
            parameters[index] = _header("If-Match", _IF_MATCH, required=required)


def _complete_bodies(
    operation: dict[str, Any], headers: dict[str, Any], schemas: dict[str, Schema]
) -> None:
    """Examples of what is sent and answered, and a sentence for each answer."""
    responses = operation["responses"]
    responses.pop("422", None)
    described = [operation.get("requestBody", {}), *responses.values()]
    for content in (body.get("content", {}) for body in described):
        for kind, body in list(content.items()):
            if not body["schema"]:
                del content[kind]
            elif "$ref" in body["schema"]:
                body["example"] = examples.of(_named(body), schemas)
    for status, response in responses.items():
        content = response.get("content", {})
        if not content:
            response.pop("content", None)
            response["description"] = "Received." if status == "202" else "Done."
        for body in content.values():
            if "$ref" in body["schema"]:
                response["description"] = schemas[_named(body)]["description"]
        if headers:
            response["headers"] = headers


def _named(body: dict[str, Any]) -> str:
    return body["schema"]["$ref"].rsplit("/", 1)[1]


def _complete_security(operation: dict[str, Any], may: May | None) -> None:
    if may is None:
        operation["security"] = []
        return
    operation["x-capability"] = may.capability
    operation["security"] = [{"password": [may.capability.value] if may.capability else []}]
    if may.capability in policy.OPEN_TO_ALL:
        operation["security"].append({})
