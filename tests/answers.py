"""What tests say of answers and of the records that acts leave."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import sqlalchemy as sa
from sqlmodel import col

from app.models import Activity, ActorKind
from tests.cast import Api, Someone

FORM: dict[str, Any] = {
    "name": "Siobhan O'Neill",
    "email": "siobhan@example.org",
    "communities": ["drug-treatment-court"],
    "occupation": "Defence counsel",
    "occupation_code": "defence_counsel",
    "affiliation": "Legal Aid Ontario",
    "area_of_interest": "sanctions and incentives",
    "territory": "CA-ON",
    "language": "en",
    "agrees_to_rules_version": 1,
}


def ok(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    """The body of an answer that succeeded as it should."""
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else {}


def code(answer: httpx.Response, status: int) -> str:
    """The code of a refusal with this status."""
    assert answer.status_code == status, answer.text
    return answer.json()["code"]


def because(answer: httpx.Response) -> list[str]:
    """The codes of the reasons of a 403."""
    assert code(answer, 403) == "permission.denied"
    return [reason["code"] for reason in answer.json()["because"]]


def wrong(answer: httpx.Response) -> list[tuple[str, str]]:
    """Where in the body a 422 found something wrong, and what."""
    assert code(answer, 422) == "validation.failed"
    return [(item["pointer"], item["code"]) for item in answer.json()["errors"]]


def told(answer: httpx.Response) -> tuple[Any, ...]:
    """All that an answer tells, apart from which request it answers."""
    moving = {"x-request-id", "ratelimit", "content-length"}
    headers = {name: value for name, value in answer.headers.items() if name not in moving}
    body = answer.json() if answer.content else None
    if answer.is_error:
        body = {name: body[name] for name in body if name not in ("request_id", "instance")}
    return answer.status_code, headers, body


@asynccontextmanager
async def leaves(
    api: Api, *expected: tuple[str, Someone | ActorKind | None]
) -> AsyncIterator[None]:
    """What happens inside leaves exactly these records, each with whoever did it.

    The actor is a person of the cast, or the kind of an actor that is none.
    """
    statement = sa.select(
        col(Activity.id), col(Activity.kind), col(Activity.actor_kind), col(Activity.actor_id)
    ).order_by(col(Activity.id))
    before = {row.id for row in await api.read(statement)}
    yield
    after = [row for row in await api.read(statement) if row.id not in before]
    found = [(row.kind, row.actor_id or str(row.actor_kind)) for row in after]
    assert sorted(map(str, found)) == sorted(
        str((kind, actor.id if isinstance(actor, Someone) else str(actor)))
        for kind, actor in expected
    )
