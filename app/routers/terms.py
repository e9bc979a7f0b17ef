"""Leadership: seats, terms, resignations and removals."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import status

from app import errors, listing
from app.deps import PageDep, ReaderDep, SessionDep, may
from app.errors import problems
from app.models import Term
from app.policy import Capability, Standing
from app.routing import api_router, public
from app.schemas.base import page_of
from app.schemas.terms import Leadership, TermCreate, TermList, TermRemoval, TermResignation
from app.schemas.terms import Term as TermShown
from app.services import leadership, terms

router = api_router(tags=["leadership"])

_BEGIN = problems(
    errors.PermissionDenied,
    errors.OwnTerm,
    errors.TermNotAMember,
    errors.SeatTaken,
    errors.PersonHoldsSeat,
    errors.CommunityArchived,
)
Reader = Annotated[Standing, may(Capability.LEADERSHIP_READ)]
History = Annotated[Standing, may(Capability.LEADERSHIP_READ_HISTORY)]
Appointer = Annotated[Standing, may(Capability.LEADERSHIP_APPOINT)]


@router.get(
    "/communities/{community}/leadership",
    response_model=Leadership,
    summary="The Leadership Group of a community",
)
@public(30)
async def get_leadership(community: str, reader: ReaderDep, standing: Reader) -> Any:
    """Every seat today, by rank, held or vacant. Outsiders of a restricted community see no names
    unless it publishes them."""
    return await leadership.get(reader, standing)


@router.get(
    "/association/leadership",
    response_model=Leadership,
    summary="Who holds the association's positions",
)
@public(30)
async def get_association_leadership(reader: ReaderDep, standing: Reader) -> Any:
    """The seats of the association; positions without a number of seats are listed for those who
    may read the history of leadership."""
    return await leadership.get(reader, standing)


@router.get(
    "/communities/{community}/terms",
    response_model=TermList,
    summary="Past, present and planned terms of a community",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_terms(community: str, reader: ReaderDep, standing: History, page: PageDep) -> Any:
    """In the order of recording."""
    listed = await listing.page(reader, terms.listing(True), page, community=standing.here.id)
    shown = [terms.shown(row, standing) for row in listed.rows]
    return page_of(shown, listed.next_cursor, listed.total)


@router.get(
    "/association/terms",
    response_model=TermList,
    summary="Past, present and planned terms of the association",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_association_terms(reader: ReaderDep, standing: History, page: PageDep) -> Any:
    """In the order of recording."""
    listed = await listing.page(reader, terms.listing(False), page)
    shown = [terms.shown(row, standing) for row in listed.rows]
    return page_of(shown, listed.next_cursor, listed.total)


@router.post(
    "/communities/{community}/terms",
    response_model=TermShown,
    status_code=status.HTTP_201_CREATED,
    summary="Record a term in a community",
    openapi_extra=_BEGIN,
)
async def begin_term(
    community: str, body: TermCreate, work: SessionDep, standing: Appointer
) -> Any:
    """The holder may do what the position allows from the first day, 00:00, to the last, 24:00, in
    the association's time zone. A successor can be recorded while the incumbent serves; a seat is
    never held twice on one day."""
    return await terms.begin(work, standing, body.model_dump())


@router.post(
    "/association/terms",
    response_model=TermShown,
    status_code=status.HTTP_201_CREATED,
    summary="Record a term in the association",
    openapi_extra=_BEGIN,
)
async def begin_association_term(body: TermCreate, work: SessionDep, standing: Appointer) -> Any:
    """For the positions of the association, whose rights hold in every community."""
    return await terms.begin(work, standing, body.model_dump())


@router.get("/terms/{term_id}", response_model=TermShown, summary="One term")
async def get_term(
    term_id: UUID,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.LEADERSHIP_READ_HISTORY, within=Term, own=True)],
) -> Any:
    """A term, for those who may read the history of leadership, and for its holder."""
    return await terms.get(reader, standing, term_id)


@router.post(
    "/terms/{term_id}/resignation",
    response_model=TermShown,
    status_code=status.HTTP_201_CREATED,
    summary="Resign from a seat",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.TermEnded,
        errors.TermNotBegun,
        errors.GrantLastHolder,
    ),
)
async def resign_term(
    term_id: UUID,
    body: TermResignation,
    work: SessionDep,
    standing: Annotated[Standing, may(Capability.LEADERSHIP_READ_HISTORY, within=Term, own=True)],
) -> Any:
    """The holder's own act; every right of the position ends at this instant."""
    return await terms.resign(work, standing, term_id, body.reason)


@router.post(
    "/terms/{term_id}/removal",
    response_model=TermShown,
    status_code=status.HTTP_201_CREATED,
    summary="Remove somebody from a seat",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.OwnTerm,
        errors.TermEnded,
        errors.GrantLastHolder,
    ),
)
async def remove_term(
    term_id: UUID,
    body: TermRemoval,
    work: SessionDep,
    standing: Annotated[
        Standing,
        may(
            Capability.LEADERSHIP_APPOINT,
            within=Term,
            seen_with=Capability.LEADERSHIP_READ_HISTORY,
        ),
    ],
) -> Any:
    """Every right of the position ends at this instant, on every credential; a successor may begin
    on the same day. A planned term never begins."""
    return await terms.remove(work, standing, term_id, body.reason)
