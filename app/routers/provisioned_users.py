"""Users over SCIM: those of the partner's own directory."""

from fastapi import Response, status
from scim2_models import Context

from app import scim
from app.deps import ReaderDep, SessionDep
from app.schemas.provisioning import read_user
from app.scim import AskedUsers, Body, IfMatch, OfUser, Provisioner, SearchedUsers, UserId
from app.services import provisioned_users

router = scim.router()


@router.get("/Users")
async def find_provisioned_users(
    standing: Provisioner, asked: AskedUsers, reader: ReaderDep
) -> Response:
    """The partner's users, by filter and page."""
    return scim.listed(await provisioned_users.find(reader, standing, asked), asked)


@router.post("/Users/.search")
async def search_provisioned_users(
    standing: Provisioner, asked: SearchedUsers, reader: ReaderDep
) -> Response:
    """The same, with what is asked in the body, where no log keeps it."""
    return scim.listed(await provisioned_users.find(reader, standing, asked), asked)


@router.post("/Users")
async def create_provisioned_user(
    standing: Provisioner, wanted: OfUser, body: Body, work: SessionDep
) -> Response:
    """A user of the partner's. It says nothing of whether the association knows the address."""
    sent = read_user(body, Context.RESOURCE_CREATION_REQUEST)
    made = await provisioned_users.create(work, standing, sent)
    return scim.answer(made, wanted, status.HTTP_201_CREATED)


@router.get("/Users/{user_id}")
async def get_provisioned_user(
    standing: Provisioner, user_id: UserId, wanted: OfUser, reader: ReaderDep
) -> Response:
    """One of the partner's users."""
    return scim.answer(await provisioned_users.get(reader, standing, user_id), wanted)


@router.put("/Users/{user_id}")
async def replace_provisioned_user(
    standing: Provisioner,
    user_id: UserId,
    wanted: OfUser,
    body: Body,
    work: SessionDep,
    if_match: IfMatch = None,
) -> Response:
    """Makes a user what is sent."""
    sent = read_user(body, Context.RESOURCE_REPLACEMENT_REQUEST)
    return scim.answer(
        await provisioned_users.replace(work, standing, user_id, sent, if_match), wanted
    )


@router.patch("/Users/{user_id}")
async def patch_provisioned_user(
    standing: Provisioner,
    user_id: UserId,
    wanted: OfUser,
    body: Body,
    work: SessionDep,
    if_match: IfMatch = None,
) -> Response:
    """Changes a user by operations."""
    return scim.answer(
        await provisioned_users.patch(work, standing, user_id, body, if_match), wanted
    )


@router.delete("/Users/{user_id}")
async def delete_provisioned_user(
    standing: Provisioner, user_id: UserId, work: SessionDep, if_match: IfMatch = None
) -> Response:
    """Forgets a user, and ends the memberships that were begun for them."""
    await provisioned_users.delete(work, standing, user_id, if_match)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
