"""What somebody is told who has just become a member, by asking or by an invitation."""

from uuid import UUID

from app import texts
from app.db import Work
from app.models import Community, Invitation, JoinRequest, Person, TokenPurpose
from app.services import mailed_links


async def write(
    work: Work, way_id: UUID | None, person: Person, language: str
) -> tuple[str, dict[str, str]] | None:
    """The words and their facts, with a link to choose a password for somebody who has none."""
    request = await work.get(JoinRequest, way_id)
    invitation = await work.get(Invitation, way_id)
    way = request or invitation
    if way is None:
        return None
    community = await work.get_one(Community, way.community_id)
    body = "body" if request else "body_invited"
    facts = {"community": texts.one_line(community.name, language)}
    if person.password_hash is not None:
        return f"{body}_with_account", facts
    link = await mailed_links.one_time(
        work, TokenPurpose.FIRST_PASSWORD, person.email_key, person_id=person.id
    )
    return body, facts | {"link": link}
