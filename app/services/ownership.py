"""Whose a thing is, to which a path leads: asked where nothing else would show it to the caller.

It is asked before the body is looked at. Otherwise a body that cannot be would tell what is there
(422) from what never was (404).
"""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import SQLModel, col

from app.db import Source
from app.models import (
    EligibilityVerification,
    HandoverItem,
    JoinRequest,
    Membership,
    UnclaimedProfile,
)
from app.policy import Standing
from app.services import addresses, verification_pages

_BY_ADDRESS = (EligibilityVerification, JoinRequest, Membership)


async def is_own(source: Source, standing: Standing, model: type[SQLModel], thing_id: UUID) -> bool:
    """True if a thing is about the caller, by their account or by their proven address."""
    if standing.person is None or model is HandoverItem:  # one's own by what one may see there
        return False
    thing: Any = model
    address = (await addresses.own(source, standing)).proven if model in _BY_ADDRESS else None
    if model is JoinRequest:
        theirs = col(JoinRequest.email_key) == address
    else:
        theirs = col(thing.person_id) == standing.person.id
    if model is EligibilityVerification:
        of_address = col(EligibilityVerification.email_key) == address
        theirs = sa.or_(theirs, sa.and_(verification_pages.OF_ADDRESS, of_address))
    if model is Membership:
        waits = sa.select(UnclaimedProfile.person_id).where(
            col(UnclaimedProfile.person_id) == Membership.person_id,
            col(UnclaimedProfile.email_key) == address,
        )
        theirs = sa.or_(theirs, waits.exists())
    return await source.first(sa.select(thing.id).where(thing.id == thing_id, theirs)) is not None
