"""Leadership: seats, terms, resignations and removals."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Query, Response, status

from app import errors, listing
from app.deps import ExpectedDep, PageDep, ReaderDep, SessionDep, may
from app.errors import problems
from app.models import Seat, Term
from app.policy import Capability, Standing
from app.routing import api_router, public
from app.schemas.base import AsOf, page_of
from app.schemas.terms import (
    AbsenceDeclaration,
    ActingHolderNaming,
    Leadership,
    TermAnnulment,
    TermCreate,
    TermList,
    TermRemoval,
    TermResignation,
    VacancyList,
)
from app.schemas.terms import Term as TermShown
from app.services import acting, leadership, term_pages, terms

router = api_router(tags=["leadership"])

Day = Annotated[AsOf | None, Query(description="The day that is asked about; today if not given.")]

_BEGIN = problems(
    errors.PermissionDenied,
    errors.OwnTerm,
    errors.TermNotAMember,
    errors.TermNotEligible,
    errors.TermConsecutive,
    errors.SeatTaken,
    errors.PersonHoldsSeat,
    errors.CommunityArchived,
)
Reader = Annotated[Standing, may(Capability.LEADERSHIP_READ)]
History = Annotated[Standing, may(Capability.LEADERSHIP_READ_HISTORY)]
Appointer = Annotated[Standing, may(Capability.LEADERSHIP_APPOINT)]
TermAppointer = Annotated[
    Standing,
    may(Capability.LEADERSHIP_APPOINT, within=Term, seen_with=Capability.LEADERSHIP_READ_HISTORY),
]
HolderOrAppointer = Annotated[
    Standing,
    may(
        Capability.LEADERSHIP_APPOINT,
        within=Term,
        seen_with=Capability.LEADERSHIP_READ_HISTORY,
        own=True,
    ),
]
ActingNamer = Annotated[
    Standing, may(Capability.LEADERSHIP_ACT, within=Seat, seen_with=Capability.LEADERSHIP_READ)
]


@router.get(
    "/communities/{community}/leadership",
    response_model=Leadership,
    summary="The Leadership Group of a community",
    openapi_extra=problems(errors.PermissionDenied),
)
@public(30)
async def get_leadership(
    community: str, reader: ReaderDep, standing: Reader, as_of: Day = None
) -> Any:
    """Every seat, by rank, held or vacant, and who acts where nobody who holds it can. Outsiders of
    a restricted community see no names unless it publishes them. Another day than today is for
    those who may read the history of leadership; a planned term shows on the days of its own."""
    return await leadership.get(reader, standing, as_of)


@router.get(
    "/association/leadership",
    response_model=Leadership,
    summary="Who holds the association's positions",
    openapi_extra=problems(errors.PermissionDenied),
)
@public(30)
async def get_association_leadership(reader: ReaderDep, standing: Reader, as_of: Day = None) -> Any:
    """The seats of the association, and the offices that come with another position: each chair
    sits on the Governance Committee while chair. Positions without a number of seats are listed for
    those who may read the history of leadership."""
    return await leadership.get(reader, standing, as_of)


@router.get(
    "/communities/{community}/terms",
    response_model=TermList,
    summary="Past, present and planned terms of a community",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_terms(community: str, reader: ReaderDep, standing: History, page: PageDep) -> Any:
    """In the order of recording."""
    listed = await listing.page(
        reader,
        term_pages.listing(True),
        page,
        community=standing.here.id,
        today=standing.today,
    )
    shown = [term_pages.shown(row, standing) for row in listed.rows]
    return page_of(shown, listed.next_cursor, listed.total)


@router.get(
    "/association/terms",
    response_model=TermList,
    summary="Past, present and planned terms of the association",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_association_terms(reader: ReaderDep, standing: History, page: PageDep) -> Any:
    """In the order of recording."""
    listed = await listing.page(reader, term_pages.listing(False), page, today=standing.today)
    shown = [term_pages.shown(row, standing) for row in listed.rows]
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
    return await term_pages.get(reader, standing, term_id)


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
    body: Annotated[TermResignation, Body(default_factory=TermResignation)],
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
    standing: TermAppointer,
) -> Any:
    """Every right of the position ends at this instant, on every credential; a successor may begin
    on the same day. A planned term never begins."""
    return await terms.remove(work, standing, term_id, body.reason)


@router.post(
    "/terms/{term_id}/annulment",
    response_model=TermShown,
    status_code=status.HTTP_201_CREATED,
    summary="Annul a term that was recorded in error",
    openapi_extra=problems(
        errors.PermissionDenied, errors.OwnTerm, errors.TermEnded, errors.GrantLastHolder
    ),
)
async def annul_term(
    term_id: UUID, body: TermAnnulment, work: SessionDep, standing: TermAppointer
) -> Any:
    """Terms are never edited into another person's: what was wrong is annulled, as if it had never
    been, and a new one recorded. It stays readable as annulled."""
    return await terms.annul(work, standing, term_id, body.reason)


@router.put(
    "/terms/{term_id}/absence",
    response_model=TermShown,
    summary="Declare an absence",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.TermEnded,
        errors.AbsenceDeclared,
        errors.PreconditionFailed,
    ),
)
async def declare_absence(
    term_id: UUID,
    body: AbsenceDeclaration,
    work: SessionDep,
    standing: HolderOrAppointer,
    expected: ExpectedDep,
) -> Any:
    """The holder's own act, or that of whoever may appoint. On these days the rights of the seat
    rest, and somebody acts in it: by rule, or by name. It takes the place of an earlier one."""
    return await acting.declare_absence(work, standing, term_id, body.model_dump(), expected)


@router.delete(
    "/terms/{term_id}/absence",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="End an absence",
    openapi_extra=problems(errors.PermissionDenied, errors.TermEnded, errors.PreconditionFailed),
)
async def end_absence(
    term_id: UUID,
    work: SessionDep,
    standing: HolderOrAppointer,
    expected: ExpectedDep,
) -> Response:
    """The holder is back at this instant, with every right of the seat."""
    await acting.end_absence(work, standing, term_id, expected)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get(
    "/communities/{community}/vacancies",
    response_model=VacancyList,
    summary="The seats that nobody holds",
)
@public(30)
async def list_vacancies(community: str, reader: ReaderDep, standing: Reader) -> Any:
    """Each vacant seat: since when, and who acts meanwhile. What emptied it, and who comes next, is
    for those who may read the history of leadership."""
    return {"items": await leadership.vacancies(reader, standing)}


@router.put(
    "/seats/{seat_id}/acting-holder",
    response_model=TermShown,
    summary="Name who acts in a seat",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.OwnTerm,
        errors.SeatOccupied,
        errors.TermNotAMember,
        errors.TermNotEligible,
        errors.PersonHoldsSeat,
        errors.SeatTaken,
        errors.CommunityArchived,
        errors.PreconditionFailed,
    ),
)
async def name_acting_holder(
    seat_id: UUID,
    body: ActingHolderNaming,
    work: SessionDep,
    standing: ActingNamer,
    expected: ExpectedDep,
) -> Any:
    """For a vacant seat, or one whose holder is absent; it takes the place of whoever was named
    before, and precedence over who acts by rule. The rights of the position follow at once, and end
    when the seat is filled or its holder is back."""
    return await acting.name(work, standing, seat_id, body.model_dump(), expected)


@router.delete(
    "/seats/{seat_id}/acting-holder",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Name nobody to act in a seat",
    openapi_extra=problems(errors.PermissionDenied, errors.PreconditionFailed),
)
async def remove_acting_holder(
    seat_id: UUID, work: SessionDep, standing: ActingNamer, expected: ExpectedDep
) -> Response:
    """The rights of whoever was named end at this instant; who acts by rule acts again."""
    await acting.unname(work, standing, seat_id, expected)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
