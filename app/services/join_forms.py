"""Forms to join: what everybody is asked, and what a community asks beside."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors, questions, texts
from app.db import Source, Work, insert_ignoring
from app.models import Community, JoinForm
from app.policy import Standing
from app.preconditions import Expected

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# What everybody is asked: the six, and what has an answer already where nothing is said.
SIX: dict[str, dict[str, Any]] = {
    "name": {"type": "string", "minLength": 1, "maxLength": 200},
    "email": {"type": "string", "format": "email", "maxLength": 254},
    "occupation": {"type": "string", "minLength": 1, "maxLength": 200},
    "affiliation": {"type": "string", "minLength": 1, "maxLength": 200},
    "area_of_interest": {"type": "string", "minLength": 1, "maxLength": 2000},
}
_BESIDE: dict[str, dict[str, Any]] = {
    "occupation_code": {"type": "string", "minLength": 1, "maxLength": 60},
    "territory": {"type": ["string", "null"], "minLength": 1, "maxLength": 20},
    "language": {"enum": list(texts.LANGUAGES)},
}


# A community's own questions


async def get(source: Source, standing: Standing) -> dict[str, Any]:
    """The questions that a community asks beside what everybody is asked."""
    found = sa.select(JoinForm.questions, JoinForm.version, JoinForm.updated_at)
    row = await source.first(found.where(col(JoinForm.community_id) == standing.here.id))
    if row is None:
        return {"items": [], "version": 1, "updated_at": None}
    return {"items": row.questions, "version": row.version, "updated_at": row.updated_at}


async def replace(
    work: Work, standing: Standing, items: list[dict[str, Any]], expected: Expected
) -> dict[str, Any]:
    """Puts other questions in place of these; answers that were given stay as they are.

    Raises CommunityArchived, PreconditionFailed, and Invalid for questions that cannot be asked.
    """
    standing.require_active()
    asked = questions.faults_of(items)
    if asked:
        raise errors.Invalid(errors=asked)
    now = clock.now()
    none = {"community_id": standing.here.id, "questions": [], "updated_at": now, "version": 1}
    await work.execute(insert_ignoring(work, JoinForm, none))
    form = await work.locked(JoinForm, standing.here.id)
    expected.check(form.version)
    wanted = [questions.complete(question) for question in items]
    if form.questions != wanted:
        form.questions = wanted
        form.updated_at = now
        form.version += 1
        activity.record(
            work,
            "join_form.changed",
            standing,
            standing.here.id,
            community_id=standing.here.id,
            questions=[question["code"] for question in wanted],
        )
    await work.flush()
    return await get(work, standing)


async def shown(source: Source, standing: Standing, language: str) -> dict[str, Any]:
    """The JSON Schema of a form for this community alone, with titles in a language."""
    community = await source.one(
        sa.select(Community.slug, Community.name).where(col(Community.id) == standing.here.id)
    )
    asked = (await get(source, standing))["items"]
    own = questions.schema(asked, language)
    slug, answers = community.slug, _titled("answers", language)
    properties = {
        **{name: _titled(name, language) | kind for name, kind in SIX.items()},
        "communities": _titled("communities", language) | {"const": [slug]},
        "agrees_to_rules_version": _titled("agrees_to_rules_version", language)
        | {"const": standing.rules_in_force},
        **{name: _titled(name, language) | kind for name, kind in _BESIDE.items()},
        "answers": answers
        | {
            "type": "object",
            "properties": {slug: own},
            "required": [slug] if own["required"] else [],
            "additionalProperties": False,
        },
    }
    required = [*SIX, "communities", "agrees_to_rules_version"]
    return {
        "$schema": DIALECT,
        **questions.titled(community.name, language),
        "type": "object",
        "properties": properties,
        "required": [*required, "answers"] if own["required"] else required,
        "additionalProperties": False,
    }


def _titled(name: str, language: str) -> dict[str, Any]:
    said = {each: texts.text("forms", f"join.{name}", each) for each in texts.LANGUAGES}
    return questions.titled(said, language)


# Answers


async def answered(
    work: Work, named: dict[str, UUID], given: dict[str, dict[str, Any]]
) -> dict[UUID, list[dict[str, Any]]]:
    """The answers to each community's own questions as they are kept with its request.

    `named` are the communities asked for, as the form names them, and so as its answers do. Raises
    Invalid for answers that are missing, unknown, or not what was asked.
    """
    found = sa.select(JoinForm.community_id, JoinForm.questions)
    rows = await work.rows(found.where(col(JoinForm.community_id).in_(named.values())))
    asked = {row.community_id: row.questions for row in rows}
    wrong = [
        errors.field(questions.pointer("answers", name), "not_known")
        for name in given
        if name not in named
    ]
    for name, community_id in named.items():
        own = asked.get(community_id, [])
        wrong += questions.faults(own, given.get(name, {}), "answers", name)
    if wrong:
        raise errors.Invalid(errors=wrong)
    return {
        community_id: questions.kept(asked.get(community_id, []), given.get(name, {}))
        for name, community_id in named.items()
    }
