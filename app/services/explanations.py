"""A caller's standing in words: what they can do here, and for the rest the reasons."""

import dataclasses
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app import errors, texts
from app.models import Community, Term
from app.policy import Capability, Standing, because
from app.reader import Prepared, Reader
from app.services import credentials
from app.services import standing as standings
from app.services.seating import TODAY


def _explained(
    standing: Standing, name: dict[str, str], language: str, others: list[Any]
) -> dict[str, Any]:
    """The caller's standing in words: what they can do, and for the rest the reasons."""

    def reasons(capability: Capability) -> list[dict[str, Any]]:
        found = standing.because(capability)
        if found[0]["code"] in ("position_required", "membership_required"):
            found = found + _own_terms(standing, capability, others)
        return [
            {
                **reason,
                "detail": texts.text("problems", f"because.{reason['code']}", language, **reason),
            }
            for reason in found
        ]

    suspended = standing.suspended_until
    return {
        "as_of": standing.today,
        "community": {"id": standing.here.id, "slug": standing.here.slug, "name": name},
        "person": {"id": standing.person.id, "name": standing.person.name}
        if standing.person
        else None,
        "membership": dataclasses.asdict(standing.membership) if standing.membership else None,
        "positions": [
            {
                "position": term.position,
                "term_id": term.id,
                "starts_on": term.starts_on,
                "ends_on": term.ends_on,
                "acting": term.acting is not None,
                "for_person_id": term.acting.for_person_id if term.acting else None,
            }
            for term in standing.positions
            if not term.ex_officio
        ],
        "offices": [
            {"position": term.position, "term_id": term.id}
            for term in standing.positions
            if term.ex_officio
        ],
        "can": [capability for capability in Capability if standing.can(capability)],
        "cannot": [
            {"capability": capability, "because": reasons(capability)}
            for capability in Capability
            if not standing.can(capability)
        ],
        "rules": {"in_force": standing.rules_in_force, "agreed": standing.rules_agreed},
        "suspension": {"until_on": suspended} if suspended else None,
    }


def _own_terms(
    standing: Standing, capability: Capability, others: list[Any]
) -> list[dict[str, Any]]:
    """The caller's own terms that would allow it and do not run: over, or still to come."""
    given_to, day = standing.grants.to(capability), standing.today
    found = []
    for term in others:
        if term.position_code not in given_to:
            continue
        if term.starts_on > day:
            found.append(
                because("term_not_begun", positions=[term.position_code], from_on=term.starts_on)
            )
        else:
            # The day it was ended is the first that is no longer its own.
            last = term.free_from - timedelta(days=1)
            found.append(because("term_ended", positions=[term.position_code], until=last))
    return found[:1]


_OTHER_TERMS = Prepared(
    sa.select(Term.position_code, Term.starts_on, Term.free_from)
    .where(
        col(Term.person_id) == sa.bindparam("person", type_=sa.Uuid),
        sa.or_(
            col(Term.community_id).is_(None),
            col(Term.community_id) == sa.bindparam("community", type_=sa.Uuid),
        ),
        sa.or_(col(Term.starts_on) > TODAY, col(Term.free_from) <= TODAY),
        sa.or_(col(Term.free_from).is_(None), col(Term.free_from) > col(Term.starts_on)),
    )
    .order_by(col(Term.starts_on).desc())
    .limit(50)
)


async def get(
    reader: Reader, standing: Standing, language: str, as_of: date | None
) -> dict[str, Any]:
    """The caller's standing here, today or as it was on a day.

    Raises NotFound for outsiders of a restricted community.
    """
    if standing.here.restricted and not standing.belongs:
        raise errors.NotFound
    row = await reader.one(sa.select(Community.name).where(col(Community.id) == standing.here.id))
    others: list[Any] = []
    if as_of is not None:
        here = standings.at(str(standing.here.id))
        standing = await credentials.as_of(reader, standing, here, as_of)
    if standing.person is not None and standing.reached:
        others = await reader.rows(
            _OTHER_TERMS,
            person=standing.me.id,
            community=standing.here.id,
            today=standing.today,
        )
    return _explained(standing, row.name, language, others)
