"""The standing of whoever calls, whatever they came with: a sign-in, a token, a partner's client.

Each is read as it is now, in the statement that the standing takes anyway, so that one which was
revoked, has expired or was narrowed is so at the next request.
"""

from contextlib import suppress
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import SQLModel, col

from app import clock, errors, tokens
from app.capabilities import MACHINES
from app.db import Database
from app.models import AccessToken, Association, Community, Partner, PartnerCredential
from app.models.base import Instant
from app.policy import Bounds, PartnerLine, Standing
from app.reader import Prepared, Reader
from app.services import permission_table
from app.services import standing as standings
from app.services.standing import NOTED, NOWHERE, Where


async def standing_of(
    reader: Reader, caller: tokens.Caller, where: Where = NOWHERE, as_of: date | None = None
) -> Standing:
    """The caller's standing where a path leads; as it was on a day, if one is given.

    Raises TokenInvalid where what they came with is good no longer, PersonRequired for a
    partner's on an earlier day, since nothing says what a partner had then.
    """
    if isinstance(caller, tokens.Claims):
        return await standings.of_person(reader, caller.person_id, caller.session_id, where, as_of)
    if isinstance(caller, tokens.PersonalToken):
        return await standings.of_token(reader, caller.token_hash, where, as_of)
    if as_of is not None:
        raise errors.PersonRequired
    return await _of_partner(reader, caller, where)


async def as_of(reader: Reader, standing: Standing, where: Where, day: date) -> Standing:
    """The standing of the same caller as it was on a day."""
    if standing.partner is not None:
        raise errors.PersonRequired
    if standing.bounds is not None and standing.bounds.key is not None:
        return await standings.of_token(reader, standing.bounds.key, where, day)
    if standing.session_id is None:
        raise errors.Unauthenticated
    return await standings.of_person(reader, standing.me.id, standing.session_id, where, day)


@lru_cache
def _partner(by: str, model: type[SQLModel] | None) -> Prepared:
    return Prepared(
        sa.select(
            col(Partner.id).label("partner_id"),
            col(Partner.name).label("partner_name"),
            Partner.capabilities,
            Partner.communities,
            *standings.about(by, model),
        )
        .select_from(Partner)
        .join(PartnerCredential, col(PartnerCredential.partner_id) == Partner.id)
        .join(Association, sa.true())
        .outerjoin(Community, standings.community_of(by, model))
        .where(
            col(Partner.id) == sa.bindparam("partner_id", type_=sa.Uuid),
            col(Partner.active).is_(True),
            col(PartnerCredential.id) == sa.bindparam("credential_id", type_=sa.Uuid),
            col(PartnerCredential.revoked_at).is_(None),
            col(PartnerCredential.expires_at) > sa.bindparam("now", type_=Instant),
        )
    )


async def _of_partner(reader: Reader, caller: tokens.PartnerClaims, where: Where) -> Standing:
    """What a partner's machine may do: what the partner has now, of what the token asked for."""
    now = clock.now()
    today = clock.day_of(now)
    row = await reader.first(
        _partner(where.by, where.through),
        partner_id=caller.partner_id,
        credential_id=caller.credential_id,
        community=where.value,
        today=today,
        now=now,
    )
    if row is None:
        raise errors.TokenInvalid
    return Standing(
        grants=await permission_table.read(reader, row.grants_version),
        now=now,
        today=today,
        rules_in_force=row.in_force,
        community=standings.community_line(row, where),
        partner=PartnerLine(row.partner_id, row.partner_name),
        bounds=Bounds(
            caller.credential_id,
            MACHINES & caller.scopes & frozenset(row.capabilities),
            Bounds.places(row.communities),
        ),
    )


async def note_use(database: Database, standing: Standing) -> None:
    """Writes down that a personal token is in use, at most once a minute."""
    bounds = standing.bounds
    if bounds is None or bounds.key is None:
        return
    tokens.remember(bounds.key, bounds.id)
    if not bounds.unnoted:
        return
    # A note that cannot be written now is no reason to refuse what only reads.
    with suppress(errors.Unavailable):
        await _noted(database, bounds.id, standing.now)


async def _noted(database: Database, token_id: UUID, now: datetime) -> None:
    used: Any = col(AccessToken.last_used_at)
    async with database.work() as work:
        await work.execute(
            sa.update(AccessToken)
            .where(
                col(AccessToken.id) == token_id,
                sa.or_(used.is_(None), used <= now - NOTED),
            )
            .values(last_used_at=now)
        )
