"""The contract as a document: valid, complete, good to generate a client from, and committed."""

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from app import documents, errors, openapi, policy
from app.main import create_app
from tests.contract import closed

APP = create_app().app
DOCUMENT = openapi.document(APP)
COMPONENTS = DOCUMENT["components"]
SCHEMAS: dict[str, dict[str, Any]] = COMPONENTS["schemas"]
OPERATIONS = {
    operation["operationId"]: (method, path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
each_operation = pytest.mark.parametrize("name", OPERATIONS)
each_schema = pytest.mark.parametrize("name", SCHEMAS)


def _nodes(node: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of the document that is no example, with its place."""
    if isinstance(node, dict):
        yield place, node
        for key, value in node.items():
            if key not in ("example", "examples"):
                yield from _nodes(value, f"{place}/{key}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _nodes(value, f"{place}/{index}")


def _bodies(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    answers = [answer for answer in operation["responses"].values() if "$ref" not in answer]
    for described in [operation.get("requestBody", {}), *answers]:
        for kind, body in described.get("content", {}).items():
            if kind == "application/json":
                yield body


@pytest.mark.parametrize("name", ["openapi.json", "permissions.md", "problems.md", "activity.md"])
def test_what_is_committed_is_what_the_code_generates(name: str) -> None:
    """Run `cop openapi` and read the difference before committing it."""
    generated = documents.generated(APP)[name]
    assert (documents.FOLDER / name).read_text("utf-8") == generated


def test_the_document_says_what_it_is() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert DOCUMENT["info"]["title"] and DOCUMENT["info"]["version"] == openapi.VERSION
    assert DOCUMENT["servers"] == [{"url": "/", "description": "This server."}]
    assert all(path.startswith("/api/v1/") for path in DOCUMENT["paths"])
    assert len(OPERATIONS) == sum(len(methods) for methods in DOCUMENT["paths"].values())


def test_every_reference_leads_somewhere_and_every_component_is_used() -> None:
    used = set()
    for place, node in _nodes(DOCUMENT):
        if "$ref" in node:
            kind, name = re.fullmatch(r"#/components/(\w+)/(.+)", node["$ref"]).groups()
            assert name in COMPONENTS[kind], place
            used.add((kind, name))
    defined = {
        (kind, name) for kind in ("schemas", "responses", "headers") for name in COMPONENTS[kind]
    }
    assert defined == used


@each_schema
def test_every_schema_is_a_json_schema(name: str) -> None:
    jsonschema_rs.meta.validate(
        SCHEMAS[name] | {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    )


# Names that read well in a generated client


def test_names_are_words_without_twins() -> None:
    for name in SCHEMAS:
        assert re.fullmatch(r"([A-Z][a-z]+)+", name), name
        assert not name.endswith(("Input", "Output", "Schema", "Response", "Model")), name


def test_enumerations_are_named_and_unions_are_no_more_than_null() -> None:
    for place, node in _nodes(DOCUMENT):
        if "enum" in node:
            assert re.fullmatch(r"/components/schemas/\w+", place), place
        assert not {"oneOf", "allOf", "not", "patternProperties"} & node.keys(), place
        if "anyOf" in node:
            assert len(node["anyOf"]) == 2 and node["anyOf"][1] == {"type": "null"}, place
            assert "$ref" in node["anyOf"][0], place


def test_no_title_is_left_over() -> None:
    for place, node in _nodes(DOCUMENT):
        if isinstance(node.get("title"), str):
            assert place == "/info", place


@each_schema
def test_every_schema_and_every_member_is_described(name: str) -> None:
    schema = SCHEMAS[name]
    assert schema["description"].strip()
    for member, kind in schema.get("properties", {}).items():
        assert kind.get("description", "").strip().endswith((".", "?", "null")), f"{name}.{member}"


def test_every_cause_of_a_withdrawal_is_explained() -> None:
    said = SCHEMAS["JoinRequest"]["properties"]["withdrawn_because"]["description"]
    assert {cause for cause in SCHEMAS["JoinWithdrawal"]["enum"] if cause not in said} == set()


@each_schema
def test_answers_always_have_all_members_and_requests_take_no_others(name: str) -> None:
    schema = SCHEMAS[name]
    if schema.get("type") != "object" or name in ("Problem", "FieldProblem"):
        return
    sent = schema.get("additionalProperties") is False
    required = set(schema.get("required", ()))
    assert sent or required == set(schema["properties"])


# Operations


@each_operation
def test_every_operation_is_named_described_and_tagged(name: str) -> None:
    method, path, operation = OPERATIONS[name]
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", name)
    assert 3 <= len(operation["summary"]) <= 70 and not operation["summary"].endswith(".")
    assert operation["description"].strip().endswith((".", "`"))
    assert set(operation["tags"]) <= set(openapi.TAGS) and operation["tags"]
    assert method != "get" or "requestBody" not in operation
    for segment in path.split("/")[3:]:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*(\.csv)?|\{[a-z]+(_[a-z]+)*\}", segment), path


def test_a_body_is_asked_for_where_something_has_to_be_said() -> None:
    asked, needed = set(), set()
    for name, (method, _, operation) in OPERATIONS.items():
        body = operation.get("requestBody", {"content": {}})
        for kind in body["content"].values():
            ref = kind["schema"].get("$ref", "").rpartition("/")[2]
            said = SCHEMAS.get(ref, {"required": True}).get("required")
            needed |= {name} if method == "patch" or said else set()
            asked |= {name} if body.get("required") else set()
    assert asked == needed
    assert "pause_membership" not in asked and "submit_join_request" in asked


@each_operation
def test_every_parameter_is_described_and_has_a_plain_schema(name: str) -> None:
    _, path, operation = OPERATIONS[name]
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        assert parameter["description"].strip(), parameter["name"]
        assert {"$ref", "type"} & parameter["schema"].keys(), parameter["name"]
        assert "null" not in str(parameter["schema"])
    named = {p["name"] for p in parameters if p["in"] == "path"}
    assert named == set(re.findall(r"\{(\w+)\}", path))
    assert len({(p["in"], p["name"].lower()) for p in parameters}) == len(parameters)


@each_operation
def test_every_operation_has_its_answers_and_the_one_problem(name: str) -> None:
    method, _, operation = OPERATIONS[name]
    answers = operation["responses"]
    assert answers["default"] == {"$ref": "#/components/responses/Problem"}
    (success,) = [status for status in answers if status.startswith("2")]
    assert (
        success
        in {
            "get": ("200",),
            "post": ("200", "201", "202", "204"),
            "put": ("200", "204"),
            "patch": ("200",),
            "delete": ("200", "204"),
        }[method]
    )
    assert ("304" in answers) == (method == "get")
    for body in _bodies(operation):
        assert set(body["schema"]) == {"$ref"}
    for answer in answers.values():
        assert answer.get("description") != "Successful Response"


@each_operation
def test_every_operation_says_what_it_asks_of_its_caller(name: str) -> None:
    _, _, operation = OPERATIONS[name]
    for requirement in operation["security"]:
        for scheme, scopes in requirement.items():
            known = COMPONENTS["securitySchemes"][scheme]["flows"]["password"]["scopes"]
            assert set(scopes) <= set(known)
    assert operation["security"] != [{}]
    known = {capability.value for capability in policy.Capability} | {None}
    assert operation.get("x-capability") in known


@each_operation
def test_every_operation_lists_codes_that_exist(name: str) -> None:
    _, _, operation = OPERATIONS[name]
    known = {problem.code for problem in errors.catalogue()}
    assert set(operation["x-problems"]) <= known
    assert operation["x-problems"] == sorted(set(operation["x-problems"]))


@each_operation
def test_what_several_people_edit_asks_for_the_etag(name: str) -> None:
    method, _, operation = OPERATIONS[name]
    matched = [p for p in operation.get("parameters", []) if p["name"] == "If-Match"]
    required = errors.PreconditionRequired.code in operation["x-problems"]
    assert [p["required"] for p in matched] in ([], [required])
    assert not required or method in ("put", "patch", "delete")


# Examples


@each_operation
def test_every_body_has_an_example_that_its_schema_allows(name: str) -> None:
    _, _, operation = OPERATIONS[name]
    for body in _bodies(operation):
        schema = body["schema"] | {"components": closed(COMPONENTS)}
        validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        validator.validate(body["example"])


def test_the_example_of_a_refusal_is_one() -> None:
    content = COMPONENTS["responses"]["Problem"]["content"][errors.MEDIA_TYPE]
    schema = content["schema"] | {"components": closed(COMPONENTS)}
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(content["example"])
    assert content["example"]["code"] in {problem.code for problem in errors.catalogue()}


def test_the_server_takes_every_example_of_a_body() -> None:
    """The schema is one reading of a request; the model that reads it is the other."""
    taken = 0
    for route in openapi.operations(APP):
        if route.body_field is not None:
            example = next(_bodies(OPERATIONS[str(route.operation_id)][2]))["example"]
            _, wrong = route.body_field.validate(json.loads(json.dumps(example)), {}, loc=("body",))
            assert not wrong, route.operation_id
            taken += 1
    assert taken >= 25


def test_affordances_in_examples_are_operations() -> None:
    for place, node in _nodes(json.loads(json.dumps(DOCUMENT).replace('"example"', '"shown"'))):
        if place.endswith("/viewer") and "can" in node:
            assert set(node["can"]) <= set(OPERATIONS), place
