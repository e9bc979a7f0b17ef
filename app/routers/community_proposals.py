"""Proposing a community, standing behind a proposal, and deciding about it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response, status

from app import errors, listing, proposal_errors
from app.deps import ExpectedDep, LinkDep, PageDep, ReaderDep, SessionDep, SignedIn, may
from app.errors import problems
from app.models import ProposalStatus
from app.policy import Capability, Standing
from app.routing import api_router
from app.schemas.base import page_of
from app.schemas.community_proposals import (
    CommunityProposal,
    CommunityProposalCreate,
    CommunityProposalList,
    CommunityProposalReceipt,
    CommunityProposalReceived,
    ProposalDecision,
    ProposalSupportCreate,
    ProposalSupporterList,
    SimilarCommunities,
    SimilarCommunitiesQuestion,
)
from app.services import (
    community_proposals,
    proposal_decisions,
    proposal_forms,
    similar_communities,
)

router = api_router(tags=["proposals"])
me = api_router(tags=["me"])

Anyone = Annotated[Standing, may(Capability.PROPOSALS_SUBMIT)]
AnyoneLinked = Annotated[Standing, may(Capability.PROPOSALS_SUBMIT, linked=True)]
# Those who stand behind a proposal, signed in or by the link that they were mailed.
Behind = Annotated[Standing, may(None, linked=True)]
Decider = Annotated[Standing, may(Capability.PROPOSALS_DECIDE)]
Statuses = Annotated[
    list[ProposalStatus] | None, Query(description="Only these states; repeat for or.")
]


@router.post(
    "/community-proposals/similar-communities",
    response_model=SimilarCommunities,
    summary="What there is already of what I want to propose",
)
async def find_similar_communities(
    body: SimilarCommunitiesQuestion, reader: ReaderDep, standing: Anyone
) -> Any:
    """Listed communities and open proposals whose names and descriptions are like these, in either
    language. Nothing is kept: ask while the form is filled in."""
    proposal_forms.refuse_nameless(body.model_dump())
    wanted = similar_communities.proposed(body.model_dump())
    return await similar_communities.find(reader, wanted)


@router.post(
    "/community-proposals",
    response_model=CommunityProposalReceived,
    status_code=status.HTTP_202_ACCEPTED,
    summary="Propose a community",
    openapi_extra=problems(errors.RulesVersionOutdated, proposal_errors.ProposalOpenAlready),
)
async def submit_community_proposal(
    body: CommunityProposalCreate, work: SessionDep, standing: Anyone
) -> Any:
    """From anyone. A mail goes to the address; once it is confirmed the proposal is open, gathers
    supporters and waits for a decision. Whoever is signed in and writes from their own address
    need not confirm it. The answer is the same whether or not the address is known."""
    return await proposal_forms.submit(work, standing, body.model_dump())


@router.get(
    "/community-proposals",
    response_model=CommunityProposalList,
    summary="All proposals of communities",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_community_proposals(
    reader: ReaderDep, standing: Decider, page: PageDep, status: Statuses = None
) -> Any:
    """For those who decide, the earliest first. A proposal whose address nobody has confirmed is
    not listed."""
    who = await community_proposals.onlooker(reader, standing)
    listed = await listing.page(
        reader, community_proposals.asked(status), page, address=who.address
    )
    shown = [community_proposals.shown(row, who) for row in listed.rows]
    return page_of(shown, listed.next_cursor, listed.total)


@me.get(
    "/me/community-proposals",
    response_model=CommunityProposalList,
    summary="My proposals of communities",
)
async def list_my_community_proposals(
    reader: ReaderDep, standing: SignedIn, page: PageDep, status: Statuses = None
) -> Any:
    """What was proposed from the caller's own address, the earliest first."""
    who = await community_proposals.onlooker(reader, standing)
    listed = await listing.page(
        reader, community_proposals.asked(status, own=True), page, address=who.address
    )
    shown = [community_proposals.shown(row, who) for row in listed.rows]
    return page_of(shown, listed.next_cursor, listed.total)


@router.get(
    "/community-proposals/{community_proposal_id}",
    response_model=CommunityProposal,
    summary="One proposal of a community",
)
async def get_community_proposal(
    community_proposal_id: UUID, reader: ReaderDep, standing: AnyoneLinked, link: LinkDep
) -> Any:
    """Whoever has the address of an open or accepted proposal may read it, and pass it on to gather
    supporters. Its proposer finds it in any state, signed in or with the link that was mailed, as
    bearer; and so do those who decide."""
    return await community_proposals.get(reader, standing, community_proposal_id, link)


@router.post(
    "/community-proposals/{community_proposal_id}/withdrawal",
    response_model=CommunityProposal,
    summary="Take my proposal back",
    openapi_extra=problems(errors.PermissionDenied, proposal_errors.ProposalNotOpen),
)
async def withdraw_community_proposal(
    community_proposal_id: UUID, work: SessionDep, standing: Behind, link: LinkDep
) -> Any:
    """Its proposer takes an open proposal back, signed in or with the link that was mailed, as
    bearer. Those who supported it are told."""
    return await community_proposals.withdraw(work, standing, community_proposal_id, link)


@router.post(
    "/community-proposals/{community_proposal_id}/support",
    response_model=CommunityProposalReceipt,
    status_code=status.HTTP_202_ACCEPTED,
    summary="Stand behind a proposal",
    openapi_extra=problems(
        errors.RulesVersionOutdated, proposal_errors.ProposalNotOpen, proposal_errors.OwnProposal
    ),
)
async def support_community_proposal(
    community_proposal_id: UUID,
    body: ProposalSupportCreate,
    work: SessionDep,
    standing: Anyone,
) -> Any:
    """From anyone who has its address. It counts once for each address, from when that is
    confirmed. If the community is created, those who wish it and may belong are its first
    members."""
    return await proposal_forms.support(work, standing, community_proposal_id, body.model_dump())


@router.delete(
    "/community-proposals/{community_proposal_id}/support",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Stand behind a proposal no longer",
    openapi_extra=problems(proposal_errors.ProposalNotOpen, proposal_errors.OwnProposal),
)
async def withdraw_proposal_support(
    community_proposal_id: UUID, work: SessionDep, standing: Behind, link: LinkDep
) -> Response:
    """A supporter withdraws while the proposal is open, signed in or with the link that was mailed,
    as bearer."""
    await proposal_forms.withdraw_support(work, standing, community_proposal_id, link)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get(
    "/community-proposals/{community_proposal_id}/supporters",
    response_model=ProposalSupporterList,
    summary="Who stands behind a proposal",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_proposal_supporters(
    community_proposal_id: UUID, reader: ReaderDep, standing: Decider, page: PageDep
) -> Any:
    """By name, for those who decide; others see how many they are."""
    await community_proposals.get(reader, standing, community_proposal_id)
    listed = await listing.page(
        reader, community_proposals.supporters(), page, proposal=community_proposal_id
    )
    shown = [row._asdict() for row in listed.rows]
    return page_of(shown, listed.next_cursor, listed.total)


@router.put(
    "/community-proposals/{community_proposal_id}/decision",
    response_model=CommunityProposal,
    summary="Decide about a proposal",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.SlugTaken,
        errors.PreconditionFailed,
        proposal_errors.OwnProposal,
        proposal_errors.ProposalAlreadyDecided,
        proposal_errors.ProposalNotOpen,
    ),
)
async def decide_community_proposal(
    community_proposal_id: UUID,
    body: ProposalDecision,
    work: SessionDep,
    standing: Decider,
    expected: ExpectedDep,
) -> Any:
    """Once, with a reason that those behind it are mailed, save who becomes a first member by it.
    Accepting creates the community as the body describes it, with its seats, vacant, and makes the
    proposer and the supporters who wish it its first members; where only the verified may belong,
    they get requests to join instead. All of it happens, or none of it."""
    return await proposal_decisions.decide(
        work, standing, community_proposal_id, body.model_dump(), expected
    )
