"""Mails about tokens for scripts: to their owner, who may not have been the one who made them."""

from datetime import timedelta
from uuid import UUID

from app import clock
from app.db import Work
from app.models import AccessToken, Person

LETTERS = ("access_token_created", "access_token_ending_soon")


async def facts(
    work: Work, kind: str, token_id: UUID | None, person: Person
) -> dict[str, str] | None:
    """What stands in the letter; None where it has become untrue."""
    token = await work.get(AccessToken, token_id)
    if token is None:
        return None
    over = token.revoked_at is not None or token.expires_at <= clock.now()
    if kind == "access_token_ending_soon" and over:
        return None
    return {
        # Nothing that was typed goes to an address that is not proven.
        "token": token.name if person.email_verified_at else "-",
        "until": clock.day_of(token.expires_at - timedelta(seconds=1)).isoformat(),
    }
