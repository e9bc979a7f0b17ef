"""Personal access tokens: made by a person for a script, revoked by them, by staff, or with the
account. What they let one do is worked out at each request (services/standing.py)."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, credential_errors, errors, tokens
from app.db import Source, Work
from app.models import AccessToken, ActorKind, Person
from app.policy import Capability, Standing
from app.services import scoping

MOST = 50
_SHOWN = (
    AccessToken.id,
    AccessToken.name,
    AccessToken.scopes,
    AccessToken.communities,
    AccessToken.created_at,
    AccessToken.expires_at,
    AccessToken.last_used_at,
)


async def of(source: Source, person_id: UUID) -> list[dict[str, Any]]:
    """A person's tokens that still work, the latest first. Raises NotFound for nobody."""
    await source.one(sa.select(Person.id).where(col(Person.id) == person_id))
    rows = await source.rows(
        sa.select(*_SHOWN)
        .where(col(AccessToken.person_id) == person_id, scoping.working(AccessToken))
        .order_by(col(AccessToken.id).desc())
    )
    return [row._asdict() for row in rows]


async def create(work: Work, standing: Standing, body: dict[str, Any]) -> dict[str, Any]:
    """A new token of the caller's, with its secret, which is kept as a hash.

    Raises Invalid, TooManyAccessTokens.
    """
    person = await work.locked(Person, standing.me.id)
    if len(await of(work, person.id)) >= MOST:
        raise credential_errors.TooManyAccessTokens
    secret = tokens.PERSONAL + tokens.opaque()
    made = AccessToken(
        person_id=person.id,
        name=body["name"],
        token_hash=tokens.hashed(secret),
        scopes=[one for one in Capability if one in body["scopes"]],
        communities=await scoping.places(work, standing, body["communities"]),
        created_at=clock.now(),
        expires_at=scoping.end_of(body["expires_on"]),
    )
    work.add(made)
    activity.record(
        work,
        "access_token.created",
        standing,
        made.id,
        person_id=person.id,
        scopes=made.scopes,
        communities=made.communities,
        expires_on=body["expires_on"],
    )
    await work.flush()
    return made.model_dump() | {"token": secret}


async def revoke_own(work: Work, standing: Standing, token_id: UUID) -> None:
    """Ends one of the caller's tokens at this instant. Raises NotFound for anybody else's."""
    token = await _working(work, token_id)
    if not standing.is_person(token.person_id):
        raise errors.NotFound
    _revoke(work, standing, token)


async def revoke(work: Work, standing: Standing, token_id: UUID) -> None:
    """Ends anybody's token at this instant. Raises NotFound for one that does not work anyway."""
    _revoke(work, standing, await _working(work, token_id))


async def revoke_all(work: Work, standing: Standing | None, person_id: UUID) -> None:
    """Ends all of a person's tokens, because the account ends, or its password was chosen anew."""
    found = await work.execute(
        sa.select(AccessToken).where(
            col(AccessToken.person_id) == person_id, scoping.working(AccessToken)
        )
    )
    for token in found.scalars():
        _revoke(work, standing, token)


async def _working(work: Work, token_id: UUID) -> AccessToken:
    token = await work.locked(AccessToken, token_id)
    if token.revoked_at is not None or token.expires_at <= clock.now():
        raise errors.NotFound
    return token


def _revoke(work: Work, standing: Standing | None, token: AccessToken) -> None:
    """By whoever does it; by their owner where nobody is signed in."""
    token.revoked_at = clock.now()
    actor = standing.actor if standing else (ActorKind.PERSON, token.person_id)
    activity.record(
        work,
        "access_token.revoked",
        standing,
        token.id,
        actor=actor,
        person_id=token.person_id,
    )
