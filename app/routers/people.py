"""Oneself, and the people of the association."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Response, status

from app import errors, listing
from app.deps import ExpectedDep, PageDep, ReaderDep, SessionDep, SignedIn, may
from app.errors import problems
from app.policy import Capability, Standing
from app.routing import api_router
from app.schemas.base import page_of
from app.schemas.people import Me, MeUpdate, Person, PersonList
from app.services import people

me = api_router(tags=["me"])
router = api_router(tags=["people"])

Manager = Annotated[Standing, may(Capability.PEOPLE_MANAGE)]
_SWITCH = problems(
    errors.PermissionDenied,
    errors.OwnAccount,
    errors.GrantLastHolder,
    errors.PreconditionFailed,
)


@me.get("/me", response_model=Me, summary="My profile")
async def get_me(reader: ReaderDep, standing: Annotated[Standing, may(None, machines=True)]) -> Any:
    """Who is signed in, and where they stand with the rules; with a personal access token, whose
    it is."""
    return await people.me(reader, standing)


@me.patch(
    "/me",
    response_model=Me,
    summary="Correct my profile",
    openapi_extra=problems(errors.PreconditionFailed),
)
async def update_me(
    body: MeUpdate, work: SessionDep, standing: SignedIn, expected: ExpectedDep
) -> Any:
    """A merge patch. What was posted keeps the identity line under which it was sent."""
    return await people.update_me(work, standing, body.model_dump(), expected)


@router.get(
    "/people",
    response_model=PersonList,
    summary="People",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_people(reader: ReaderDep, standing: Manager, page: PageDep) -> Any:
    """Everybody with an account, the earliest first."""
    listed = await listing.page(reader, people.LISTING, page)
    shown = [people.shown(row, standing) for row in listed.rows]
    return page_of(shown, listed.next_cursor, listed.total)


@router.get(
    "/people/{person_id}",
    response_model=Person,
    summary="One person",
    openapi_extra=problems(errors.PermissionDenied),
)
async def get_person(person_id: UUID, reader: ReaderDep, standing: Manager) -> Any:
    """One person with an account."""
    return await people.get(reader, standing, person_id)


@router.put(
    "/people/{person_id}/deactivation",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Deactivate an account",
    openapi_extra=_SWITCH,
)
async def deactivate_person(
    person_id: UUID, work: SessionDep, standing: Manager, expected: ExpectedDep
) -> Response:
    """Ends every sign-in and every right of the account at once; doing it twice changes nothing."""
    await people.set_active(work, standing, person_id, expected, active=False)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.delete(
    "/people/{person_id}/deactivation",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Reactivate an account",
    openapi_extra=_SWITCH,
)
async def reactivate_person(
    person_id: UUID, work: SessionDep, standing: Manager, expected: ExpectedDep
) -> Response:
    """The account can sign in again; what it held and still runs counts again."""
    await people.set_active(work, standing, person_id, expected, active=True)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
