"""A caller's standing in words: what they can do here, and for the rest the reasons."""

import dataclasses
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app import errors, texts
from app.models import Community
from app.policy import Capability, Standing
from app.reader import Reader


def _explained(standing: Standing, name: dict[str, str], language: str) -> dict[str, Any]:
    """The caller's standing in words: what they can do, and for the rest the reasons."""

    def reasons(capability: Capability) -> list[dict[str, Any]]:
        return [
            {
                **reason,
                "detail": texts.text("problems", f"because.{reason['code']}", language, **reason),
            }
            for reason in standing.because(capability)
        ]

    suspended = standing.suspended_until
    return {
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
                "acting": False,
            }
            for term in standing.positions
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


async def get(reader: Reader, standing: Standing, language: str) -> dict[str, Any]:
    """The caller's standing here. Raises NotFound for outsiders of a restricted community."""
    if standing.here.restricted and not standing.belongs:
        raise errors.NotFound
    row = await reader.one(sa.select(Community.name).where(col(Community.id) == standing.here.id))
    return _explained(standing, row.name, language)
