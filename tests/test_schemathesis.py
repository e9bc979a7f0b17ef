"""Requests that the contract itself suggests, good ones and bad ones: no fault, no surprise."""

from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from app import openapi
from app.main import create_app
from tests.cast import Api, Someone
from tests.furnished import Furnished, furnish

EXAMPLES = 5
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
# It ends the sign-in of whoever calls; tests of its own are about it.
APART = {"end_current_session"}


def _cases(operation: Any, mode: GenerationMode) -> list[Any]:
    """The same cases at every run."""
    found: list[Any] = []

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    @hypothesis.given(operation.as_strategy(generation_mode=mode))
    def gather(case: Any) -> None:
        found.append(case)

    with suppress(hypothesis.errors.Unsatisfiable):  # some operations take nothing to get wrong
        gather()
    return found


@cache
def _suggested() -> list[tuple[str, GenerationMode, Any]]:
    """Cases of every operation; thinking them up takes longer than sending them."""
    schema = schemathesis.openapi.from_dict(openapi.document(create_app().app))
    found = []
    for result in schema.get_all_operations():
        operation = result.ok()
        name = operation.definition.raw["operationId"]
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            for case in [] if name in APART else _cases(operation, mode):
                found.append((name, mode, case))
    return found


def _text(said: Any) -> str | bytes:
    return said if isinstance(said, str | bytes) else str(said)


async def _sent(place: Furnished, case: Any, number: int) -> Any:
    """The case as one of three callers sends it, every other time about things that exist."""
    if number % 2:
        known = {name: place.values[name] for name in case.path_parameters if name != "session_id"}
        case.path_parameters = {**case.path_parameters, **known}
    sent = case.as_transport_kwargs(base_url="http://testserver")
    caller: Someone | None = (place.staff, place.member, None)[number % 3]
    if caller is not None:
        sent["headers"]["Authorization"] = f"Bearer {caller.token}"
    if isinstance(sent.get("data"), str | bytes):
        sent["content"] = sent.pop("data")
    if "files" in sent:  # a form's fields are text, whatever they are in the contract
        sent["files"] = [(name, (file, _text(said))) for name, (file, said) in sent["files"]]
    del sent["cookies"]  # the contract has none
    request = place.api.client.build_request(**sent)
    await request.aread()  # what a form streams is told in a failure's words
    answer = await place.api.client.send(request)
    answer.elapsed = timedelta()  # which the client's own witness was too early to measure
    return answer


@pytest.mark.xdist_group("what the contract suggests")  # thought up once for both databases
async def test_every_operation_answers_as_the_contract_says(api: Api) -> None:
    place = await furnish(api)
    count, surprises = 0, []
    for number, (name, mode, case) in enumerate(_suggested()):
        answer = await _sent(place, case, number)
        count += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as found:
            surprises.append((name, mode, case.as_curl_command(), str(found)))
        except pytest.fail.Exception as found:
            surprises.append((name, mode, str(found)))
    assert surprises == []
    assert count > 600
