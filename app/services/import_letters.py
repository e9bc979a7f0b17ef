"""The mail to somebody whom an import made a member, where that was asked for."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import texts
from app.db import Work
from app.models import Community, Membership, MembershipImport, Person
from app.services import mailed_links


async def facts(
    work: Work, import_id: UUID | None, person: Person, account: Person, language: str
) -> tuple[str, dict[str, str]] | None:
    """Which body it has, and its facts; None where nothing of what it would tell is there. The
    `account` is the person's own, or the one for which a profile waits."""
    job = await work.get(MembershipImport, import_id)
    if job is None:
        return None
    began: Any = col(Membership.created_at) >= job.created_at
    rows = await work.rows(
        sa.select(Community.name)
        .join(Membership, col(Membership.community_id) == Community.id)
        .where(col(Membership.person_id) == person.id, col(Membership.ended_at).is_(None), began)
        .order_by(col(Community.place))
    )
    if not rows:
        return None
    named = "\n".join(texts.one_line(row.name, language) for row in rows)
    body = "body" if account.id == person.id else "body_to_claim"
    return await mailed_links.to_sign_in(work, account, body, {"communities": named})
