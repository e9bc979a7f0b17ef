"""What mails about the permission table say: the change, its people and its reasons, in words."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import policy, texts
from app.db import Work
from app.models import GrantChange, GrantChangeStatus, Person, Position
from app.services import grants

# The state in which a change has to be for a mail about it to be true.
_STATE = {
    "grant_change_proposed": GrantChangeStatus.PENDING,
    "grant_changed": GrantChangeStatus.MADE,
    "grant_change_refused": GrantChangeStatus.REFUSED,
}


async def facts(
    work: Work, kind: str, change_id: UUID | None, reader: UUID, language: str
) -> dict[str, str] | None:
    """The facts of one mail; None where it has become untrue, or is no longer its reader's
    business."""
    change = await work.get(GrantChange, change_id) if change_id else None
    if change is None or change.status != _STATE[kind]:
        return None
    if reader != change.proposed_by and reader not in await grants.holders(work):
        return None
    second = change.decided_by or change.proposed_by
    return {
        "proposer": await _name(work, change.proposed_by),
        "decider": await _name(work, second),
        "change": await _change(work, change, language),
        "reason": change.reason,
        "decision_reason": change.decision_reason or "-",
    }


async def _name(work: Work, person_id: UUID) -> str:
    return (await work.get_one(Person, person_id)).name


async def _change(work: Work, change: GrantChange, language: str) -> str:
    if change.capability is None:
        to_be = "confirmation_on" if change.confirms_grants else "confirmation_off"
        return texts.text("mails", to_be, language)
    return texts.text(
        "mails",
        "grant_row",
        language,
        meaning=texts.text("capabilities", change.capability, language),
        after=await _grantees(work, change.granted_to or [], language),
        before=await _grantees(work, change.replaced or [], language),
    )


async def _grantees(work: Work, codes: list[str], language: str) -> str:
    rows = await work.rows(
        sa.select(Position.code, Position.title).where(col(Position.code).in_(codes))
    )
    titles: dict[str, Any] = {row.code: row.title[language] for row in rows}
    for code in policy.BASE_GRANTEES:
        titles[code] = texts.text("mails", f"grantee_{code}", language)
    named = [titles[code] for code in codes] or [texts.text("mails", "grantee_nobody", language)]
    return ", ".join(named)
