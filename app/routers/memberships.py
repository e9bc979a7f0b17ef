"""Who belongs to a community."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response, status

from app import errors, listing
from app.deps import ExpectedDep, ExpectedRequired, PageDep, ReaderDep, SessionDep, SignedIn, may
from app.errors import problems
from app.models import Membership, MembershipCategory
from app.policy import Capability, Standing
from app.routing import api_router
from app.schemas.base import AsOf, InstantIn, page_of
from app.schemas.memberships import Membership as MembershipShown
from app.schemas.memberships import (
    MembershipEnd,
    MembershipList,
    MembershipUpdate,
    Suspension,
    SuspensionCreate,
)
from app.services import memberships, suspensions

router = api_router(tags=["memberships"])


@router.get(
    "/communities/{community}/memberships",
    response_model=MembershipList,
    summary="The roster of a community",
    openapi_extra=problems(errors.PermissionDenied),
)
async def list_memberships(
    community: str,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.MEMBERSHIPS_READ)],
    page: PageDep,
    category: Annotated[
        list[MembershipCategory] | None, Query(description="Only these; repeat for or.")
    ] = None,
    updated_after: Annotated[
        InstantIn | None,
        Query(description="Only what changed after this instant, ended memberships included."),
    ] = None,
    as_of: Annotated[
        AsOf | None, Query(description="The day that is asked about; today if not given.")
    ] = None,
) -> Any:
    """Who belongs today, in the order of joining. Members see each other's identity line;
    `private` is filled for those who may read more, and they may ask about another day."""
    found, parameters = memberships.asked(standing, category, updated_after, as_of)
    listed = await listing.page(reader, found, page, **parameters)
    shown = await memberships.shown_all(reader, standing, listed.rows, as_of)
    return page_of(shown, listed.next_cursor, listed.total)


@router.get(
    "/memberships/{membership_id}", response_model=MembershipShown, summary="One membership"
)
async def get_membership(
    membership_id: UUID,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.MEMBERSHIPS_READ, within=Membership, own=True)],
) -> Any:
    """A membership; one's own can be read after its end."""
    return await memberships.get(reader, standing, membership_id)


@router.patch(
    "/memberships/{membership_id}",
    response_model=MembershipShown,
    summary="Change a membership",
    openapi_extra=problems(
        errors.PermissionDenied, errors.MembershipEnded, *errors.EDITED_BY_SEVERAL
    ),
)
async def update_membership(
    membership_id: UUID,
    body: MembershipUpdate,
    work: SessionDep,
    standing: Annotated[
        Standing,
        may(
            Capability.MEMBERSHIPS_MANAGE,
            within=Membership,
            seen_with=Capability.MEMBERSHIPS_READ,
        ),
    ],
    expected: ExpectedRequired,
) -> Any:
    """A merge patch of its category or its last day. Setting a last day for somebody who holds a
    seat needs the right to end terms."""
    return await memberships.update(work, standing, membership_id, body.model_dump(), expected)


@router.post(
    "/memberships/{membership_id}/end",
    response_model=MembershipShown,
    summary="Leave, or end a membership",
    openapi_extra=problems(errors.PermissionDenied, errors.MembershipEnded, errors.GrantLastHolder),
)
async def end_membership(
    membership_id: UUID,
    body: MembershipEnd,
    work: SessionDep,
    standing: Annotated[
        Standing,
        may(
            Capability.MEMBERSHIPS_MANAGE,
            within=Membership,
            seen_with=Capability.MEMBERSHIPS_READ,
            own=True,
        ),
    ],
) -> Any:
    """At once. Everybody may leave; ending somebody else's membership needs a reason, and, if
    they hold a seat, the right to end terms. The terms that it carried end with it."""
    return await memberships.end(work, standing, membership_id, body.reason)


@router.put(
    "/memberships/{membership_id}/suspension",
    response_model=Suspension,
    summary="Suspend a membership",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.OwnMembership,
        errors.MembershipEnded,
        errors.MembershipAlreadySuspended,
        errors.PreconditionFailed,
    ),
)
async def suspend_membership(
    membership_id: UUID,
    body: SuspensionCreate,
    work: SessionDep,
    standing: Annotated[
        Standing,
        may(
            Capability.SANCTIONS_SUSPEND,
            within=Membership,
            seen_with=Capability.MEMBERSHIPS_READ,
        ),
    ],
    expected: ExpectedDep,
) -> Any:
    """Every right of the membership, and of a seat held by it, rests from now to the end of a
    day; it comes back by itself."""
    return await suspensions.suspend(
        work, standing, membership_id, body.until_on, body.reason, expected
    )


@router.delete(
    "/memberships/{membership_id}/suspension",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Lift a suspension",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.OwnMembership,
        errors.MembershipEnded,
        errors.MembershipNotSuspended,
        errors.PreconditionFailed,
    ),
)
async def lift_suspension(
    membership_id: UUID,
    work: SessionDep,
    standing: Annotated[
        Standing,
        may(
            Capability.SANCTIONS_SUSPEND,
            within=Membership,
            seen_with=Capability.MEMBERSHIPS_READ,
        ),
    ],
    expected: ExpectedDep,
) -> Response:
    """Gives the rights back at once."""
    await suspensions.lift(work, standing, membership_id, expected)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get("/me/memberships", response_model=MembershipList, summary="My memberships", tags=["me"])
async def list_my_memberships(reader: ReaderDep, standing: SignedIn, page: PageDep) -> Any:
    """The communities that the caller belongs to, the latest first; ended memberships with
    `status=ended` are kept in the list."""
    listed = await listing.page(
        reader, memberships.OWN, page, person=standing.me.id, today=standing.today
    )
    shown = await memberships.shown_all(reader, standing, listed.rows)
    return page_of(shown, listed.next_cursor, listed.total)
