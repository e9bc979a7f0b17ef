"""The credentials of partners' machines, and the short tokens that are had with them (OAuth2's
client credentials). A token says which credential it was had with; rights are read at each request.
"""

import hmac
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, credential_errors, errors, settings, tokens
from app.capabilities import MACHINES
from app.db import Database, Source, Work
from app.models import Partner, PartnerCredential, Person, SignInFailure, new_id
from app.policy import Standing
from app.services import auth, partners, scoping
from app.services.standing import NOTED

MOST = 10
_CREDENTIALS = (
    sa.select(
        PartnerCredential.id,
        PartnerCredential.name,
        PartnerCredential.created_at,
        PartnerCredential.created_by,
        PartnerCredential.expires_at,
        PartnerCredential.last_used_at,
        col(Person.name).label("creator"),
    )
    .join(Person, col(Person.id) == PartnerCredential.created_by)
    .order_by(col(PartnerCredential.id).desc())
)


def _shown(row: Any) -> dict[str, Any]:
    creator = {"id": row.created_by, "name": row.creator}
    return row._asdict() | {"client_id": row.id, "created_by": creator}


async def of(source: Source, partner_id: UUID) -> list[dict[str, Any]]:
    """A partner's credentials that still work, the latest first. Raises NotFound."""
    await source.one(sa.select(Partner.id).where(col(Partner.id) == partner_id))
    rows = await source.rows(
        _CREDENTIALS.where(
            col(PartnerCredential.partner_id) == partner_id, scoping.working(PartnerCredential)
        )
    )
    return [_shown(row) for row in rows]


async def create(
    work: Work, standing: Standing, partner_id: UUID, body: dict[str, Any]
) -> dict[str, Any]:
    """A credential with its secret, which is kept as a hash. Whoever makes it could use it, so it
    takes the right to all that the partner may do.

    Raises Invalid, TooManyCredentials, PermissionDenied.
    """
    partner = await work.locked(Partner, partner_id)
    partners.refuse_beyond(standing, MACHINES & set(partner.capabilities))
    if len(await of(work, partner_id)) >= MOST:
        raise credential_errors.TooManyCredentials
    secret = tokens.CLIENT_SECRET + tokens.opaque()
    made = PartnerCredential(
        partner_id=partner_id,
        name=body["name"],
        secret_hash=tokens.hashed(secret),
        created_at=clock.now(),
        created_by=standing.me.id,
        expires_at=scoping.end_of(body["expires_on"]),
    )
    work.add(made)
    activity.record(
        work,
        "credential.created",
        standing,
        made.id,
        partner_id=partner_id,
        expires_on=body["expires_on"],
    )
    await work.flush()
    row = await work.one(_CREDENTIALS.where(col(PartnerCredential.id) == made.id))
    return _shown(row) | {"client_secret": secret}


async def revoke(work: Work, standing: Standing, partner_id: UUID, credential_id: UUID) -> None:
    """Ends a credential at this instant, with every token that was had with it. Raises NotFound."""
    found = await work.locked(PartnerCredential, credential_id)
    if found.partner_id != partner_id or found.revoked_at is not None:
        raise errors.NotFound
    found.revoked_at = clock.now()
    activity.record(work, "credential.revoked", standing, found.id, partner_id=partner_id)


# Signing in


_CLIENT = (
    sa.select(
        PartnerCredential.id,
        PartnerCredential.partner_id,
        PartnerCredential.secret_hash,
        PartnerCredential.last_used_at,
        Partner.capabilities,
        sa.and_(
            col(PartnerCredential.revoked_at).is_(None),
            col(PartnerCredential.expires_at) > sa.bindparam("now"),
            col(Partner.active).is_(True),
        ).label("good"),
    )
    .join(Partner, col(Partner.id) == PartnerCredential.partner_id)
    .where(col(PartnerCredential.id) == sa.bindparam("client", type_=sa.Uuid))
)
_NO_HASH = "0" * 64


async def sign_in(
    database: Database, client_id: str, secret: str, scope: str | None, client: auth.Client
) -> dict[str, Any]:
    """A short token for a partner's machine, with the scopes asked for, or all that it is given.

    The answer is the same, after the same work, for clients that are unknown and for wrong secrets.
    Raises ClientInvalid, ScopeUnavailable, SignInThrottled.
    """
    failures = auth.failure_key(f"client\n{client_id.lower()}", client)
    await auth.refuse_throttled(database.reader, failures)
    row = await database.reader.first(_CLIENT, client=_id(client_id), now=clock.now())
    stored = row.secret_hash if row else _NO_HASH
    matches = hmac.compare_digest(tokens.hashed(secret), stored)
    if row is None or not matches or not row.good:
        async with database.work() as work:
            await auth.count_failure(work, failures)
        raise credential_errors.ClientInvalid
    given = MACHINES & set(row.capabilities)
    asked = set(scope.split()) if scope and scope.strip() else given
    if not asked <= given:
        raise credential_errors.ScopeUnavailable
    async with database.work() as work:
        await _note(work, failures, row)
    return {
        "access_token": tokens.partner_token(row.partner_id, row.id, asked),
        "token_type": "bearer",
        "expires_in": settings.get().access_token_seconds,
        "scope": " ".join(sorted(asked)),
    }


def _id(client_id: str) -> UUID:
    """The credential's id; one that never was for what cannot be one."""
    try:
        return UUID(client_id)
    except ValueError:
        return new_id()


async def _note(work: Work, failures: str, row: Any) -> None:
    now = clock.now()
    await work.execute(sa.delete(SignInFailure).where(col(SignInFailure.key_hash) == failures))
    if row.last_used_at is None or now - row.last_used_at >= NOTED:
        await work.execute(
            sa.update(PartnerCredential)
            .where(col(PartnerCredential.id) == row.id)
            .values(last_used_at=now)
        )
