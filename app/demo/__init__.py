"""A populated association to build on: a named cast in every position, and what they talk about.

Who they are and what they say is data (cast.toml, discussions.toml); what they do goes through the
services (stage.py). All of it is invented.
"""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import settings
from app.db import Database
from app.demo.stage import ANY_VERSION, Player, Stage, day
from app.models import (
    Community,
    Discussion,
    JoinOutcome,
    Membership,
    MembershipCategory,
    Position,
    Term,
    TermBasis,
)
from app.schemas.discussions import DiscussionCreate, PostCreate, PostUpdate
from app.schemas.people import MeUpdate
from app.schemas.reviews import ReportCreate, ReviewDecision
from app.schemas.terms import TermCreate
from app.services import (
    discussions,
    join_decisions,
    memberships,
    people,
    posts,
    reviews,
    suspensions,
    terms,
)

FOLDER = Path(__file__).parent
STAFF = "samuel"
PROFILE = ("occupation", "occupation_code", "affiliation", "territory", "area_of_interest")


class DemoRefused(SystemExit):
    """The demo does not go into this database; the message is the one line that says why."""


def refuse_production() -> None:
    """Raises DemoRefused outside development: invented people have no place among real ones."""
    if not settings.get().development:
        raise DemoRefused("The demo is for development; COP_ENVIRONMENT is production.")


@lru_cache
def _told(name: str) -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))


async def fill(database: Database) -> list[dict[str, Any]]:
    """Fills a database that has the defaults and no members; the cast, with their sign-ins.

    Where the demo is already, nothing changes and the same cast is told. Raises DemoRefused in
    production, and for a database that other people use or whose defaults are not the shipped ones.
    """
    refuse_production()
    stage, cast = Stage(database), _told("cast")
    if not await is_there(database):
        await _refuse_used(database)
        await _arrive(stage, cast["people"])
        await _lead(stage, cast["terms"])
        await _apply(stage, cast["applicants"])
        for discussion in _told("discussions")["discussions"]:
            await _discuss(stage, discussion)
        await _suspend(stage, cast["suspensions"])
        await stage.sign_out()
    return _programme(cast["people"], await stage.found(cast["people"]))


async def is_there(database: Database) -> bool:
    """True if the whole demo is in the database, False if nothing of it is.

    Raises DemoRefused for what an interrupted run has left.
    """
    cast, talk = _told("cast")["people"], _told("discussions")["discussions"]
    known = await Stage(database).found(cast)
    if not known:
        return False
    last = await database.reader.first(
        sa.select(Discussion.id).where(col(Discussion.title) == talk[-1]["title"])
    )
    if last is None or len(known) < len(cast):
        raise DemoRefused("An earlier `cop demo` stopped half way: start with a new database.")
    return True


def _programme(cast: list[dict[str, Any]], found: dict[str, Player]) -> list[dict[str, Any]]:
    return [
        {
            "email": found[who["key"]].email,
            "password": found[who["key"]].password,
            "name": who["name"],
            "who": who["who"],
            "language": who["language"],
            "person_id": str(found[who["key"]].person_id),
        }
        for who in cast
    ]


async def _refuse_used(database: Database) -> None:
    seated = sa.select(Term.id).where(col(Term.seat_id).is_not(None)).limit(1)
    member = sa.select(Membership.id).limit(1)
    if await database.reader.first(member) or await database.reader.first(seated):
        raise DemoRefused(
            "This database is in use: the demo needs another COP_DATA_DIR or COP_DATABASE_URL."
        )
    known = {row.slug for row in await database.reader.rows(sa.select(Community.slug))}
    told = {discussion["community"] for discussion in _told("discussions")["discussions"]}
    if not told <= known:
        raise DemoRefused("The demo tells of the shipped defaults; COP_DEFAULTS_DIR has others.")


# Who is here


async def _arrive(stage: Stage, cast: list[dict[str, Any]]) -> None:
    officers = [who for who in cast if "position" in who]
    members = [who for who in cast if "position" not in who]
    for who in officers:
        await stage.appoint(who)
    await stage.sign_in(officers)
    for who in officers:
        profile = {name: who[name] for name in (*PROFILE, "language")}
        body = MeUpdate.model_validate(profile).model_dump()
        await stage.act(who["key"], None, people.update_me, body, ANY_VERSION)
    for who in members:
        await stage.admit(who, by=STAFF)
    await stage.sign_in(members)
    for who in members:
        if "category" in who:
            await _categorize(stage, who)


async def _categorize(stage: Stage, who: dict[str, Any]) -> None:
    """As what somebody belongs is recorded by those who manage memberships."""
    patch = {"category": MembershipCategory(who["category"])}
    for slug in who["communities"]:
        membership_id = await _membership(stage, who["key"], slug)
        await stage.act(STAFF, slug, memberships.update, membership_id, patch, ANY_VERSION)


async def _membership(stage: Stage, key: str, slug: str) -> UUID:
    found = (
        sa.select(Membership.id)
        .join(Community, col(Community.id) == Membership.community_id)
        .where(
            col(Membership.person_id) == stage.players[key].person_id, col(Community.slug) == slug
        )
    )
    return await stage.database.reader.scalar(found)


async def _lead(stage: Stage, told: list[dict[str, Any]]) -> None:
    for term in told:
        if term["to_day"] < 0:
            await _served(stage, term)
            continue
        body = TermCreate.model_validate(
            {
                "person_id": stage.players[term["person"]].person_id,
                "position": term["position"],
                "starts_on": day(term["from_day"]).isoformat(),
                "ends_on": day(term["to_day"]).isoformat(),
                "basis": term.get("basis", "election"),
            }
        ).model_dump()
        await stage.act(STAFF, term["community"], terms.begin, body)


async def _served(stage: Stage, told: dict[str, Any]) -> None:
    """A term that is over, which the API does not begin any more, as a record of the past."""
    standing = await stage.standing(STAFF, told["community"])
    async with stage.database.work() as work:
        position = await work.get_one(Position, told["position"])
        term = Term(
            community_id=standing.here.id,
            position_code=position.code,
            person_id=stage.players[told["person"]].person_id,
            starts_on=day(told["from_day"]),
            ends_on=day(told["to_day"]),
            basis=TermBasis.ELECTION,
            recorded_at=standing.now,
            recorded_by=standing.me.id,
            updated_at=standing.now,
        )
        await terms.record(work, standing, term, position)


async def _apply(stage: Stage, told: list[dict[str, Any]]) -> None:
    for who in told:
        for request in await stage.ask(who, confirmed=who.get("confirmed", True)):
            if "declined" in who:
                await stage.act(
                    "hannah",
                    request["community"]["slug"],
                    join_decisions.decide,
                    request["id"],
                    JoinOutcome.DECLINED,
                    who["declined"],
                    ANY_VERSION,
                )


async def _suspend(stage: Stage, told: list[dict[str, Any]]) -> None:
    for item in told:
        membership_id = await _membership(stage, item["person"], item["community"])
        until, reason = day(item["days"]), item["reason"]
        await stage.act("luc", item["community"], suspensions.suspend, membership_id, until, reason)


# What they talk about


async def _discuss(stage: Stage, told: dict[str, Any]) -> None:
    where = told["community"]
    body = DiscussionCreate.model_validate(
        {name: told[name] for name in ("title", "body", "tags", "language")}
    ).model_dump()
    opened = await stage.act(told["by"], where, discussions.start, body)
    numbered = [opened["opening_post"]["id"]]
    for post in told.get("posts", []):
        numbered.append(await _reply(stage, where, opened["id"], post, numbered))
    if "locked_by" in told:
        await stage.act(told["locked_by"], where, discussions.set_locked, opened["id"], True)


async def _reply(
    stage: Stage, where: str, discussion_id: UUID, told: dict[str, Any], numbered: list[UUID]
) -> UUID:
    answered = numbered[told["reply_to"] - 1] if "reply_to" in told else None
    body = PostCreate.model_validate(
        {"body": told["body"], "language": told["language"], "reply_to_id": answered}
    ).model_dump()
    post = await stage.act(told["by"], where, posts.write, discussion_id, body)
    if "edit" in told:
        patch = PostUpdate.model_validate({"body": told["edit"]}).model_dump()
        await stage.act(told["by"], where, posts.update, post["id"], patch, ANY_VERSION)
    if "delete" in told:
        await stage.act(told["by"], where, posts.delete, post["id"])
    for report in told.get("reports", []):
        asked = ReportCreate.model_validate({name: report[name] for name in ("rule", "note")})
        made = await stage.act(
            report["by"], where, reviews.report, post["id"], asked.rule, asked.note
        )
        await _review(stage, where, made["review_id"], report["rule"], told)
    return post["id"]


async def _review(
    stage: Stage, where: str, review_id: UUID, rule: str, told: dict[str, Any]
) -> None:
    """The decision about a reported post, if it does not wait for one."""
    for member, action in (("hidden", "hide"), ("kept", "keep")):
        if f"{member}_by" in told:
            body = ReviewDecision.model_validate(
                {
                    "action": action,
                    "rule": rule,
                    "reason": told[f"{member}_because"],
                    "version": 1,
                }
            ).model_dump()
            await stage.act(told[f"{member}_by"], where, reviews.decide, review_id, body)
