"""Loading an association's defaults: what ships is data, and loading it twice changes nothing.

What people may edit afterwards (grants, rules, texts) is loaded once and then left alone; closed
lists, positions and communities that are missing are added.
"""

import csv
import tomllib
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app import activity, ceilings, clock
from app.db import Work, insert_ignoring
from app.models import (
    Association,
    Community,
    Grant,
    MembershipCategory,
    Occupation,
    Position,
    PositionScope,
    Rule,
    RuleKind,
    RulesVersion,
    Territory,
)
from app.policy import BASE_GRANTEES, Capability
from app.services import positions, seats

# The occupation of whoever names none (models/people.py); every association has it.
OTHER = "other"


class DefaultsInvalid(Exception):
    """A file of the defaults directory says something that cannot be loaded."""


def rows_of(directory: Path, name: str) -> list[dict[str, str]]:
    """The rows of a CSV file of the defaults."""
    with (directory / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def both(row: dict[str, Any], name: str) -> dict[str, str]:
    """A text in both languages from its two columns. Raises DefaultsInvalid if one is missing."""
    found = {
        "en": (row.get(f"{name}_en") or "").strip(),
        "fr": (row.get(f"{name}_fr") or "").strip(),
    }
    if not all(found.values()):
        raise DefaultsInvalid(f"{name} needs English and French: {row}")
    return found


async def load(work: Work, directory: Path) -> bool:
    """Loads what is missing; True if the association was new. Raises DefaultsInvalid."""
    try:
        return await _load(work, directory)
    except (KeyError, ValueError, OSError) as error:
        raise DefaultsInvalid(f"{type(error).__name__}: {error}") from error


async def _load(work: Work, directory: Path) -> bool:
    about = tomllib.loads((directory / "association.toml").read_text("utf-8"))
    # Two servers may start on a new database at once: the row of one decides, the other waits.
    new = await work.written(insert_ignoring(work, Association, _association(about))) == 1
    association = await work.locked(Association, 1)
    if association.code != about["code"]:
        raise DefaultsInvalid(f"the database is {association.code}'s, not {about['code']}'s")
    await _lists(work, directory)
    more = await _positions(work, directory)
    if more and not new:
        association.grants_version += 1  # what is remembered of positions goes by it
    if new:
        await _rules(work, directory)
        await _grants(work, directory)
    await work.flush()
    await _communities(work, directory)
    if new:
        code = association.code
        activity.record(work, "association.defaults_loaded", None, code, code=code)
    return new


def _association(about: dict[str, Any]) -> dict[str, Any]:
    notice = about["privacy_notice"]
    row = Association(
        code=about["code"],
        name=about["name"],
        contact_email=about["contact_email"],
        languages=about["languages"],
        confirms_grants=about.get("confirms_grants", True),
        notices=[{"code": item["code"], "text": both(item, "text")} for item in about["notices"]],
        privacy_notice={
            "version": notice["version"],
            "text": {"en": notice["en"].strip(), "fr": notice["fr"].strip()},
        },
    )
    return row.model_dump()


async def _lists(work: Work, directory: Path) -> None:
    """The closed lists. What else an entry is called came later than the entries of some
    databases, so that alone is filled in where it is missing."""
    occupations = {row.code: row for row in (await work.execute(sa.select(Occupation))).scalars()}
    for place, row in enumerate(rows_of(directory, "occupations.csv"), start=1):
        known = occupations.get(row["code"])
        if known is None:
            known = Occupation(code=row["code"], place=place, label=both(row, "label"))
            work.add(known)
        known.also_called = known.also_called or _also_called(row)
    territories = {row.code: row for row in (await work.execute(sa.select(Territory))).scalars()}
    for place, row in enumerate(rows_of(directory, "territories.csv"), start=1):
        known = territories.get(row["code"])
        if known is None:
            known = Territory(code=row["code"], place=place, name=both(row, "name"))
            work.add(known)
        known.also_called = known.also_called or _also_called(row)
    await work.flush()
    if await work.get(Occupation, OTHER) is None:
        raise DefaultsInvalid(f"occupations.csv needs the code {OTHER}, for who names none")


def _also_called(row: dict[str, str]) -> list[str]:
    return [name for name in (row.get("also_called") or "").split("|") if name]


async def _positions(work: Work, directory: Path) -> bool:
    """Adds the positions that are missing, with their seats; True if there were any."""
    known = {row.code for row in await work.rows(sa.select(Position.code))}
    added = []
    for row in rows_of(directory, "positions.csv"):
        if row["code"] in known:
            continue
        if row["code"] in BASE_GRANTEES:
            raise DefaultsInvalid(f"a position cannot be called {row['code']}")
        added.append((_position(row), row))
    work.add_all(position for position, _ in added)
    await work.flush()
    for position, row in added:
        position.acts_for = row.get("acts_for") or None
        position.held_with = row.get("held_with") or None
    with work.no_autoflush:  # a name that is none would be refused by the database, in its words
        found = (await work.execute(sa.select(Position))).scalars()
    _refuse_misfits({position.code: position for position in found})
    for position, _ in added:
        await seats.settle_everywhere(work, position)
    await work.flush()
    return bool(added)


def _position(row: dict[str, str]) -> Position:
    """A position from its line; what the line does not say is as most associations have it."""
    return Position(
        code=row["code"],
        scope=PositionScope(row["scope"]),
        rank=int(row["rank"]),
        seats=int(row["seats"]) if row["seats"] else None,
        title=both(row, "title"),
        term_months=int(row["term_months"]) if row["term_months"] else None,
        open_ended=row["open_ended"] == "true",
        consecutive_terms=row.get("consecutive_terms") == "true",
        rest_months=int(row.get("rest_months") or 12),
        stagger_group=row.get("stagger_group") or None,
        eligible_categories=[
            MembershipCategory(code)
            for code in (row.get("eligible_categories") or "").split("|")
            if code
        ],
        member_for_days=int(row.get("member_for_days") or 0),
    )


def _refuse_misfits(known: dict[str, Position]) -> None:
    for code, position in known.items():
        others = {other: one for other, one in known.items() if other != code}
        for wrong in positions.misfits(position, others):
            member = wrong["pointer"].removeprefix("/")
            named = getattr(position, member)
            raise DefaultsInvalid(f"{code}: {member} cannot be {named} ({wrong['code']})")


async def _rules(work: Work, directory: Path) -> None:
    text = tomllib.loads((directory / "rules.toml").read_text("utf-8"))
    work.add(
        RulesVersion(number=text["version"], effective_on=clock.today(), published_at=clock.now())
    )
    await work.flush()
    for place, row in enumerate(text["rules"], start=1):
        work.add(
            Rule(
                rules_version=text["version"],
                place=place,
                code=row["code"],
                kind=RuleKind(row["kind"]),
                heading=both(row, "heading"),
                text=both(row, "text"),
            )
        )


async def _grants(work: Work, directory: Path) -> None:
    """The permission table. Raises DefaultsInvalid for words and grantees that do not exist."""
    known = {row.code for row in await work.rows(sa.select(Position.code))}
    for row in rows_of(directory, "permissions.csv"):
        capability = Capability(row.pop("capability"))
        for grantee, mark in row.items():
            if not mark.strip():
                continue
            if grantee not in known and grantee not in BASE_GRANTEES:
                raise DefaultsInvalid(f"permissions.csv grants to {grantee}, which is no position")
            if ceilings.exceeded(capability, grantee):
                raise DefaultsInvalid(f"{capability} may not be granted to {grantee}")
            work.add(Grant(capability=capability, grantee=grantee))


async def _communities(work: Work, directory: Path) -> None:
    known = {row.slug for row in await work.rows(sa.select(Community.slug))}
    occupations = {row.code for row in await work.rows(sa.select(Occupation.code))}
    now = clock.now()
    for place, row in enumerate(rows_of(directory, "communities.csv"), start=1):
        if row["slug"] in known:
            continue
        community = Community(
            slug=row["slug"],
            place=place,
            name=both(row, "name"),
            description=both(row, "description"),
            eligible_occupations=_occupations(row, occupations),
            listed=row.get("listed", "true") != "false",
            created_at=now,
            updated_at=now,
        )
        work.add(community)
        await work.flush()
        await seats.make_for_community(work, community.id)


def _occupations(row: dict[str, str], known: set[str]) -> list[str]:
    """Who is eligible; a code that is misspelt would keep out everybody."""
    codes = [code for code in row["eligible_occupations"].split("|") if code]
    for code in codes:
        if code not in known:
            raise DefaultsInvalid(f"{row['slug']} is for {code}, which is no occupation")
    return codes
