"""Who belongs to a community."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Depends, Query, Response, status

from app import errors, listing, membership_errors
from app.deps import ExpectedDep, ExpectedRequired, PageDep, ReaderDep, SessionDep, SignedIn, may
from app.errors import problems
from app.models import Membership, MembershipCategory
from app.policy import Capability, Standing
from app.routing import api_router
from app.schemas.base import AsOf, Code, DayIn, InstantIn, Line, page_of
from app.schemas.memberships import Membership as MembershipShown
from app.schemas.memberships import (
    MembershipClaim,
    MembershipCreate,
    MembershipEnd,
    MembershipList,
    MembershipPause,
    MembershipStatus,
    MembershipUpdate,
    Suspension,
    SuspensionCreate,
)
from app.services import claims, membership_pages, memberships, pauses, rosters, suspensions

router = api_router(tags=["memberships"])

OwnOrManaged = Annotated[
    Standing,
    may(
        Capability.MEMBERSHIPS_MANAGE,
        within=Membership,
        seen_with=Capability.MEMBERSHIPS_READ,
        own=True,
    ),
]


async def _filters(
    category: Annotated[
        list[MembershipCategory] | None, Query(description="Only these; repeat for or.")
    ] = None,
    status: Annotated[
        list[MembershipStatus] | None,
        Query(description="Only these, ended ones too; for those who may read private details."),
    ] = None,
    territory: Annotated[
        list[Code] | None,
        Query(description="Only members from these territories; needs the same right."),
    ] = None,
    occupation_code: Annotated[
        list[Code] | None, Query(description="Only these occupations; needs the same right.")
    ] = None,
    joined_after: Annotated[
        DayIn | None, Query(description="Only whose first day is after this one.")
    ] = None,
    joined_before: Annotated[
        DayIn | None, Query(description="Only whose first day is before this one.")
    ] = None,
    q: Annotated[
        Line | None,
        Query(
            description="Found in name, occupation and affiliation (and in addresses that show)."
        ),
    ] = None,
    person_id: Annotated[UUID | None, Query(description="Only this person's.")] = None,
    updated_after: Annotated[
        InstantIn | None,
        Query(description="Only what changed after this instant, ended memberships included."),
    ] = None,
    as_of: Annotated[
        AsOf | None, Query(description="The day that is asked about; today if not given.")
    ] = None,
) -> rosters.Filters:
    return rosters.Filters(
        category,
        status,
        territory,
        occupation_code,
        joined_after,
        joined_before,
        q,
        person_id,
        updated_after,
        as_of,
    )


RosterFilters = Annotated[rosters.Filters, Depends(_filters)]


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
    filters: RosterFilters,
) -> Any:
    """Who belongs today, in the order of joining. Members see each other's identity line;
    `private` is filled for those who may read more, and they may filter by it, by status, and ask
    about another day. With `person_id` they see all that somebody's belonging here ever was."""
    found, parameters = rosters.asked(standing, filters)
    listed = await listing.page(reader, found, page, **parameters)
    shown = await membership_pages.shown_all(reader, standing, listed.rows, filters.as_of)
    return page_of(shown, listed.next_cursor, listed.total)


@router.post(
    "/communities/{community}/memberships",
    response_model=MembershipShown,
    status_code=status.HTTP_201_CREATED,
    summary="Make somebody a member",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.OwnMembership,
        errors.MembershipExists,
        errors.PersonDeactivated,
        errors.EligibilityNotVerified,
        errors.CommunityArchived,
    ),
)
async def add_membership(
    community: str,
    body: MembershipCreate,
    work: SessionDep,
    standing: Annotated[Standing, may(Capability.MEMBERSHIPS_MANAGE)],
) -> Any:
    """Somebody who belonged here before, or anybody with an account for those who may look up
    people. Everybody else is invited, or asks. The membership is a new one: what was before stays
    as it was. The rules still have to be agreed to before taking part."""
    return await memberships.add(
        work, standing, body.person_id, body.category, body.since_on, body.until_on
    )


@router.get(
    "/memberships/{membership_id}", response_model=MembershipShown, summary="One membership"
)
async def get_membership(
    membership_id: UUID,
    reader: ReaderDep,
    standing: Annotated[Standing, may(Capability.MEMBERSHIPS_READ, within=Membership, own=True)],
) -> Any:
    """A membership; one's own can be read after its end."""
    return await membership_pages.get(reader, standing, membership_id)


@router.patch(
    "/memberships/{membership_id}",
    response_model=MembershipShown,
    summary="Change a membership",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.OwnMembership,
        errors.MembershipEnded,
        *errors.EDITED_BY_SEVERAL,
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
    """A merge patch of somebody else's category, first or last day. A last day for somebody who
    holds a seat, or a first one that is put off, needs the right to end terms."""
    return await memberships.update(work, standing, membership_id, body.model_dump(), expected)


@router.post(
    "/memberships/{membership_id}/end",
    response_model=MembershipShown,
    summary="Leave, or end a membership",
    openapi_extra=problems(errors.PermissionDenied, errors.MembershipEnded, errors.GrantLastHolder),
)
async def end_membership(
    membership_id: UUID,
    body: Annotated[MembershipEnd, Body(default_factory=MembershipEnd)],
    work: SessionDep,
    standing: OwnOrManaged,
) -> Any:
    """At once. Everybody may leave; ending somebody else's membership needs a reason, and, if
    they hold a seat, the right to end terms. The terms that it carried end with it."""
    return await memberships.end(work, standing, membership_id, body.reason)


@router.put(
    "/memberships/{membership_id}/claim",
    response_model=MembershipShown,
    summary="Claim or decline a membership",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.MembershipEnded,
        errors.MembershipExists,
        membership_errors.MembershipClaimed,
        errors.GrantLastHolder,
        errors.PreconditionFailed,
    ),
)
async def claim_membership(
    membership_id: UUID,
    body: MembershipClaim,
    work: SessionDep,
    standing: Annotated[Standing, may(Capability.MEMBERSHIPS_READ, within=Membership, own=True)],
    expected: ExpectedDep,
) -> Any:
    """The answer of somebody whose address a community has written down, although they have an
    account of their own: until they claim the membership, it shows what the community's list says
    of them, and gives no rights. Claimed, it is one's own like any other, with one's own line."""
    return await claims.claim(work, standing, membership_id, body.outcome, expected)


@router.put(
    "/memberships/{membership_id}/pause",
    response_model=MembershipShown,
    summary="Pause a membership",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.MembershipEnded,
        membership_errors.MembershipAlreadyPaused,
        errors.PreconditionFailed,
    ),
)
async def pause_membership(
    membership_id: UUID,
    body: Annotated[MembershipPause, Body(default_factory=MembershipPause)],
    work: SessionDep,
    standing: OwnOrManaged,
    expected: ExpectedDep,
) -> Any:
    """Everybody may take leave: the membership stays, and its rights (those of a seat too) rest
    until the last day is over or the pause is ended. Pausing somebody else's needs a reason, and,
    if they hold a seat, the right to end terms."""
    return await pauses.pause(
        work, standing, membership_id, body.starts_on, body.until_on, body.reason, expected
    )


@router.delete(
    "/memberships/{membership_id}/pause",
    response_model=MembershipShown,
    summary="End a pause",
    openapi_extra=problems(
        errors.PermissionDenied,
        errors.MembershipEnded,
        membership_errors.MembershipNotPaused,
        errors.PreconditionFailed,
    ),
)
async def resume_membership(
    membership_id: UUID,
    work: SessionDep,
    standing: OwnOrManaged,
    expected: ExpectedDep,
) -> Any:
    """The rights are back at once. A pause that somebody else declared is ended by those who
    manage memberships."""
    return await pauses.resume(work, standing, membership_id, expected)


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
        reader, rosters.OWN, page, person=standing.me.id, today=standing.today
    )
    shown = await membership_pages.shown_all(reader, standing, listed.rows)
    return page_of(shown, listed.next_cursor, listed.total)


@router.get(
    "/me/unclaimed-memberships",
    response_model=MembershipList,
    summary="Memberships that wait for me",
    tags=["me"],
)
async def list_my_unclaimed_memberships(
    reader: ReaderDep, standing: SignedIn, page: PageDep
) -> Any:
    """The memberships that communities' lists began for the caller's address, the latest first: as
    they say it, and as others see it there, until the caller claims or declines them."""
    listed = await claims.page(reader, standing, page)
    return page_of(listed.rows, listed.next_cursor, listed.total)
