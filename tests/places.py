"""A community with one of everything in it, put there row by row: also where nobody may write.

Nothing in it belongs to whoever will call, save the two posts and the second sign-in that are made
for them: what one may do with one's own is a rule of its own.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from app import clock, tokens
from app.models import (
    Absence,
    AccessToken,
    ActorKind,
    Community,
    CommunityProposal,
    Contest,
    Discussion,
    Election,
    ElectionMethod,
    EligibilityEvidence,
    EligibilityVerification,
    GrantChange,
    HandoverItem,
    ImportHandling,
    ImportMode,
    ImportStatus,
    Invitation,
    InvitationMail,
    JoinInquiry,
    JoinRequest,
    JoinRequestStatus,
    Membership,
    MembershipCategory,
    MembershipImport,
    MembershipPause,
    Nomination,
    Partner,
    PartnerCredential,
    Person,
    Position,
    Post,
    ProposalStatus,
    ProposalSupporter,
    Readiness,
    RefreshToken,
    Report,
    Review,
    Seat,
    Session,
    Subcommittee,
    SuccessionCandidate,
    Term,
    TermBasis,
    TieRule,
    UnclaimedProfile,
    Urn,
    VerificationStatus,
    new_id,
)
from app.schemas.membership_mappings import MappingSuggestion
from app.services import memberships, terms
from tests.cast import Api, Someone

SECRET = "a-word-that-nobody-outside-may-read"


@dataclass(frozen=True)
class Place:
    """One community, and one thing of each kind in it."""

    slug: str
    id: UUID
    author: UUID
    reporter: UUID
    discussion: UUID
    post: UUID
    review: UUID
    join_request: UUID
    membership: UUID
    term: UUID
    seat: UUID
    subcommittee: UUID
    grant_change: UUID
    election: UUID
    nomination: UUID
    candidate: UUID
    handover_item: UUID
    access_token: UUID
    partner: UUID
    credential: UUID
    proposal: UUID
    verification: UUID
    membership_import: UUID
    invitation: UUID


async def furnished(api: Api, slug: str) -> Place:
    """Puts a discussion with a reported reply, a request, a member and a planned term there."""
    now, day = clock.now(), clock.today()
    async with api.database.work() as work:
        found = await work.entity(sa.select(Community).where(col(Community.slug) == slug))
        author, reporter, holder = (
            _person(f"{role} of {slug}", now) for role in ("Author", "Reporter", "Holder")
        )
        work.add_all((author, reporter, holder))
        await work.flush()
        belonging = await memberships.begin(work, found.id, author.id)
        staying = await memberships.begin(work, found.id, holder.id)
        term = Term(
            community_id=found.id,
            position_code="member_at_large",
            person_id=holder.id,
            starts_on=day + timedelta(days=500),
            ends_on=day + timedelta(days=600),
            basis=TermBasis.ELECTION,
            recorded_at=now,
            updated_at=now,
        )
        at_large = await work.get_one(Position, "member_at_large")
        await terms.record(work, None, term, at_large)
        acting = Term(
            community_id=found.id,
            position_code="member_at_large",
            seat_id=await _last_seat(work, found.id),
            person_id=holder.id,
            starts_on=day,
            basis=TermBasis.ACTING,
            recorded_at=now,
            updated_at=now,
        )
        await terms.record(work, None, acting, at_large)
        work.add(
            Absence(
                term_id=term.id,
                starts_on=term.starts_on,
                declared_at=now,
                declared_by=holder.id,
            )
        )
        discussion = Discussion(
            community_id=found.id,
            title=f"{SECRET} title",
            language="en",
            author_id=author.id,
            author=line_of(author),
            post_count=2,
            created_at=now,
            last_posted_at=now,
            updated_at=now,
        )
        opening, reply = (post_of(discussion, number, author, now) for number in (1, 2))
        review = Review(
            community_id=found.id,
            post_id=reply.id,
            author_id=author.id,
            reported_text=SECRET,
            opened_at=now,
            updated_at=now,
        )
        report = Report(
            review_id=review.id,
            post_id=reply.id,
            reporter_id=reporter.id,
            rule="no-attacks",
            rules_version=1,
            note=SECRET,
            reported_at=now,
        )
        request = request_of(found.id, f"applicant@{slug}.example.org")
        forum = Subcommittee(
            community_id=found.id,
            name=f"{SECRET} forum",
            purpose=SECRET,
            created_at=now,
            updated_at=now,
        )
        change = GrantChange(
            capability="rules:publish",
            granted_to=["staff"],
            replaced=["president", "staff"],
            based_on=1,
            reason=SECRET,
            proposed_at=now,
            proposed_by=author.id,
            updated_at=now,
        )
        for row in (discussion, opening, reply, review, report, request, forum, change):
            work.add(row)
            await work.flush()
        nomination = await _nomination(work, found.id, author)
        candidate, item = _succession(acting, staying)
        work.add_all((candidate, item))
        token = access_token_of(author.id)
        partner = Partner(
            name=f"{SECRET} partner",
            contact_email="partner@example.org",
            created_at=now,
            updated_at=now,
        )
        work.add_all((token, partner))
        await work.flush()
        credential = PartnerCredential(
            partner_id=partner.id,
            name=SECRET,
            secret_hash=tokens.hashed(tokens.opaque()),
            created_at=now,
            created_by=author.id,
            expires_at=now + timedelta(days=30),
        )
        job = import_into(found.id, author.id)
        work.add_all((credential, job))
        verification = EligibilityVerification(
            community_id=found.id,
            person_id=reporter.id,
            name=f"{SECRET} judge",
            email_key=reporter.email_key,
            occupation_code="judge",
            statement=SECRET,
            status=VerificationStatus.REQUESTED,
            requested_by=reporter.id,
            requested_at=now,
            updated_at=now,
        )
        pause = MembershipPause(
            membership_id=staying.id,
            starts_on=day + timedelta(days=700),
            declared_by=holder.id,
            declared_at=now,
        )
        work.add_all((verification, pause))
        await work.flush()
        work.add(evidence_for(verification.id, reporter.id))
        work.add(inquiry_about(request.id, author.id, answer=SECRET, answered_at=now))
        proposal = await proposed(work, f"proposer@{slug}.example.org")
        invitation = await invited(work, found.id, author.id, f"invited@{slug}.example.org")
        await profile_in(work, found.id, f"written@{slug}.example.org")
    return Place(
        slug,
        found.id,
        author.id,
        reporter.id,
        discussion.id,
        reply.id,
        review.id,
        request.id,
        belonging.id,
        term.id,
        acting.seat_id,
        forum.id,
        change.id,
        nomination.election_id,
        nomination.id,
        candidate.id,
        item.id,
        token.id,
        partner.id,
        credential.id,
        proposal.id,
        verification.id,
        job.id,
        invitation.id,
    )


async def invited(
    work: Any, community_id: UUID, inviter: UUID, address: str, **values: Any
) -> Invitation:
    """An open invitation that was mailed; nobody knows its link."""
    now = clock.now()
    invitation = Invitation(
        community_id=community_id,
        email=address,
        email_key=address,
        category=MembershipCategory.OBSERVER,
        language="en",
        invited_by=inviter,
        invited_at=now,
        updated_at=now,
        **{"expires_on": clock.today() + timedelta(days=14)} | values,
    )
    work.add(invitation)
    await work.flush()
    token_hash = tokens.hashed(tokens.opaque())
    work.add(InvitationMail(invitation_id=invitation.id, asked_at=now, token_hash=token_hash))
    return invitation


async def profile_in(work: Any, community_id: UUID, address: str) -> UnclaimedProfile:
    """What a community has written down of the owner of an address."""
    now = clock.now()
    person = Person(name=f"{SECRET} profile", email=address, created_at=now, updated_at=now)
    work.add(person)
    await work.flush()
    profile = UnclaimedProfile(person_id=person.id, community_id=community_id, email_key=address)
    work.add(profile)
    await work.flush()
    return profile


def evidence_for(verification_id: UUID, uploaded_by: UUID) -> EligibilityEvidence:
    """A file that helps to verify somebody."""
    return EligibilityEvidence(
        verification_id=verification_id,
        media_type="application/pdf",
        content=b"%PDF-1.7 " + SECRET.encode(),
        uploaded_by=uploaded_by,
        uploaded_at=clock.now(),
    )


def import_into(community_id: UUID | None, person_id: UUID) -> MembershipImport:
    """An import that was planned, and of which nothing was to be done."""
    now = clock.now()
    return MembershipImport(
        community_id=community_id,
        status=ImportStatus.PLANNED,
        mode=ImportMode.ADD,
        handling=ImportHandling.BEST_EFFORT,
        file_name=f"{SECRET}.csv",
        format="csv",
        size=1,
        headings=[SECRET],
        suggestion=MappingSuggestion(
            preset=None,
            columns={},
            community_columns={},
            separator=None,
            unknown=[],
            unclear={},
            missing=[],
        ).model_dump(mode="json"),
        places=[str(community_id)],
        created_by_kind=ActorKind.PERSON,
        created_by=person_id,
        asked_by_kind=ActorKind.PERSON,
        asked_by=person_id,
        created_at=now,
        step_at=now,
        updated_at=now,
    )


def _succession(term: Term, belonging: Membership) -> tuple[SuccessionCandidate, HandoverItem]:
    """Somebody who has agreed to follow in a seat, and something to be handed over with it."""
    here: dict[str, Any] = {"community_id": term.community_id, "seat_id": term.seat_id, "place": 0}
    candidate = SuccessionCandidate(
        **here,
        membership_id=belonging.id,
        person_id=belonging.person_id,
        readiness=Readiness.READY_NOW,
        note=SECRET,
        proposed_at=clock.now(),
        proposed_by=belonging.person_id,
        consented_at=clock.now(),
    )
    return candidate, HandoverItem(**here, text=f"{SECRET} item")


async def proposed(work: Any, address: str, **values: Any) -> CommunityProposal:
    """An open proposal of a community from an address."""
    now = clock.now()
    proposal = CommunityProposal(
        name={"en": f"{SECRET} courts", "fr": None},
        area=SECRET,
        specifics=SECRET,
        rationale=SECRET,
        language="en",
        email_key=address,
        submitted_at=now,
        verified_at=now,
        updated_at=now,
        **{"status": ProposalStatus.OPEN} | values,
    )
    work.add(proposal)
    await work.flush()
    work.add(supporter_of(proposal.id, address, proposes=True))
    await work.flush()
    return proposal


def supporter_of(proposal_id: UUID, address: str, **values: Any) -> ProposalSupporter:
    """Somebody who stands behind a proposal and wishes to belong to what it becomes."""
    now = clock.now()
    return ProposalSupporter(
        proposal_id=proposal_id,
        name=f"{SECRET} supporter",
        email=address,
        email_key=address,
        occupation="Judge",
        occupation_code="other",
        affiliation="Court",
        area_of_interest=SECRET,
        language="en",
        wishes_to_belong=True,
        wishes_to_lead=False,
        rules_version=1,
        privacy_notice_version=1,
        **{"submitted_at": now, "verified_at": now} | values,
    )


def request_of(community_id: UUID, address: str, **values: Any) -> JoinRequest:
    """A request to join from an address that is proven; it waits for a decision."""
    now = clock.now()
    return JoinRequest(
        submission_id=new_id(),
        community_id=community_id,
        name=f"{SECRET} applicant",
        email=address,
        email_key=address,
        occupation="Judge",
        occupation_code="other",
        affiliation="Court",
        area_of_interest=SECRET,
        language="en",
        rules_version=1,
        privacy_notice_version=1,
        submitted_at=now,
        verified_at=now,
        updated_at=now,
        **{"status": JoinRequestStatus.PENDING} | values,
    )


async def own_join_request(api: Api, place: Place, someone: Someone) -> UUID:
    """A request of somebody's, who was asked something and may answer or withdraw."""
    asking = {
        "status": JoinRequestStatus.INFORMATION_REQUESTED,
        "answer_due_on": clock.today() + timedelta(days=30),
    }
    async with api.database.work() as work:
        request = request_of(place.id, someone.email, **asking)
        work.add(request)
        await work.flush()
        work.add(inquiry_about(request.id, place.author))
    return request.id


def inquiry_about(request_id: UUID, asked_by: UUID, **values: Any) -> JoinInquiry:
    """A question to an applicant."""
    now = clock.now()
    return JoinInquiry(
        join_request_id=request_id, question=SECRET, asked_at=now, asked_by=asked_by, **values
    )


async def own_proposals(api: Api, someone: Someone) -> tuple[UUID, UUID]:
    """A proposal of somebody's for them to withdraw, and one of another's that they support."""
    async with api.database.work() as work:
        own = await proposed(work, someone.email)
        other = await proposed(work, f"other.{someone.email}")
        work.add(supporter_of(other.id, someone.email))
    return own.id, other.id


async def _nomination(work: Any, community_id: UUID, candidate: Person) -> Nomination:
    """An election that takes nominations, and somebody who stands in it."""
    now, day = clock.now(), clock.today()
    election = Election(
        community_id=community_id,
        title=f"{SECRET} election",
        language="en",
        nominations_from=day,
        nominations_until=day + timedelta(days=7),
        acceptance_until=day + timedelta(days=7),
        voting_from=day + timedelta(days=8),
        voting_until=day + timedelta(days=9),
        quorum=0,
        acclamation=True,
        tie_rule=TieRule.LOT,
        lot_seed=SECRET,
        opened_at=now,
        opened_by=candidate.id,
        updated_at=now,
    )
    contest = Contest(
        election_id=election.id,
        number=1,
        position_code="vice_chair",
        seats=1,
        method=ElectionMethod.PLURALITY,
        starts_on=day + timedelta(days=700),
        ends_on=day + timedelta(days=800),
    )
    nomination = Nomination(
        community_id=community_id,
        election_id=election.id,
        contest_id=contest.id,
        person_id=candidate.id,
        nominated_by=candidate.id,
        nominated_at=now,
        statement=f"{SECRET} statement",
        language="en",
        accepted_at=now,
    )
    for row in (election, contest, Urn(contest_id=contest.id), nomination):
        work.add(row)
        await work.flush()
    return nomination


async def _last_seat(work: Any, community_id: UUID) -> UUID:
    row = await work.one(
        sa.select(Seat.id).where(
            col(Seat.community_id) == community_id,
            col(Seat.position_code) == "member_at_large",
            col(Seat.number) == 4,
        )
    )
    return row.id


async def own_posts(api: Api, place: Place, someone: Someone) -> list[UUID]:
    """Two replies of somebody's in a place, whether or not they may write there (any more)."""
    now = clock.now()
    async with api.database.work() as work:
        discussion = await work.get_one(Discussion, place.discussion)
        person = await work.get_one(Person, someone.id)
        written = [
            post_of(discussion, discussion.post_count + added, person, now) for added in (1, 2)
        ]
        discussion.post_count += 2
        work.add_all(written)
    return [post.id for post in written]


def access_token_of(person_id: UUID, secret: str | None = None, **values: Any) -> AccessToken:
    """A token for a script, of whose secret nobody knows anything unless it is given."""
    now = clock.now()
    return AccessToken(
        person_id=person_id,
        token_hash=tokens.hashed(secret or tokens.opaque()),
        created_at=now,
        **{"name": SECRET, "scopes": ["communities:read"], "expires_at": now + timedelta(days=30)}
        | values,
    )


async def own_access_token(api: Api, someone: Someone) -> UUID:
    """A token of somebody's, for them to revoke."""
    token = access_token_of(someone.id)
    async with api.database.work() as work:
        work.add(token)
    return token.id


async def second_sign_in(api: Api, someone: Someone) -> tuple[UUID, str]:
    """Another sign-in of somebody's: its id, and its refresh token."""
    now, refresh = clock.now(), tokens.opaque()
    session = Session(
        person_id=someone.id,
        client="another",
        created_at=now,
        last_used_at=now,
        expires_at=now + timedelta(days=30),
    )
    async with api.database.work() as work:
        work.add(session)
        await work.flush()
        work.add(
            RefreshToken(token_hash=tokens.hashed(refresh), session_id=session.id, issued_at=now)
        )
    return session.id, refresh


def post_of(discussion: Discussion, number: int, author: Person, now: Any) -> Post:
    """A post with the word that may not be read outside."""
    return Post(
        discussion_id=discussion.id,
        community_id=discussion.community_id,
        number=number,
        author_id=author.id,
        author=line_of(author),
        body=f"{SECRET} body {number}",
        body_html=f"<p>{SECRET} body {number}</p>",
        language="en",
        created_at=now,
        updated_at=now,
    )


def line_of(person: Person) -> dict[str, Any]:
    """An identity line as it is kept with a post."""
    return {
        "person_id": str(person.id),
        "name": person.name,
        "occupation": person.occupation,
        "affiliation": person.affiliation,
        "position": None,
        "acting": False,
    }


def _person(name: str, now: Any) -> Person:
    address = f"{name.lower().replace(' ', '.')}@example.org"
    return Person(
        name=name,
        email=address,
        email_key=address,
        email_verified_at=now,
        occupation="Judge",
        affiliation="Court",
        created_at=now,
        updated_at=now,
    )


async def unlisted(api: Api, slug: str) -> None:
    """Hides a community from everybody who does not belong."""
    await api.change(Community, await api.community_id(slug), listed=False)
