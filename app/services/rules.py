"""The rules: the version in force, publishing the next, and agreeing to it."""

from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors
from app.db import Source, Work, insert_ignoring, unique_or
from app.listing import Listing
from app.models import Agreement, Rule, RulesVersion
from app.policy import Standing

_VERSION = sa.select(
    col(RulesVersion.number).label("number"), RulesVersion.effective_on, RulesVersion.published_at
)
VERSIONS = Listing(_VERSION, col(RulesVersion.number), descending=True)


def version_shown(row: Any, standing: Standing) -> dict[str, Any]:
    """A version without its texts."""
    return {
        "version": row.number,
        "effective_on": row.effective_on,
        "published_at": row.published_at,
        "in_force": row.number == standing.rules_in_force,
    }


async def get(source: Source, standing: Standing, number: int | None = None) -> dict[str, Any]:
    """One version with its rules; the one in force where no number is given."""
    number = standing.rules_in_force if number is None else number
    row = await source.one(_VERSION.where(col(RulesVersion.number) == number))
    items = await source.rows(
        sa.select(Rule.code, Rule.kind, Rule.heading, Rule.text)
        .where(col(Rule.rules_version) == number)
        .order_by(col(Rule.place))
    )
    return version_shown(row, standing) | {"items": [item._asdict() for item in items]}


async def publish(work: Work, standing: Standing, body: dict[str, Any]) -> dict[str, Any]:
    """A new version, in force from its day on; members are then asked to agree again.

    Raises Invalid for a day that is over or before the day of the version that came last, and for
    a code that stands twice; RulesVersionNumberTaken where another version was published since
    the one that this is based on.
    """
    codes = [item["code"] for item in body["items"]]
    wrong = [
        errors.field(f"/items/{index}/code", "duplicate")
        for index, code in enumerate(codes)
        if code in codes[:index]
    ]
    latest = await work.one(
        sa.select(
            sa.func.max(RulesVersion.number).label("number"),
            sa.func.max(RulesVersion.effective_on).label("effective_on"),
        )
    )
    if body["based_on"] < latest.number:
        raise errors.RulesVersionNumberTaken
    if body["based_on"] > latest.number:
        wrong.append(errors.field("/based_on", "not_known"))
    if body["effective_on"] < max(standing.today, latest.effective_on):
        wrong.append(errors.field("/effective_on", "day_in_the_past"))
    if wrong:
        raise errors.Invalid(errors=wrong)
    version = RulesVersion(
        number=latest.number + 1,
        effective_on=body["effective_on"],
        published_at=clock.now(),
        published_by=standing.me.id,
    )
    async with unique_or(work, {"pk_rules_version": errors.RulesVersionNumberTaken()}):
        work.add(version)
    work.add_all(
        Rule(rules_version=version.number, place=place, **item)
        for place, item in enumerate(body["items"], start=1)
    )
    activity.record(
        work,
        "rules.published",
        standing,
        version.number,
        number=version.number,
        effective_on=version.effective_on,
    )
    await work.flush()
    in_force = version.number if version.effective_on <= standing.today else standing.rules_in_force
    shown = await get(work, standing, version.number)
    return shown | {"in_force": version.number == in_force}


async def refuse_unknown_rule(
    source: Source, standing: Standing, rule: str, pointer: str = "/rule"
) -> None:
    """Raises Invalid unless the rules in force have a rule of this code."""
    found = await source.first(
        sa.select(Rule.id).where(
            col(Rule.rules_version) == standing.rules_in_force, col(Rule.code) == rule
        )
    )
    if found is None:
        raise errors.Invalid(errors=[errors.field(pointer, "not_known")])


async def agreements(source: Source, standing: Standing) -> list[dict[str, Any]]:
    """The caller's agreements, the latest version first."""
    rows = await source.rows(
        sa.select(
            col(Agreement.rules_version).label("version"), Agreement.agreed_at, Agreement.language
        )
        .where(col(Agreement.person_id) == standing.me.id)
        .order_by(col(Agreement.rules_version).desc())
    )
    return [row._asdict() for row in rows]


async def agree(work: Work, standing: Standing, version: int, language: str) -> dict[str, Any]:
    """Records the caller's agreement; agreeing again changes nothing.

    Raises RulesVersionOutdated for a version that is no longer in force, Invalid for one that
    does not exist.
    """
    if version < standing.rules_in_force:
        raise outdated(standing)
    if (
        await work.first(sa.select(RulesVersion.number).where(RulesVersion.number == version))
        is None
    ):
        raise errors.Invalid(errors=[errors.field("/version", "not_known")])
    await record_agreement(work, standing, standing.me.id, version, language)
    row = await work.get(Agreement, (standing.me.id, version))
    if row is None:
        raise errors.NotFound
    return {"version": version, "agreed_at": row.agreed_at, "language": row.language}


async def record_agreement(
    work: Work, by: Standing | None, person_id: Any, version: int, language: str, at: Any = None
) -> None:
    """Adds an agreement once; an earlier one stays as it was."""
    values = {
        "person_id": person_id,
        "rules_version": version,
        "agreed_at": at or clock.now(),
        "language": language,
    }
    added = await work.written(insert_ignoring(work, Agreement, values))
    if added and by is not None:
        activity.record(work, "rules.agreed", by, person_id, rules_version=version)


async def record_earlier(work: Work, agreements: list[dict[str, Any]]) -> None:
    """Adds agreements that people gave on forms which have now been accepted, each once."""
    if agreements:
        await work.execute(insert_ignoring(work, Agreement), agreements)


def outdated(standing: Standing) -> errors.Problem:
    """The refusal that names the version in force."""
    number = standing.rules_in_force
    return errors.RulesVersionOutdated(
        facts={"rules_version": number}, members={"rules_version": number}
    )
