"""How somebody asks to join: by a form, with one request for each community asked for, or by having
stood behind the proposal of a community that admits only the verified."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import activity, clock, errors, invitation_errors
from app.db import Work
from app.models import (
    Community,
    JoinPolicy,
    JoinRequest,
    JoinRequestOrigin,
    JoinRequestStatus,
    ProposalSupporter,
    new_id,
)
from app.policy import Standing
from app.schemas.base import address_key
from app.services import addresses, association, communities, join_confirmations, join_forms, rules
from app.services import standing as standings
from app.services.join_requests import REQUESTS, receipt

# Of one address, that nobody has confirmed.
FORMS_AN_HOUR = 20
_UNPROVEN = (
    sa.select(col(JoinRequest.submission_id))
    .where(col(JoinRequest.status) == JoinRequestStatus.AWAITING_VERIFICATION)
    .distinct()
)
# What the form of somebody behind a proposal says of them, and a request says as well.
_OF_FORM = (
    "name",
    "email",
    "email_key",
    "occupation",
    "occupation_code",
    "affiliation",
    "area_of_interest",
    "territory",
    "language",
    "rules_version",
    "privacy_notice_version",
    "submitted_at",
    "verified_at",
)


async def submit(work: Work, standing: Standing, body: dict[str, Any]) -> list[dict[str, Any]]:
    """One request for each community asked for; they wait until the address is confirmed.

    A signed-in member who asks from the address that is already proven waits for nobody's mail.
    Raises RulesVersionOutdated, Invalid (unknown communities or codes, answers that do not fit),
    CommunityArchived, NotTakingRequests.
    """
    wanted, given = body.pop("communities"), body.pop("answers")
    version = body.pop("agrees_to_rules_version")
    if version != standing.rules_in_force:
        raise rules.outdated(standing)
    found = await _wanted(work, wanted)
    named = {name: row.community_id for name, row in zip(wanted, found, strict=True)}
    answers = await join_forms.answered(work, named, given)
    await association.refuse_unknown_codes(work, body["occupation_code"], body["territory"])
    key = address_key(body["email"])
    proven = (await addresses.own(work, standing)).proven == key
    if not proven:
        await addresses.refuse_flood(work, _UNPROVEN, JoinRequest, key, FORMS_AN_HOUR)
    notice = await association.privacy_notice_version(work)
    now = clock.now()
    submission_id = new_id()
    requests = [
        JoinRequest(
            **body,
            email_key=key,
            submission_id=submission_id,
            community_id=community.community_id,
            answers=answers[community.community_id],
            status=JoinRequestStatus.AWAITING_VERIFICATION,
            rules_version=version,
            privacy_notice_version=notice,
            submitted_at=now,
            updated_at=now,
        )
        for community in found
    ]
    work.add_all(requests)
    for request in requests:
        activity.record(
            work,
            "join_request.submitted",
            standing,
            request.id,
            community_id=request.community_id,
            submission_id=submission_id,
            rules_version=version,
            privacy_notice_version=request.privacy_notice_version,
        )
    await work.flush()
    if proven:
        await join_confirmations.confirm(work, standing, key, submission_id)
    rows = await work.rows(
        REQUESTS.where(col(JoinRequest.submission_id) == submission_id), today=clock.today()
    )
    order = {community.community_id: index for index, community in enumerate(found)}
    return [receipt(row) for row in sorted(rows, key=lambda row: order[row.community_id])]


async def ask_for(
    work: Work, standing: Standing, forms: list[ProposalSupporter], community_id: UUID
) -> None:
    """A request for each of those behind a proposal, which waits for a decision from the start:
    with the proposal they have confirmed their address and agreed to the rules."""
    now = clock.now()
    for form in forms:
        request = JoinRequest(
            **{name: getattr(form, name) for name in _OF_FORM},
            submission_id=new_id(),
            community_id=community_id,
            status=JoinRequestStatus.PENDING,
            origin=JoinRequestOrigin.PROPOSAL,
            updated_at=now,
        )
        work.add(request)
        await work.flush()
        form.join_request_id = request.id
        activity.record(
            work,
            "join_request.proposed",
            standing,
            request.id,
            community_id=community_id,
            proposal_id=form.proposal_id,
            rules_version=request.rules_version,
        )


async def _wanted(work: Work, wanted: list[str]) -> list[Any]:
    """The communities asked for. A hidden one is as unknown as one that never was."""
    found: list[Any] = []
    wrong = []
    for index, reference in enumerate(wanted):
        where = standings.at(reference)
        condition = (
            col(Community.id) == where.value
            if where.by == "id"
            else col(Community.slug) == where.value
        )
        row = await work.first(
            sa.select(*communities.REFERENCE, Community.status, Community.join_policy).where(
                condition, col(Community.listed).is_(True)
            )
        )
        if row is None:
            wrong.append(errors.field(f"/communities/{index}", "not_known"))
        elif any(row.community_id == other.community_id for other in found):
            wrong.append(errors.field(f"/communities/{index}", "duplicate"))
        else:
            found.append(row)
    if wrong:
        raise errors.Invalid(errors=wrong)
    if any(communities.archived(row) for row in found):
        raise errors.CommunityArchived
    refused = [
        errors.field(f"/communities/{index}", "not_taking_requests")
        for index, row in enumerate(found)
        if row.join_policy != JoinPolicy.REQUEST
    ]
    if refused:
        raise invitation_errors.NotTakingRequests(errors=refused)
    return found
