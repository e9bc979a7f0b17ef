"""Answering an invitation, by the link that was mailed to the address to which it is bound.

The link alone says who answers, whoever may be signed in: to hold it proves the address.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors, invitation_errors, tokens
from app.db import Source, Work
from app.models import (
    Community,
    CommunityStatus,
    Invitation,
    InvitationEnding,
    InvitationMail,
    JoinPolicy,
    JoinRequest,
    JoinWithdrawal,
    Membership,
    Person,
)
from app.policy import Capability, Standing
from app.schemas.invitations import InvitationState
from app.services import (
    accounts,
    association,
    communities,
    eligibility,
    invitations,
    join_states,
    lasting_rights,
    memberships,
    rules,
    unclaimed_profiles,
)
from app.services.seating import membership_is_not_over

_NOT_GOOD = dict.fromkeys(
    (
        "email",
        "community",
        "category",
        "language",
        "expires_on",
        "needs_identity",
        "rules_version",
    )
)


@dataclass(slots=True)
class _Identity:
    """The identity line of whoever accepts, as an account is made of it."""

    email: str
    email_key: str
    verified_at: datetime | None
    name: str | None = None
    occupation: str | None = None
    occupation_code: str = "other"
    affiliation: str | None = None
    area_of_interest: str | None = None
    territory: str | None = None
    language: str = "en"


async def inspect(source: Source, standing: Standing, token: str) -> dict[str, Any]:
    """What a form needs to know of an invitation; asking changes nothing."""
    row = await source.first(
        sa.select(
            Invitation.email,
            Invitation.email_key,
            Invitation.category,
            Invitation.language,
            Invitation.expires_on,
            Invitation.invited_by,
            InvitationMail.asked_at,
            Community.status,
            Community.join_policy,
            *communities.REFERENCE,
        )
        .join(InvitationMail, col(InvitationMail.invitation_id) == Invitation.id)
        .join(Community, col(Community.id) == Invitation.community_id)
        .where(
            col(InvitationMail.token_hash) == tokens.hashed(token),
            invitations.is_open(standing.today),
        )
    )
    if (
        row is None
        or not await counts(source, row, row)
        or await _is_used_up(source, row.email_key, row.community_id, row.asked_at)
    ):
        return {"valid": False, **_NOT_GOOD}
    known = sa.select(Person.id).where(col(Person.email_key) == row.email_key)
    return {
        "valid": True,
        **row._asdict(),
        "community": communities.reference(row),
        "needs_identity": await source.first(known) is None,
        "rules_version": standing.rules_in_force,
    }


async def counts(source: Source, invitation: Any, community: Any) -> bool:
    """True while the community admits, and whoever invited may still do so."""
    admits = (
        community.status == CommunityStatus.ACTIVE and community.join_policy != JoinPolicy.CLOSED
    )
    return admits and await _backed(source, invitation)


async def _backed(source: Source, invitation: Any) -> bool:
    """True while whoever answers for an invitation may manage memberships there."""
    return await lasting_rights.remain(
        source, invitation.invited_by, Capability.MEMBERSHIPS_MANAGE, invitation.community_id
    )


async def _is_used_up(
    source: Source, email_key: str, community_id: UUID, invited_at: datetime
) -> bool:
    """True where somebody has come in by another way since they were invited, and is out again: by
    an invitation of the time before, nobody undoes that."""
    gone = sa.select(Membership.id).where(
        col(Membership.person_id).in_(unclaimed_profiles.known_as(email_key, community_id)),
        col(Membership.community_id) == community_id,
        col(Membership.created_at) > invited_at,
        col(Membership.ended_at).is_not(None),
    )
    return await source.first(gone) is not None


async def accept(work: Work, standing: Standing, body: dict[str, Any]) -> dict[str, Any]:
    """Begins the membership, and makes the account of somebody who has none. A request to join that
    waits here has nothing left to be decided, and is closed.

    Raises MailedTokenInvalid, InvitationNotOpen, InvitationVoid, RulesVersionOutdated,
    CommunityArchived, CommunityClosed, EligibilityNotVerified, PersonDeactivated,
    MembershipExists, and Invalid for an identity that is missing or names unknown codes.
    After a refusal the invitation is as open as before.
    """
    invitation, asked_at = await _held(work, standing, body["token"])
    version = body["agrees_to_rules_version"]
    if version != standing.rules_in_force:
        raise rules.outdated(standing)
    community = await _admitting(work, invitation)
    if await _is_used_up(work, invitation.email_key, community.id, asked_at):
        raise invitation_errors.InvitationVoid
    requests = await _waiting(work, invitation)  # held before anything that a decision would make
    person = await _person(work, standing, invitation, body["identity"])
    if not await eligibility.is_admitted(work, invitation.email_key, community.id):
        raise errors.EligibilityNotVerified
    begun = await _claimed(work, person.id, community.id) or await memberships.begin(
        work, community.id, person.id, category=invitation.category
    )
    await rules.record_agreement(work, None, person.id, version, person.language)
    invitations.end(invitation, InvitationEnding.ACCEPTED)
    invitation.membership_id = begun.id
    for request in requests:
        join_states.withdraw(work, request, JoinWithdrawal.ALREADY_MEMBER)
    activity.record(
        work,
        "invitation.accepted",
        _as_invited(standing, person.id),
        invitation.id,
        community_id=community.id,
        membership_id=begun.id,
        person_id=person.id,
        privacy_notice_version=await association.privacy_notice_version(work),
    )
    await work.flush()
    return {
        "email": invitation.email,
        "person": {"id": person.id, "name": person.name},
        "community": _reference(community),
        "membership": _membership(begun),
        "password_link_mailed": person.password_hash is None,
    }


async def decline(work: Work, standing: Standing, token: str) -> dict[str, Any]:
    """Says no; nothing else is changed. Raises MailedTokenInvalid, InvitationNotOpen."""
    invitation, _ = await _held(work, standing, token)
    community = await work.get_one(Community, invitation.community_id)
    known = sa.select(Person.id).where(col(Person.email_key) == invitation.email_key)
    person = await work.first(known)
    invitations.end(invitation, InvitationEnding.DECLINED)
    activity.record(
        work,
        "invitation.declined",
        _as_invited(standing, person.id if person else None),
        invitation.id,
        community_id=community.id,
    )
    await work.flush()
    return {"email": invitation.email, "community": _reference(community)}


async def _held(work: Work, standing: Standing, token: str) -> tuple[Invitation, datetime]:
    """The open invitation of a link, held for this unit of work alone, and when its mail was asked
    for."""
    of_link = sa.select(InvitationMail.invitation_id, InvitationMail.asked_at).where(
        col(InvitationMail.token_hash) == tokens.hashed(token)
    )
    row = await work.first(of_link)
    if row is None:
        raise errors.MailedTokenInvalid
    invitation = await work.locked(Invitation, row.invitation_id)
    if await work.first(of_link) is None:  # mailed again while we waited for it
        raise errors.MailedTokenInvalid
    if invitations.state_of(invitation, standing.today) is not InvitationState.OPEN:
        raise invitation_errors.InvitationNotOpen
    return invitation, row.asked_at


async def _admitting(work: Work, invitation: Invitation) -> Community:
    community = await work.get_one(Community, invitation.community_id)
    if community.status == CommunityStatus.ARCHIVED:
        raise errors.CommunityArchived
    if community.join_policy == JoinPolicy.CLOSED:
        raise invitation_errors.CommunityClosed
    if not await _backed(work, invitation):
        raise invitation_errors.InvitationVoid
    return community


async def _waiting(work: Work, invitation: Invitation) -> list[JoinRequest]:
    """The requests of the address that somebody could still decide here, held."""
    found = await work.execute(
        sa.select(JoinRequest)
        .where(
            col(JoinRequest.community_id) == invitation.community_id,
            col(JoinRequest.email_key) == invitation.email_key,
            col(JoinRequest.status).in_(join_states.OPEN),
        )
        .with_for_update()
    )
    return list(found.scalars())


async def _person(
    work: Work, standing: Standing, invitation: Invitation, identity: dict[str, Any] | None
) -> Person:
    """The account of the address, which the link proves; made of the identity if there is none."""
    known = sa.select(Person.id).where(col(Person.email_key) == invitation.email_key)
    found = await work.first(known)
    if found is not None:
        return await _proven(work, found.id)
    if identity is None:
        raise errors.Invalid(errors=[errors.field("/identity", "required")])
    codes = identity["occupation_code"], identity["territory"]
    await association.refuse_unknown_codes(work, *codes, within="/identity")
    form = _Identity(
        email=invitation.email,
        email_key=invitation.email_key,
        verified_at=clock.now(),
        **identity,
    )
    by = _as_invited(standing, None)
    person = await accounts.of_applicant(work, by, form)
    if person.deactivated_at is not None:
        raise errors.PersonDeactivated
    return person


async def _proven(work: Work, person_id: UUID) -> Person:
    """An account whose owner holds the link, and needs to say nothing of who they are."""
    person = await work.locked(Person, person_id)
    if person.deactivated_at is not None:
        raise errors.PersonDeactivated
    person.email_verified_at = person.email_verified_at or clock.now()
    return person


async def _claimed(work: Work, person_id: UUID, community_id: UUID) -> Membership | None:
    """The membership here that waited for the owner of the address, whom the link proves."""
    if not await unclaimed_profiles.take_up(work, [person_id], [community_id]):
        return None
    found = sa.select(Membership).where(
        col(Membership.person_id) == person_id,
        col(Membership.community_id) == community_id,
        membership_is_not_over(clock.today()),
    )
    return (await work.execute(found)).scalars().first()


def _as_invited(standing: Standing, person_id: UUID | None) -> Standing:
    """Who answers, for the record: the person if they are signed in, or else whoever holds the
    link; never somebody else who happens to be signed in."""
    own = person_id is not None and standing.is_person(person_id)
    return standing if own else replace(standing, person=None, partner=None, operator=False)


def _reference(community: Community) -> dict[str, Any]:
    return {"id": community.id, "slug": community.slug, "name": community.name}


def _membership(membership: Membership) -> dict[str, Any]:
    return {
        "id": membership.id,
        "category": membership.category,
        "since_on": membership.since_on,
    }
