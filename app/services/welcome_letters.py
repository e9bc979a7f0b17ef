"""What somebody is told who has just become a member, by asking or by an invitation."""

from uuid import UUID

from app import texts
from app.db import Work
from app.models import Community, Invitation, JoinRequest, Person
from app.services import mailed_links


async def write(
    work: Work, way_id: UUID | None, person: Person, account: Person, language: str
) -> tuple[str, dict[str, str]] | None:
    """The words and their facts, with a link to choose a password for somebody who has none. The
    `account` is the person's own, or the one for which a profile waits."""
    request = await work.get(JoinRequest, way_id)
    invitation = await work.get(Invitation, way_id)
    way = request or invitation
    if way is None:
        return None
    community = await work.get_one(Community, way.community_id)
    facts = {"community": texts.one_line(community.name, language)}
    body = "body" if request else "body_invited"
    body = body if account.id == person.id else "body_to_claim"
    return await mailed_links.to_sign_in(work, account, body, facts)
