"""The mail to somebody whom an import made a member, where that was asked for."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import texts
from app.db import Work
from app.models import Community, Membership, MembershipImport, Person, TokenPurpose
from app.services import mailed_links


async def facts(
    work: Work, import_id: UUID | None, person: Person, language: str
) -> tuple[str, dict[str, str]] | None:
    """Which body it has, and its facts; None where nothing of what it would tell is there."""
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
    if person.password_hash is not None:
        return "body_with_account", {"communities": named}
    link = await mailed_links.one_time(
        work, TokenPurpose.FIRST_PASSWORD, person.email_key, person_id=person.id
    )
    return "body", {"communities": named, "link": link}
